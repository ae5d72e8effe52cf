"""Spec of the pooling examples: windows, padding, ties, gradients."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers, numbers
from shared import numpy_reference
from shared.initial_weights import drawn

Array = NDArray[Any]
_TORCH_AVERAGE = "https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html"
_TORCH_RELU = "https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html"
_TORCH_MAX = "https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html"
_TORCH_TIES = "https://pytorch.org/docs/stable/generated/torch.amax.html"
_TF_POOL = "https://www.tensorflow.org/api_docs/python/tf/nn/max_pool2d"
_TF_PADDING = "https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2"
_IMAGE = "images"
_AT_THE_END = ((0, 1), (0, 1))
_AROUND = ((1, 1), (1, 1))


def _image(array: Any) -> Numbers:
    """One image of one channel, ``(h, w)``, in canonical layout."""
    rows = np.asarray(array, dtype=np.float64)
    return as_numbers(rows[None, :, :, None])


def _in_place(x: Array) -> dict[str, Array]:
    return {"y": np.maximum(x, 0), "skip": x + np.maximum(x, 0)}


def _valid_and_same(x: Array) -> dict[str, Array]:
    def pool(how: Any, pads: numpy_reference.Pads) -> Array:
        return numpy_reference.pool2d(x, (2, 2), how, strides=(2, 2), pads=pads)

    return {
        "max_valid": pool(np.nanmax, numpy_reference.NO_PADS),
        "max_same": pool(np.nanmax, _AT_THE_END),
        "average_valid": pool(np.nanmean, numpy_reference.NO_PADS),
        "average_same": pool(np.nanmean, _AT_THE_END),
    }


def _three(x: Array, how: Any, pads: numpy_reference.Pads, fill: float = np.nan) -> Array:
    return numpy_reference.pool2d(x, (3, 3), how, strides=(2, 2), pads=pads, fill=fill)


def _same_windows_of_3(odd: Array, even: Array) -> dict[str, Array]:
    return {
        "odd_max": _three(odd, np.nanmax, _AROUND),
        "odd_average": _three(odd, np.nanmean, _AROUND),
        "even_max": _three(even, np.nanmax, _AT_THE_END),
        "even_average": _three(even, np.nanmean, _AT_THE_END),
    }


def _padding_that_counts(x: Array) -> dict[str, Array]:
    def average(fill: float) -> Array:
        return numpy_reference.pool2d(
            x, (3, 3), np.nanmean, strides=(1, 1), pads=_AROUND, fill=fill
        )

    return {"not_counted": average(np.nan), "counted": average(0.0)}


def _padding_below_zero(x: Array) -> dict[str, Array]:
    return {
        "minus_infinity": _three(x, np.max, _AROUND, -np.inf),
        "zeros": _three(x, np.max, _AROUND, 0.0),
    }


def _overlapping(x: Array, upstream: Array) -> dict[str, Array]:
    found = {}
    for name, how in (("max", np.max), ("average", np.mean)):

        def pool(x: Array, how: Any = how) -> Array:
            return numpy_reference.pool2d(x, (2, 3), how, strides=(1, 2))

        found[name] = pool(x)
        found[f"dx_{name}"] = numpy_reference.gradients(pool, {"x": x}, upstream)["dx"]
    return found


def _global_pooling(x: Array, upstream: Array) -> dict[str, Array]:
    found = {}
    for name, how in (("average", np.mean), ("max", np.max)):

        def pool(x: Array, how: Any = how) -> Array:
            return np.asarray(how(x, axis=(1, 2)))

        found[name] = pool(x)
        found[f"dx_{name}"] = numpy_reference.gradients(pool, {"x": x}, upstream)["dx"]
    return found


def _positions(x: Array) -> dict[str, Array]:
    """Row · width + column of each window's maximum."""
    _, height, width, _ = x.shape
    places = np.arange(height * width).reshape(1, height, width, 1) + 0 * x
    values = np.stack([w for _, w in numpy_reference.windows(x, (2, 2), (2, 2))])
    where = np.stack([w for _, w in numpy_reference.windows(places, (2, 2), (2, 2))])
    best = values.argmax(axis=0)[None]
    return {
        "max": np.take_along_axis(values, best, 0)[0],
        "position": np.take_along_axis(where, best, 0)[0],
    }


_EVEN = _image(np.arange(24).reshape(4, 6))
_ONES = np.ones((3, 4))

POOLING = ExampleSpec(
    name="pooling",
    title="Pooling",
    part="Layers and modules",
    summary=(
        "`MaxPool2d` and `AvgPool2d` against `MaxPooling2D` and `AveragePooling2D`. The sums are "
        "the same; what lies outside the image is not: PyTorch counts its padding in the mean by "
        "default, Keras never does, and 'same' has to be spelt out in PyTorch. And in PyTorch "
        "the ReLU before it may write over its input, which a skip or a gradient may still need."
    ),
    cases=(
        Case("in_place", {"x": (-1.0, 2.0, -3.0, 4.0)}, reference=_in_place),
        Case(
            "drops_the_rest",
            {"x": _image(np.arange(1, 26).reshape(5, 5))},
            {
                "max_layer": _image([[7, 9], [17, 19]]),
                "max_functional": _image([[7, 9], [17, 19]]),
                "average_layer": _image([[4, 6], [14, 16]]),
                "average_functional": _image([[4, 6], [14, 16]]),
            },
            roles=dict.fromkeys(
                ("x", "max_layer", "max_functional", "average_layer", "average_functional"), _IMAGE
            ),
        ),
        Case(
            "valid_and_same",
            {"x": _image(np.arange(1, 26).reshape(5, 5))},
            {"valid_size": (2, 2), "same_size": (3, 3)},
            roles=dict.fromkeys(
                ("x", "max_valid", "max_same", "average_valid", "average_same"), _IMAGE
            ),
            reference=_valid_and_same,
        ),
        Case(
            "same_windows_of_3",
            {"odd": _image(np.arange(15).reshape(3, 5)), "even": _EVEN},
            roles=dict.fromkeys(
                (
                    "odd",
                    "even",
                    "odd_max",
                    "odd_average",
                    "even_max",
                    "even_average",
                    "even_max_padding_1",
                ),
                _IMAGE,
            ),
            reference=_same_windows_of_3,
        ),
        Case(
            "padding_that_counts",
            {"x": _image(_ONES)},
            roles=dict.fromkeys(("x", "default", "not_counted", "counted"), _IMAGE),
            reference=_padding_that_counts,
        ),
        Case(
            "padding_below_zero",
            {"x": _image(-np.arange(1, 25).reshape(4, 6))},
            roles=dict.fromkeys(("x", "minus_infinity", "zeros"), _IMAGE),
            reference=_padding_below_zero,
        ),
        Case(
            "overlapping",
            {
                "x": drawn("pooling/x", (2, 4, 5, 3)),
                "upstream": drawn("pooling/upstream", (2, 3, 2, 3)),
            },
            roles=dict.fromkeys(
                ("x", "upstream", "max", "average", "dx_max", "dx_average"), _IMAGE
            ),
            reference=_overlapping,
        ),
        Case(
            "global_pooling",
            {
                "x": drawn("pooling/x", (2, 4, 5, 3)),
                "upstream": drawn("pooling/global_upstream", (2, 3)),
            },
            roles=dict.fromkeys(("x", "dx_average", "dx_max"), _IMAGE),
            reference=_global_pooling,
        ),
        Case(
            "ties",
            {"x": _image([[5, 5, 1, 2], [5, 5, 2, 2]])},
            {
                "pool": _image([[1, 0, 0, 1], [0, 0, 0, 0]]),
                "shared": _image(np.divide([[1, 1, 0, 0], [1, 1, 0, 0]], 4)),
            },
            roles=dict.fromkeys(("x", "pool", "global_layer", "shared"), _IMAGE),
        ),
        Case(
            "positions",
            {"x": drawn("pooling/positions", (2, 4, 6, 3))},
            roles=dict.fromkeys(("x", "max", "position"), _IMAGE),
            reference=_positions,
        ),
        Case(
            "nan_in_a_window",
            {"x": as_numbers([[[[1.0], [2.0], [np.nan], [4.0]], [[3.0], [0.0], [5.0], [6.0]]]])},
            {"average": as_numbers([[[[1.5], [np.nan]]]])},
            roles=dict.fromkeys(("x", "max", "average"), _IMAGE),
        ),
    ),
    known=(
        Known(
            "values/in_place/input_afterwards",
            torch=(0.0, 2.0, 0.0, 4.0),
            keras=(-1.0, 2.0, -3.0, 4.0),
            reason="`inplace=True` writes the result over the input; a TensorFlow tensor never "
            "changes",
            link=_TORCH_RELU,
        ),
        Known(
            "values/in_place/same_memory",
            torch=True,
            keras=False,
            reason="this is what it is for: no second tensor",
            link=_TORCH_RELU,
        ),
        Known(
            "values/in_place/skip_in_place",
            torch=(0.0, 4.0, 0.0, 8.0),
            keras=(-1.0, 4.0, -3.0, 8.0),
            reason="what goes around the layer was overwritten by it: y + y where x + y was meant",
            link=_TORCH_RELU,
        ),
        Known(
            "values/in_place/backward",
            torch="RuntimeError",
            keras="None",
            reason="the slope of the sigmoid is made from its output, which is gone; autograd "
            "notices and refuses",
            link="https://pytorch.org/docs/stable/notes/autograd.html#in-place-correctness-checks",
        ),
        Known(
            "values/same_windows_of_3/even_max_padding_1",
            torch=as_numbers(_three(numbers(_EVEN), np.nanmax, _AROUND)),
            keras=as_numbers(_three(numbers(_EVEN), np.nanmax, _AT_THE_END)),
            reason="`padding=1` pads both edges; 'same' needs one row only, and puts it at the end",
            link=_TF_PADDING,
        ),
        Known(
            "values/padding_that_counts/default",
            torch=as_numbers(_padding_that_counts(_ONES[None, :, :, None])["counted"]),
            keras=as_numbers(_padding_that_counts(_ONES[None, :, :, None])["not_counted"]),
            reason="PyTorch counts the zeros of its padding in the mean "
            "(`count_include_pad=True`), so a corner of ones becomes 4/9; Keras divides by what "
            "lies inside the image",
            link=_TORCH_AVERAGE,
        ),
        Known(
            "values/ties/global_layer",
            torch=_image([[1, 0, 0, 0], [0, 0, 0, 0]]),
            keras=_image(np.divide([[1, 1, 0, 0], [1, 1, 0, 0]], 4)),
            reason="PyTorch's layer is a pooling and sends the gradient to the first maximum; "
            "Keras' is a reduction and shares it among all, as `torch.amax` does",
            link=_TORCH_TIES,
        ),
        Known(
            "values/nan_in_a_window/max",
            torch=as_numbers([[[[3.0], [np.nan]]]]),
            keras=as_numbers([[[[3.0], [6.0]]]]),
            reason="a NaN in the window is PyTorch's maximum; TensorFlow on the CPU passes over it",
            link=_TF_POOL,
        ),
    ),
    nonfinite=("values/nan_in_a_window/average",),
)
