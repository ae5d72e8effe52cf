"""How far a training can be followed before a nudge of one ulp has become as large as rounding."""

from __future__ import annotations

import numpy as np

from parity.comparator.key_arrays import RecordedKeys
from parity.comparator.noise import HORIZON
from parity.core import blockwise, recording_keys
from parity.core.blockwise import finite
from parity.recording.recording_file import Runs


def follow(quads: RecordedKeys) -> tuple[int | None, int | None]:
    """Last step at which both nudged runs are within `HORIZON` of their originals.

    All weights of a step are taken together: one whose true gradient is zero has nothing but
    noise to move by, and no scale of its own.
    """
    left, right = quads.left, quads.right
    steps = [_steps(runs, quads) for runs in (left, right)]
    last = max((max(some, default=0) for some in steps), default=0) or None
    if last is None or not (left.nudged or right.nudged):
        return None, last
    departed = [
        step for some in steps for step, (moved, scale) in some.items() if moved > HORIZON * scale
    ]
    return (min(departed) - 1 if departed else last), last


def _steps(runs: Runs, quads: RecordedKeys) -> dict[int, tuple[float, float]]:
    """Step → (how far the nudged run is from its original, scale), of weights and losses."""
    if runs.float64 is None:
        return {}
    curve = runs.float64["loss/curve"] if "loss/curve" in runs.float64 else np.zeros(0)
    curve = curve if curve.ndim == 1 else np.zeros(0)  # another shape is a finding of its own
    far = np.zeros(len(curve))
    if runs.nudged is not None and "loss/curve" in runs.nudged:
        nudged = runs.nudged["loss/curve"]
        far = np.abs(finite(nudged) - finite(curve)) if nudged.shape == curve.shape else far
    scale = float(np.max(np.abs(finite(curve)), initial=0.0))
    found = {step: (float(moved), scale) for step, moved in enumerate(far, 1)}
    weights: dict[int, tuple[float, float]] = {}
    for key in runs.float64.keys():  # noqa: SIM118
        parsed = recording_keys.parse_key(key)
        if parsed.stage != "weights" or not parsed.step:
            continue
        distance, size = _moved(runs, key, quads)
        before = weights.get(parsed.step, (0.0, 0.0))
        weights[parsed.step] = (max(before[0], distance), max(before[1], size))
    for step, (distance, size) in weights.items():
        # The one of the two that has gone further, each on its own scale: on a common one weights
        # of a million would veil a loss that parts (`test_large_weights_do_not_veil_the_loss`).
        loss = found.get(step, (0.0, 0.0))
        further = distance * loss[1] > loss[0] * size or not loss[1]
        found[step] = (distance, size) if further else loss
    return found


def _moved(runs: Runs, key: str, quads: RecordedKeys) -> tuple[float, float]:
    """How far a side's nudged run is from its original in one key, and the scale of it."""
    measured = quads.measure(key)
    if measured is not None:
        if runs is quads.left:
            return measured.moved_left or 0.0, measured.size_left
        return measured.moved_right or 0.0, measured.size_right
    assert runs.float64 is not None
    here = runs.float64[key]
    nudged = runs.nudged[key] if runs.nudged is not None and key in runs.nudged else None
    comparable = nudged is not None and nudged.shape == here.shape
    distance = blockwise.apart(nudged, here) if comparable and nudged is not None else 0.0
    return distance, blockwise.largest(here)
