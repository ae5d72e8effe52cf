"""Convolutions and a classifier as two blocks of layers, one `Sequential` each, on MNIST.

Twin: keras_impl/sequential_cnn.py
Look at: `build_model` (a block is a module like any other; its parameters are called
``features.conv1.weight``), and where ReLU stands after pooling: maximum and ReLU may change places.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.optimizers import KerasAdam


def build_model():
    """Features and classifier: ``(batch, 1, 28, 28)`` to logits ``(batch, 10)``."""
    features = nn.Sequential()
    features.add_module("conv1", nn.Conv2d(1, 5, kernel_size=3, padding=1))
    features.add_module("relu1", nn.ReLU())
    features.add_module("conv2", nn.Conv2d(5, 10, kernel_size=3, padding=1))
    features.add_module("pool", nn.MaxPool2d(2))
    features.add_module("relu2", nn.ReLU())
    classifier = nn.Sequential()
    classifier.add_module("flatten", nn.Flatten())
    classifier.add_module("dense1", nn.Linear(14 * 14 * 10, 1024))
    classifier.add_module("relu1", nn.ReLU())
    classifier.add_module("dense2", nn.Linear(1024, 2048))
    classifier.add_module("relu2", nn.ReLU())
    classifier.add_module("logits", nn.Linear(2048, 10))
    model = nn.Sequential()
    model.add_module("features", features)
    model.add_module("classifier", classifier)
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
