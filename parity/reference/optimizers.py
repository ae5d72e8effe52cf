"""Every optimizer once more in NumPy float64: a witness that belongs to neither framework.

Of the example `optimizers`, and of `parity check` where two optimizers part.

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


def torch_sgd(momentum: float = 0.0, *, nesterov: bool = False, dampening: float = 0.0) -> Change:
    """PyTorch's SGD; the learning rate is outside the velocity."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        if not momentum:
            return -lr * g
        share = 1 - dampening if "velocity" in s else 1.0
        s["velocity"] = momentum * s.get("velocity", 0 * g) + share * g
        ahead = g + momentum * s["velocity"] if nesterov else s["velocity"]
        return np.asarray(-lr * ahead)

    return change


def keras_sgd(momentum: float = 0.0, *, nesterov: bool = False, rounded: bool = True) -> Change:
    """Keras' SGD; the learning rate is inside the velocity."""

    kept = f(momentum) if rounded else momentum

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        if not momentum:
            return -lr * g
        s["velocity"] = kept * s.get("velocity", 0 * g) - lr * g
        return np.asarray(kept * s["velocity"] - lr * g if nesterov else s["velocity"])

    return change


def _moments(g: Array, s: Slots, b1: float, b2: float) -> tuple[Array, Array]:
    s["m"] = s.get("m", 0 * g) + (1 - b1) * (g - s.get("m", 0 * g))
    s["v"] = s.get("v", 0 * g) + (1 - b2) * (g**2 - s.get("v", 0 * g))
    return s["m"], s["v"]


def torch_adam(
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-8,
    decay: float = 0.0,
    l2: float = 0.0,
    *,
    amsgrad: bool = False,
) -> Change:
    """PyTorch's Adam and AdamW; epsilon is added after the bias correction."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        shrunk = w * (1 - lr * decay)
        m, v = _moments(g + l2 * w, s, b1, b2)
        if amsgrad:
            v = s["v_max"] = np.maximum(s.get("v_max", 0 * g), v)
        root = np.sqrt(v) / np.sqrt(1 - b2**t) + eps
        return np.asarray(shrunk - w - lr / (1 - b1**t) * m / root)

    return change


def keras_adam(
    b1: float = 0.9,
    b2: float = 0.999,
    eps: float = 1e-7,
    decay: float = 0.0,
    *,
    amsgrad: bool = False,
    rounded: bool = True,
) -> Change:
    """Keras' Adam and AdamW; epsilon is added before the bias correction."""

    p1, p2, shrink = (f(x) if rounded else x for x in (b1, b2, decay))

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        m, v = _moments(g, s, b1, b2)
        if amsgrad:
            v = s["v_max"] = np.maximum(s.get("v_max", 0 * g), v)
        size = lr * np.sqrt(1 - p2**t) / (1 - p1**t)
        return np.asarray(-lr * shrink * w - size * m / (np.sqrt(v) + eps))

    return change


def rmsprop(
    rho: float, eps: float, *, inside: bool, momentum: float = 0.0, centered: bool = False
) -> Change:
    """PyTorch adds epsilon to the root, Keras under it (`inside`), and momentum to the change."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        s["v"] = v = rho * s.get("v", 0 * g) + (1 - rho) * g**2
        if centered:
            s["mean"] = rho * s.get("mean", 0 * g) + (1 - rho) * g
            v = v - s["mean"] ** 2
        root = np.sqrt(v + eps) if inside else np.sqrt(v) + eps
        if not momentum:
            return np.asarray(-lr * g / root)
        step = lr * g / root if inside else g / root
        s["buffer"] = momentum * s.get("buffer", 0 * g) + step
        return np.asarray(-s["buffer"] if inside else -lr * s["buffer"])

    return change


def adagrad(eps: float, *, inside: bool, start: float = 0.0, lr_decay: float = 0.0) -> Change:
    """PyTorch adds epsilon to the root, Keras under it (`inside`), and starts from a sum."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        s["sum"] = s.get("sum", start + 0 * g) + g**2
        root = np.sqrt(s["sum"] + eps) if inside else np.sqrt(s["sum"]) + eps
        return np.asarray(-lr / (1 + (t - 1) * lr_decay) * g / root)

    return change


def adadelta(rho: float, eps: float) -> Change:
    """Adadelta, the same in both."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        s["v"] = rho * s.get("v", 0 * g) + (1 - rho) * g**2
        delta = -np.sqrt(s.get("delta", 0 * g) + eps) / np.sqrt(s["v"] + eps) * g
        s["delta"] = rho * s.get("delta", 0 * g) + (1 - rho) * delta**2
        return np.asarray(lr * delta)

    return change


def torch_adamax(b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8) -> Change:
    """PyTorch's Adamax; epsilon is within the maximum."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        s["m"] = s.get("m", 0 * g) + (1 - b1) * (g - s.get("m", 0 * g))
        s["u"] = np.maximum(b2 * s.get("u", 0 * g), np.abs(g) + eps)
        return np.asarray(-lr / (1 - b1**t) * s["m"] / s["u"])

    return change


def keras_adamax(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-7, *, rounded: bool = True
) -> Change:
    """Keras' Adamax; epsilon is added to the maximum."""

    power = f(b1) if rounded else b1

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        s["m"] = s.get("m", 0 * g) + (1 - b1) * (g - s.get("m", 0 * g))
        s["u"] = np.maximum(b2 * s.get("u", 0 * g), np.abs(g))
        return np.asarray(-lr * s["m"] / ((1 - power**t) * (s["u"] + eps)))

    return change


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


def torch_nadam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-8, momentum_decay: float = 0.004
) -> Change:
    """PyTorch's NAdam."""

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        now, following = (b1 * (1 - 0.5 * 0.96 ** (momentum_decay * step)) for step in (t, t + 1))
        ahead, root = _nadam(g, s, t, (b1, b2), (now, following, now))
        return -lr * ahead / (root + eps)

    return change


def keras_nadam(
    b1: float = 0.9, b2: float = 0.999, eps: float = 1e-7, *, rounded: bool = True
) -> Change:
    """Keras' Nadam."""

    p1, p2, base = (f(x) if rounded else x for x in (b1, b2, 0.96))

    def change(w: Array, g: Array, s: Slots, t: int, lr: float) -> Array:
        now, following = (p1 * (1 - 0.5 * base**step) for step in (t, t + 1))
        kept = b1 * (1 - 0.5 * 0.96**t)
        ahead, root = _nadam(g, s, t, (p1, p2), (now, following, kept))
        return -lr * ahead / (root + eps)

    return change
