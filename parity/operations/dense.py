"""A dense layer, on the last axis."""

import re
from collections.abc import Sequence

import numpy as np

from parity.core.sides import Side
from parity.operations import windows
from parity.operations.code import changed, function_name
from parity.operations.operation import (
    Array,
    Arrays,
    Operation,
    Setting,
    Settings,
    Shape,
    WrittenOperation,
)


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    out = sources[0] @ parameters["kernel"]
    has = settings.get("bias", True) and "bias" in parameters
    return np.asarray(out + parameters["bias"] if has else out)


def _torch(settings: Settings, shape: Shape) -> str:
    bias = "" if settings["bias"] else ", bias=False"
    return f"nn.Linear({shape[-1] if shape else 'features'}, {settings['units']}{bias})"


def _keras(settings: Settings, shape: Shape) -> str:
    return f"layers.Dense({settings['units']}{'' if settings['bias'] else ', use_bias=False'})"


def _units(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    """The argument of an attention layer that reaches a projection within it."""
    if function_name(mine.code) != "EinsumDense":
        return None
    layer, _, role = mine.name.rpartition("/")
    heads, units = re.search(r"\(None, (\d+), \d+\)", mine.code), other.settings.get("units")
    if role not in ("query", "key", "value") or not layer or not heads or not units:
        return ""
    word = "value_dim" if role == "value" else "key_dim"
    return f"# layers.MultiHeadAttention: {word}={units // int(heads.group(1))}, of {layer}"


def _bias(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    """The letters of an equation's output that only the kernel has."""
    if function_name(mine.code) != "EinsumDense" or "bias" not in other.settings:
        return None
    equation = re.search(r"""["']([\w.]+),([\w.]+)->([\w.]+)["']""", mine.code)
    taken, kernel, output = equation.groups() if equation else ("", "", "")
    letters = "".join(c for c in output if c in kernel and c not in taken)
    return changed(mine.code, {"bias_axes": letters if other.settings["bias"] else None})


OPERATION = Operation(
    "dense",
    _compute,
    settings={
        "units": Setting("units", torch="out_features", keras="units", roles=("kernel", "bias")),
        "bias": windows.BIAS,
    },
    on_features=True,
    weighted=True,
    lines={"torch": _torch, "keras": _keras},
    corrected={"units": _units, "bias": _bias},
)
