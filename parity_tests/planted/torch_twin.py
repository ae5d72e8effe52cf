"""The PyTorch side of the small example: fashion_mlp with two layers more."""

from pytorch_impl.fashion_mlp import *  # noqa: F403
from pytorch_impl.fashion_mlp import nn


def build_model():
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(784, 16),
        nn.ReLU(),
        nn.Linear(16, 16),
        nn.Linear(16, 16),
        nn.Linear(16, 10),
    )
