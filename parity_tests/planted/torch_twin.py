"""The PyTorch side of the small example: fashion_mlp with two layers more."""

from pytorch_impl.fashion_mlp import *  # noqa: F403
from pytorch_impl.fashion_mlp import nn


def build_model():
    model = nn.Sequential()
    model.add_module("flatten", nn.Flatten())
    model.add_module("hidden", nn.Linear(784, 16))
    model.add_module("relu", nn.ReLU())
    model.add_module("first", nn.Linear(16, 16))
    model.add_module("second", nn.Linear(16, 16))
    model.add_module("logits", nn.Linear(16, 10))
    return model
