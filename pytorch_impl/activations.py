"""Activations and their slopes: the functions between the layers, on a grid and at the extremes.

Twin: keras_impl/activations.py
Look at: `defaults` (the same name with other constants), `leaky_relu` (a slope passed as a Python
number), `relu` (what becomes of the slope at NaN) and `gelu_by_hand` (why there is one).
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812


def everywhere(activation, x, extremes):
    """y and dy/dx on the grid and at the extremes; points do not mix, so the sum will do."""
    found = {}
    for suffix, points in (("", x), ("_extreme", extremes)):
        points.requires_grad_()
        y = activation(points)
        y.sum().backward()
        found[f"y{suffix}"] = y
        found[f"dy_dx{suffix}"] = points.grad
    return found


def step(x, extremes):
    """1 from 0 upwards, 0 below and for NaN: a comparison, which has no gradient at all."""
    x.requires_grad_()
    y = (x >= 0).to(x.dtype)
    return {
        "y": y,
        "y_extreme": (extremes >= 0).to(extremes.dtype),
        "has_gradient": y.requires_grad,
    }


def sigmoid(x, extremes):
    """1/(1 + e⁻ˣ): flat at both ends, where learning stops."""
    return everywhere(torch.sigmoid, x, extremes)


def tanh(x, extremes):
    """A sigmoid from −1 to 1."""
    return everywhere(torch.tanh, x, extremes)


def relu(x, extremes):
    """max(x, 0); the slope at 0 is 0, and NaN keeps its slope here but not there."""
    return everywhere(F.relu, x, extremes)


def relu_example(x):
    """[2, −4] → [2, 0], as a function and as a module."""
    return {"function": F.relu(x), "layer": nn.ReLU()(x)}


def leaky_relu(x, extremes):
    """A slope of 1/8 below 0, which every precision holds exactly."""
    return everywhere(lambda x: F.leaky_relu(x, 0.125), x, extremes)


def elu(x, extremes):
    """eˣ − 1 below 0."""
    return everywhere(F.elu, x, extremes)


def gelu(x, extremes):
    """x·Φ(x), Φ the normal distribution: the default on both sides."""
    return everywhere(F.gelu, x, extremes)


def gelu_by_hand(x):
    """The same formula written out, for the sake of the other side."""
    x.requires_grad_()
    y = x * torch.special.erfc(-x / 2**0.5) / 2
    y.sum().backward()
    return {"y": y, "dy_dx": x.grad}


def gelu_tanh(x, extremes):
    """The approximation of GELU by tanh; on request only."""
    return everywhere(lambda x: F.gelu(x, approximate="tanh"), x, extremes)


def silu(x, extremes):
    """x·σ(x), also called swish; −∞·0 is NaN."""
    return everywhere(F.silu, x, extremes)


def softplus(x, extremes):
    """log(1 + eˣ), a soft ReLU."""
    return everywhere(F.softplus, x, extremes)


def softmax(x, weights, extremes):
    """Probabilities along the last axis; PyTorch has no default for the axis."""
    x.requires_grad_()
    y = F.softmax(x, dim=-1)
    (weights * y).sum().backward()
    return {
        "y": y,
        "sum": y.sum(dim=-1),
        "gradient": x.grad,
        "log": F.log_softmax(x, dim=-1),
        "y_extreme": F.softmax(extremes, dim=-1),
        "log_extreme": F.log_softmax(extremes, dim=-1),
    }


def defaults(x, large):
    """What you get when you pass nothing; `large` lies around 20, where softplus turns linear."""
    return {
        "leaky_relu_function": F.leaky_relu(x),
        "leaky_relu_layer": nn.LeakyReLU()(x),
        "leaky_relu_tenth": F.leaky_relu(x, 0.1),
        "prelu": nn.PReLU()(x),
        "elu": nn.ELU()(x),
        "hard_sigmoid": F.hardsigmoid(x),
        "softplus": F.softplus(large),
    }
