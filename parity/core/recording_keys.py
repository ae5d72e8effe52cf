"""The grammar of a recording's keys: stage first, then neutral names.

::

    inputs/images                         what the first training step is fed
    inputs/batches                        one checksum a step, of exactly what was fed
    weights/initial/hidden/kernel         weights/step1/…   weights/final/…
    activations/step0/hidden              outputs of every layer for the first batch
    loss/step0                            loss/curve: one value a step
    gradients/step0/hidden/kernel
    state/step1/hidden/kernel/m           optimizer slots
    predictions/initial                   of the first test samples, before training
    predictions/test                      metrics/test_accuracy
    values/sum_times/df_dx                values-only examples
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from parity.core.errors import RecordingError

LADDER = ("L0", "L1", "L2", "L3", "L4", "L5")
VALUES = "values"
LEVEL_TITLES = {
    "L0": "inputs and initial weights",
    "L1": "every layer's output",
    "L2": "loss and gradients",
    "L3": "one optimizer step",
    "L4": "whole training",
    "L5": "predictions and accuracy",
    VALUES: "values",
}
STAGES = (
    "inputs",
    "weights",
    "activations",
    "loss",
    "gradients",
    "state",
    "predictions",
    "metrics",
    VALUES,
)

_PART = re.compile(r"[A-Za-z0-9_.\-]+")
_STEP = re.compile(r"step(\d+)")


@dataclass(frozen=True)
class RecordingKey:
    """A key of a recording, taken apart.

    Attributes:
        text: the key itself.
        stage: one of `STAGES`.
        when: ``"initial"``, ``"final"``, ``"curve"``, ``"stepN"``, or ``""`` where time has no
            meaning (inputs, predictions, metrics, values).
        rest: what follows, ``"hidden/kernel"``.
        level: the rung of the ladder that this key belongs to.
    """

    text: str
    stage: str
    when: str
    rest: str
    level: str

    @property
    def step(self) -> int | None:
        """The number of optimizer steps taken when this was recorded, where the key says so."""
        match = _STEP.fullmatch(self.when)
        if match:
            return int(match[1])
        return 0 if self.when == "initial" else None


def parse_key(text: str) -> RecordingKey:
    """Take a key apart.

    Raises:
        RecordingError: the key is not in the grammar.
    """
    parts = text.split("/")
    if parts[0] not in STAGES or len(parts) < 2 or not all(map(_PART.fullmatch, parts)):
        raise RecordingError(
            f"Key '{text}' is not in the grammar: expected STAGE/NAME… with STAGE one of "
            f"{', '.join(STAGES)} and names of letters, digits, '_', '.', '-' (docs/recording.md)."
        )
    stage = parts[0]
    when, rest = "", "/".join(parts[1:])
    timed = stage in ("weights", "activations", "loss", "gradients", "state")
    if timed:
        when, rest = parts[1], "/".join(parts[2:])
        if when not in ("initial", "final", "curve") and not _STEP.fullmatch(when):
            raise RecordingError(
                f"Key '{text}' says '{when}' where a time was expected: "
                "'initial', 'stepN', 'final' or 'curve'."
            )
    return RecordingKey(text, stage, when, rest, _level(stage, when, rest))


def _level(stage: str, when: str, rest: str) -> str:
    match stage, when:
        case "values", _:
            return VALUES
        case "inputs", _:
            return "L0"
        case "weights", "initial":
            return "L0"
        case "activations", "step0":
            return "L1"
        case (("loss" | "gradients"), "step0"):
            return "L2"
        case (("weights" | "state"), "step1"):
            return "L3"
        case (("predictions" | "metrics"), _) if rest.startswith("initial"):
            return "L1"
        case (("predictions" | "metrics"), _):
            return "L5"
        case _:
            return "L4"


def recorded_steps(total: int, marks: Iterable[int] = ()) -> tuple[int, ...]:
    """Steps after which weights are recorded: 1, 2, 3, 5, 10, 20, 30, 50, … `marks`, and `total`.

    Faults that begin late are still found at their step, because the loss is recorded at every
    one; the weights only need to show the shape of the drift.
    """
    steps = {m * 10**e for e in range(12) for m in (1, 2, 3, 5) if m * 10**e <= total}
    steps |= {mark for mark in marks if mark <= total}
    return tuple(sorted(steps | {total})) if total > 0 else ()
