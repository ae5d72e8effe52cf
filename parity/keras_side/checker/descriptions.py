"""What each of Keras' layers of one operation says about itself, in the vocabulary's words.

A description takes the layer, its operand, its value before any activation, and the arguments its
`call` was given; it answers kind, settings and role → (variable, canonical shape, order of axes).
"""

from __future__ import annotations

from keras import layers as kl

from parity.keras_side.checker import windows


def _dense(layer, x, y, seen):
    settings = {"units": layer.units, "bias": layer.use_bias}
    return "dense", settings, _kernel(layer)


def _kernel(layer, shape=None):
    kernel = getattr(layer, "_kernel", None)
    kernel = layer.kernel if kernel is None else kernel
    parameters = {"kernel": (kernel, shape, None)}
    if layer.use_bias:
        parameters["bias"] = (layer.bias, None, None)
    return parameters


def spatial(layer, shape):
    """The entries of the spatial axes."""
    shape = [int(n) for n in shape]
    return shape[2:] if layer.data_format == "channels_first" else shape[1:-1]


def channels_of(layer):
    """Where the channels are, in the vocabulary's words."""
    return "first" if layer.data_format == "channels_first" else "last"


def _convolution(layer, x, y, seen):
    sizes = spatial(layer, x.shape)
    kernel, stride = list(layer.kernel_size), list(layer.strides)
    dilation = list(layer.dilation_rate)
    depthwise = hasattr(layer, "depth_multiplier")
    channels = int(x.shape[1 if layer.data_format == "channels_first" else -1])
    if layer.padding == "causal":
        padding = [[dilation[0] * (kernel[0] - 1), 0]]
    else:
        padding = windows.paddings(layer.padding, sizes, kernel, stride, dilation)
    settings = {
        "channels": channels_of(layer),
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "padding": padding,
        "groups": channels if depthwise else layer.groups,
        "bias": layer.use_bias,
        "mode": "zeros",
    }
    shape = (*kernel, 1, channels * layer.depth_multiplier) if depthwise else None
    return "convolution", settings, _kernel(layer, shape)


def _transposed(layer, x, y, seen):
    kernel, stride = list(layer.kernel_size), list(layer.strides)
    dilation = list(layer.dilation_rate)
    crop = windows.crops(
        spatial(layer, x.shape), spatial(layer, y.shape), layer.padding, kernel, stride, dilation
    )
    settings = {
        "channels": channels_of(layer),
        "kernel": kernel,
        "stride": stride,
        "dilation": dilation,
        "groups": 1,
        "bias": layer.use_bias,
        "crop": crop,
    }
    return "transposed", settings, _kernel(layer)


def _affine(layer, shape=None):
    parameters = {}
    if isinstance(layer, kl.RMSNormalization):
        parameters["gamma"] = (layer.scale, None, None)
    elif layer.scale:
        parameters["gamma"] = (layer.gamma, None, None)
    if getattr(layer, "center", False):
        parameters["beta"] = (layer.beta, None, None)
    return parameters


def batch_norm(layer, x, y, seen):
    """Of a batch normalisation."""
    rank = len(x.shape)
    axis = layer.axis % rank
    settings = {
        "channels": "last" if axis == rank - 1 else "first",
        "epsilon": layer.epsilon,
        "momentum": layer.momentum,
        "scale": layer.scale,
        "center": layer.center,
        "tracked": True,
        "training": bool(seen.get("training")) and bool(layer.trainable),
    }
    if axis not in (1, rank - 1):
        settings["axis"] = axis
    statistics = {
        "mean": (layer.moving_mean, None, None),
        "variance": (layer.moving_variance, None, None),
    }
    return "batch_norm", settings, {**_affine(layer), **statistics}


def _axes(layer, x):
    axis = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    return sorted(a % len(x.shape) for a in axis)


def _layer_norm(layer, x, y, seen):
    settings = {
        "axes": _axes(layer, x),
        "epsilon": layer.epsilon,
        "scale": layer.scale,
        "center": layer.center,
    }
    return "layer_norm", settings, _affine(layer)


def _group_norm(layer, x, y, seen):
    axis = layer.axis % len(x.shape)
    settings = {
        "channels": "last" if axis == len(x.shape) - 1 else "first",
        "groups": int(x.shape[axis]) if layer.groups == -1 else layer.groups,
        "epsilon": layer.epsilon,
        "scale": layer.scale,
        "center": layer.center,
    }
    return "group_norm", settings, _affine(layer)


def _rms_norm(layer, x, y, seen):
    settings = {"axes": _axes(layer, x), "epsilon": layer.epsilon, "scale": True}
    return "rms_norm", settings, _affine(layer)


def _pool(layer, x, y, seen):
    kernel, stride = list(layer.pool_size), list(layer.strides)
    ones = [1] * len(kernel)
    settings = {
        "mode": "max" if layer.pool_mode == "max" else "average",
        "channels": channels_of(layer),
        "kernel": kernel,
        "stride": stride,
        "dilation": ones,
        "padding": windows.paddings(layer.padding, spatial(layer, x.shape), kernel, stride, ones),
    }
    if settings["mode"] == "average":
        settings["counts_padding"] = False
    return "pool", settings, {}


def _adaptive_pool(layer, x, y, seen):
    mode = "max" if "Max" in type(layer).__name__ else "average"
    sizes, output = spatial(layer, x.shape), spatial(layer, y.shape)
    if all(n == 1 for n in output):
        first = layer.data_format == "channels_first"
        axes = [i + (2 if first else 1) for i in range(len(sizes))]
        reduction = "max" if mode == "max" else "mean"
        return "reduce", {"mode": reduction, "axes": axes, "keepdims": True}, {}
    if all(n % m == 0 for n, m in zip(sizes, output, strict=True)):
        kernel = [n // m for n, m in zip(sizes, output, strict=True)]
        settings = {
            "mode": mode,
            "channels": channels_of(layer),
            "kernel": kernel,
            "stride": kernel,
            "dilation": [1] * len(kernel),
            "padding": [[0, 0] for _ in kernel],
        }
        if mode == "average":
            settings["counts_padding"] = False
        return "pool", settings, {}
    return "adaptive_pool", {"mode": mode, "channels": channels_of(layer), "output": output}, {}


def _embedding(layer, x, y, seen):
    settings = {
        "rows": layer.input_dim,
        "size": layer.output_dim,
        "zero_index": None,
        "mask_zero": bool(layer.mask_zero),
    }
    table = getattr(layer, "_embeddings", None)
    table = layer.embeddings if table is None else table
    return "embedding", settings, {"embeddings": (table, None, None)}


def _prelu(layer, x, y, seen):
    first = len(layer.alpha.shape) > 1 and int(layer.alpha.shape[0]) == int(x.shape[1])
    size = int(layer.alpha.shape.num_elements())
    last = size == int(x.shape[-1]) and int(layer.alpha.shape[-1]) == size
    settings = {"name": "prelu", "channels": "last" if last or not first else "first"}
    whole = size == max(int(n) for n in layer.alpha.shape)
    return "activation", settings, {"alpha": (layer.alpha, (size,) if whole else None, None)}


def _upsampling(layer, x, y, seen):
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    settings = {
        "channels": "first" if first else "last",
        "size": [int(n) for n in (y.shape[2:] if first else y.shape[1:-1])],
        "mode": getattr(layer, "interpolation", "nearest"),
        "align_corners": False,
        "antialias": False,
    }
    if settings["mode"] not in ("nearest", "bilinear"):
        settings["single"] = True
    return "resize", settings, {}


def opaque(layer, x, y, seen):
    """Of a layer that cannot be looked into."""
    return "opaque", {"name": type(layer).__name__}, {}


OPAQUE = (
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "CategoryEncoding",
    "Discretization",
    "Hashing",
    "HashedCrossing",
    "STFTSpectrogram",
    "MelSpectrogram",
)
DESCRIBED = {
    kl.Dense: _dense,
    **dict.fromkeys((kl.Conv1D, kl.Conv2D, kl.Conv3D), _convolution),
    **dict.fromkeys((kl.DepthwiseConv1D, kl.DepthwiseConv2D), _convolution),
    **dict.fromkeys((kl.Conv1DTranspose, kl.Conv2DTranspose, kl.Conv3DTranspose), _transposed),
    kl.LayerNormalization: _layer_norm,
    kl.GroupNormalization: _group_norm,
    kl.RMSNormalization: _rms_norm,
    **dict.fromkeys((kl.MaxPooling1D, kl.MaxPooling2D, kl.MaxPooling3D), _pool),
    **dict.fromkeys((kl.AveragePooling1D, kl.AveragePooling2D, kl.AveragePooling3D), _pool),
    kl.Embedding: _embedding,
    kl.PReLU: _prelu,
    **dict.fromkeys((kl.UpSampling1D, kl.UpSampling2D, kl.UpSampling3D), _upsampling),
    **{
        getattr(kl, f"Adaptive{mode}Pooling{n}D"): _adaptive_pool
        for mode in ("Average", "Max")
        for n in (1, 2, 3)
        if hasattr(kl, f"Adaptive{mode}Pooling{n}D")
    },
    **{getattr(kl, name): opaque for name in OPAQUE if hasattr(kl, name)},
}
