"""A multi-layer perceptron on Fashion-MNIST, trained by an explicit loop.

Twin: keras_impl/fashion_mlp.py
Look at: `loss_and_gradients` (gradients are stored on the parameters and must be cleared here;
there they are returned by the tape), `keras_adam` (the same word Adam is two equations), and
`evaluate` (modes are switched on the model here, passed with the call there).
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.optimizers import KerasAdam


def build_model():
    """Flatten, Dense 128, ReLU, Dense 10: images ``(batch, 28, 28)`` to logits ``(batch, 10)``."""
    model = nn.Sequential()
    model.add_module("flatten", nn.Flatten())
    model.add_module("hidden", nn.Linear(784, 128))
    model.add_module("relu", nn.ReLU())
    model.add_module("logits", nn.Linear(128, 10))
    return model


def torch_adam(model):
    """Adam as PyTorch computes it: epsilon 1e-8, added after the bias correction."""
    return torch.optim.Adam(model.parameters(), lr=1e-3)


def keras_adam(model):
    """Adam as Keras computes it: epsilon 1e-7, added before the bias correction."""
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
