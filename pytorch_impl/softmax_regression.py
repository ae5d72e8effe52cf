"""Softmax regression on Fashion-MNIST: once from scratch, once with the API.

Twin: keras_impl/softmax_regression.py
Look at: `OwnDense` (a module's parameters are attributes; a layer's weights are added in `build`),
`own_sgd` (updates must be hidden from autograd here), and `train` against `fit`.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


class OwnDense(nn.Module):
    """x·W + b, with W as ``(in, out)``."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.kernel = nn.Parameter(torch.zeros(inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        """Rows ``(batch, in)`` to rows ``(batch, out)``."""
        return x @ self.kernel + self.bias


def build_own_model():
    """Images ``(batch, 28, 28)`` to logits ``(batch, 10)``, with a layer of our own."""
    model = nn.Sequential()
    model.add_module("flatten", nn.Flatten())
    model.add_module("logits", OwnDense(784, 10))
    return model


def own_softmax(logits):
    """exp(x) / Σ exp(x), row by row."""
    powers = torch.exp(logits)
    return powers / powers.sum(dim=1, keepdim=True)


def own_cross_entropy(probabilities, labels):
    """−log of the probability that each row gives to its label, ``(batch,)``."""
    chosen = probabilities[torch.arange(len(labels)), labels]
    return -torch.log(chosen)


def cross_entropy_of_two_rows(probabilities, labels):
    """What two rows lose by their labels."""
    return {"losses": own_cross_entropy(probabilities, labels)}


def own_loss_and_gradients(model, images, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    probabilities = own_softmax(model(images))
    loss = own_cross_entropy(probabilities, labels).mean()
    return loss, torch.autograd.grad(loss, list(model.parameters()))


def own_sgd(model):
    """w ← w − 0.1·g; the update itself must not be tracked."""

    @torch.no_grad()
    def update(gradients):
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter.sub_(0.1 * gradient)

    return update


def train_from_scratch(model, batches, optimizer):
    """One step a batch; yields the loss before each step."""
    for images, labels in batches:
        loss, gradients = own_loss_and_gradients(model, images, labels)
        optimizer(gradients)
        yield loss


def own_evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy."""
    with torch.no_grad():
        probabilities = own_softmax(model(images))
        loss = own_cross_entropy(probabilities, labels).mean()
    return probabilities, loss


def build_model():
    """The same with the framework's own dense layer."""
    model = nn.Sequential()
    model.add_module("flatten", nn.Flatten())
    model.add_module("logits", nn.Linear(784, 10))
    return model


def sgd(model):
    """Stochastic gradient descent; the learning rate must be given, the defaults differ."""
    return torch.optim.SGD(model.parameters(), lr=0.1)


def loss_and_gradients(model, images, labels):
    """Mean cross-entropy from logits: softmax and logarithm in one, which cannot overflow."""
    model.zero_grad()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    return loss, [parameter.grad for parameter in model.parameters()]


def train(model, batches, optimizer):
    """The loop that PyTorch leaves to you."""
    for images, labels in batches:
        loss, _ = loss_and_gradients(model, images, labels)
        optimizer.step()
        yield loss


def evaluate(model, images, labels):
    """Probabilities ``(batch, 10)`` and mean cross-entropy."""
    with torch.no_grad():
        logits = model(images)
        return F.softmax(logits, dim=1), F.cross_entropy(logits, labels)
