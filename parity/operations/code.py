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
    **{f"ZeroPad{d}d": ("padding",) for d in (1, 2, 3)},
    **{f"ZeroPadding{d}D": ("padding",) for d in (1, 2, 3)},
    **dict.fromkeys(("var", "std"), ("input|x", "dim|axis", "unbiased|keepdims")),
    "Dropout": ("p|rate", "inplace"),
    **dict.fromkeys(("softmax", "log_softmax"), ("input|x", "dim|axis")),
    **dict.fromkeys(("mean", "sum", "amax", "amin"), ("input|x", "dim|axis", "keepdim|keepdims")),
    "dropout": ("input", "p", "training", "inplace"),
    "elu": ("input|x", "alpha"),
    "gelu": ("input|x", "approximate"),
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


_MODULES = frozenset(
    ("torch", "nn", "F", "functional", "keras", "layers", "ops", "activations", "tf", "np")
)


def is_method(parsed: ast.Call) -> bool:
    """Whether a function is called of what it works on: ``x.softmax(-1)``."""
    if not isinstance(parsed.func, ast.Attribute):
        return False
    root = parsed.func.value
    while isinstance(root, ast.Attribute):
        root = root.value
    if not isinstance(root, ast.Name):
        return True
    first = parsed.args[0] if parsed.args else None
    return root.id not in _MODULES and (first is None or _is_literal(first))


def _is_literal(node: ast.expr) -> bool:
    if isinstance(node, ast.UnaryOp):
        return _is_literal(node.operand)
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(_is_literal, node.elts))
    return isinstance(node, ast.Constant)


def positions(parsed: ast.Call) -> tuple[str, ...]:
    """Names of a call's positional arguments, as far as they are known."""
    names = POSITIONS.get(ast.unparse(parsed.func).rpartition(".")[2], ())
    of_a_value = names and "input" in names[0].split("|") and is_method(parsed)
    return names[1:] if of_a_value else names


def operand(parsed: ast.Call) -> ast.expr | None:
    """What a function of one thing works on."""
    if is_method(parsed) and isinstance(parsed.func, ast.Attribute):
        return parsed.func.value
    return parsed.args[0] if parsed.args else None


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
    names = positions(parsed)
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
