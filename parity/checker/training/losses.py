"""Why two losses differ: settings, each computed again by `parity.reference.losses`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.checker.training import custom_losses, loss_lines
from parity.comparator.noise import U64, C
from parity.diagnosis.causes import Cause, value_text
from parity.reference.losses import DEFAULTS, Settings, value

SAID = {
    "name": "{}",
    "takes": "takes {}",
    "reduction": "reduction {}",
    "factor": "factor {}",
    "gamma": "focal gamma {}",
    "smoothing": "label smoothing {}",
    "ignore": "ignores class {}",
    "weight": "class weights {}",
    "pos_weight": "pos_weight {}",
    "delta": "delta {}",
}
_DIVIDED = {
    "mean": "the sum is divided by what counts: the weights of the classes that are there",
    "mean_by_count": "the sum is divided by the number of all positions",
    "batchmean": "the sum is divided by the number of samples",
}
_ALIKE = 1e-9
"""Two factors that are nearer are one."""
_ROOM = 64.0
"""A loss is a sum; its own rounding is a few of its terms'."""


@dataclass(frozen=True)
class LossCase:
    """One side's loss as it was computed: settings, outputs, targets, value, its gradient."""

    settings: Settings
    output: Array
    target: Array | None
    value: float
    slope: Array | None = None


def loss_causes(
    left: LossCase,
    right: LossCase,
    names: tuple[str, str],
    slopes: tuple[Array, Array] | None = None,
) -> list[Cause]:
    """Which settings make two losses differ, each recomputed; the outputs agree.

    Args:
        left, right: each in its own layout.
        names: of the losses.
        slopes: both gradients by the output, the left's arranged as the right's.
    """
    own = right.settings.get("name", "custom") == "custom"
    left, right = _of_one_scale(_recognised(left), _recognised(right))
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
            shown = [
                k for k in keys if any(c.right[1] == setting_text(k, right.settings) for c in found)
            ]
            line = loss_lines.corrected(left.settings, right.settings, shown, own=own)
            return [replace(found[0], fix=line), *found[1:]]
    factor = _factor(left, right, bound, slopes)
    if factor is not None:
        line = f"# multiply what {places[1]} returns by {left.value / right.value:.6g}"
        texts = (places[0], "1"), (places[1], factor)
        return [Cause("loss", *texts, "confirmed", 0.0, 1.0, "values", fix=line)]
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
    if key == "reduction" and (known["weight"] is not None or known["ignore"] is not None):
        return _DIVIDED.get(known["reduction"], SAID[key].format(known["reduction"]))
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
        )


def _factor(
    left: LossCase, right: LossCase, bound: float, slopes: tuple[Array, Array] | None
) -> str | None:
    """How many times the left's the right's is, in its value and in its gradient."""
    if slopes is None or slopes[0].shape != slopes[1].shape or not left.value or not right.value:
        return None
    mine, theirs = (np.asarray(s, np.float64) for s in slopes)
    times = right.value / left.value
    room = bound / abs(right.value) * float(np.max(np.abs(theirs), initial=0.0))
    if abs(times - 1) <= _ALIKE or float(np.max(np.abs(theirs - times * mine))) > room:
        return None
    shape = right.output.shape
    sizes = {
        "samples of the batch": shape[0],
        "numbers of the output": int(np.prod(shape)),
        "numbers of a sample": int(np.prod(shape[1:])),
        "sizes of the last axis": shape[-1],
    }
    for name, size in sizes.items():
        if size > 1 and abs(times - size) <= _ALIKE * size:
            return f"{size} times as much: as many as {name}, so a sum in place of a mean"
        if size > 1 and abs(times * size - 1) <= _ALIKE:
            return f"1/{size} of it: as many as {name}, so a mean in place of a sum"
    return f"{times:.6g} times as much" if times > 1 else f"1/{1 / times:.6g} of it"


def _recognised(case: LossCase) -> LossCase:
    """Settings of a function of the user's own, where it is one that is known here."""
    unknown = case.settings.get("name", "custom") == "custom"
    if not unknown or case.target is None or case.slope is None:
        return case
    found = custom_losses.recognised(case.value, case.slope, case.output, case.target)
    if found is None:
        return case
    title = f"{case.settings.get('title', 'a function')}, which is {found['name']}"
    return replace(case, settings={**found, "title": title})


def _of_one_scale(left: LossCase, right: LossCase) -> tuple[LossCase, LossCase]:
    """Weights of classes as the other side has them, if they are the same but for a factor.

    Of weights that a mean is divided by only their ratio is known; of others they are known up to
    what a sum is divided by.
    """
    cases = [left, right]
    for k in (0, 1):
        case, other = cases[k], cases[1 - k]
        mine, theirs = case.settings.get("weight"), other.settings.get("weight")
        if mine is None or theirs is None or np.shape(mine) != np.shape(theirs):
            continue
        ratio = np.divide(theirs, mine)
        if case.target is None or not np.allclose(ratio, ratio[0], rtol=1e-5, atol=0):
            continue
        reduction = case.settings.get("reduction")
        divisors = {
            "mean_by_count": case.target.size,
            "sum": 1,
            "batchmean": len(case.target),
        }
        now = divisors.get(str(reduction), 1)
        fitting = [r for r, n in divisors.items() if np.isclose(n / now, ratio[0], rtol=1e-5)]
        if reduction == "mean" or fitting:
            chosen = reduction if reduction == "mean" else fitting[0]
            settings = {**case.settings, "weight": theirs, "reduction": chosen}
            cases[k] = replace(case, settings=settings)
            break
    return cases[0], cases[1]
