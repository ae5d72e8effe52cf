"""Convolutions, poolings and resizings as TensorFlow's primitive operations."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from parity.keras_side.checker import calls


class Line(calls.Call):
    """A convolution along one axis, which TensorFlow computes as that of an image one high."""

    def __call__(self, inputs):
        """On other operands."""
        names = ("padding", "data_format", "dilations")
        return [tf.nn.conv1d(*inputs, self.get("strides"), **{n: self.get(n) for n in names})]


def same(size, kernel, stride, dilation):
    """Padding before and after one axis for TensorFlow's 'same'."""
    reach = (kernel - 1) * dilation + 1
    total = max((-(-size // stride) - 1) * stride + reach - size, 0)
    return [total // 2, total - total // 2]


def paddings(padding, sizes, kernel, stride, dilation):
    """Of every spatial axis."""
    if padding.lower() != "same":
        return [[0, 0] for _ in sizes]
    return [same(*axis) for axis in zip(sizes, kernel, stride, dilation, strict=True)]


def crops(sizes, outputs, padding, kernel, stride, dilation):
    """What a transposed convolution cuts from its full output."""
    found = []
    for n, out, k, s, d in zip(sizes, outputs, kernel, stride, dilation, strict=True):
        full = (n - 1) * s + d * (k - 1) + 1
        before = same(out, k, s, d)[0] if padding.lower() == "same" else 0
        found.append([before, full - out - before])
    return found


def _first(call):
    return call.get("data_format", "NHWC").startswith("NC")


def _spatial(call, values, first=None):
    """The entries of the spatial axes, of a list over all axes or of a shape."""
    first = _first(call) if first is None else first
    values = [int(v) for v in values]
    return values[2:] if first else values[1:-1]


def convolution(t, call):
    """A convolution with a weight."""
    x, kernel = call.inputs
    first = _first(call)
    sizes = _spatial(call, x.shape)
    depthwise = call.op == "DepthwiseConv2dNative"
    window = [int(n) for n in kernel.shape[:-2]]
    stride = _spatial(call, call.get("strides"))
    dilation = _spatial(call, call.get("dilations") or [1] * len(x.shape))
    channels = int(x.shape[1 if first else -1])
    explicit = call.get("explicit_paddings")
    if call.get("padding") == "EXPLICIT":
        pairs = np.reshape(explicit, [-1, 2]).tolist()
        padding = pairs[2:] if first else pairs[1:-1]
    else:
        padding = paddings(call.get("padding"), sizes, window, stride, dilation)
    settings = {
        "channels": "first" if first else "last",
        "kernel": window,
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
        "groups": channels if depthwise else channels // int(kernel.shape[-2]),
        "bias": False,
        "mode": "zeros",
    }
    key = t.parameter(kernel)
    if key is None or t.weights[key].role not in ("raw", "kernel"):
        calls.node(t, call, "convolution", settings, [0, 1])
        return
    shape = None
    if depthwise:
        shape = (*window, 1, int(kernel.shape[-2]) * int(kernel.shape[-1]))
    roles = {"kernel": (key, 1, shape, None)}
    calls.with_weight(t, call, "convolution", settings, 0, roles)


def transposed(t, call):
    """TensorFlow's gradient of a convolution, which is what it transposes with."""
    _, kernel, x = call.inputs
    first = _first(call)
    stride = _spatial(call, call.get("strides"))
    dilation = _spatial(call, call.get("dilations") or [1] * len(x.shape))
    window = [int(n) for n in kernel.shape[:-2]]
    sizes, outputs = _spatial(call, x.shape), _spatial(call, call.outputs[0].shape)
    key = t.parameter(kernel)
    if key is None or call.get("padding") == "EXPLICIT":
        calls.opaque(t, call)
        return
    settings = {
        "channels": "first" if first else "last",
        "kernel": window,
        "stride": stride,
        "dilation": dilation,
        "groups": 1,
        "bias": False,
        "crop": crops(sizes, outputs, call.get("padding"), window, stride, dilation),
    }
    calls.with_weight(t, call, "transposed", settings, 2, {"kernel": (key, 1, None, None)})


def pool(t, call):
    """Maximum or average of windows."""
    x = call.inputs[0]
    first = _first(call)
    if call.op.endswith("V2"):
        window, stride = call.inputs[1].numpy().tolist(), call.inputs[2].numpy().tolist()
    else:
        window, stride = call.get("ksize"), call.get("strides")
    kernel, stride = _spatial(call, window), _spatial(call, stride)
    ones = [1] * len(kernel)
    average = call.op.startswith("Avg")
    settings = {
        "mode": "average" if average else "max",
        "channels": "first" if first else "last",
        "kernel": kernel,
        "stride": stride,
        "dilation": ones,
        "padding": paddings(call.get("padding"), _spatial(call, x.shape), kernel, stride, ones),
    }
    if average:
        settings["counts_padding"] = False
    calls.node(t, call, "pool", settings, [0])


def resize(t, call):
    """A change of size of images."""
    x = call.inputs[0]
    y = call.outputs[0]
    before = [int(n) for n in x.shape[1:3]]
    size = [int(n) for n in y.shape[1:3]]
    centred = bool(call.get("half_pixel_centers"))
    mode = {
        "ResizeBilinear": "bilinear",
        "ResizeBicubic": "bicubic",
        "ResizeArea": "area",
        "ResizeNearestNeighbor": "nearest",
    }[call.op]
    whole = all(s % b == 0 for s, b in zip(size, before, strict=True))
    if mode == "nearest" and centred and not whole:
        mode = "nearest_exact"
    settings = {
        "channels": "last",
        "size": size,
        "mode": mode,
        "align_corners": bool(call.get("align_corners")),
        "antialias": False,
    }
    if mode == "bilinear" and not centred and not settings["align_corners"]:
        settings["half_pixel"] = False
    if mode in ("bicubic", "area"):
        settings["single"] = True
        t.note(f"TensorFlow resizes ({mode}) in float32 also where everything is float64.")
    calls.node(t, call, "resize", settings, [0])


def antialiased(t, call):
    """A change of size with a filter that grows with it."""
    settings = {
        "channels": "last",
        "size": [int(n) for n in call.outputs[0].shape[1:3]],
        "mode": {"triangle": "bilinear", "keyscubic": "bicubic"}.get(
            call.get("kernel_type"), call.get("kernel_type")
        ),
        "align_corners": False,
        "antialias": bool(call.get("antialias")),
        "single": True,
    }
    t.note("TensorFlow resizes with a filter in float32 also where everything is float64.")
    calls.node(t, call, "resize", settings, [0])


RULES = {
    **dict.fromkeys(("Conv1D", "Conv2D", "Conv3D", "DepthwiseConv2dNative"), convolution),
    **dict.fromkeys(("Conv2DBackpropInput", "Conv3DBackpropInputV2"), transposed),
    **dict.fromkeys(
        ("MaxPool", "MaxPoolV2", "MaxPool3D", "AvgPool", "AvgPool3D", "AvgPoolV2"), pool
    ),
    **dict.fromkeys(
        ("ResizeBilinear", "ResizeBicubic", "ResizeArea", "ResizeNearestNeighbor"), resize
    ),
    "ScaleAndTranslate": antialiased,
}
