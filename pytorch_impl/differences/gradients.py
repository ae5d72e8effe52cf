"""Gradients where there is more than one answer, and the rules of asking for them.

Twin: keras_impl/differences/gradients.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from ._common import outcome, slope


def maximum_tie(x):
    """Half to each."""
    return {
        "given": slope(lambda x: torch.maximum(x[0], x[1]), x),
        "mapped": slope(lambda x: torch.where(x[0] >= x[1], x[0], x[1]), x),
    }


def largest_tie(x):
    """`max` along an axis gives it to one, `amax` to all."""
    return {
        "given": slope(lambda x: x.max(dim=0).values, x),
        "mapped": slope(lambda x: x.amax(dim=0), x),
    }


def max_pool_tie(x):
    """The first one."""
    return {"given": slope(lambda x: F.max_pool2d(x, 2), x)}


def global_pool_tie(x):
    """The first one."""
    return {
        "given": slope(lambda x: F.adaptive_max_pool2d(x, 1), x),
        "mapped": slope(lambda x: x.amax(dim=(2, 3)), x),
    }


def hardtanh_corners(x):
    """0."""
    return {
        "given": slope(F.hardtanh, x),
        "mapped": slope(lambda x: torch.where((x >= -1) & (x <= 1), x, x.sign()), x),
    }


def kinks(x):
    """relu, relu6, abs and elu, each at the kink."""
    functions = (F.relu, F.relu6, torch.abs, F.elu)
    return {"given": torch.stack([slope(f, x[i]) for i, f in enumerate(functions)])}


def clip_edges(x):
    """0: the ends are outside."""

    def clipped(x):
        low = torch.where(x >= -1, x, -1.0)
        return torch.where(x <= 2, low, 2.0)

    return {"given": slope(lambda x: x.clamp(-1, 2), x), "mapped": slope(clipped, x)}


def relu_at_nan(x):
    """1."""
    return {"given": slope(F.relu, x)}


def norm_at_zero(x):
    """0."""
    return {
        "given": slope(torch.linalg.vector_norm, x),
        "mapped": slope(torch.linalg.vector_norm, x),
    }


def deviation_of_equals(x):
    """0."""
    return {"given": slope(torch.std, x)}


def power_zero(x):
    """0."""
    return {"given": slope(lambda x: x**0, x)}


def normalised_at_zero(x):
    """1/ε, which is 1e-12."""
    return {
        "given": slope(lambda x: F.normalize(x, dim=0), x),
        "mapped": slope(lambda x: F.normalize(x, dim=0, eps=1e-6), x),
    }


def branch_not_taken(x):
    """0 · ∞."""

    def twice(x):
        safe = torch.where(x > 0, x, 1.0)
        return torch.where(x > 0, safe.sqrt(), 0.0)

    return {
        "given": slope(lambda x: torch.where(x > 0, x.sqrt(), 0.0), x),
        "mapped": slope(twice, x),
    }


def product_with_zero(x):
    """The product of the others."""
    return {"given": slope(torch.prod, x)}


def rounded(x):
    """0."""
    return {"given": "None" if slope(torch.round, x) is None else "0"}


def not_connected(x):
    """None, if `allow_unused`."""
    (gradient,) = torch.autograd.grad(
        torch.ones(1, requires_grad=True) * 2, x.requires_grad_(), allow_unused=True
    )
    return {"given": str(gradient)}


def asked_twice(x):
    """Added to what is there."""
    weights = nn.Parameter(x)
    for _ in range(2):
        (weights * weights).sum().backward()
    given = weights.grad.clone()
    weights.grad = None
    (weights * weights).sum().backward()
    return {"given": given, "mapped": weights.grad}


def graph_used_twice(x):
    """Gone after the first."""
    x.requires_grad_()
    y = (x * x).sum()
    y.backward()
    return {"given": outcome(y.backward)}


def not_watched(x):
    """An error."""
    return {"given": outcome(lambda: (x * x).sum().backward())}


def gradient_of_integer():
    """An error."""
    return {"given": outcome(lambda: torch.tensor([1, 2]).requires_grad_())}
