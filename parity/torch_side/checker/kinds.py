"""Layers: dense, convolution, normalisation, pooling, activations, and what else has settings."""

import math

import torch
import torch.nn.functional as F  # noqa: N812

from parity.torch_side.checker.tracer import handles


def numbers(value, count):
    """One number an axis: ``2`` and ``(2,)`` for ``count`` axes are ``[2, 2]``."""
    values = [value] if isinstance(value, int) else [int(v) for v in value]
    return values * count if len(values) == 1 else values


@handles("linear")
def linear(t, c):
    """A dense layer; a matmul where the weight is something else already, say an embedding."""
    a = c.bind("input weight bias=None")
    if t.bindings.bind(t.ref(a.weight), "kernel", "dense", t.label) is None:
        out = t.run(torch.matmul, a.input, t.run(torch.t, a.weight))
        return out if a.bias is None else t.run(torch.add, out, a.bias)
    settings = {"units": a.weight.shape[0], "bias": a.bias is not None}
    weights = {"kernel": a.weight, "bias": a.bias}
    return t.step(c, "dense", settings, [a.input], parameters=weights)


@handles("conv1d", "conv2d", "conv3d", "convolution", "_convolution")
def convolution(t, c):
    """Also 'same', in numbers."""
    if "convolution" in c.name:
        return _general_convolution(t, c)
    a = c.bind("input weight bias=None stride=1 padding=0 dilation=1 groups=1")
    kernel = list(a.weight.shape[2:])
    count = len(kernel)
    dilation = numbers(a.dilation, count)
    if isinstance(a.padding, str):
        total = [
            d * (k - 1) if a.padding == "same" else 0 for d, k in zip(dilation, kernel, strict=True)
        ]
        padding = [[p // 2, p - p // 2] for p in total]
    else:
        padding = [[p, p] for p in numbers(a.padding, count)]
    settings = {
        "channels": "first",
        "kernel": kernel,
        "stride": numbers(a.stride, count),
        "dilation": dilation,
        "padding": padding,
        "groups": int(a.groups),
        "bias": a.bias is not None,
        "mode": "zeros",
    }
    weights = {"kernel": a.weight, "bias": a.bias}
    return t.step(c, "convolution", settings, [a.input], parameters=weights)


def _general_convolution(t, c):
    a = c.bind("input weight bias stride padding dilation transposed output_padding groups")
    dims = a.weight.dim() - 2
    if a.transposed:
        return t.run(
            getattr(F, f"conv_transpose{dims}d"),
            a.input,
            a.weight,
            a.bias,
            a.stride,
            a.padding,
            a.output_padding,
            a.groups,
            a.dilation,
        )
    return t.run(
        getattr(F, f"conv{dims}d"),
        a.input,
        a.weight,
        a.bias,
        a.stride,
        a.padding,
        a.dilation,
        a.groups,
    )


@handles("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
def transposed(t, c):
    """What PyTorch calls padding is cut off; output_padding is cut off less at the end."""
    a = c.bind("input weight bias=None stride=1 padding=0 output_padding=0 groups=1 dilation=1")
    kernel = list(a.weight.shape[2:])
    count = len(kernel)
    ends = zip(numbers(a.padding, count), numbers(a.output_padding, count), strict=True)
    settings = {
        "channels": "first",
        "kernel": kernel,
        "stride": numbers(a.stride, count),
        "dilation": numbers(a.dilation, count),
        "groups": int(a.groups),
        "bias": a.bias is not None,
        "crop": [[p, p - more] for p, more in ends],
    }
    weights = {"kernel": a.weight, "bias": a.bias}
    return t.step(c, "transposed", settings, [a.input], parameters=weights)


@handles("batch_norm", "sync_batch_norm", "native_batch_norm")
def batch_norm(t, c):
    """In training the running variance moves to the *biased* one, as Keras' does."""
    if c.name == "native_batch_norm":
        a = c.bind("input weight bias running_mean running_var training momentum eps")
    elif c.func is torch.batch_norm:
        a = c.bind("input weight bias running_mean running_var training momentum eps cudnn=None")
    else:
        a = c.bind(
            "input running_mean running_var weight=None bias=None training=False momentum=0.1 "
            "eps=1e-05"
        )
    return _batch_norm(t, c, a)


def _batch_norm(t, c, a):
    cumulative = getattr(t.module, "momentum", 0.0) is None
    settings = {
        "channels": "first",
        "epsilon": float(a.eps),
        "scale": a.weight is not None,
        "momentum": None if cumulative or a.momentum is None else round(1 - a.momentum, 12),
        "center": a.bias is not None,
        "tracked": a.running_mean is not None,
        "training": bool(a.training),
    }
    if cumulative:
        settings["cumulative"] = True
        t.note(f"{t.where} averages its running statistics over all batches (momentum=None).")
    weights = {"gamma": a.weight, "beta": a.bias, "mean": a.running_mean, "variance": a.running_var}
    old = None if a.running_var is None else a.running_var.detach().clone()
    result = t.step(c, "batch_norm", settings, [a.input], parameters=weights)
    if a.training and old is not None:
        with torch.no_grad():
            every = [d for d in range(a.input.dim()) if d != 1]
            variance = a.input.detach().var(every, correction=0)
            # Not by the tensor itself: autograd has it saved, though it does not read it.
            a.running_var.data.copy_(old * (1 - a.momentum) + a.momentum * variance)
    return result


@handles("layer_norm", "native_layer_norm", "rms_norm")
def layer_norm(t, c):
    """Over the last axes."""
    if c.name == "rms_norm":
        a = c.bind("input normalized_shape weight=None eps=None")
        eps = torch.finfo(a.input.dtype).eps if a.eps is None else a.eps
    else:
        a = c.bind("input normalized_shape weight=None bias=None eps=1e-05")
        eps = a.eps
    rank = a.input.dim()
    axes = list(range(rank - len(a.normalized_shape), rank))
    settings = {"axes": axes, "epsilon": float(eps), "scale": a.weight is not None}
    if c.name == "rms_norm":
        return t.step(c, "rms_norm", settings, [a.input], parameters={"gamma": a.weight})
    settings["center"] = a.bias is not None
    weights = {"gamma": a.weight, "beta": a.bias}
    return t.step(c, "layer_norm", settings, [a.input], parameters=weights)


@handles("group_norm")
def group_norm(t, c):
    """Some channels at a time."""
    a = c.bind("input num_groups weight=None bias=None eps=1e-05")
    settings = {
        "channels": "first",
        "groups": int(a.num_groups),
        "epsilon": float(a.eps),
        "scale": a.weight is not None,
        "center": a.bias is not None,
    }
    weights = {"gamma": a.weight, "beta": a.bias}
    return t.step(c, "group_norm", settings, [a.input], parameters=weights)


@handles("instance_norm")
def instance_norm(t, c):
    """Every channel for itself, or, with running statistics, a batch norm."""
    if c.func is torch.instance_norm:
        a = c.bind("input weight bias running_mean running_var use_input_stats momentum eps c=None")
    else:
        a = c.bind(
            "input running_mean=None running_var=None weight=None bias=None use_input_stats=True "
            "momentum=0.1 eps=1e-05"
        )
    if not a.use_input_stats:
        return t.run(
            F.batch_norm,
            a.input,
            a.running_mean,
            a.running_var,
            a.weight,
            a.bias,
            False,
            a.momentum,
            a.eps,
        )
    settings = {
        "channels": "first",
        "groups": a.input.shape[1],
        "epsilon": float(a.eps),
        "scale": a.weight is not None,
        "center": a.bias is not None,
    }
    weights = {"gamma": a.weight, "beta": a.bias}
    return t.step(c, "group_norm", settings, [a.input], parameters=weights)


@handles(
    "max_pool1d",
    "max_pool2d",
    "max_pool3d",
    "max_pool1d_with_indices",
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
)
def max_pool(t, c):
    """With the padding that ``ceil_mode`` adds at the end."""
    a = c.bind("input kernel_size stride=None padding=0 dilation=1 ceil_mode=False")
    settings = {"mode": "max", "channels": "first", **_windows(a, int(c.name[8]))}
    return t.step(c, "pool", settings, [a.input])


@handles("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(t, c):
    """The divisor leaves out what ``ceil_mode`` adds, but not what is padded."""
    a = c.bind(
        "input kernel_size stride=None padding=0 ceil_mode=False count_include_pad=True "
        "divisor_override=None"
    )
    count = int(c.name[8])
    settings = {"mode": "average", "channels": "first", **_windows(a, count)}
    padded = any(numbers(a.padding, count))
    settings["counts_padding"] = bool(a.count_include_pad and padded)
    extra = settings["padding"] != [[p, p] for p in numbers(a.padding, count)]
    if extra and settings["counts_padding"]:
        settings["ceil_mode"] = True
    if a.divisor_override:
        settings["divisor"] = int(a.divisor_override)
    return t.step(c, "pool", settings, [a.input])


def _windows(a, count):
    kernel = numbers(a.kernel_size, count)
    stride = kernel if a.stride is None or a.stride == [] else numbers(a.stride, count)
    dilation = numbers(getattr(a, "dilation", 1), count)
    padding = []
    axes = zip(
        a.input.shape[-count:], kernel, stride, dilation, numbers(a.padding, count), strict=True
    )
    for size, k, s, d, p in axes:
        reach = d * (k - 1) + 1
        after = p
        if a.ceil_mode:
            out = math.ceil((size + 2 * p - reach) / s) + 1
            if (out - 1) * s >= size + p:  # a window must begin inside
                out -= 1
            after = max(p, (out - 1) * s + reach - size - p)
        padding.append([p, after])
    return {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding}


@handles(
    *(
        f"adaptive_{m}_pool{n}d{w}"
        for m in ("avg", "max")
        for n in (1, 2, 3)
        for w in ("", "_with_indices")
    )
)
def adaptive_pool(t, c):
    """To one: a reduction; to a divisor: a plain pool."""
    a = c.bind("input output_size return_indices=False")
    count = int(c.name.partition("pool")[2][0])
    mode = "average" if "avg" in c.name else "max"
    sizes = list(a.input.shape[-count:])
    wanted = a.output_size if isinstance(a.output_size, (list, tuple)) else [a.output_size]
    wanted = list(wanted) * (count if len(wanted) == 1 else 1)
    wanted = [s if w is None else int(w) for w, s in zip(wanted, sizes, strict=True)]
    rank = a.input.dim()
    if wanted == [1] * count:
        settings = {
            "mode": "mean" if mode == "average" else "max",
            "keepdims": True,
            "axes": list(range(rank - count, rank)),
        }
        return t.step(c, "reduce", settings, [a.input])
    if any(s % w for s, w in zip(sizes, wanted, strict=True)):
        settings = {"mode": mode, "channels": "first", "output": wanted}
        return t.step(c, "adaptive_pool", settings, [a.input])
    kernel = [s // w for s, w in zip(sizes, wanted, strict=True)]
    settings = {
        "mode": mode,
        "channels": "first",
        "kernel": kernel,
        "stride": kernel,
        "dilation": [1] * count,
        "padding": [[0, 0]] * count,
    }
    if mode == "average":
        settings["counts_padding"] = False
    return t.step(c, "pool", settings, [a.input])


@handles("interpolate", "upsample_nearest", "upsample_bilinear")
def resize(t, c):
    """Resizing of the spatial axes."""
    a = c.bind(
        "input size=None scale_factor=None mode='nearest' align_corners=None "
        "recompute_scale_factor=None antialias=False"
    )
    mode = {"linear": "bilinear", "trilinear": "bilinear", "nearest-exact": "nearest_exact"}
    if c.name == "upsample_bilinear":
        a.mode, a.align_corners = "bilinear", True

    def settings(result):
        size = list(result.shape[2:])
        out = {
            "channels": "first",
            "size": size,
            "mode": mode.get(a.mode, a.mode),
            "align_corners": bool(a.align_corners),
            "antialias": bool(a.antialias),
        }
        if a.scale_factor is not None and not a.recompute_scale_factor:
            factors = a.scale_factor
            factors = list(factors) if isinstance(factors, (list, tuple)) else [factors] * len(size)
            exact = [s * f for s, f in zip(a.input.shape[2:], factors, strict=True)]
            if exact != size:
                out["scale"] = [float(f) for f in factors]
        return out

    return t.step(c, "resize", settings, [a.input])


@handles("embedding")
def embedding(t, c):
    """A table of vectors."""
    if c.func is torch.embedding:
        a = c.bind("weight input padding_idx=-1 scale_grad_by_freq=False sparse=False")
        a.padding_idx = None if a.padding_idx == -1 else a.padding_idx
    else:
        a = c.bind("input weight padding_idx=None")
    rows, size = a.weight.shape
    zero = None if a.padding_idx is None else int(a.padding_idx) % rows
    settings = {"rows": rows, "size": size, "zero_index": zero, "mask_zero": False}
    weights = {"embeddings": a.weight}
    return t.step(c, "embedding", settings, [a.input], parameters=weights)


ACTIVATIONS = {
    "relu6": ("relu6", ""),
    "leaky_relu": ("leaky_relu", "slope=0.01"),
    "elu": ("elu", "alpha=1.0"),
    "selu": ("selu", ""),
    "celu": ("celu", "alpha=1.0"),
    "silu": ("silu", ""),
    "mish": ("mish", ""),
    "sigmoid": ("sigmoid", ""),
    "log_sigmoid": ("log_sigmoid", ""),
    "tanh": ("tanh", ""),
    "softplus": ("softplus", "beta=1 threshold=20"),
    "softsign": ("softsign", ""),
    "hardsigmoid": ("hard_sigmoid", ""),
    "hardswish": ("hard_silu", ""),
    "threshold": ("threshold", "threshold value"),
}
OWN_WORDS = {"slope": "negative_slope"}


@handles(*ACTIVATIONS)
def activation(t, c):
    """Those whose arguments are numbers."""
    name, spec = ACTIVATIONS[c.name]
    own = [w.partition("=")[0] for w in spec.split()]
    a = c.bind(f"input {spec.replace('slope', 'negative_slope')}")
    values = {w: float(getattr(a, OWN_WORDS.get(w, w))) for w in own}
    return t.step(c, "activation", {"name": name, **values}, [a.input])


@handles("hardtanh")
def hardtanh(t, c):
    """Which is ReLU6 with other numbers."""
    a = c.bind("input min_val=-1.0 max_val=1.0")
    settings = {"name": "hard_tanh", "low": float(a.min_val), "high": float(a.max_val)}
    if (a.min_val, a.max_val) == (0, 6):
        settings = {"name": "relu6"}
    return t.step(c, "activation", settings, [a.input], name=settings["name"])


@handles("gelu")
def gelu(t, c):
    """Exact, or with tanh."""
    a = c.bind("input approximate='none'")
    return t.step(
        c, "activation", {"name": "gelu", "approximate": a.approximate == "tanh"}, [a.input]
    )


@handles("softmax", "log_softmax")
def softmax(t, c):
    """Along an axis."""
    a = c.bind("input dim=None")
    rank = max(a.input.dim(), 1)
    dim = (0 if rank in (1, 3) else 1) if a.dim is None else a.dim
    return t.step(c, "activation", {"name": c.name, "axis": dim % rank}, [a.input])


@handles("prelu")
def prelu(t, c):
    """With a slope that is learnt."""
    a = c.bind("input weight")
    return t.step(
        c,
        "activation",
        {"name": "prelu", "channels": "first"},
        [a.input],
        parameters={"alpha": a.weight},
    )


@handles("rrelu")
def rrelu(t, c):
    """Without its noise a leaky ReLU."""
    a = c.bind("input lower=0.125 upper=0.3333333333333333")
    if "training" in c.kwargs or len(c.args) > 3:
        t.note(f"{t.where} draws its slopes in training; the mean slope is used instead.")
    return t.run(F.leaky_relu, a.input, (a.lower + a.upper) / 2)
