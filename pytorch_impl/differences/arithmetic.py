"""Arithmetic, types, order, memory.

Twin: keras_impl/differences/arithmetic.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from ._common import outcome


def _dtype(tensor):
    return str(tensor.dtype).removeprefix("torch.")


def standard_deviation(x):
    """Divided by n − 1."""
    return {"given": x.std(), "mapped": x.std(correction=0)}


def variance(x):
    """Divided by n − 1."""
    return {"given": x.var(), "mapped": x.var(correction=0)}


def median(x):
    """The lower of the two in the middle."""
    return {"given": x.median(), "mapped": x.quantile(0.5)}


def integer_plus_floating():
    """The floating type."""
    a, b = torch.tensor([1]), torch.tensor([0.5], dtype=torch.float32)
    return {"given": outcome(lambda: a + b), "mapped": _dtype(a + b)}


def int64_plus_int32():
    """The larger type."""
    a, b = torch.tensor([1]), torch.tensor([1], dtype=torch.int32)
    return {"given": outcome(lambda: a + b), "mapped": _dtype(a + b)}


def scalar_plus_vector():
    """The vector's type: a scalar of the same kind does not count."""
    a, b = torch.tensor(0.5, dtype=torch.float64), torch.ones(2, dtype=torch.float32)
    return {"given": _dtype(a + b), "mapped": _dtype(a.float() + b)}


def true_plus_true():
    """A truth."""
    a = torch.tensor([True])
    return {"given": outcome(lambda: a + a), "mapped": a.int() + a.int()}


def mean_of_integers():
    """Refused."""
    a = torch.tensor([1, 2])
    return {"given": outcome(a.mean), "mapped": a.to(torch.get_default_dtype()).mean()}


def sum_of_int32():
    """In int64."""
    a = torch.tensor([2**31 - 1, 1], dtype=torch.int32)
    return {"given": a.sum(), "mapped": a.sum()}


def integer_quotient():
    """The default floating type, float32 unless it was changed."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    given = _dtype(torch.tensor([1]) / torch.tensor([2]))
    torch.set_default_dtype(before)
    return {"given": given, "mapped": _dtype(torch.tensor([1]).float() / 2)}


def division_of_negatives():
    """Downwards, and the remainder has the divisor's sign."""
    a = torch.tensor(-7)
    return {"given": ((a // 2).item(), (a % 3).item())}


def half_to_even(x):
    """To the even neighbour."""
    return {"given": x.round()}


def negative_to_integer(x):
    """Towards zero."""
    return {"given": x.to(torch.int32)}


def top_of_equals(x):
    """Any of them."""
    order = x.sort(descending=True, stable=True).indices
    return {"given": x.topk(2).indices, "mapped": order[:2]}


def first_of_equals(x):
    """The first."""
    return {"given": x.argmax()}


def split_in_two(x):
    """Pieces of two."""
    return {
        "given": tuple(len(part) for part in x.split(2)),
        "mapped": tuple(len(part) for part in x.tensor_split(2)),
    }


def repeat_twice(x):
    """One behind the other."""
    return {"given": x.repeat(2), "mapped": x.repeat_interleave(2)}


def unique_order(x):
    """Sorted."""
    return {"given": torch.unique(x), "mapped": torch.unique(x)}


def one_hot_dtype(words):
    """Whole numbers."""
    hot = F.one_hot(words, 3)
    return {"given": _dtype(hot), "mapped": hot.to(torch.get_default_dtype())}


def seed_0():
    """A stream of its own."""
    torch.manual_seed(0)
    return {"given": f"{torch.randn(1, dtype=torch.float32).item():.3f}"}


def assignment(x):
    """Allowed."""

    def assign():
        x[0] = 7

    return {"given": outcome(assign), "mapped": x}


def numpy_memory():
    """Shared, by `from_numpy` and `as_tensor`."""
    array = np.zeros(2)
    tensor, copy = torch.as_tensor(array), torch.tensor(array)
    array[0] = 7
    return {"given": bool(tensor[0] == 7), "mapped": bool(copy[0] == 7)}


def side_effect(x):
    """Every time."""
    runs = []

    def step(x):
        runs.append("called")
        return x * x

    for _ in range(2):
        step(x)
    return {"given": len(runs), "mapped": len(runs)}


def misfit():
    """Shapes that do not fit."""
    return {"given": outcome(lambda: torch.ones((2, 3)) @ torch.ones((2, 3)))}


def nan_in_a_window(x):
    """Wins over every number."""
    return {"given": F.max_pool2d(x, (1, 2))}
