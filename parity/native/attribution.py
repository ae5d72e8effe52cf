"""Which default explains how much: mean changes, paired by seed, with intervals by SciPy."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.core.sides import SIDES, Side
from parity.native.settings import NativePlan, Setting, plan
from parity.native.summary import Summary, SummaryKey
from parity.spec.suite import Suite

Metric = Literal["accuracy", "loss"]
METRICS: tuple[Metric, Metric] = ("accuracy", "loss")
LEVEL = 0.95
ENOUGH = 5
"""With fewer seeds nothing is told apart: how they spread is hardly known."""


@dataclass(frozen=True)
class Change:
    """A mean over seeds and its interval.

    Attributes:
        mean: of accuracies in points, 0.01 of a share; of losses as they are.
        low, high: bounds of the 95 % interval by Student's t; the mean itself for one seed.
        seeds: how many.
    """

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def clear(self) -> bool:
        """Whether it is told apart from 0."""
        return self.seeds >= ENOUGH and (self.low > 0.0 or self.high < 0.0)  # of NaN neither


@dataclass(frozen=True)
class AttributionStep:
    """One default taken from native to matched, on every side that has it, after those before it.

    Attributes:
        default: its name.
        title: words for people.
        luck: the two differ by random numbers alone, on every side.
        gap: metric → how much the gap, PyTorch minus Keras, changed.
    """

    default: str
    title: str
    luck: bool
    gap: Mapping[Metric, Change]


@dataclass(frozen=True)
class AttributionRow:
    """What one default does on one side.

    Attributes:
        side, default, title, luck: as in `AttributionStep`.
        native, matched, other: words for what is meant by each.
        alone: metric → matched but for this default, minus matched.
        given: metric → native but for the other framework's default, minus native.
        distance: of the weights after one step from the matched training's, with `alone`.
    """

    side: Side
    default: str
    title: str
    luck: bool
    native: str
    matched: str
    other: str
    alone: Mapping[Metric, Change]
    given: Mapping[Metric, Change]
    distance: Change | None


@dataclass(frozen=True)
class Attribution:
    """The way from the native gap of an example to its matched one.

    Attributes:
        example, pair: of what.
        seeds: that have every training of the chain on both sides.
        native, matched: metric → gap, PyTorch minus Keras.
        steps: from one to the other; their means add up to the difference.
        rows: every default by itself.
    """

    example: str
    pair: str
    seeds: tuple[int, ...]
    native: Mapping[Metric, Change]
    matched: Mapping[Metric, Change]
    steps: tuple[AttributionStep, ...]
    rows: tuple[AttributionRow, ...]

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Attribution:
        """Read what `dataclasses.asdict` and JSON have made of one.

        Raises:
            KeyError, TypeError, AttributeError: they have not.
        """
        return cls(
            fields["example"],
            fields["pair"],
            tuple(fields["seeds"]),
            _changes(fields["native"]),
            _changes(fields["matched"]),
            tuple(
                AttributionStep(**{**step, "gap": _changes(step["gap"])})
                for step in fields["steps"]
            ),
            tuple(
                AttributionRow(
                    **{
                        **row,
                        "alone": _changes(row["alone"]),
                        "given": _changes(row["given"]),
                        "distance": row["distance"] and _change(row["distance"]),
                    }
                )
                for row in fields["rows"]
            ),
        )


def _change(fields: Mapping[str, Any]) -> Change:
    bounds = (fields[name] for name in ("mean", "low", "high"))
    mean, low, high = (math.nan if bound is None else float(bound) for bound in bounds)
    return Change(mean, low, high, fields["seeds"])


def _changes(fields: Mapping[Metric, Any]) -> dict[Metric, Change]:
    return {metric: _change(change) for metric, change in fields.items()}


def attribute(
    suite: Suite,
    example: str,
    summaries: Iterable[Summary] | Mapping[SummaryKey, Summary],
    pair: str = "",
) -> Attribution | None:
    """Attribute the gap between the frameworks to their defaults.

    Args:
        suite: that the example is of.
        example: name of the example; summaries of others are left out.
        summaries: of a sweep, in any order.
        pair: whose settings; the headline's.

    Returns:
        None where no seed has every training of the chain on both sides.
    """
    plans = {side: plan(suite, example, side, pair) for side in SIDES}
    wanted = plans["torch"].pair
    every = summaries.values() if isinstance(summaries, Mapping) else summaries
    runs = {s.key: s for s in every if (s.example, s.pair) == (example, wanted)}
    states = _states(plans)
    needed = [(side, state[side].name) for _, state in states for side in SIDES]
    seeds = _common(runs, needed)
    if not seeds:
        return None
    one = _one_sample(runs.values())
    gaps = [{m: _gap(runs, state, seeds, m) for m in METRICS} for _, state in states]
    steps = tuple(
        AttributionStep(
            name,
            _titled(plans, name),
            all(d.luck for p in plans.values() for d in p.defaults if d.name == name and d.moves),
            {m: change(gaps[at][m] - gaps[at - 1][m], one[m]) for m in METRICS},
        )
        for at, (name, _) in enumerate(states)
        if at
    )
    native, matched = ({m: change(gaps[at][m], one[m]) for m in METRICS} for at in (0, -1))
    rows = tuple(row for side in SIDES for row in _rows(plans[side], runs, one))
    return Attribution(example, wanted, seeds, native, matched, steps, rows)


def change(values: Sequence[float] | NDArray[Any], one: float = 0.0) -> Change:
    """Mean and interval of paired differences.

    Args:
        values: one a seed.
        one: what one test sample is worth, where they are shares of whole samples: a spread below
            that of rounding to them is taken to be that, for it can be chance. Where every value
            is 0 nothing was changed at all, and that is no chance.
    """
    some = np.asarray(values, np.float64)
    mean = float(some.mean())
    if len(some) < 2 or not some.any():
        return Change(mean, mean, mean, len(some))
    from parity.core import statistics  # noqa: PLC0415  # slow to import, and no training needs it

    found = statistics.mean_interval(some, LEVEL, statistics.rounding(one))
    return Change(mean, found.low, found.high, len(some))


def _one_sample(runs: Iterable[Summary]) -> dict[Metric, float]:
    """Metric → what one test sample is worth in it; 0 where that is not a matter of counting."""
    samples = max((len(run.predictions) for run in runs), default=0)
    return {"accuracy": 100 / samples if samples else 0.0, "loss": 0.0}


def _states(plans: Mapping[Side, NativePlan]) -> list[tuple[str, dict[Side, Setting]]]:
    """Name of the default that was matched last, and each side's setting: from native on."""
    order: list[str] = []
    for p in plans.values():  # Keras' `fit` comes first, and is its alone
        known = [d.name for d in p.defaults]
        order = known if set(order) <= set(known) else order
    at = dict.fromkeys(plans, 0)
    states = [("", {side: p.chain[0] for side, p in plans.items()})]
    for name in order:
        moving = [side for side, p in plans.items() if name in p.chain[at[side]].native]
        if not moving:
            continue
        for side in moving:
            at[side] += 1
        states.append((name, {side: p.chain[at[side]] for side, p in plans.items()}))
    return states


def _common(
    runs: Mapping[SummaryKey, Summary], needed: Sequence[tuple[Side, str]]
) -> tuple[int, ...]:
    seeds = [{k.seed for k in runs if (k.side, k.setting) == which} for which in needed]
    return tuple(sorted(set.intersection(*seeds)))


def _value(run: Summary, metric: Metric) -> float:
    return 100 * run.test_accuracy if metric == "accuracy" else run.test_loss


def _gap(
    runs: Mapping[SummaryKey, Summary],
    state: Mapping[Side, Setting],
    seeds: Sequence[int],
    metric: Metric,
) -> NDArray[np.float64]:
    left, right = (
        np.array([_value(runs[SummaryKey(side, state[side].name, seed)], metric) for seed in seeds])
        for side in SIDES
    )
    return np.asarray(left - right)


def _titled(plans: Mapping[Side, NativePlan], name: str) -> str:
    return next(d.title for p in plans.values() for d in p.defaults if d.name == name)


def _rows(
    known: NativePlan, runs: Mapping[SummaryKey, Summary], one: Mapping[Metric, float]
) -> Iterable[AttributionRow]:
    for default in known.defaults:
        alone, given = known.alone.get(default.name), known.given.get(default.name)
        distances: list[float] = []
        if alone is not None:
            distances = [
                r.step1_distance
                for k, r in sorted(runs.items())
                if (k.side, k.setting) == (known.side, alone.name)
            ]
        yield AttributionRow(
            known.side,
            default.name,
            default.title,
            default.luck,
            default.native,
            default.matched,
            default.other,
            _against(runs, known.side, alone, known.matched, one),
            _against(runs, known.side, given, known.native, one),
            change(distances) if distances else None,
        )


def _against(
    runs: Mapping[SummaryKey, Summary],
    side: Side,
    setting: Setting | None,
    base: Setting,
    one: Mapping[Metric, float],
) -> dict[Metric, Change]:
    """Metric → one setting minus another, over the seeds that have both."""
    if setting is None:
        return {}
    seeds = _common(runs, [(side, setting.name), (side, base.name)])
    if not seeds:
        return {}
    return {
        m: change(
            [
                _value(runs[SummaryKey(side, setting.name, seed)], m)
                - _value(runs[SummaryKey(side, base.name, seed)], m)
                for seed in seeds
            ],
            one[m],
        )
        for m in METRICS
    }
