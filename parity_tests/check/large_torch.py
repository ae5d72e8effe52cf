"""A perceptron whose weights are large beside all that it computes, in PyTorch."""

from torch import nn

from parity_tests.check.large_models import LAYERS, WIDTH


def perceptron():
    """Dense layers with ReLUs between."""
    layers = [part for _ in range(LAYERS) for part in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    return nn.Sequential(*layers)
