"""Spec of the convolution examples: layer and function, sizes, padding, kinds, gradients."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.spec.cases import Case, Known, Numbers
from parity.spec.example import ExampleSpec
from parity.spec.expected import as_numbers, numbers
from shared import numpy_reference
from shared.initial_weights import drawn

Array = NDArray[Any]
_TORCH_CONV = "https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html"
_TF_CONV = "https://www.tensorflow.org/api_docs/python/tf/nn#notes_on_padding_2"
_KERAS_CONV = "https://keras.io/api/layers/convolution_layers/convolution2d/"


def _images(array: Any) -> Numbers:
    """One-channel images, ``(batch, h, w)`` or ``(h, w)``, in canonical layout."""
    flat = np.asarray(array, dtype=np.float64)
    return as_numbers(flat.reshape(-1, *flat.shape[-2:], 1))


def _biased(x: Array, kernel: Array, bias: Array) -> Array:
    return numpy_reference.conv2d(x, kernel) + bias


def _layer(x: Array, kernel: Array, bias: Array) -> dict[str, Array]:
    y = _biased(x, kernel, bias)
    return {"layer": y, "functional": y}


def _weights_by_hand(x: Array, kernel: Array, bias: Array) -> dict[str, Array]:
    y = _biased(x, kernel, bias)
    return {"by_data": y, "by_copy": y, "all_at_once": y}


def _output_sizes(x: Array, kernel: Array) -> dict[str, Array]:
    one = ((1, 1), (1, 1))
    return {
        "plain": numpy_reference.conv2d(x, kernel),
        "strided": numpy_reference.conv2d(x, kernel, strides=(2, 1)),
        "padded": numpy_reference.conv2d(x, kernel, pads=one),
        "dilated": numpy_reference.conv2d(x, kernel, dilation=(1, 2)),
        "all_three": numpy_reference.conv2d(x, kernel, strides=(2, 1), pads=one, dilation=(1, 2)),
    }


def _stride_and_dilation(x: Array, kernel: Array) -> dict[str, Array]:
    return {"functional": numpy_reference.conv2d(x, kernel, strides=(2, 2), dilation=(3, 3))}


def _same_stride_1(x: Array, odd_kernel: Array, even_kernel: Array) -> dict[str, Array]:
    return {
        "odd_kernel_same": numpy_reference.conv2d(x, odd_kernel, pads=((1, 1), (1, 1))),
        "even_kernel_same": numpy_reference.conv2d(x, even_kernel, pads=((1, 2), (0, 1))),
    }


def _strided(x: Array, kernel: Array, *, symmetric: bool) -> Array:
    pad = (1, 1) if symmetric else (0, 1)
    return numpy_reference.conv2d(x, kernel, strides=(2, 2), pads=(pad, pad))


def _same_stride_2(odd: Array, even: Array, kernel: Array) -> dict[str, Array]:
    return {
        "odd_size": _strided(odd, kernel, symmetric=True),
        "even_size_matched": _strided(even, kernel, symmetric=False),
    }


def _gradients(x: Array, kernel: Array, bias: Array, upstream: Array) -> dict[str, Array]:
    arguments = {"x": x, "kernel": kernel, "bias": bias}
    return {"y": _biased(**arguments)} | numpy_reference.gradients(_biased, arguments, upstream)


def _depthwise(x: Array, kernel: Array) -> Array:
    """One group a channel; the filters of a channel stand beside each other in the output."""
    tall, wide, channels, multiplier = kernel.shape
    filters = kernel.reshape(tall, wide, 1, channels * multiplier)
    return numpy_reference.conv2d(x, filters, groups=channels)


def _depthwise_all(x: Array, kernel: Array, upstream: Array) -> dict[str, Array]:
    arguments = {"x": x, "kernel": kernel}
    return {"y": _depthwise(**arguments)} | numpy_reference.gradients(
        _depthwise, arguments, upstream
    )


def _grouped(x: Array, kernel: Array) -> Array:
    return numpy_reference.conv2d(x, kernel, groups=2)


def _grouped_all(x: Array, kernel: Array, upstream: Array) -> dict[str, Array]:
    arguments = {"x": x, "kernel": kernel}
    return {"y": _grouped(**arguments)} | numpy_reference.gradients(_grouped, arguments, upstream)


def _transposed(x: Array, kernel: Array) -> Array:
    return numpy_reference.conv2d_transpose(x, kernel, stride=2)


def _transposed_all(x: Array, kernel: Array, upstream: Array) -> dict[str, Array]:
    arguments = {"x": x, "kernel": kernel}
    return {"y": _transposed(**arguments)} | numpy_reference.gradients(
        _transposed, arguments, upstream
    )


def _transposed_same(x: Array, kernel_4: Array, kernel_3: Array) -> dict[str, Array]:
    return {
        "kernel_4_same": _transposed(x, kernel_4)[:, 1:-1, 1:-1],
        "kernel_3_same": _transposed(x, kernel_3)[:, :-1, :-1],
    }


_IMAGE = "images"
_EVEN = _images(np.arange(24).reshape(4, 6))
_EVEN_KERNEL = as_numbers(np.arange(9).reshape(3, 3, 1, 1))


def _listed(*, symmetric: bool) -> Numbers:
    return as_numbers(_strided(numbers(_EVEN), numbers(_EVEN_KERNEL), symmetric=symmetric))


CONVOLUTION = ExampleSpec(
    name="convolution",
    title="Convolution",
    part="Layers and modules",
    summary=(
        "`Conv2d` against `Conv2D`, as layers with weights set by hand and as functions: the same "
        "sums of products in another layout. PyTorch keeps the channel first, Keras last; and "
        "*same* padding is not the same as padding 1 once the stride is 2 and the image is even."
    ),
    cases=(
        Case(
            "one_window",
            {
                "x": _images([[0, 1], [2, 3]]),
                "kernel": as_numbers([[[[-0.1733]], [[-0.4235]]], [[[0.1802]], [[0.4668]]]]),
                "bias": (0.2037,),
            },
            {"layer": _images([[1.541]]), "functional": _images([[1.541]])},
            roles={"x": _IMAGE, "kernel": "conv2d/kernel", "layer": _IMAGE, "functional": _IMAGE},
            reference=_layer,
        ),
        Case(
            "weights_by_hand",
            {
                "x": _images([[0, 1], [2, 3]]),
                "kernel": as_numbers([[[[-0.1733]], [[-0.4235]]], [[[0.1802]], [[0.4668]]]]),
                "bias": (0.2037,),
            },
            {"by_data": _images([[1.541]]), "still_trained": True},
            roles={"kernel": "conv2d/kernel"}
            | dict.fromkeys(("x", "by_data", "by_copy", "all_at_once"), _IMAGE),
            reference=_weights_by_hand,
        ),
        Case(
            "mean_filters",
            {
                "small": _images([[0, 1], [2, 3]]),
                "large": _images(np.arange(16).reshape(4, 4)),
                "two": _images(np.arange(32).reshape(2, 4, 4)),
            },
            {
                "small_2x2": _images([[1.5]]),
                "large_2x2": _images([[2.5, 3.5, 4.5], [6.5, 7.5, 8.5], [10.5, 11.5, 12.5]]),
                "large_3x3": _images([[5, 6], [9, 10]]),
                "two_3x3": _images([[[5, 6], [9, 10]], [[21, 22], [25, 26]]]),
            },
            roles=dict.fromkeys(
                ("small", "large", "two", "small_2x2", "large_2x2", "large_3x3", "two_3x3"), _IMAGE
            ),
        ),
        Case(
            "sixteen_filters",
            {
                "x": drawn("convolution/gray", (2, 4, 4, 1)),
                "kernel": drawn("convolution/sixteen", (3, 3, 1, 16)),
                "bias": drawn("convolution/sixteen_biases", (16,)),
            },
            {"batch_channels_height_width": (2, 16, 2, 2)},
            roles={"x": _IMAGE, "kernel": "conv2d/kernel", "layer": _IMAGE, "functional": _IMAGE},
            reference=_layer,
        ),
        Case(
            "one_filter",
            {
                "x": drawn("convolution/colour", (16, 32, 32, 3)),
                "kernel": drawn("convolution/one", (5, 5, 3, 1)),
                "bias": drawn("convolution/one_bias", (1,)),
            },
            {"batch_channels_height_width": (16, 1, 28, 28)},
            roles={"x": _IMAGE, "kernel": "conv2d/kernel", "layer": _IMAGE, "functional": _IMAGE},
            reference=_layer,
        ),
        Case(
            "output_sizes",
            {
                "x": drawn("convolution/wide", (2, 7, 9, 3)),
                "kernel": drawn("convolution/tall", (3, 2, 3, 5)),
            },
            {
                "by_formula": ((5, 8), (3, 8), (7, 10), (5, 7), (4, 9)),
                "measured": ((5, 8), (3, 8), (7, 10), (5, 7), (4, 9)),
            },
            roles={"x": _IMAGE, "kernel": "conv2d/kernel"}
            | dict.fromkeys(("plain", "strided", "padded", "dilated", "all_three"), _IMAGE),
            reference=_output_sizes,
        ),
        Case(
            "stride_and_dilation",
            {
                "x": drawn("convolution/wide", (2, 7, 9, 3)),
                "kernel": drawn("convolution/tall", (3, 2, 3, 5)),
            },
            roles={"x": _IMAGE, "kernel": "conv2d/kernel", "functional": _IMAGE},
            reference=_stride_and_dilation,
        ),
        Case(
            "same_stride_1",
            {
                "x": drawn("convolution/odd", (1, 5, 7, 2)),
                "odd_kernel": drawn("convolution/odd_kernel", (3, 3, 2, 1)),
                "even_kernel": drawn("convolution/even_kernel", (4, 2, 2, 1)),
            },
            roles={"x": _IMAGE, "odd_kernel": "conv2d/kernel", "even_kernel": "conv2d/kernel"}
            | dict.fromkeys(("odd_kernel_same", "even_kernel_same"), _IMAGE),
            reference=_same_stride_1,
        ),
        Case(
            "same_stride_2",
            {
                "odd": _images(np.arange(15).reshape(3, 5)),
                "even": _EVEN,
                "kernel": _EVEN_KERNEL,
            },
            roles={"kernel": "conv2d/kernel"}
            | dict.fromkeys(("odd", "even", "odd_size", "even_size", "even_size_matched"), _IMAGE),
            reference=_same_stride_2,
        ),
        Case(
            "gradients",
            {
                "x": drawn("convolution/x", (2, 4, 5, 2)),
                "kernel": drawn("convolution/kernel", (3, 2, 2, 3)),
                "bias": drawn("convolution/bias", (3,)),
                "upstream": drawn("convolution/upstream", (2, 2, 4, 3)),
            },
            roles={"kernel": "conv2d/kernel", "dkernel": "conv2d/kernel"}
            | dict.fromkeys(("x", "upstream", "y", "dx"), _IMAGE),
            reference=_gradients,
        ),
        Case(
            "depthwise",
            {
                "x": drawn("convolution/three", (1, 4, 5, 3)),
                "kernel": drawn("convolution/depthwise", (3, 2, 3, 2)),
                "upstream": drawn("convolution/depthwise_upstream", (1, 2, 4, 6)),
            },
            roles={"kernel": "depthwise/kernel", "dkernel": "depthwise/kernel"}
            | dict.fromkeys(("x", "upstream", "y", "dx"), _IMAGE),
            reference=_depthwise_all,
        ),
        Case(
            "grouped",
            {
                "x": drawn("convolution/four", (1, 4, 5, 4)),
                "kernel": drawn("convolution/grouped", (3, 2, 2, 6)),
                "upstream": drawn("convolution/grouped_upstream", (1, 2, 4, 6)),
            },
            roles={"kernel": "conv2d/kernel", "dkernel": "conv2d/kernel"}
            | dict.fromkeys(("x", "upstream", "y", "dx"), _IMAGE),
            reference=_grouped_all,
        ),
        Case(
            "transposed",
            {
                "x": drawn("convolution/small", (2, 2, 3, 3)),
                "kernel": drawn("convolution/transposed", (3, 4, 2, 3)),
                "upstream": drawn("convolution/transposed_upstream", (2, 5, 8, 2)),
            },
            roles={"kernel": "conv2d_transpose/kernel", "dkernel": "conv2d_transpose/kernel"}
            | dict.fromkeys(("x", "upstream", "y", "dx"), _IMAGE),
            reference=_transposed_all,
        ),
        Case(
            "transposed_same",
            {
                "x": drawn("convolution/small", (2, 2, 3, 3)),
                "kernel_4": drawn("convolution/kernel_4", (4, 4, 2, 3)),
                "kernel_3": drawn("convolution/kernel_3", (3, 3, 2, 3)),
            },
            roles={"kernel_4": "conv2d_transpose/kernel", "kernel_3": "conv2d_transpose/kernel"}
            | dict.fromkeys(("x", "kernel_4_same", "kernel_3_same"), _IMAGE),
            reference=_transposed_same,
        ),
    ),
    known=(
        Known(
            "values/weights_by_hand/wrong_shape_by_data",
            torch=True,
            keras=False,
            reason="`.data =` puts any tensor behind the parameter, of any shape, without a word; "
            "Keras refuses with a ValueError",
            link=_TORCH_CONV,
        ),
        Known(
            "values/weights_by_hand/wrong_shape_all_at_once",
            torch="RuntimeError",
            keras="ValueError",
            reason="a state dict and `set_weights` compare shapes, and raise an error of another "
            "class",
            link="https://keras.io/api/layers/base_layer/#setweights-method",
        ),
        Known(
            "values/same_stride_2/even_size",
            torch=_listed(symmetric=True),
            keras=_listed(symmetric=False),
            reason="`padding=1` pads both edges; 'same' pads only as much as is needed, one row "
            "here, and puts it at the end: the windows stand one pixel further",
            link=_TF_CONV,
        ),
        Known(
            "values/same_stride_2/same_with_a_stride",
            torch="ValueError",
            keras="None",
            reason="PyTorch has no 'same' for a stride above 1",
            link=_TORCH_CONV,
        ),
        Known(
            "values/stride_and_dilation/layer",
            torch="None",
            keras="ValueError",
            reason="the Keras layer takes a stride or a dilation, not both; `tf.nn.conv2d`, below "
            "it, takes both",
            link=_KERAS_CONV,
        ),
    ),
)
