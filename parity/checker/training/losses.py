"""Losses once more in NumPy float64, and why two of them differ.

**Settings**, the same words on both sides: ``name`` cross_entropy|binary_cross_entropy|squared|
absolute|huber|smooth_l1|kl|poisson|hinge|squared_hinge|log_cosh|custom; ``title`` what people call
it; ``takes`` logits|probabilities|log_probabilities|values; ``reduction`` mean|sum|batchmean|
sum_of_means (of the last axis)|none; ``smoothing``; ``ignore`` a class that does not count;
``weight`` of each class; ``pos_weight``; ``delta``; and ``axis`` of the classes in this side's
arrays, which is no difference.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.checker.result.causes import Cause, words
from parity.comparator.noise import U64, C

Settings = Mapping[str, Any]
DEFAULTS: dict[str, Any] = {
    "name": "custom",
    "takes": "values",
    "reduction": "mean",
    "smoothing": 0.0,
    "ignore": None,
    "weight": None,
    "pos_weight": None,
    "delta": 1.0,
}
SAID = {
    "name": "{}",
    "takes": "takes {}",
    "reduction": "reduction {}",
    "smoothing": "label smoothing {}",
    "ignore": "ignores class {}",
    "weight": "class weights {}",
    "pos_weight": "pos_weight {}",
    "delta": "delta {}",
}
_TINY = 1e-16
_ROOM = 64.0
"""A loss is a sum; its own rounding is a few of its terms'."""


@dataclass(frozen=True)
class LossCase:
    """One side's loss as it was computed: settings, outputs, targets, value."""

    settings: Settings
    output: Array
    target: Array | None
    value: float


def value(settings: Settings, output: Array, target: Array | None) -> float | None:
    """The loss of these settings; None where this is none that is written here."""
    known = {**DEFAULTS, **settings}
    if target is None:
        return None
    try:
        with np.errstate(all="ignore"):
            terms = _terms(known, np.asarray(output, np.float64), np.asarray(target))
            if terms is None:
                return None
            return float(_reduced(known, *terms))
    except (ValueError, IndexError):
        return None


def _terms(known: Settings, y: Array, t: Array) -> tuple[Array, Array | None] | None:
    """The loss of every sample or element, and what it weighs in a mean."""
    name = known["name"]
    if name == "cross_entropy":
        return _cross_entropy(known, y, t)
    if t.shape != y.shape:
        t = t.reshape(y.shape)
    t = t.astype(np.float64)
    if name == "binary_cross_entropy":
        return _binary(known, y, t), None
    off, delta = y - t, float(known["delta"])
    near = np.abs(off) <= delta
    huber = np.where(near, off**2 / 2, delta * np.abs(off) - delta**2 / 2)
    sign = np.where(t == 0, -1.0, t) if np.all((t == 0) | (t == 1)) else t
    margin = np.maximum(1 - sign * y, 0)
    found: dict[str, Array] = {
        "squared": off**2,
        "absolute": np.abs(off),
        "huber": huber,
        "smooth_l1": huber / delta,
        "hinge": margin,
        "squared_hinge": margin**2,
        "log_cosh": np.logaddexp(off, -off) - np.log(2),
    }
    if name == "kl":
        logs = y if known["takes"] == "log_probabilities" else np.log(np.maximum(y, _TINY))
        return t * (np.log(np.maximum(t, _TINY)) - logs), None
    if name == "poisson":
        return np.exp(y) - t * y if known["takes"] == "logits" else y - t * np.log(y + 1e-7), None
    return (found[name], None) if name in found else None


def _cross_entropy(known: Settings, y: Array, t: Array) -> tuple[Array, Array | None]:
    axis = int(known.get("axis", -1))
    y = np.moveaxis(y, axis, -1)
    classes = y.shape[-1]
    if t.ndim == y.ndim and t.shape != y.shape and t.shape[-1] == 1:
        t = t[..., 0]
    dense = t.ndim == y.ndim
    if known["takes"] == "logits":
        high = y.max(-1, keepdims=True)
        logs = y - high - np.log(np.exp(y - high).sum(-1, keepdims=True))
    elif known["takes"] == "probabilities":
        if not dense:  # Keras clips, and then normalises
            y = np.clip(y, _TINY, 1 - _TINY)
            logs = np.log(y) - np.log(y.sum(-1, keepdims=True))
        else:
            logs = np.log(np.clip(y / y.sum(-1, keepdims=True), _TINY, 1 - _TINY))
    else:
        logs = y
    ignore = known["ignore"]
    kept = np.ones(y.shape[:-1], bool)
    if dense:
        wanted = np.moveaxis(t.astype(np.float64), axis, -1)
    else:
        kept = kept if ignore is None else t != ignore
        wanted = np.eye(classes)[np.where(kept, t, 0).astype(np.int64)]
    weight = np.ones(classes) if known["weight"] is None else np.asarray(known["weight"], float)
    smooth = float(known["smoothing"])
    wanted_ = wanted * (1 - smooth) + smooth / classes
    terms = -(wanted_ * weight * logs).sum(-1)
    counts = kept * ((wanted * weight).sum(-1) if not dense else 1.0)
    return np.where(kept, terms, 0.0), counts.astype(np.float64)


def _binary(known: Settings, y: Array, t: Array) -> Array:
    smooth = float(known["smoothing"])
    t = t * (1 - smooth) + smooth / 2
    if known["takes"] == "logits":
        yes, no = -np.logaddexp(0, -y), -np.logaddexp(0, y)
    else:
        y = np.clip(y, _TINY, 1 - _TINY)
        yes, no = np.log(y), np.log1p(-y)
    factor = 1.0 if known["pos_weight"] is None else np.asarray(known["pos_weight"], float)
    terms = -(factor * t * yes + (1 - t) * no)
    return terms if known["weight"] is None else terms * np.asarray(known["weight"], float)


def _reduced(known: Settings, terms: Array, counts: Array | None) -> Any:
    match known["reduction"]:
        case "sum":
            return terms.sum()
        case "batchmean":
            return terms.sum() / terms.shape[0]
        case "sum_of_means":
            return terms.sum() if counts is not None else terms.mean(-1).sum()
        case "rows":  # a sum along the last axis, and the mean of these
            return terms.sum() if terms.ndim == 1 else terms.sum(-1).mean()
        case _:
            return terms.mean() if counts is None else terms.sum() / counts.sum()


def loss_causes(left: LossCase, right: LossCase, names: tuple[str, str]) -> list[Cause]:
    """Which settings make two losses differ, each recomputed; the outputs agree."""
    left, right = _recognised(left), _recognised(right)
    bound = C * _ROOM * U64 * max(abs(left.value), abs(right.value), np.finfo(float).tiny)
    titles = tuple(f"{case.settings.get('title', '')}" for case in (left, right))
    places = (names[0] or titles[0], names[1] or titles[1])
    again = [value(c.settings, c.output, c.target) for c in (left, right)]
    reproduced = all(
        x is not None and abs(x - c.value) <= bound
        for x, c in zip(again, (left, right), strict=True)
    )
    keys = differing(left.settings, right.settings)
    if reproduced and keys:
        found = list(_proven(left, right, keys, places, bound))
        if found:
            return found
    factor = _factor(left, right, bound)
    if factor is not None:
        return [
            Cause("loss", (places[0], "1"), (places[1], factor), "confirmed", 0.0, 1.0, "values")
        ]
    return [
        Cause(
            "loss",
            (places[0], said(key, left.settings)),
            (places[1], said(key, right.settings)),
            proof="settings",
        )
        for key in keys
    ] or [Cause("loss", (places[0], titles[0]), (places[1], titles[1]))]


def differing(left: Settings, right: Settings) -> list[str]:
    """Which settings differ; of two kinds of loss the name alone."""
    mine, theirs = {**DEFAULTS, **left}, {**DEFAULTS, **right}
    if mine["name"] != theirs["name"]:
        return ["name"]
    return [key for key in DEFAULTS if not _same(mine[key], theirs[key])]


def _same(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, str) or isinstance(b, str):
        return bool(a is b or a == b)
    return np.shape(a) == np.shape(b) and bool(np.allclose(a, b, rtol=1e-7, atol=0))


def said(key: str, settings: Settings) -> str:
    """A setting in words."""
    known = {**DEFAULTS, **settings}
    if key == "name":
        return str(known.get("title") or known["name"])
    return SAID[key].format(words(known[key]).replace("_", " "))


def _proven(
    left: LossCase, right: LossCase, keys: Sequence[str], places: tuple[str, str], bound: float
) -> Iterator[Cause]:
    """Repair all but one: what is left then is that one's share."""
    mine, theirs = {**DEFAULTS, **left.settings}, {**DEFAULTS, **right.settings}
    whole = abs(left.value - right.value)

    def apart(repaired: Sequence[str]) -> float:
        if "name" in repaired:
            settings = {**mine, "axis": right.settings.get("axis", -1)}
        else:
            settings = {**theirs, **{k: mine[k] for k in repaired}}
        found = value(settings, right.output, right.target)
        return np.inf if found is None else abs(found - left.value)

    rest = apart(keys) / bound
    if rest > 1:
        return
    for key in keys:
        without = apart([k for k in keys if k != key]) if len(keys) > 1 else whole
        if without <= bound:
            continue
        yield Cause(
            "loss",
            (places[0], said(key, mine)),
            (places[1], said(key, theirs)),
            "confirmed",
            rest,
            1.0 if len(keys) == 1 else min(1.0, without / whole),
            "recomputed",
            fix=str(left.settings.get(f"fix_{key}", "")),
        )


def _factor(left: LossCase, right: LossCase, bound: float) -> str | None:
    """Whether one is so many times the other as there are samples, numbers or classes."""
    shape = right.output.shape
    sizes = {
        "samples of the batch": shape[0],
        "numbers of the output": int(np.prod(shape)),
        "numbers of a sample": int(np.prod(shape[1:])),
        "sizes of the last axis": shape[-1],
    }
    for name, size in sizes.items():
        if size > 1 and abs(left.value * size - right.value) <= bound * size:
            return f"{size} times as much: as many as {name}, so a sum in place of a mean"
        if size > 1 and abs(left.value - right.value * size) <= bound * size:
            return f"1/{size} of it: as many as {name}, so a mean in place of a sum"
    for size in (2, 3, 4, 10, 100):
        if abs(left.value * size - right.value) <= bound * size:
            return f"{size} times as much"
        if abs(left.value - right.value * size) <= bound * size:
            return f"1/{size} of it"
    return None


def _recognised(case: LossCase) -> LossCase:
    """Settings of a function of the user's own: the first that give the same number."""
    if case.settings.get("name", "custom") != "custom" or case.target is None:
        return case
    bound = C * _ROOM * U64 * abs(case.value)
    for settings in _candidates(case):
        found = value(settings, case.output, case.target)
        if found is not None and abs(found - case.value) <= bound:
            title = f"{case.settings.get('title', 'a function')}, which is {settings['name']}"
            return LossCase({**settings, "title": title}, case.output, case.target, case.value)
    return case


def _candidates(case: LossCase) -> Iterator[dict[str, Any]]:
    assert case.target is not None
    axis = case.settings.get("axis", -1)
    whole = case.target.shape == case.output.shape
    reductions = ("mean", "sum", "batchmean", "sum_of_means", "rows")
    for smoothing, reduction in itertools.product((0.0, 0.1), reductions):
        for takes in ("logits", "probabilities", "log_probabilities"):
            for name in ("cross_entropy", "binary_cross_entropy") if whole else ("cross_entropy",):
                yield {
                    "name": name,
                    "takes": takes,
                    "reduction": reduction,
                    "axis": axis,
                    "smoothing": smoothing,
                }
    if not whole and case.target.size != case.output.size:
        return
    for name, reduction in itertools.product(
        ("squared", "absolute", "huber", "kl", "log_cosh", "hinge"), reductions
    ):
        yield {"name": name, "reduction": reduction, "axis": axis}
