"""How long two equal programs stay equal: a network with batch normalisation on CIFAR-10.

Twin: keras_impl/divergence.py
Look at: `build_model` (the normalisation layers follow Keras' equations, `KerasBatchNorm2d`: biased
running variance, momentum as the weight of the *new*), and the convolutions, which have no bias:
the normalisation behind them would subtract it, so its true gradient is zero and it would wander.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from parity.torch_side.layers import KerasBatchNorm2d
from parity.torch_side.optimizers import KerasAdam


def build_model():
    """Four blocks 32-64-128-256, global average, dense 128, dense 10: images to logits."""
    model = nn.Sequential()
    for block, (inputs, outputs) in enumerate([(3, 32), (32, 64), (64, 128), (128, 256)], 1):
        convolution = nn.Conv2d(inputs, outputs, kernel_size=3, padding=1, bias=False)
        model.add_module(f"conv{block}", convolution)
        model.add_module(f"norm{block}", KerasBatchNorm2d(outputs, eps=1e-5, momentum=0.1))
        model.add_module(f"relu{block}", nn.ReLU())
        if block < 4:
            model.add_module(f"pool{block}", nn.MaxPool2d(2))
    model.add_module("average", nn.AdaptiveAvgPool2d(1))
    model.add_module("flatten", nn.Flatten())
    model.add_module("hidden", nn.Linear(256, 128))
    model.add_module("relu", nn.ReLU())
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
    """Probabilities ``(batch, 10)`` and mean cross-entropy, with the running statistics."""
    model.eval()
    with torch.no_grad():
        logits = model(images)
        probabilities = F.softmax(logits, dim=1)
        loss = F.cross_entropy(logits, labels)
    return probabilities, loss
