"""Which optimizer took this step? Told from the numbers alone: gradient in, change of weight out.

The equations are those of `parity.reference.optimizers`, a witness that belongs to neither side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core import blockwise
from parity.diagnosis.causes import Cause
from parity.diagnosis.optimizer_settings import differing, said
from parity.reference import optimizers as eq

Array = NDArray[Any]
_PART = 1 << 20
"""Elements looked at together."""
_MOST = 1e-3
"""A change that is all rounding fits everything and says nothing."""
_ADAM: dict[str, Any] = {"rule": "adam", "title": "Adam"}
_CANDIDATES: tuple[tuple[Mapping[str, Any], eq.Change], ...] = (
    ({"rule": "sgd", "title": "SGD"}, eq.torch_sgd()),
    *(
        ({**_ADAM, "equation": "torch", "epsilon": epsilon}, eq.torch_adam(eps=epsilon))
        for epsilon in (1e-8, 1e-7)
    ),
    *(
        ({**_ADAM, "equation": "keras", "epsilon": epsilon}, eq.keras_adam(eps=epsilon))
        for epsilon in (1e-7, 1e-8)
    ),
)
"""Settings, in the words of `parity.diagnosis.optimizer_settings`, and their equation."""


@dataclass(frozen=True)
class OptimizerStep:
    """An equation that reproduces a first step.

    Attributes:
        settings: rule, equation and epsilon; see `parity.diagnosis.optimizer_settings`.
        learning_rate: the rate that fits.
        error: what the equation misses, relative to the largest change.
        ratio: the same over what rounding may do; at most 1.
    """

    settings: Mapping[str, Any]
    learning_rate: float
    error: float
    ratio: float = 0.0


def recognise_step(before: Array, after: Array, gradient: Array) -> OptimizerStep | None:
    """The one equation that took `before` to `after`; None if it is none known, or several.

    Args:
        before: weights, any shape; computed with in float64.
        after: weights one step later.
        gradient: of the loss for these weights.
    """
    largest = max(float(np.max(np.abs(c), initial=0.0)) for _, c in _parts(before, after, gradient))
    if largest == 0:
        return None
    # The change is a small difference of larger numbers: its own rounding is theirs.
    resolution = 2.0**-52 * blockwise.largest(before) / largest + 2.0**-50
    enough = min(64 * resolution, _MOST)
    fits = _fits(before, after, gradient, largest)
    fitting = [
        OptimizerStep(settings, rate, error, error / enough)
        for (settings, _), (rate, error) in zip(_CANDIDATES, fits, strict=True)
        if error <= enough
    ]
    # Of one weight, or of gradients all of one size, several equations make the same step.
    return fitting[0] if len(fitting) == 1 else None


def step_causes(
    parameter: str, left: OptimizerStep | None, right: OptimizerStep | None
) -> tuple[Cause, ...]:
    """Which settings make two first steps differ; nothing where neither step is recognised."""
    if left is None or right is None:
        steps = [None if step is None else said("rule", step.settings) for step in (left, right)]
        if steps == [None, None]:
            return ()
        return (Cause("optimizer", (parameter, steps[0]), (parameter, steps[1])),)
    mine, theirs = ({**step.settings, "rate": step.learning_rate} for step in (left, right))
    keys = differing(mine, theirs)
    # A fitted rate is no better known than its step.
    unsure = 4 * max(left.error, right.error) * max(left.learning_rate, right.learning_rate)
    if abs(left.learning_rate - right.learning_rate) <= unsure:
        keys = [key for key in keys if key != "rate"]
    ratio = max(left.ratio, right.ratio)
    return tuple(
        Cause(
            "optimizer",
            (parameter, said(key, mine)),
            (parameter, said(key, theirs)),
            "confirmed",
            ratio,
            proof="recomputed",
        )
        for key in keys
    )


def _parts(before: Array, after: Array, gradient: Array) -> Iterator[tuple[Array, Array]]:
    """(gradient, change of weight), a part of a large parameter at a time."""
    flat = [a.reshape(-1) for a in (before, after, gradient)]
    for at in range(0, max(before.size, 1), _PART):
        b, a, g = (x[at : at + _PART].astype(np.float64) for x in flat)
        blockwise.give_back((before, after, gradient), before.size)
        yield g, a - b


def _directions(gradient: Array) -> Iterator[Array]:
    """The first step of every candidate at learning rate 1, from weights of 0."""
    for _, change in _CANDIDATES:
        yield change(np.zeros(()), gradient, {}, 1, 1.0)


def _fits(
    before: Array, after: Array, gradient: Array, largest: float
) -> list[tuple[float, float]]:
    """Of every candidate the rate that fits best, and what it then misses."""
    sums = np.zeros((len(_CANDIDATES), 2))
    for g, change in _parts(before, after, gradient):
        for at, direction in enumerate(_directions(g)):
            sums[at] += np.vdot(direction, direction), np.vdot(direction, change)
    rates = [float(along / power) if power else 0.0 for power, along in sums]
    missed = [0.0] * len(rates)
    for g, change in _parts(before, after, gradient):
        for at, direction in enumerate(_directions(g)):
            off = float(np.max(np.abs(change - rates[at] * direction), initial=0.0))
            missed[at] = max(missed[at], off)
    return [(rate, off / largest) for rate, off in zip(rates, missed, strict=True)]
