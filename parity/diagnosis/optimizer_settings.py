"""An optimizer's settings: their equation, their words, and which of two optimizers' differ.

**Settings** of one weight, the same words on both sides: ``rule`` sgd|adam|rmsprop|adagrad|
adadelta|adamax|nadam|none (the weight was not given to it)|custom; ``title`` the class;
``equation`` torch|keras; ``rate``, ``momentum``, ``nesterov``, ``dampening``, ``beta_1``,
``beta_2``, ``epsilon``, ``amsgrad``, ``rho``, ``centered``, ``start``, ``rate_decay``,
``weight_decay`` (decoupled), ``l2`` (coupled: added to the gradient), ``clip_value``,
``clip_norm``, ``global_clip_norm``, ``clip_epsilon`` (added to the norm before it is divided by).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.diagnosis.causes import value_text
from parity.reference import optimizers as eq

Array = NDArray[Any]
Settings = Mapping[str, Any]
DEFAULTS: dict[str, Any] = {
    "rule": "custom",
    "equation": "",
    "rate": 0.0,
    "momentum": 0.0,
    "nesterov": False,
    "dampening": 0.0,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "epsilon": 0.0,
    "amsgrad": False,
    "rho": 0.9,
    "centered": False,
    "start": 0.0,
    "rate_decay": 0.0,
    "weight_decay": 0.0,
    "l2": 0.0,
    "clip_value": None,
    "clip_norm": None,
    "global_clip_norm": None,
    "clip_epsilon": 0.0,
}
_SAID = {
    "rate": "learning rate {}",
    "momentum": "momentum {}",
    "nesterov": "Nesterov {}",
    "weight_decay": "decoupled weight decay {}",
    "l2": "weight decay in the gradient {}",
    "start": "accumulator starts at {}",
    "rate_decay": "decay of the learning rate {}",
    "clip_norm": "clip norm {} of each weight",
    "global_clip_norm": "clip norm {} of all weights together",
    "clip_epsilon": "{} is added to the norm that clips",
}
_EQUATIONS = {
    ("adam", "torch"): "epsilon after the bias correction (PyTorch's equation)",
    ("adam", "keras"): "epsilon before the bias correction (Keras' equation)",
    ("rmsprop", "torch"): "epsilon outside the root (PyTorch's equation)",
    ("rmsprop", "keras"): "epsilon under the root (Keras' equation)",
    ("adagrad", "torch"): "epsilon outside the root (PyTorch's equation)",
    ("adagrad", "keras"): "epsilon under the root (Keras' equation)",
}


def change(settings: Settings) -> eq.Change | None:
    """The equation of these settings; None where it is none that is written here."""
    s = {**DEFAULTS, **settings}
    keras = s["equation"] == "keras"
    moments = s["beta_1"], s["beta_2"], s["epsilon"]
    match s["rule"]:
        case "sgd" if keras:
            return eq.keras_sgd(s["momentum"], nesterov=s["nesterov"], rounded=False)
        case "sgd":
            return eq.torch_sgd(s["momentum"], nesterov=s["nesterov"], dampening=s["dampening"])
        case "adam" if keras:
            return eq.keras_adam(*moments, amsgrad=s["amsgrad"], rounded=False)
        case "adam":
            return eq.torch_adam(*moments, amsgrad=s["amsgrad"])
        case "rmsprop":
            return eq.rmsprop(
                s["rho"], s["epsilon"], inside=keras, momentum=s["momentum"], centered=s["centered"]
            )
        case "adagrad":
            return eq.adagrad(
                s["epsilon"], inside=keras, start=s["start"], lr_decay=s["rate_decay"]
            )
        case "adadelta":
            return eq.adadelta(s["rho"], s["epsilon"])
        case "adamax":
            return eq.keras_adamax(*moments, rounded=False) if keras else eq.torch_adamax(*moments)
        case "nadam":
            return eq.keras_nadam(*moments, rounded=False) if keras else eq.torch_nadam(*moments)
        case "none":
            return lambda w, g, slots, t, lr: 0 * w
    return None


def follow(
    settings: Settings, start: Array, slopes: Sequence[Array], norms: Sequence[float]
) -> list[Array] | None:
    """The weight after each step; None where the rule is not known."""
    s = {**DEFAULTS, **settings}
    equation = change(s)
    if equation is None:
        return None
    w, slots, found = np.asarray(start, np.float64), eq.Slots(), []
    for t, (slope, norm) in enumerate(zip(slopes, norms, strict=True), 1):
        rate = _rate(s["rate"], t)
        g = _clipped(s, np.asarray(slope, np.float64) + s["l2"] * w, norm)
        decayed = w if s["rule"] == "none" else w * (1 - rate * s["weight_decay"])
        w = decayed + equation(decayed, g, slots, t, rate)
        found.append(w)
    return found


def _rate(rate: Any, step: int) -> float:
    return float(rate[min(step, len(rate)) - 1] if isinstance(rate, (list, tuple)) else rate)


def _clipped(s: Settings, g: Array, norm: float) -> Array:
    for limit, size in (
        (s["clip_norm"], float(np.sqrt(np.sum(g**2)))),
        (s["global_clip_norm"], norm),
    ):
        if limit:
            return np.asarray(g * limit / max(size + s["clip_epsilon"], limit))
    return np.clip(g, -s["clip_value"], s["clip_value"]) if s["clip_value"] else g


def differing(left: Settings, right: Settings) -> list[str]:
    """Which settings differ; of two rules the rule alone."""
    mine, theirs = {**DEFAULTS, **left}, {**DEFAULTS, **right}
    if mine["rule"] != theirs["rule"] or mine["rule"] == "custom":
        return ["rule"] if said("rule", mine) != said("rule", theirs) else []
    found = [key for key in DEFAULTS if not _same(mine[key], theirs[key])]
    if {"weight_decay", "l2"} <= set(found):  # one setting, said in two ways
        found = ["decay" if key == "l2" else key for key in found if key != "weight_decay"]
    return found


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, (str, bool)) or isinstance(b, (str, bool)):
        return bool(a == b)
    if np.ndim(a) != np.ndim(b):
        return False
    return bool(np.allclose(a, b, rtol=2e-7, atol=0))  # Keras keeps some of them in float32


def said(key: str, settings: Settings) -> str:
    """A setting in words."""
    s = {**DEFAULTS, **settings}
    if key == "rule":
        if s["rule"] == "none":
            return "the optimizer does not have this weight"
        return str(s.get("title") or s["rule"])
    if key == "equation":
        return _EQUATIONS.get((s["rule"], s["equation"]), f"{s['equation']}'s equation")
    if key == "decay":
        return said("l2" if s["l2"] else "weight_decay", settings)
    shown = value_text(s[key])
    return _SAID.get(key, key.replace("_", " ") + " {}").format(shown)
