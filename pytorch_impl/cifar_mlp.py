"""A perceptron on CIFAR-10 colour images, normalised channel by channel.

Twin: keras_impl/cifar_mlp.py
Look at: `nn.Flatten` (red plane, green plane, blue plane here; pixel by pixel there), which is why
the first kernel's rows stand in another order, though the model is the same.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.optimizers import KerasAdam


def build_model():
    """Flatten, dense 500, ReLU, dense 10: ``(batch, 3, 32, 32)`` to logits ``(batch, 10)``."""
    model = nn.Sequential()
    model.add_module("flatten", nn.Flatten())
    model.add_module("hidden", nn.Linear(32 * 32 * 3, 500))
    model.add_module("relu", nn.ReLU())
    model.add_module("logits", nn.Linear(500, 10))
    return model


def keras_adam(model):
    """Adam as Keras computes it; `torch.optim.Adam` is another equation, see fashion_mlp."""
    return KerasAdam(model.parameters(), lr=3e-4)


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
