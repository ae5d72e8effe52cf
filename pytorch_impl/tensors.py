"""Tensors: made, multiplied, rounded and promoted, with NumPy one step away.

Twin: keras_impl/tensors.py
Look at: `default_dtypes` and `promotion` (who converts silently, and to what), `numpy_bridge`
(which conversions share memory), `statistics` and `same_words` (one name, two meanings).
"""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812


def _dtype(tensor):
    """The name of its dtype, without the package's."""
    return str(tensor.dtype).removeprefix("torch.")


def _outcome(operation):
    """The dtype that comes out, or what is raised instead."""
    try:
        return _dtype(operation())
    except RuntimeError:
        return "RuntimeError"


def creation(x):
    """From nested lists, filled, and in steps; `dtype=` makes a tensor follow another one."""
    return {
        "nested": torch.tensor([[2, 3, 5], [1, 2, 9]]),
        "zeros": torch.zeros(2, 3, dtype=x.dtype),
        "ones": torch.ones(3, 2, dtype=x.dtype),
        "identity": torch.eye(3, dtype=x.dtype),
        "filled": torch.full((2, 4), 7.5, dtype=x.dtype),
        "zeros_like": torch.zeros_like(x),
        "steps": torch.arange(1, 3, 0.5, dtype=x.dtype),
        "between": torch.linspace(0, 1, 5, dtype=x.dtype),
        "shape": tuple(x.shape),
        "axes": x.ndim,
        "elements": x.numel(),
    }


def products(a, b, c):
    """Two matrices multiplied row by column and element by element, and put into other shapes."""
    return {
        "matrix": a @ b,
        "elementwise": a * c,
        "broadcast": a * c[0],
        "column_sums": a.sum(dim=0),
        "transposed": a.T,
        "reshaped": a.reshape(3, 2),
        "stacked": torch.cat([a, c], dim=0),
        "second_column": a[:, 1],
        "misfit": _outcome(lambda: a @ c),
    }


def random_uniform(like):
    """Shape, range and repetition can be had on both sides, equal numbers only from NumPy."""
    torch.manual_seed(0)  # one generator for the whole program
    normal = torch.randn((), dtype=torch.float32)
    first = torch.rand(300, 200, dtype=like.dtype)
    torch.manual_seed(0)
    torch.randn((), dtype=torch.float32)
    again = torch.rand(300, 200, dtype=like.dtype)
    scaled = torch.empty(300, 200, dtype=like.dtype).uniform_(-2, 3)
    array = np.random.default_rng(7).random((2, 3))
    return {
        "shape": tuple(first.shape),
        "in_range": bool((first >= 0).all() and (first < 1).all()),
        "scaled_in_range": bool((scaled >= -2).all() and (scaled < 3).all()),
        "mean_near_middle": bool((scaled.mean() - 0.5).abs() < 0.05),
        "same_seed_same_numbers": torch.equal(first, again),
        "normal_at_seed_0": normal.to(like.dtype),
        "drawn_in_numpy": torch.tensor(array, dtype=like.dtype),
    }


def numpy_bridge(x):
    """Arrays become tensors and come back; a shared memory shows what is written on either side."""
    array = np.array([1.0, 2.0, 3.0])
    copied, wrapped = torch.tensor(array), torch.as_tensor(array)  # from_numpy wraps as well
    array[0] = 9
    written = wrapped.numpy()
    written[1] = 7
    viewed = np.asarray(wrapped)
    return {
        "there_and_back": torch.from_numpy(x.numpy()),
        "array_dtype_is_kept": _dtype(wrapped),
        "construction_shares": copied[0].item() == 9,
        "conversion_shares": wrapped[0].item() == 9,
        "numpy_shares": wrapped[1].item() == 7,
        "asarray_shares": np.shares_memory(viewed, np.asarray(wrapped)),
        "asarray_is_writeable": viewed.flags.writeable,
    }


def default_dtypes():
    """What Python's numbers become, while the default is float32 and while it is float64."""
    chosen, found = torch.get_default_dtype(), {}
    for default in (torch.float32, torch.float64):
        torch.set_default_dtype(default)
        at = str(default).removeprefix("torch.")
        integers = torch.tensor([1, 2])
        found[f"integers_at_{at}"] = _dtype(integers)
        found[f"floats_at_{at}"] = _dtype(torch.tensor([1.5]))
        found[f"zeros_at_{at}"] = _dtype(torch.zeros(2))
        found[f"quotient_at_{at}"] = _dtype(integers / integers)
        found[f"int_plus_python_float_at_{at}"] = _dtype(integers + 1.5)
    torch.set_default_dtype(chosen)
    return found


def promotion(wide, narrow):
    """Mixed operands: the dtype of the sum. A tensor without axes counts less than one with."""
    integers, singles = torch.tensor([1, 2]), torch.tensor([0.5, 0.5], dtype=torch.float32)
    byte, signed = torch.tensor([250], dtype=torch.uint8), torch.tensor([1], dtype=torch.int8)
    true, double = torch.tensor([True]), torch.tensor(0.25, dtype=torch.float64)
    return {
        "int64_plus_int32": _outcome(lambda: wide + narrow.int()),
        "int_plus_float32": _outcome(lambda: integers + singles),
        "add_int_and_float32": _outcome(lambda: torch.add(integers, singles)),
        "float32_plus_python_float": _outcome(lambda: singles + 1.5),
        "float64_scalar_and_float32": _outcome(lambda: torch.add(double, singles)),
        "float64_vector_and_float32": _outcome(lambda: torch.add(double[None], singles)),
        "add_uint8_and_int8": _outcome(lambda: torch.add(byte, signed)),
        "true_plus_true": _outcome(lambda: true + true),
        "uint8_overflow": byte + 10,
    }


def integer_arithmetic(a, b):
    """Quotients of whole numbers of either sign: `//` and `%` round down, not towards zero."""
    return {
        "floor": a // b,
        "floor_mod": a % b,
        "truncated": torch.div(a, b, rounding_mode="trunc"),
        "truncated_mod": torch.fmod(a, b),
        "by_zero": _outcome(lambda: a // 0),
    }


def rounding(x):
    """Halves go to the even neighbour; a cast to whole numbers cuts."""
    return {
        "nearest": x.round(),
        "two_decimals": x.round(decimals=2),
        "floor": x.floor(),
        "ceil": x.ceil(),
        "trunc": x.trunc(),
        "cast": x.to(torch.int64),
        "floor_division": x // 2,
        "mod": x % 2,
    }


def statistics(x, counts):
    """Standard deviation with n or n − 1, the median of an even count, and of integers."""
    large = torch.tensor([2**31 - 1, 1], dtype=torch.int32)
    return {
        "mean": x.mean(),
        "std": x.std(),
        "std_n": x.std(correction=0),
        "std_n_minus_1": x.std(correction=1),
        "median": x.median(),  # the lower one of the two in the middle
        "median_between": x.quantile(0.5),
        "mean_of_integers": _outcome(counts.mean),
        "mean_cut": counts.sum() // len(counts),
        "mean_of_floats": counts.to(x.dtype).mean(),
        "sum_of_int32": large.sum(),
    }


def ties(x):
    """Equal elements: which one is the largest, and in what order do they stand?"""
    return {
        "argmax": x.argmax(),
        "argmin": x.argmin(),
        "top_values": x.topk(2).values,
        "top_indices": x.topk(2).indices,  # of equal elements any may come, in any order
        "stable_order": x.argsort(descending=True, stable=True),
    }


def same_words(x, labels):
    """`split`, `repeat`, `one_hot`, `x[0] = …`: the same words for something else."""
    copy = x.clone()
    copy[0] = 9
    return {
        "split": tuple(tuple(piece.shape) for piece in torch.split(x, 2)),  # pieces of this size
        "last_half": torch.tensor_split(x, 2)[-1],
        "repeat": x.repeat(2),
        "tiled": x.tile(2),
        "each_twice": x.repeat_interleave(2),
        "one_hot_dtype": _dtype(F.one_hot(labels, 4)),
        "one_hot": F.one_hot(labels, 4).to(x.dtype),
        "assigned": copy,
        "elements_can_be_assigned": hasattr(x, "__setitem__"),
    }
