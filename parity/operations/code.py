"""Lines of code: a call's arguments changed in its text, everything else as it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Any

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
    "leaky_relu": ("x", "alpha|negative_slope"),
    "Rescaling": ("scale", "offset"),
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


def argument(code: str, name: str) -> ast.expr | None:
    """What the call is given by this name; None where that is nothing, or the line is no call."""
    parsed = call(code)
    return next((k.value for k in parsed.keywords if k.arg == name), None) if parsed else None


def named_as(old: str, new: str) -> str:
    """Keras' new layer under the old one's name."""
    name = re.search(r"""name=("[^"]*"|'[^']*')""", old)
    if not name or not new.startswith("layers."):
        return new
    return changed(new, {"name": "=" + name.group(1)})


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
