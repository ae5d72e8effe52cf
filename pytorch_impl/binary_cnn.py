"""Zero or one: a convolutional network with a single output.

Twin: keras_impl/binary_cnn.py
Look at: `loss_and_gradients` (the loss takes logits and labels as floats of the same shape here;
there labels of any dtype, and logits only when told so), and `evaluate`, where the sigmoid is.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.optimizers import KerasAdam


def build_model():
    """Conv 16 5×5, ReLU, pool, one dense unit: ``(batch, 1, 28, 28)`` to logits ``(batch, 1)``."""
    model = nn.Sequential()
    model.add_module("conv", nn.Conv2d(1, 16, kernel_size=5))
    model.add_module("relu", nn.ReLU())
    model.add_module("pool", nn.MaxPool2d(2))
    model.add_module("flatten", nn.Flatten())
    model.add_module("logit", nn.Linear(12 * 12 * 16, 1))
    return model


def keras_adam(model):
    """Adam as Keras computes it; `torch.optim.Adam` is another equation, see fashion_mlp."""
    return KerasAdam(model.parameters(), lr=1e-3)


def loss_and_gradients(model, images, labels):
    """Mean binary cross-entropy of the batch, and its gradient for every parameter."""
    model.train()
    model.zero_grad()
    logits = model(images).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype))
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
    """Probability of a one ``(batch, 1)`` and mean binary cross-entropy."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        probabilities = torch.sigmoid(logits)
        loss = F.binary_cross_entropy_with_logits(logits.squeeze(1), labels.to(logits.dtype))
    return probabilities, loss
