"""Every optimizer once more in NumPy float64: the third witness of `optimizers`.

Sources: `torch.optim.*._single_tensor_*`, PyTorch 2.15; `keras.optimizers.*.update_step`, Keras
3.15. f(b) is b rounded to float32, as Keras' `ops.cast` does to a Python number in float64 too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Slots = dict[str, Any]
Change = Callable[[Array, Array, Slots, int, float], Array]
"""(weights, gradient, slots, step, learning rate) → what is added to the weights."""

ROWS = (1, 2, 10, 100)


def f(value: float) -> float:
    """The float32 number nearest to `value`."""
    return float(np.float32(value))


def follow(
    change: Change, rate: float | Callable[[int], float], w: Array, gradients: Array
) -> dict[str, Array]:
    """Weights and slots after 1, 2, 10 and 100 steps, one row each."""
    slots: Slots = {}
    rows: list[dict[str, Any]] = []
    for step, gradient in enumerate(gradients, 1):
        now = rate(step) if callable(rate) else rate
        w = w + change(w, gradient, slots, step, now)
        if step in ROWS:
            rows.append({"weights": w, **slots})
    return {name: np.stack([row[name] for row in rows]) for name in rows[0]}


def torch_sgd(momentum: float = 0.0, *, nesterov: bool = False) -> Change:
    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        if not momentum:
            return -lr * g
        s["velocity"] = momentum * s.get("velocity", 0 * g) + g
        ahead = g + momentum * s["velocity"] if nesterov else s["velocity"]
        return np.asarray(-lr * ahead)

    return change


def keras_sgd(momentum: float = 0.0, *, nesterov: bool = False) -> Change:
    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        if not momentum:
            return -lr * g
        s["velocity"] = f(momentum) * s.get("velocity", 0 * g) - lr * g
        return np.asarray(f(momentum) * s["velocity"] - lr * g if nesterov else s["velocity"])

    return change


def _moments(g: Array, s: Slots, b1: float, b2: float) -> tuple[Array, Array]:
    s["m"] = s.get("m", 0 * g) + (1 - b1) * (g - s.get("m", 0 * g))
    s["v"] = s.get("v", 0 * g) + (1 - b2) * (g**2 - s.get("v", 0 * g))
    return s["m"], s["v"]


def torch_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, decay: float = 0.0, l2: float = 0.0,
    *, amsgrad: bool = False,
) -> Change:  # fmt: skip
    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        shrunk = w * (1 - lr * decay)
        m, v = _moments(g + l2 * w, s, b1, b2)
        if amsgrad:
            v = s["v_max"] = np.maximum(s.get("v_max", 0 * g), v)
        root = np.sqrt(v) / np.sqrt(1 - b2**t) + eps
        return np.asarray(shrunk - w - lr / (1 - b1**t) * m / root)

    return change


def keras_adam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-7, decay: float = 0.0,
    *, amsgrad: bool = False,
) -> Change:  # fmt: skip
    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        m, v = _moments(g, s, b1, b2)
        if amsgrad:
            v = s["v_max"] = np.maximum(s.get("v_max", 0 * g), v)
        size = lr * np.sqrt(1 - f(b2) ** t) / (1 - f(b1) ** t)
        return np.asarray(-lr * f(decay) * w - size * m / (np.sqrt(v) + eps))

    return change


def torch_rmsprop(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    s["v"] = 0.99 * s.get("v", 0 * g) + 0.01 * g**2
    return np.asarray(-lr * g / (np.sqrt(s["v"]) + 1e-8))


def keras_rmsprop(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    s["v"] = 0.9 * s.get("v", 0 * g) + 0.1 * g**2
    return np.asarray(-lr * g / np.sqrt(s["v"] + 1e-7))


def torch_adagrad(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    s["sum"] = s.get("sum", 0 * g) + g**2
    return np.asarray(-lr * g / (np.sqrt(s["sum"]) + 1e-10))


def keras_adagrad(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    s["sum"] = s.get("sum", f(0.1) + 0 * g) + g**2
    return np.asarray(-lr * g / np.sqrt(s["sum"] + 1e-7))


def adadelta(rho: float, eps: float) -> Change:
    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        s["v"] = rho * s.get("v", 0 * g) + (1 - rho) * g**2
        delta = -np.sqrt(s.get("delta", 0 * g) + eps) / np.sqrt(s["v"] + eps) * g
        s["delta"] = rho * s.get("delta", 0 * g) + (1 - rho) * delta**2
        return np.asarray(lr * delta)

    return change


def torch_adamax(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    s["m"] = s.get("m", 0 * g) + 0.1 * (g - s.get("m", 0 * g))
    s["u"] = np.maximum(0.999 * s.get("u", 0 * g), np.abs(g) + 1e-8)
    return np.asarray(-lr / (1 - 0.9**t) * s["m"] / s["u"])


def keras_adamax(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    s["m"] = s.get("m", 0 * g) + 0.1 * (g - s.get("m", 0 * g))
    s["u"] = np.maximum(0.999 * s.get("u", 0 * g), np.abs(g))
    return np.asarray(-lr * s["m"] / ((1 - f(0.9) ** t) * (s["u"] + 1e-7)))


def _nadam(
    g: Array, s: Slots, t: int, b: tuple[float, float], mu: tuple[float, float, float]
) -> tuple[Array, Array]:
    """What Nesterov looks ahead to, and the root that it is divided by."""
    now, following, kept = mu
    s["mu_product"] = s.get("mu_product", 1.0) * kept
    m, v = _moments(g, s, *b)
    ahead = following / (1 - s["mu_product"] * following) * m
    ahead = ahead + (1 - now) / (1 - s["mu_product"]) * g
    return ahead, np.sqrt(v / (1 - b[1] ** t))


def torch_nadam(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    now, following = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * step)) for step in (t, t + 1))
    ahead, root = _nadam(g, s, t, (0.9, 0.999), (now, following, now))
    return -lr * ahead / (root + 1e-8)


def keras_nadam(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
    now, following = (f(0.9) * (1 - 0.5 * f(0.96) ** step) for step in (t, t + 1))
    kept = 0.9 * (1 - 0.5 * 0.96**t)
    ahead, root = _nadam(g, s, t, (f(0.9), f(0.999)), (now, following, kept))
    return -lr * ahead / (root + 1e-7)
