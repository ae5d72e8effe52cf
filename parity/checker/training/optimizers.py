"""Optimizers' settings, their steps once more in NumPy float64, and why two of them differ.

**Settings** of one weight, the same words on both sides: ``rule`` sgd|adam|rmsprop|adagrad|
adadelta|adamax|nadam|none (the weight was not given to it)|custom; ``title`` the class;
``equation`` torch|keras; ``rate``, ``momentum``, ``nesterov``, ``dampening``, ``beta_1``,
``beta_2``, ``epsilon``, ``amsgrad``, ``rho``, ``centered``, ``start``, ``rate_decay``,
``weight_decay`` (decoupled), ``l2`` (coupled: added to the gradient), ``clip_value``,
``clip_norm``, ``global_clip_norm``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.checker.result.causes import Cause, words
from parity.comparator.noise import U64, C
from parity.reference import optimizers as eq

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
}
_SAID = {
    "rate": "learning rate {}",
    "momentum": "momentum {}",
    "nesterov": "Nesterov {}",
    "weight_decay": "decoupled weight decay {}",
    "l2": "weight decay in the gradient {}",
    "start": "accumulator starts at {}",
    "rate_decay": "decay of the learning rate {}",
}
_EQUATIONS = {
    ("adam", "torch"): "epsilon after the bias correction (PyTorch's equation)",
    ("adam", "keras"): "epsilon before the bias correction (Keras' equation)",
    ("rmsprop", "torch"): "epsilon outside the root (PyTorch's equation)",
    ("rmsprop", "keras"): "epsilon under the root (Keras' equation)",
    ("adagrad", "torch"): "epsilon outside the root (PyTorch's equation)",
    ("adagrad", "keras"): "epsilon under the root (Keras' equation)",
}
_BRIDGES = {
    "sgd": "SGD",
    "adam": "Adam",
    "rmsprop": "RMSprop",
    "adagrad": "Adagrad",
    "adadelta": "Adadelta",
    "adamax": "Adamax",
    "nadam": "NAdam",
}
_ADAM = {key: key for key in ("beta_1", "beta_2", "epsilon")}
_ARGUMENTS = {
    "sgd": {"momentum": "momentum", "nesterov": "nesterov"},
    "adam": {**_ADAM, "amsgrad": "amsgrad", "l2": "l2"},
    "rmsprop": {"rho": "alpha", "epsilon": "epsilon"},
    "adagrad": {"epsilon": "epsilon"},
    "adadelta": {"rho": "rho", "epsilon": "epsilon"},
    "adamax": _ADAM,
    "nadam": _ADAM,
}
"""Rule → setting → argument of its bridge."""
_KERAS = {
    "rate": "learning_rate",
    "clip_value": "clipvalue",
    "clip_norm": "clipnorm",
    "global_clip_norm": "global_clipnorm",
    "start": "initial_accumulator_value",
}
_DECAY = ("weight_decay", "l2")
_ROOM = 16.0
"""A step is some operations more than one."""
_MOST = 24
"""Weights that are recomputed; more of one kind say no more."""


@dataclass(frozen=True)
class Walk:
    """One weight's way through the steps on both sides, in the right's arrangement.

    Attributes:
        names: of the weight.
        settings: of each side's optimizer for it.
        weights: before and after each step: (steps + 1) arrays of each side.
        slopes: the gradient before each step.
        norms: of all gradients before each step.
    """

    names: tuple[str, str]
    settings: tuple[Settings, Settings]
    weights: tuple[Sequence[Array], Sequence[Array]]
    slopes: tuple[Sequence[Array], Sequence[Array]]
    norms: tuple[Sequence[float], Sequence[float]]


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
    if s["clip_norm"]:
        own = float(np.sqrt(np.sum(g**2)))
        return np.asarray(g * s["clip_norm"] / max(own, s["clip_norm"]))
    if s["global_clip_norm"]:
        return np.asarray(g * s["global_clip_norm"] / max(norm, s["global_clip_norm"]))
    return np.clip(g, -s["clip_value"], s["clip_value"]) if s["clip_value"] else g


def optimizer_causes(walks: Sequence[Walk]) -> list[Cause]:
    """Which settings make two optimizers differ, for each group of weights that have them."""
    groups: dict[tuple[str, ...], list[Walk]] = {}
    for walk in walks:
        key = tuple(said(k, s) for s in walk.settings for k in DEFAULTS)
        groups.setdefault(key, []).append(walk)
    found: list[Cause] = []
    for members in groups.values():
        found += _of_group(members[:_MOST], len(groups) > 1)
    if found or not walks:
        return found
    titles = [said("rule", s) for s in walks[0].settings]
    return [Cause("optimizer", (titles[0], titles[0]), (titles[1], titles[1]))]


def _of_group(walks: Sequence[Walk], several: bool) -> list[Cause]:
    mine, theirs = ({**DEFAULTS, **s} for s in walks[0].settings)
    keys = differing(mine, theirs)
    where = (f" ({walks[0].names[0]})", f" ({walks[0].names[1]})") if several else ("", "")
    places = tuple(
        f"{s.get('title', 'optimizer')}{w}" for s, w in zip((mine, theirs), where, strict=True)
    )
    listed = [
        Cause(
            "optimizer",
            (places[0], said(key, mine)),
            (places[1], said(key, theirs)),
            proof="settings",
        )
        for key in keys
    ]
    written = _fix(keys, mine, theirs)
    if not listed:
        return []
    unproven = [replace(listed[0], fix=written), *listed[1:]]
    if max(_miss(walk, 0, mine) for walk in walks) > 1:
        return unproven
    if max(_miss(walk, 1, theirs) for walk in walks) > 1:
        return unproven
    rest, whole = _repaired(walks, keys), _repaired(walks, [])
    if rest > 1:
        return unproven
    proven = []
    for key, cause in zip(keys, listed, strict=True):
        without = _repaired(walks, [k for k in keys if k != key])
        if without > 1:
            share = 1.0 if len(keys) == 1 else min(1.0, without / whole)
            proven.append(
                replace(
                    cause, status="confirmed", residual_ratio=rest, share=share, proof="recomputed"
                )
            )
    return [replace(proven[0], fix=written), *proven[1:]] if proven else unproven


def _repaired(walks: Sequence[Walk], keys: Sequence[str]) -> float:
    """How far off the right's optimizer with some of the left's settings is, on its gradients."""
    worst = 0.0
    for walk in walks:
        mine, theirs = ({**DEFAULTS, **s} for s in walk.settings)
        settings = mine if "rule" in keys else {**theirs, **_taken(mine, keys)}
        worst = max(worst, _miss(walk, 0, settings))
    return worst


def _taken(settings: Settings, keys: Sequence[str]) -> dict[str, Any]:
    parts = [part for key in keys for part in (_DECAY if key == "decay" else (key,))]
    return {part: settings[part] for part in parts}


def _miss(walk: Walk, side: int, settings: Settings) -> float:
    """How far these settings end from where the side did, over what rounding may do."""
    way = walk.weights[side]
    found = follow(settings, way[0], walk.slopes[side], walk.norms[side])
    if found is None:
        return np.inf
    worst = 0.0
    for got, wanted in zip(found, way[1:], strict=True):
        scale = max(float(np.max(np.abs(wanted), initial=0.0)), np.finfo(float).tiny)
        apart = float(np.max(np.abs(got - wanted), initial=0.0))
        worst = max(worst, apart / (_ROOM * C * U64 * scale))
    return worst


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
    shown = words(s[key])
    return _SAID.get(key, key.replace("_", " ") + " {}").format(shown)


def _fix(keys: Sequence[str], mine: Settings, theirs: Settings) -> str:
    """What to write in Keras: one call with all that must be set."""
    if "rule" in keys:
        return ""
    title, rule = str(theirs.get("title", "")), mine["rule"]
    if rule in _BRIDGES and ("equation" in keys or title.startswith("Torch")):
        decoupled = rule == "adam" and mine["weight_decay"]
        title = f"parity.keras_side.optimizers.Torch{_BRIDGES[rule]}{'W' if decoupled else ''}"
        names = {"rate": "learning_rate", **_ARGUMENTS.get(rule, {})}
        names |= {"weight_decay": "decay"} if decoupled else {}
        wanted = [k for k in DEFAULTS if k in names and (k == "rate" or mine[k] != DEFAULTS[k])]
        return f"{title}({', '.join(f'{names[k]}={words(mine[k])}' for k in wanted)})"
    parts, notes = [], []
    for key in keys:
        part = "l2" if key == "decay" and mine["l2"] else "weight_decay" if key == "decay" else key
        value = mine[part]
        if part == "l2" and value:
            notes.append(
                f"kernel_regularizer=keras.regularizers.L2({words(value / 2)}), of every weight"
            )
        elif part not in ("l2", "equation") and value is not None:
            parts.append(f"{_KERAS.get(part, part)}={words(value)}")
    if not parts:
        return "; ".join(notes)
    return "  # and ".join([f"{title}({', '.join(parts)})", *notes])
