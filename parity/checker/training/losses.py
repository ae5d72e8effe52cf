"""Why two losses differ: settings, each computed again by `parity.reference.losses`."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.comparator.noise import U64, C
from parity.diagnosis.causes import Cause, value_text
from parity.reference.losses import DEFAULTS, Settings, value

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
_ROOM = 64.0
"""A loss is a sum; its own rounding is a few of its terms'."""


@dataclass(frozen=True)
class LossCase:
    """One side's loss as it was computed: settings, outputs, targets, value."""

    settings: Settings
    output: Array
    target: Array | None
    value: float


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
            (places[0], setting_text(key, left.settings)),
            (places[1], setting_text(key, right.settings)),
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


def setting_text(key: str, settings: Settings) -> str:
    """A setting in words."""
    known = {**DEFAULTS, **settings}
    if key == "name":
        return str(known.get("title") or known["name"])
    return SAID[key].format(value_text(known[key]).replace("_", " "))


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
            (places[0], setting_text(key, mine)),
            (places[1], setting_text(key, theirs)),
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
