"""A convolutional network on Fashion-MNIST.

Twin: keras_impl/fashion_cnn.py
Look at: `build_model` (channels first, so the input is ``(batch, 1, 28, 28)`` and sizes of inputs
must be given to every layer; there they are inferred), and `nn.Flatten`, which puts channel by
channel behind each other where Keras puts pixel by pixel.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.optimizers import KerasAdam


def build_model():
    """Conv 32, pool, conv 64, pool, dense 128, dense 10: ``(batch, 1, 28, 28)`` to logits."""
    model = nn.Sequential()
    model.add_module("conv1", nn.Conv2d(1, 32, kernel_size=3))
    model.add_module("relu1", nn.ReLU())
    model.add_module("pool1", nn.MaxPool2d(2))
    model.add_module("conv2", nn.Conv2d(32, 64, kernel_size=3))
    model.add_module("relu2", nn.ReLU())
    model.add_module("pool2", nn.MaxPool2d(2))
    model.add_module("flatten", nn.Flatten())
    model.add_module("hidden", nn.Linear(5 * 5 * 64, 128))
    model.add_module("relu3", nn.ReLU())
    model.add_module("logits", nn.Linear(128, 10))
    return model


def keras_adam(model):
    """Adam as Keras computes it; `torch.optim.Adam` is another equation, see fashion_mlp."""
    return KerasAdam(model.parameters(), lr=1e-3)


def loss_and_gradients(model, images, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    model.train()
    model.zero_grad()
    logits = model(images)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    for images, labels in batches:
        loss, _ = loss_and_gradients(model, images, labels)
        optimizer.step()
        yield loss


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy, without tracking gradients."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        probabilities = F.softmax(logits, dim=1)
        loss = F.cross_entropy(logits, labels)
    return probabilities, loss
