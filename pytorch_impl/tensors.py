"""Tensors: made, converted, reshaped, summed and multiplied, with NumPy one step away.

Twin: keras_impl/tensors.py
Look at: `default_dtypes` and `promotion` (who converts silently, and to what), `shapes` (a view
here; there only copies), `numpy_bridge` (which conversions share memory), `statistics` and
`same_words` (one name, two meanings).

Seen in notes, and wrong: `x.view(-1, 32*3*3)` to flatten images of 32·32 pixels and 3 channels; a
row needs all 32·32·3 = 3,072 numbers. `wrong_shapes` shows why it sometimes runs all the same.
"""

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if torch.is_tensor(value):
            print(head + np.array2string(value.numpy(force=True), precision=4, prefix=head))
        else:
            print(head + str(value))


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


def dtype_and_device():
    """What a tensor is made of and where it lies, and how to make another kind of it."""
    x = torch.tensor([1.5, -2.7, 0.0], dtype=torch.float32, device="cpu")
    return {
        "type": x.type(),  # a method: without the brackets nothing is asked
        "dtype": _dtype(x),
        "device": str(x.device),
        "doubled_precision": _dtype(x.double()),  # as `x.to(torch.float64)`
        "half_precision": _dtype(x.half()),
        "as_another": _dtype(x.type_as(torch.tensor([1, 2]))),
        "as_integers": x.type(torch.int64),  # as `x.long()` and `x.to(torch.int64)`
        "as_truth": x.bool(),
    }


def python_numbers(x):
    """`.item()` takes the number out of a tensor that has just one."""
    try:
        of_many = str(x.item())
    except RuntimeError as error:
        of_many = type(error).__name__
    total = x.sum()
    return {
        "total_has_axes": total.ndim,
        "item": str(total.item()),
        "item_is_a": type(total.item()).__name__,
        "as_list": str(x.tolist()),
        "item_of_many": of_many,
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


def shapes(x):
    """Other shapes for the same elements; −1 stands for as many as are left."""
    numbers = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    return {
        "flat": x.reshape(-1),
        "two_rows": x.reshape(2, -1),
        "four_columns": x.view(-1, 4),
        "one_more_axis": tuple(x.unsqueeze(0).shape),
        "one_more_at_the_end": tuple(x.unsqueeze(-1).shape),
        "all_ones_gone": tuple(torch.ones(1, 3, 1).squeeze().shape),
        "first_one_gone": tuple(torch.ones(1, 3, 1).squeeze(0).shape),
        "squeezed_back": x.unsqueeze(1).squeeze(1),
        "has_views": numbers.view(-1).data_ptr() == numbers.data_ptr(),  # the same memory
        "view_of_transposed": _outcome(lambda: numbers.T.view(-1)),  # `reshape` would copy
    }


def wrong_shapes():
    """A slip, 32·3·3 for 32·32·3: an error, or where it happens to fit, rows that are no images."""
    six, four = torch.zeros(6, 3, 32, 32), torch.zeros(4, 3, 32, 32)
    return {
        "right": tuple(six.view(-1, 3 * 32 * 32).shape),
        "right_by_flatten": tuple(six.flatten(1).shape),  # asks for no number
        "slip_with_six_images": tuple(six.view(-1, 32 * 3 * 3).shape),
        "slip_with_four_images": _outcome(lambda: four.view(-1, 32 * 3 * 3)),
    }


def sums_along_axes(x):
    """`dim` is the axis that goes; with `keepdim` it stays, one long, and broadcasts back."""
    return {
        "all": x.sum(),
        "down_the_columns": x.sum(dim=0, keepdim=True),
        "along_the_rows": x.sum(dim=1, keepdim=True),
        "axis_gone": x.sum(dim=0),
        "share_of_its_row": x / x.sum(dim=1, keepdim=True),
        "without_keepdim": _outcome(lambda: x / x.sum(dim=1)),
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


def draw_sums(figure, x):
    """A matrix, and what is left of it after a sum along either axis."""
    columns, rows = x.sum(dim=0, keepdim=True), x.sum(dim=1, keepdim=True)
    titles = ("x", "x.sum(dim=0, keepdim=True)", "x.sum(dim=1, keepdim=True)")
    figure.set_size_inches(8, 2.2)
    for axes, title, matrix in zip(figure.subplots(1, 3), titles, (x, columns, rows), strict=True):
        axes.imshow(matrix, vmin=0, vmax=25, cmap="Blues")
        for (row, column), number in np.ndenumerate(matrix.numpy()):
            axes.text(column, row, f"{number:g}", ha="center", va="center")
        axes.set(title=title, xlim=(-0.5, 2.5), ylim=(1.5, -0.5), xticks=[], yticks=[])
        axes.title.set_fontsize(10)


def main():
    """Every experiment on a few numbers, in the order of this file."""
    plots = Plots(__file__)
    x = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    print("A tensor prints its numbers, and its dtype if that is not the default:")
    print(x)
    show("Made from lists, filled, in steps", creation(x))
    show("Elements, device, and other kinds of the same numbers", dtype_and_device())
    show("Back to Python's numbers", python_numbers(x))
    show("What Python's numbers become", default_dtypes())
    show("Two dtypes in one sum", promotion(torch.tensor([1, 2]), torch.tensor([3, 4])))
    show(
        "Quotients of whole numbers",
        integer_arithmetic(torch.tensor([7, -7, 7, -7]), torch.tensor([2, 2, -2, -2])),
    )
    show("Rounding", rounding(torch.tensor([0.5, 1.5, 2.5, -0.5, -1.7, 2.375])))
    show("Other shapes", shapes(torch.arange(12.0).reshape(2, 2, 3)))
    show("A wrong shape that fits", wrong_shapes())
    show("Sums along an axis", sums_along_axes(x))
    show("Products", products(x, x.T, x + 1))
    show(
        "Mean, deviation, median",
        statistics(torch.tensor([3.0, 1.0, 4.0, 2.0]), torch.tensor([1, 2, 2, 2])),
    )
    show("Equal elements", ties(torch.tensor([1.0, 3.0, 3.0, 2.0, 3.0])))
    show(
        "The same words for something else",
        same_words(torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), torch.tensor([2, 0, 3])),
    )
    show("From and to NumPy", numpy_bridge(x))
    show("Random numbers", random_uniform(x))

    plots.draw("sums along an axis", lambda figure: draw_sums(figure, x))


if __name__ == "__main__":
    main()
