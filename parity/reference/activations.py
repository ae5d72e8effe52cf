"""Activations in NumPy, by the names of `parity.checker.graph.graph`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Settings = Mapping[str, Any]

SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def erf(x: Array) -> Array:
    """The error function, computed in float64."""
    from scipy import special  # noqa: PLC0415  # a side's environment may lack it, and needs none

    return np.asarray(special.erf(np.asarray(x, np.float64))).astype(x.dtype)


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)) without overflow."""
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def softplus(x: Array) -> Array:
    """log(1 + exp(x)) without overflow."""
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def softmax(x: Array, axis: int = -1) -> Array:
    """exp(x), normalised to sum 1."""
    # The larger may be -inf everywhere, where a mask leaves nothing.
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return np.asarray(e / np.sum(e, axis=axis, keepdims=True))


def log_softmax(x: Array, axis: int = -1) -> Array:
    """The logarithm of `softmax`, without underflow."""
    shifted = x - np.max(x, axis=axis, keepdims=True)
    return np.asarray(shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True)))


def gelu(x: Array, approximate: bool = False) -> Array:
    """x·Φ(x), with tanh in place of erf where approximate."""
    if approximate:
        return np.asarray(x * 0.5 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))))
    return np.asarray(x * 0.5 * (1 + erf(x / math.sqrt(2))))


def hard_sigmoid(x: Array) -> Array:
    """min(max(x + 3, 0), 6) / 6, in PyTorch and Keras 3."""
    return np.asarray(np.clip(x + 3, 0, 6) / 6)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """x, or alpha·(exp(x) - 1) where negative."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def celu(x: Array, alpha: float = 1.0) -> Array:
    """x, or alpha·(exp(x/alpha) - 1) where negative."""
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha))


def _glu(x: Array, axis: int) -> Array:
    left, right = np.split(x, 2, axis)
    return left * sigmoid(right)


def _softplus(x: Array, beta: float, threshold: float | None) -> Array:
    """PyTorch's is x itself above a threshold."""
    found = softplus(x * beta) / beta
    return np.asarray(found if threshold is None else np.where(x * beta > threshold, x, found))


def _shrunk(x: Array, limit: float) -> Array:
    return np.sign(x) * np.maximum(np.abs(x) - limit, 0)


TABLE: dict[str, Callable[[Array, Settings], Array]] = {
    "identity": lambda x, s: x,
    "linear": lambda x, s: x,
    "relu": lambda x, s: np.maximum(x, 0),
    "relu6": lambda x, s: np.clip(x, 0, 6),
    "leaky_relu": lambda x, s: np.where(x >= 0, x, x * s.get("slope", 0.01)),
    "rrelu": lambda x, s: np.where(x >= 0, x, x * s.get("slope", (1 / 8 + 1 / 3) / 2)),
    "elu": lambda x, s: elu(x, s.get("alpha", 1.0)),
    "selu": lambda x, s: SELU_SCALE * elu(x, SELU_ALPHA),
    "celu": lambda x, s: celu(x, s.get("alpha", 1.0)),
    "gelu": lambda x, s: gelu(x, bool(s.get("approximate", False))),
    "quick_gelu": lambda x, s: x * sigmoid(1.702 * x),
    "silu": lambda x, s: x * sigmoid(x * s.get("beta", 1.0)),
    "sparse_plus": lambda x, s: np.where(x < -1, 0, np.where(x < 1, (x + 1) ** 2 / 4, x)),
    "sparse_sigmoid": lambda x, s: np.clip((x + 1) / 2, 0, 1),
    "mish": lambda x, s: x * np.tanh(softplus(x)),
    "sigmoid": lambda x, s: sigmoid(x),
    "log_sigmoid": lambda x, s: -softplus(-x),
    "tanh": lambda x, s: np.tanh(x),
    "tanh_shrink": lambda x, s: x - np.tanh(x),
    "softplus": lambda x, s: _softplus(x, s.get("beta", 1.0), s.get("threshold")),
    "softsign": lambda x, s: x / (1 + np.abs(x)),
    "hard_sigmoid": lambda x, s: hard_sigmoid(x),
    "hard_silu": lambda x, s: x * hard_sigmoid(x),
    "hard_tanh": lambda x, s: np.clip(x, s.get("low", -1.0), s.get("high", 1.0)),
    "hard_shrink": lambda x, s: np.where(np.abs(x) > s.get("threshold", 0.5), x, 0),
    "soft_shrink": lambda x, s: _shrunk(x, s.get("threshold", 0.5)),
    "softmax": lambda x, s: softmax(x, s.get("axis", -1)),
    "softmin": lambda x, s: softmax(-x, s.get("axis", -1)),
    "log_softmax": lambda x, s: log_softmax(x, s.get("axis", -1)),
    "clip": lambda x, s: np.clip(x, s.get("low"), s.get("high")),
    "threshold": lambda x, s: np.where(x > s.get("threshold", 0.0), x, s.get("value", 0.0)),
    "exponential": lambda x, s: np.exp(x),
    "squareplus": lambda x, s: (x + np.sqrt(x * x + s.get("b", 4.0))) / 2,
    "relu_squared": lambda x, s: np.maximum(x, 0) ** 2,
    "glu": lambda x, s: _glu(x, s.get("axis", -1)),
}
"""Name → function of the input and the settings. ``prelu`` stands in `apply`, it has a weight."""

PARAMETERS: dict[str, tuple[str, ...]] = {
    "leaky_relu": ("slope",),
    "rrelu": ("slope",),
    "elu": ("alpha",),
    "celu": ("alpha",),
    "gelu": ("approximate",),
    "hard_tanh": ("low", "high"),
    "clip": ("low", "high"),
    "softmax": ("axis",),
    "softmin": ("axis",),
    "log_softmax": ("axis",),
    "glu": ("axis",),
    "threshold": ("threshold", "value"),
    "softplus": ("beta",),
    "silu": ("beta",),
    "hard_shrink": ("threshold",),
    "soft_shrink": ("threshold",),
    "squareplus": ("b",),
}
"""Name → the settings that it needs."""

DEFAULTS: dict[str, dict[str, Any]] = {
    "leaky_relu": {"slope": 0.01},
    "elu": {"alpha": 1.0},
    "celu": {"alpha": 1.0},
    "gelu": {"approximate": False},
    "hard_tanh": {"low": -1.0, "high": 1.0},
    "softmax": {"axis": -1},
    "softmin": {"axis": -1},
    "log_softmax": {"axis": -1},
    "glu": {"axis": -1},
    "softplus": {"beta": 1.0},
    "silu": {"beta": 1.0},
    "threshold": {"threshold": 0.0, "value": 0.0},
    "hard_shrink": {"threshold": 0.5},
    "soft_shrink": {"threshold": 0.5},
    "squareplus": {"b": 4.0},
}
"""Name → what a setting is where it is not given."""


def apply(settings: Settings, parameters: Mapping[str, Array], x: Array) -> Array:
    """One activation.

    Raises:
        KeyError: there is none of that name.
    """
    name = settings["name"]
    with np.errstate(over="ignore", invalid="ignore"):
        if name == "prelu":
            alpha = parameters["alpha"]
            if settings.get("channels") == "first" and alpha.ndim == 1 and alpha.size > 1:
                alpha = alpha.reshape(-1, *([1] * (x.ndim - 2)))
            return np.where(x >= 0, x, x * alpha)
        return np.asarray(TABLE[name](x, settings)).astype(x.dtype)


def spoken(settings: Settings) -> dict[str, Any]:
    """An activation without its layout, without what is usual, and without the place where
    PyTorch's softplus turns linear, which rounding hides.
    """
    unsaid = ("channels", "threshold") if settings["name"] == "softplus" else ("channels",)
    usual = {"beta": 1.0}
    return {k: v for k, v in settings.items() if k not in unsaid and usual.get(k) != v}
