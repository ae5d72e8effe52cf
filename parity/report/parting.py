"""How far two runs of a training part, as a share of their weights: see `divergence`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.blockwise import finite
from parity.core.recording_keys import parse_key
from parity.recording.recording_file import Recording, Runs
from parity.report.formatting import listed, number
from parity.spec.example import Published, Training

Array = NDArray[Any]


@dataclass(frozen=True)
class Parting:
    """‖a − b‖₂ / ‖a‖₂ over all trained weights after every recorded step; None if not recorded.

    Attributes:
        steps: optimizer steps taken, ``(n,)``.
        apart: precision → left from right.
        nudged: precision → each side from itself, started one ulp of that precision away.
        own: each side's float32 from its float64.
        published: what others measured between the frameworks, in float32.
    """

    steps: Array
    apart: dict[str, Array | None]
    nudged: dict[str, tuple[Array | None, Array | None]]
    own: tuple[Array | None, Array | None]
    published: tuple[Published, ...]


def measure(left: Runs, right: Runs, training: Training) -> Parting | None:
    """The distances of a pair whose example nudges float32 too; None for any other."""
    if not (training.nudged32 and left.present):
        return None
    trained = {p.name for p in training.parameters if p.trainable}
    by_step: dict[int, list[str]] = {}
    for key in left.present[0].keys():  # noqa: SIM118
        parsed = parse_key(key)
        if parsed.stage == "weights" and parsed.step and parsed.rest in trained:
            by_step.setdefault(parsed.step, []).append(key)
    if not by_step:
        return None

    def apart(a: Recording | None, b: Recording | None) -> Array | None:
        if a is None or b is None:
            return None
        return np.array([_relative(a, b, by_step[step]) for step in sorted(by_step)])

    return Parting(
        np.array(sorted(by_step)),
        {p: apart(getattr(left, p), getattr(right, p)) for p in ("float32", "float64")},
        {
            "float32": (apart(left.float32, left.nudged32), apart(right.float32, right.nudged32)),
            "float64": (apart(left.float64, left.nudged), apart(right.float64, right.nudged)),
        },
        (apart(left.float64, left.float32), apart(right.float64, right.float32)),
        training.published,
    )


def _relative(a: Recording, b: Recording, keys: Sequence[str]) -> float:
    """‖a − b‖₂ ÷ ‖a‖₂; of large arrays estimated, to some percent, from what was kept."""
    if any(key not in b or b[key].shape != a[key].shape for key in keys):
        return float("nan")
    away = size = 0.0
    for key in keys:
        x, y = finite(a[key]), finite(b[key])
        thinned = a.header.thinned.get(key)
        # Each kept element, and the square of each sum, stands for as many as were left out.
        stands_for = math.prod(thinned.shape) / x.size if thinned else 1.0
        away += stands_for * float(np.sum((x - y) ** 2))
        size += stands_for * float(np.sum(x**2))
    return math.sqrt(away / size)


def sentences(parting: Parting, names: tuple[str, str]) -> list[str]:
    """The answer: what the frameworks do to each other, what each does to itself, and float64."""
    steps, last = parting.steps, f"{int(parting.steps[-1]):,}"
    told = []
    for precision in ("float32", "float64"):
        apart, selves = parting.apart[precision], parting.nudged[precision]
        if apart is None or any(s is None for s in selves):
            continue
        ends = [float(s[-1]) for s in selves if s is not None]
        told.append(
            f"**In {precision}**, after {last} steps, the weights of {names[0]} and {names[1]} are "
            f"{number(float(apart[-1]), 2)} apart, as a share of their size. When the initial "
            f"weights change by one ulp, {names[0]} ends {number(ends[0], 2)} away from itself, "
            f"and {names[1]} {number(ends[1], 2)}."
        )
    single, double = parting.apart["float32"], parting.apart["float64"]
    if single is not None and parting.published:
        here = {int(s): float(d) for s, d in zip(steps, single, strict=True)}
        theirs = [p for p in parting.published if p.step in here]
        if theirs:
            both = [
                f"{p.distance:.2g} after {p.step:,} steps (here {here[p.step]:.2g})" for p in theirs
            ]
            cause = ""
            nudged = all(s is not None for s in parting.nudged["float32"])
            if double is not None and nudged and double[-1] < single[-1] / 1e6:
                cause = (
                    " Two runs of one program part as far. With digits enough, two frameworks do "
                    "not. So rounding alone, amplified by training, accounts for a distance of "
                    "that size. The study's own programs were not run here."
                )
            told.append(
                f"**The study** found these distances between the frameworks, as a share too: "
                f"{listed(both)}.{cause}"
            )
    return told
