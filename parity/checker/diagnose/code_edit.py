"""Lines of code: a call's arguments changed in its text, and a node written for a framework."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from parity.checker.diagnose.settings import canonical
from parity.checker.graph.graph import Node
from parity.core.sides import Side

POSITIONS: dict[str, tuple[str, ...]] = {
    **{
        f"Conv{d}d": (
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "dilation",
            "groups",
            "bias",
            "padding_mode",
        )
        for d in (1, 2, 3)
    },
    **{
        f"ConvTranspose{d}d": (
            "in_channels",
            "out_channels",
            "kernel_size",
            "stride",
            "padding",
            "output_padding",
            "groups",
            "bias",
            "dilation",
        )
        for d in (1, 2, 3)
    },
    **{
        f"BatchNorm{d}d": ("num_features", "eps", "momentum", "affine", "track_running_stats")
        for d in (1, 2, 3)
    },
    **{f"MaxPool{d}d": ("kernel_size", "stride", "padding", "dilation") for d in (1, 2, 3)},
    **{
        f"AvgPool{d}d": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
        for d in (1, 2, 3)
    },
    **{f"Conv{d}D": ("filters", "kernel_size", "strides", "padding") for d in (1, 2, 3)},
    **{
        f"{m}Pooling{d}D": ("pool_size", "strides", "padding")
        for m in ("Max", "Average")
        for d in (1, 2, 3)
    },
    "Linear": ("in_features", "out_features", "bias"),
    "LayerNorm": ("normalized_shape", "eps", "elementwise_affine"),
    "RMSNorm": ("normalized_shape", "eps", "elementwise_affine"),
    "GroupNorm": ("num_groups", "num_channels", "eps", "affine"),
    "Dropout": ("p|rate", "inplace"),
    "LeakyReLU": ("negative_slope",),
    "ELU": ("alpha",),
    "Dense": ("units", "activation", "use_bias"),
    "MultiHeadAttention": ("num_heads", "key_dim", "value_dim"),
    "Embedding": ("num_embeddings|input_dim", "embedding_dim|output_dim", "padding_idx"),
    "BatchNormalization": ("axis", "momentum", "epsilon"),
    "LayerNormalization": ("axis", "epsilon"),
    "GroupNormalization": ("groups", "axis", "epsilon"),
    "LSTM": ("units",),
    "GRU": ("units",),
    "SimpleRNN": ("units",),
    "DepthwiseConv2D": ("kernel_size", "strides", "padding"),
    "Conv2DTranspose": ("filters", "kernel_size", "strides", "padding"),
    "UpSampling2D": ("size", "data_format", "interpolation"),
}
"""Class → the names of its positional arguments; PyTorch's | Keras' where they differ."""


def call(code: str) -> ast.Call | None:
    """The line as one call; None where it is something else."""
    try:
        tree = ast.parse(code.strip(), mode="eval")
    except (SyntaxError, ValueError):
        return None
    return tree.body if isinstance(tree.body, ast.Call) else None


def function_name(code: str) -> str:
    """Name of what is called, without its module: ``BatchNorm2d``."""
    parsed = call(code)
    return ast.unparse(parsed.func).split(".")[-1] if parsed else ""


def written(value: Any) -> str:
    """A value as source code, in double quotes."""
    if isinstance(value, str):
        return value[1:] if value.startswith("=") else '"' + value + '"'
    if isinstance(value, (list, tuple)):
        inner = ", ".join(written(v) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def changed(code: str, arguments: Mapping[str, Any]) -> str:
    """The line with some arguments set, everything else as it stands; '' where it is no call.

    A string that begins with = is taken as source code; None takes the argument away.
    """
    text = code.strip()
    for name, value in arguments.items():
        parsed = call(text)
        if parsed is None:
            return ""
        text = _set(text, parsed, name, value)
    return text


def _set(text: str, parsed: ast.Call, name: str, value: Any) -> str:
    place = next((k for k in parsed.keywords if k.arg == name), None)
    names = POSITIONS.get(ast.unparse(parsed.func).split(".")[-1], ())
    at = next((i for i, n in enumerate(names) if name in n.split("|")), None)
    if place is not None and value is None:
        return _without(text, parsed, place)
    if place is not None:
        return _spliced(text, place.value, written(value))
    if at is not None and at < len(parsed.args):
        return _spliced(text, parsed.args[at], written(value))
    if value is None:
        return text
    own = next((k for k in parsed.keywords if k.arg == "name"), None)
    piece = f"{name}={written(value)}"
    if own is not None:
        start = own.value.col_offset - len("name=")
        start = text.rindex("name", 0, own.value.col_offset) if start < 0 else start
        return f"{text[:start]}{piece}, {text[start:]}"
    end = text.rindex(")")
    comma = ", " if parsed.args or parsed.keywords else ""
    return f"{text[:end].rstrip().rstrip(',')}{comma}{piece}{text[end:]}"


def _offset(text: str, node: ast.expr, end: bool) -> int:
    line = (node.end_lineno if end else node.lineno) or 1
    column = (node.end_col_offset if end else node.col_offset) or 0
    lines = text.split("\n")
    inside = len(lines[line - 1].encode()[:column].decode())
    return sum(len(part) + 1 for part in lines[: line - 1]) + inside


def _spliced(text: str, node: ast.expr, piece: str) -> str:
    return text[: _offset(text, node, False)] + piece + text[_offset(text, node, True) :]


def _without(text: str, parsed: ast.Call, place: ast.keyword) -> str:
    start = text.rindex(str(place.arg), 0, _offset(text, place.value, False))
    end = _offset(text, place.value, True)
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if after.startswith(","):
        return before + (" " if before.endswith(",") else "") + after[1:].lstrip()
    return before.rstrip(",") + after


def small(values: Sequence[int]) -> int | tuple[int, ...]:
    """One number where all are the same."""
    return values[0] if len(set(values)) == 1 else tuple(values)


TORCH_ACTIVATIONS = {
    "relu": "nn.ReLU()",
    "relu6": "nn.ReLU6()",
    "selu": "nn.SELU()",
    "silu": "nn.SiLU()",
    "mish": "nn.Mish()",
    "sigmoid": "nn.Sigmoid()",
    "log_sigmoid": "nn.LogSigmoid()",
    "tanh": "nn.Tanh()",
    "softplus": "nn.Softplus()",
    "softsign": "nn.Softsign()",
    "hard_sigmoid": "nn.Hardsigmoid()",
    "hard_silu": "nn.Hardswish()",
    "tanh_shrink": "nn.Tanhshrink()",
    "linear": "nn.Identity()",
    "quick_gelu": "x * torch.sigmoid(1.702 * x)",
    "exponential": "torch.exp(x)",
}
KERAS_ACTIVATIONS = {
    **{
        name: name
        for name in (
            "relu",
            "relu6",
            "selu",
            "silu",
            "mish",
            "sigmoid",
            "log_sigmoid",
            "tanh",
            "softplus",
            "softsign",
            "hard_sigmoid",
            "hard_silu",
            "tanh_shrink",
            "linear",
            "exponential",
            "softmax",
            "log_softmax",
            "squareplus",
        )
    },
}


def activation(settings: Mapping[str, Any], side: Side) -> str:
    """An activation as each framework spells it, as a layer."""
    name = str(settings["name"])
    arguments = {k: v for k, v in settings.items() if k not in ("name", "channels")}
    if side == "torch":
        own = {
            "leaky_relu": lambda: f"nn.LeakyReLU({arguments.get('slope', 0.01)!r})",
            "elu": lambda: f"nn.ELU({arguments.get('alpha', 1.0)!r})",
            "celu": lambda: f"nn.CELU({arguments.get('alpha', 1.0)!r})",
            "gelu": lambda: (
                'nn.GELU(approximate="tanh")' if arguments.get("approximate") else "nn.GELU()"
            ),
            "softmax": lambda: f"nn.Softmax(dim={arguments.get('axis', -1)})",
            "log_softmax": lambda: f"nn.LogSoftmax(dim={arguments.get('axis', -1)})",
            "hard_tanh": lambda: (
                f"nn.Hardtanh({arguments.get('low')!r}, {arguments.get('high')!r})"
            ),
            "clip": lambda: f"nn.Hardtanh({arguments.get('low')!r}, {arguments.get('high')!r})",
            "prelu": lambda: "nn.PReLU()",
        }
        return _constructed(own, name, TORCH_ACTIVATIONS.get(name, f"{name}(x)"))
    own = {
        "leaky_relu": lambda: f"layers.LeakyReLU(negative_slope={arguments.get('slope', 0.01)!r})",
        "elu": lambda: f"layers.ELU(alpha={arguments.get('alpha', 1.0)!r})",
        "relu": lambda: "layers.ReLU()",
        "celu": lambda: f"ops.celu(x, alpha={arguments.get('alpha', 1.0)!r})",
        "gelu": lambda: f"ops.gelu(x, approximate={bool(arguments.get('approximate'))})",
        "softmax": lambda: f"layers.Softmax(axis={arguments.get('axis', -1)})",
        "log_softmax": lambda: f"ops.log_softmax(x, axis={arguments.get('axis', -1)})",
        "hard_tanh": lambda: f"ops.clip(x, {arguments.get('low')!r}, {arguments.get('high')!r})",
        "clip": lambda: f"ops.clip(x, {arguments.get('low')!r}, {arguments.get('high')!r})",
        "prelu": lambda: "layers.PReLU(shared_axes=[1, 2])",
        "quick_gelu": lambda: "x * ops.sigmoid(1.702 * x)",
    }
    return _constructed(own, name, f'layers.Activation("{KERAS_ACTIVATIONS.get(name, name)}")')


def _constructed(table: Mapping[str, Callable[[], str]], name: str, otherwise: str) -> str:
    return table[name]() if name in table else otherwise


def written_for(node: Node, side: Side) -> str:
    """A node as a layer of a framework; '' where there is no short way to say it."""
    s = canonical(node)
    rank = len(s.get("kernel", ())) or max(len(node.sources[0].shape) - 2 if node.sources else 2, 1)
    table: dict[str, Callable[[], str]]
    shape = node.sources[0].shape if node.sources else ()
    table = _torch(s, rank, shape) if side == "torch" else _keras(s, rank)
    return _constructed(table, node.kind, "")


def _torch(s: Mapping[str, Any], rank: int, shape: Sequence[int]) -> dict[str, Callable[[], str]]:
    where = 1 if s.get("channels") == "first" else -1
    channels = shape[where] if len(shape) > 1 else "channels"
    affine = "" if s.get("scale", True) or s.get("center", True) else ", affine=False"
    window = "AvgPool" if s.get("mode") == "average" else "MaxPool"
    return {
        "activation": lambda: activation(s, "torch"),
        "dropout": lambda: f"nn.Dropout({s['rate']!r})",
        "batch_norm": lambda: (
            f"nn.BatchNorm{rank if len(shape) > 2 else 1}d({channels}, "
            f"eps={s['epsilon']!r}, momentum={round(1 - s.get('momentum', 0.9), 12)!r}{affine})"
        ),
        "layer_norm": lambda: (
            f"nn.LayerNorm({shape[-1] if shape else 'shape'}, eps={s['epsilon']!r})"
        ),
        "group_norm": lambda: f"nn.GroupNorm({s['groups']}, {channels}, eps={s['epsilon']!r})",
        "rms_norm": lambda: f"nn.RMSNorm({shape[-1] if shape else 'shape'}, eps={s['epsilon']!r})",
        "pool": lambda: f"nn.{window}{rank}d({small(s['kernel'])}, stride={small(s['stride'])})",
        "dense": lambda: (
            f"nn.Linear({shape[-1] if shape else 'features'}, {s['units']}"
            f"{'' if s['bias'] else ', bias=False'})"
        ),
        "reduce": lambda: f"x.{s['mode']}(dim={written(s['axes'])})",
    }


def _keras(s: Mapping[str, Any], rank: int) -> dict[str, Callable[[], str]]:
    window = "AveragePooling" if s.get("mode") == "average" else "MaxPooling"
    lacks = "".join(f", {k}=False" for k in ("center", "scale") if s.get(k) is False)
    return {
        "activation": lambda: activation(s, "keras"),
        "dropout": lambda: f"layers.Dropout({s['rate']!r})",
        "batch_norm": lambda: (
            f"layers.BatchNormalization(momentum="
            f"{round(s.get('momentum', 0.9), 12)!r}, epsilon={s['epsilon']!r}{lacks})"
        ),
        "layer_norm": lambda: f"layers.LayerNormalization(epsilon={s['epsilon']!r}{lacks})",
        "group_norm": lambda: (
            f"layers.GroupNormalization({s['groups']}, epsilon={s['epsilon']!r}{lacks})"
        ),
        "rms_norm": lambda: f"layers.RMSNormalization(epsilon={s['epsilon']!r})",
        "pool": lambda: (
            f"layers.{window}{rank}D({small(s['kernel'])}, strides={small(s['stride'])})"
        ),
        "dense": lambda: f"layers.Dense({s['units']}{'' if s['bias'] else ', use_bias=False'})",
        "reduce": lambda: f"ops.{s['mode']}(x, axis={written(s['axes'])})",
    }
