"""A deep perceptron with batch normalisation on Iris.

Twin: keras_impl/iris_mlp.py
Look at: the normalisation layers (momentum is the weight of the *new* statistics here and of the
old ones there; Keras' default epsilon is 100 times larger; the running variance is unbiased here,
biased there, hence `KerasBatchNorm1d`), and `evaluate`, where the running statistics are used.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.layers import KerasBatchNorm1d


def build_model():
    """4-128-64-32-16-3: rows ``(batch, 4)`` to logits ``(batch, 3)``; 16 parameter tensors."""
    model = nn.Sequential()
    model.add_module("dense1", nn.Linear(4, 128))
    model.add_module("norm1", KerasBatchNorm1d(128, eps=1e-5, momentum=0.1))
    model.add_module("relu1", nn.ReLU())
    model.add_module("dense2", nn.Linear(128, 64))
    model.add_module("norm2", KerasBatchNorm1d(64, eps=1e-5, momentum=0.1))
    model.add_module("relu2", nn.ReLU())
    model.add_module("dense3", nn.Linear(64, 32))
    model.add_module("norm3", KerasBatchNorm1d(32, eps=1e-5, momentum=0.1))
    model.add_module("relu3", nn.ReLU())
    model.add_module("dense4", nn.Linear(32, 16))
    model.add_module("relu4", nn.ReLU())
    model.add_module("logits", nn.Linear(16, 3))
    return model


def count_parameters():
    """16 parameter tensors: five kernels, five biases, three pairs of scale and shift."""
    parameters = list(build_model().parameters())
    return {
        "tensors": len(parameters),
        "numbers": sum(p.numel() for p in parameters),
        "first": tuple(parameters[0].shape),
    }


def sgd(model):
    """Stochastic gradient descent, the same equation on both sides."""
    return torch.optim.SGD(model.parameters(), lr=0.001)


def loss_and_gradients(model, rows, labels):
    """Mean cross-entropy of the batch, and its gradient for every parameter."""
    model.train()
    model.zero_grad()
    logits = model(rows)
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    return loss, gradients


def train(model, batches, optimizer):
    """One optimizer step a batch; yields the loss before each step."""
    for rows, labels in batches:
        loss, _ = loss_and_gradients(model, rows, labels)
        optimizer.step()
        yield loss


def evaluate(model, rows, labels):
    """Probabilities ``(batch, 3)`` and mean cross-entropy, with the running statistics."""
    model.eval()
    with torch.no_grad():
        logits = model(rows)
        probabilities = F.softmax(logits, dim=1)
        loss = F.cross_entropy(logits, labels)
    return probabilities, loss
