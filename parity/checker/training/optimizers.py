"""Why two optimizers differ: settings, each computed again by `parity.reference.optimizers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.checker.training import custom_optimizers
from parity.comparator.noise import U64, C
from parity.diagnosis.causes import Cause, value_text
from parity.diagnosis.optimizer_settings import DEFAULTS, Settings, differing, follow, said

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
_KEPT = ("momentum", "nesterov", "weight_decay", "clip_value", "clip_norm", "global_clip_norm")
"""What a call has to say again, though it is the same on both sides."""
_DECAY = ("weight_decay", "l2")
_ROOM = 16.0
"""A step is some operations more than one."""
_LARGEST = 1 << 18
"""Numbers of weights with which other settings are tried, some hundred times."""
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


def _written(value: Any) -> str:
    """As Python has it."""
    return repr(value) if isinstance(value, bool) else value_text(value)


def _recognised(walks: Sequence[Walk], side: int) -> Sequence[Walk]:
    """With the settings that a side's steps were taken with, where those stated are not."""
    if max(_miss(walk, side, walk.settings[side]) for walk in walks) <= 1:
        return walks
    first = walks[0]
    if sum(walk.slopes[side][0].size for walk in walks) > _LARGEST:
        return walks
    changes = np.diff(np.stack([np.asarray(w, np.float64) for w in first.weights[side]]), axis=0)
    for settings in custom_optimizers.candidates(
        first.settings[side], list(changes), first.slopes[side], first.norms[side]
    ):
        if all(_miss(walk, side, settings) <= 1 for walk in walks):
            pairs = [
                (settings, w.settings[1]) if side == 0 else (w.settings[0], settings) for w in walks
            ]
            return [replace(w, settings=pair) for w, pair in zip(walks, pairs, strict=True)]
    return walks


def _of_group(walks: Sequence[Walk], several: bool) -> list[Cause]:
    for side in (0, 1):
        walks = _recognised(walks, side)
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


def _fix(keys: Sequence[str], mine: Settings, theirs: Settings) -> str:
    """What to write in Keras: one call with all that must be set."""
    if "rule" in keys:
        return ""
    title, rule = str(theirs.get("title", "")), mine["rule"]
    if rule in _BRIDGES and ("equation" in keys or title.startswith("Torch")):
        decoupled = rule == "adam" and mine["weight_decay"]
        title = f"parity.keras_side.optimizers.Torch{_BRIDGES[rule]}{'W' if decoupled else ''}"
        names = {**_KERAS, **_ARGUMENTS.get(rule, {})}
        names |= {"weight_decay": "decay"} if decoupled else {}
        wanted = [k for k in DEFAULTS if k in names and (k == "rate" or mine[k] != DEFAULTS[k])]
        return f"{title}({', '.join(f'{names[k]}={_written(mine[k])}' for k in wanted)})"
    parts, notes = [f"learning_rate={_written(mine['rate'])}"], []
    if "decay" in keys or "l2" in keys:
        keys = [*keys, "l2" if mine["l2"] else "weight_decay"]
    if "l2" in keys and mine["l2"]:
        factor = value_text(mine["l2"] / 2)
        notes.append(f"kernel_regularizer=keras.regularizers.L2({factor}), of every weight")
    for part in DEFAULTS:
        told = part in keys or (part in _KEPT and mine[part] != DEFAULTS[part])
        if told and part not in ("rate", "l2", "equation", "clip_epsilon"):
            parts += [f"{_KERAS.get(part, part)}={_written(mine[part])}"] * (mine[part] is not None)
    return "  # and ".join([f"{title}({', '.join(parts)})", *notes])
