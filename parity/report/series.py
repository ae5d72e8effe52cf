"""The numbers behind the figures of a training: loss and weights, step by step. NumPy only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparator.noise import U32, U64, C
from parity.core.blockwise import finite
from parity.core.recording_keys import parse_key, recorded_steps
from parity.recording.recording_file import Recording, Runs
from parity.spec.cases import Case
from parity.spec.example import Training
from parity.spec.expected import numbers

Array = NDArray[Any]

SMOOTHED = 50
"""Steps whose mean is drawn where single batches scatter."""


@dataclass(frozen=True)
class Drift:
    """How far things are apart, step by step; None where a recording is missing.

    Attributes:
        steps: optimizer steps taken, ``(n,)``.
        apart32, apart64: ‖left − right‖∞ in each precision.
        own_left, own_right: ‖float32 − float64‖∞ of each side.
        self_left, self_right: how far a side moves from itself after the nudge.
        bound32, bound64: what the verdict allows.
    """

    steps: Array
    apart32: Array | None
    apart64: Array | None
    own_left: Array | None
    own_right: Array | None
    self_left: Array | None
    self_right: Array | None
    bound32: Array | None
    bound64: Array | None

    @property
    def moves(self) -> bool:
        """There is a distance to draw: the sides are not bit for bit equal all the way."""
        return any(a is not None and bool(np.any(a > 0)) for a in (self.apart32, self.apart64))


@dataclass(frozen=True)
class Pane:
    """One small plot of functions.

    Attributes:
        title: of the pane.
        x: along the axis.
        lines: for each side its curves, one number for each of `x`.
        what: words for the curves.
    """

    title: str
    x: Array
    lines: tuple[list[Array], list[Array]]
    what: tuple[str, ...]


def pane(case: Case, left: Runs, right: Runs) -> Pane | None:
    """What a case draws, in the highest precision; None if nothing, or if a side lacks it."""
    if case.curves is None:
        return None
    drawn = {"values": case.curves.values, "gradients": case.curves.slopes}
    keys = {what: f"values/{case.name}/{name}" for what, name in drawn.items() if name}
    best = [runs.present[-1] for runs in (left, right)]
    x = numbers(case.inputs[case.curves.x])
    if any(key not in r or r[key].shape != x.shape for r in best for key in keys.values()):
        return None
    one, other = ([r[key] for key in keys.values()] for r in best)
    return Pane(case.name, x, (one, other), tuple(keys))


def losses(runs: Runs, precision: str) -> Array | None:
    """The loss before every step, ``(steps,)``, or None."""
    recording = getattr(runs, precision)
    if recording is None or "loss/curve" not in recording:
        return None
    return finite(recording["loss/curve"])


@dataclass(frozen=True)
class Watched:
    """A training as it was watched: on what it learns from, and on what it does not.

    Attributes:
        at: epochs, or optimizer steps taken, ``(n,)``.
        unit: ``epoch`` or ``step``.
        trained: mean loss of the batches since the last time, or of the last 50.
        loss, accuracy: on the held-out samples, or else on the test set.
        best: place of the best accuracy in a training that may stop, where it is gone back to.
    """

    at: Array
    unit: str
    trained: Array
    loss: Array
    accuracy: Array
    best: int | None = None

    @property
    def kept(self) -> int:
        """Place of the weights that the training ends with."""
        return len(self.at) - 1 if self.best is None else self.best


def watched(runs: Runs, training: Training) -> Watched | None:
    """How a training went, in the lowest precision; None where nobody watched."""
    recording = runs.present[0]
    keys = ("loss/curve", "metrics/watched_loss", "metrics/watched_accuracy")
    if any(key not in recording for key in keys):
        return None
    curve, loss, accuracy = (finite(recording[key]) for key in keys)
    if training.watched == "epochs":
        steps = np.arange(1, len(loss) + 1) * (len(curve) // max(len(loss), 1))
        at, window = np.arange(1, len(loss) + 1), int(steps[0]) if len(steps) else 1
    else:
        steps = at = np.array(recorded_steps(len(curve), training.marks))
        window = SMOOTHED
    if not len(loss) or loss.shape != steps.shape:
        return None
    best = int(np.argmax(accuracy)) if training.stops else None
    trained = smooth(curve, window)[steps - 1]
    return Watched(at, training.watched.removesuffix("s"), trained, loss, accuracy, best)


def loss_drift(left: Runs, right: Runs) -> Drift | None:
    """Distances between loss curves, each the largest so far; None without comparable curves."""
    curves = {id(r): finite(r["loss/curve"]) for r in _recordings(left, right) if "loss/curve" in r}
    lengths = {len(curve) for curve in curves.values()}
    if len(lengths) != 1 or not any(lengths):
        return None

    def apart(a: Recording | None, b: Recording | None) -> Array | None:
        if a is None or b is None or id(a) not in curves or id(b) not in curves:
            return None
        return np.maximum.accumulate(np.abs(curves[id(a)] - curves[id(b)]))

    scale = np.full(lengths.pop(), max(float(np.max(np.abs(c))) for c in curves.values()))
    return _drift(left, right, np.arange(1, len(scale) + 1), apart, scale)


def weight_drift(left: Runs, right: Runs) -> Drift | None:
    """Distances between weights at every recorded step, the largest of all that were kept."""
    recordings = _recordings(left, right)
    shared_keys = set.intersection(*(set(r.keys()) for r in recordings)) if recordings else set()
    by_step: dict[int, list[str]] = {}
    for key in sorted(shared_keys):
        parsed = parse_key(key)
        if parsed.stage == "weights" and parsed.step:
            by_step.setdefault(parsed.step, []).append(key)
    if not by_step:
        return None
    steps = sorted(by_step)

    def apart(a: Recording | None, b: Recording | None) -> Array | None:
        if a is None or b is None:
            return None
        return np.array(
            [max(_distance(a.elements(k), b.elements(k)) for k in by_step[s]) for s in steps]
        )

    one = left.float64 or left.present[0]
    largest = [
        max(float(np.max(np.abs(finite(one.elements(k))))) for k in by_step[s]) for s in steps
    ]
    return _drift(left, right, np.array(steps), apart, np.array(largest))


def _recordings(left: Runs, right: Runs) -> list[Recording]:
    return [r for runs in (left, right) for r in (*runs.present, runs.nudged) if r is not None]


def _distance(a: Array, b: Array) -> float:
    if a.shape != b.shape:
        return float("nan")
    return float(np.max(np.abs(finite(a) - finite(b)), initial=0.0))


def _drift(
    left: Runs,
    right: Runs,
    steps: Array,
    apart: Callable[[Recording | None, Recording | None], Array | None],
    scale: Array,
) -> Drift:
    own = [apart(runs.float32, runs.float64) for runs in (left, right)]
    itself = [apart(runs.float64, runs.nudged) for runs in (left, right)]
    measured = [a for a in own if a is not None]
    moved = [a for a in itself if a is not None]
    noise = np.max([*measured, U32 * scale], axis=0)
    rounding = U64 * scale * np.sqrt(steps)
    return Drift(
        steps,
        apart(left.float32, right.float32),
        apart(left.float64, right.float64),
        own[0],
        own[1],
        itself[0],
        itself[1],
        bound32=C * noise if len(measured) == 2 else None,
        bound64=C * np.max([*moved, rounding], axis=0) if moved else None,
    )


def smooth(values: Array, window: int) -> Array:
    """Running mean over `window` steps, as long as the input."""
    window = max(1, min(window, len(values)))
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(values) + 1)
    starts = np.maximum(0, ends - window)
    mean: Array = (total[ends] - total[starts]) / (ends - starts)
    return mean
