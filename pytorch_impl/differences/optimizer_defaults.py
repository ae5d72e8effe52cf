"""What optimizers do when nothing is said.

Twin: keras_impl/differences/optimizer_defaults.py
Look at: ``given`` are the framework's own constants; ``mapped`` is what a few steps with the other
framework's constants and equation do to the weights.
"""

import torch
from torch import nn, optim

from parity.torch_side import optimizers as bridges

from ._common import defaults


def _moved(make, gradients):
    """Weights after a step along every gradient."""
    weights = nn.Parameter(torch.ones_like(gradients[0]))
    optimizer = make([weights])
    for gradient in gradients:
        weights.grad = gradient
        optimizer.step()
    return weights.detach()


def sgd_defaults(gradients):
    """Rate and momentum."""
    return {
        "given": defaults(optim.SGD, "lr", "momentum"),
        "mapped": _moved(lambda p: optim.SGD(p, lr=1e-2), gradients),
    }


def adam_defaults(gradients):
    """Rate, decay of the moments, epsilon."""
    return {
        "given": defaults(optim.Adam, "lr", "betas", "eps"),
        "mapped": _moved(bridges.KerasAdam, gradients),
    }


def adamw_defaults(gradients):
    """How fast weights decay."""
    return {
        "given": defaults(optim.AdamW, "weight_decay", "eps"),
        "mapped": _moved(bridges.KerasAdamW, gradients),
    }


def rmsprop_defaults(gradients):
    """Rate, decay of the squares, epsilon."""
    return {
        "given": defaults(optim.RMSprop, "lr", "alpha", "eps"),
        "mapped": _moved(bridges.KerasRMSprop, gradients),
    }


def adagrad_defaults(gradients):
    """Rate, where the sum begins, epsilon."""
    return {
        "given": defaults(optim.Adagrad, "lr", "initial_accumulator_value", "eps"),
        "mapped": _moved(bridges.KerasAdagrad, gradients),
    }


def adadelta_defaults(gradients):
    """Rate, decay of the squares, epsilon."""
    return {
        "given": defaults(optim.Adadelta, "lr", "rho", "eps"),
        "mapped": _moved(bridges.KerasAdadelta, gradients),
    }


def adamax_defaults(gradients):
    """Rate and epsilon."""
    return {
        "given": defaults(optim.Adamax, "lr", "eps"),
        "mapped": _moved(bridges.KerasAdamax, gradients),
    }


def nadam_defaults(gradients):
    """Rate and epsilon."""
    return {
        "given": defaults(optim.NAdam, "lr", "eps"),
        "mapped": _moved(bridges.KerasNadam, gradients),
    }


def adafactor_defaults():
    """Rate."""
    return {"given": defaults(optim.Adafactor, "lr")}
