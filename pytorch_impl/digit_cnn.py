"""A small convolutional network on MNIST digits, as a module with a `forward` of its own.

Twin: keras_impl/digit_cnn.py
Look at: `DigitCNN` (a subclass here; there a functional model, whose calls are recorded once), and
padding (a number of pixels here, the word "same" there; for stride 1 they are equal).
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.optimizers import KerasAdam


class DigitCNN(nn.Module):
    """Conv 5, pool, conv 10, pool, dense 10: ``(batch, 1, 28, 28)`` to logits ``(batch, 10)``."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 5, kernel_size=3, padding=1)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(5, 10, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.logits = nn.Linear(7 * 7 * 10, 10)

    def forward(self, images):
        """28×28 to 14×14 to 7×7, then 490 numbers to 10."""
        x = self.pool1(self.relu1(self.conv1(images)))
        x = self.pool2(self.relu2(self.conv2(x)))
        return self.logits(self.flatten(x))


def build_model():
    """A fresh network."""
    return DigitCNN()


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
