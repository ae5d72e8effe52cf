"""What the arguments of losses mean, and what they are divided by.

Twin: keras_impl/differences/losses.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import inspect

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ._common import defaults, slope


def argument_order():
    """What the model gives comes first."""
    return {"given": ", ".join(list(inspect.signature(F.cross_entropy).parameters)[:2])}


def mean_squared_error(y, target):
    """The mean over all elements."""
    return {"given": F.mse_loss(y, target)}


def cross_entropy_of_logits(y, label):
    """Logits are what is expected."""
    loss = F.cross_entropy(y, label)
    return {"given": loss, "mapped": loss}


def cross_entropy_of_probabilities(y, label):
    """Taken for logits without a word."""
    return {"given": F.cross_entropy(y, label), "mapped": F.nll_loss(y.log(), label)}


def probabilities_not_normalised(y, label):
    """Taken as they are."""
    normalised = y / y.sum(dim=1, keepdim=True)
    return {
        "given": F.nll_loss(y.log(), label),
        "mapped": F.nll_loss(normalised.log(), label),
    }


def class_axis(y, label):
    """The second."""
    return {
        "given": F.cross_entropy(y, label),
        "mapped": F.cross_entropy(y.permute(0, 2, 1), label),
    }


def binary_at_zero(y, target):
    """The logarithm stops at −100."""
    return {
        "given": F.binary_cross_entropy(y, target),
        "mapped": F.binary_cross_entropy(y.clamp(1e-7, 1 - 1e-7), target),
    }


def binary_gradient_outside(y, target):
    """−1/p."""

    def clipped(y):
        return F.binary_cross_entropy(y.clamp(1e-7, 1 - 1e-7), target)

    given = slope(lambda y: F.binary_cross_entropy(y, target), y)
    return {"given": given, "mapped": slope(clipped, y)}


def binary_of_logits(y, target):
    """Never clipped."""
    return {"given": F.binary_cross_entropy_with_logits(y, target)}


def label_smoothing(y, label):
    """The rest is shared by all classes."""
    return {"given": F.cross_entropy(y, label, label_smoothing=0.1)}


def class_weights(y, label):
    """Divided by the sum of the weights."""
    weights = torch.tensor([1.0, 3.0]).to(y)
    total = F.cross_entropy(y, label, weights, reduction="sum")
    return {"given": F.cross_entropy(y, label, weights), "mapped": total / len(y)}


def ignored_class(y, label):
    """−100 is."""
    return {
        "given": defaults(F.cross_entropy, "ignore_index"),
        "mapped": F.cross_entropy(y, label, ignore_index=1),
    }


def kl_divergence(y, target):
    """'mean' divides by all elements; y comes as its logarithm."""
    return {
        "given": F.kl_div(y.log(), target, reduction="mean"),
        "mapped": F.kl_div(y.log(), target, reduction="batchmean"),
    }


def huber(y, target):
    """`smooth_l1_loss` is Huber's loss over beta."""
    return {
        "given": F.smooth_l1_loss(y, target, beta=0.5),
        "mapped": F.huber_loss(y, target, delta=0.5),
    }


def cosine_similarity(y, target):
    """Likeness."""
    given = F.cosine_similarity(y, target).mean()
    return {"given": given, "mapped": -given}


def poisson(y, target):
    """Logarithms of rates."""
    return {
        "given": F.poisson_nll_loss(y, target),
        "mapped": F.poisson_nll_loss(y, target, log_input=False, eps=1e-7),
    }


def hinge(y, target):
    """No such loss: a line."""
    named = hasattr(nn, "HingeLoss")
    mapped = F.relu(1 - (2 * target - 1) * y).mean()
    return {"given": "there is one" if named else "no such loss", "mapped": mapped}


def epoch_loss(y, target):
    """The mean of two batches' losses, as most loops have it."""
    losses = [F.mse_loss(y[some], target[some]) for some in (slice(0, 2), slice(2, 3))]
    given = torch.stack(losses).mean()
    return {"given": given, "mapped": (2 * losses[0] + losses[1]) / 3}
