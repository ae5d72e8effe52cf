"""A function of one number, element by element; those with a name among layers are activations."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from parity.core.sides import Side
from parity.operations.operation import Array, Operation, Setting, WrittenOperation
from parity.reference import activations


def _bfloat16(x: Array) -> Array:
    """To the nearest number of 8 bits, to the even one of two: the upper half of a float32."""
    bits = x.astype(np.float32).view(np.uint32)
    rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)


UNARY: dict[str, Callable[[Array], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "square": np.square,
    "abs": np.abs,
    "neg": np.negative,
    "negative": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": activations.erf,
    "erfc": lambda x: 1 - activations.erf(x),
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "trunc": np.trunc,
    "float16": lambda x: np.asarray(x).astype(np.float16).astype(np.float64),
    "bfloat16": lambda x: _bfloat16(np.asarray(x)),
    "reciprocal": lambda x: 1 / x,
    "not": np.logical_not,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "tanh": np.tanh,
    "sigmoid": activations.sigmoid,
    "cube": lambda x: x**3,
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
}


def _operation(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    """Another function of the same module: ``ops.cos`` for ``ops.sin``."""
    if other.kind != "unary":
        return None
    own, wanted = (str(o.settings.get("name")) for o in (mine, other))
    return re.sub(rf"(?<=\.){own}\(", f"{wanted}(", mine.code, count=1)


OPERATION = Operation(
    "unary",
    lambda s, p, x: np.asarray(UNARY[s["name"]](x[0])),
    settings={"name": Setting("operation")},
    category="activation",
    corrected={"operation": _operation},
)
