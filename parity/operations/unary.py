"""A function of one number, element by element; those with a name among layers are activations."""

from collections.abc import Callable
from typing import Any

import numpy as np

from parity.operations.operation import Array, Operation, Setting
from parity.reference import activations

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

OPERATION = Operation(
    "unary",
    lambda s, p, x: np.asarray(UNARY[s["name"]](x[0])),
    settings={"name": Setting("operation")},
    category="activation",
)
