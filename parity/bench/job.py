"""What one measuring process is asked, and what it answers; one line of JSON each."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from parity.spec.example import Size

WAYS = ("tutorial", "idiomatic", "fast", "limit")
"""The same training as a tutorial writes it, as the example does, as fast as the tool can, and
its matrix products and convolutions alone."""
MODES = {"torch": ("eager", "compiled"), "keras": ("eager", "graph", "xla")}
"""Eager and compiled: the example's own step, called from Python once a batch."""


@dataclass(frozen=True)
class BenchJob:
    """One process: an example in one way, from its import to its peak memory.

    Attributes:
        example: name of the example.
        way: one of `WAYS`, or one of the side's `MODES`.
        threads: CPU threads.
        size: of the data; its epochs are those that are timed, behind one that warms up.
        seed: of weights and batches.
        batch_size: another than the example's.
        width: units of the one hidden layer of a perceptron that stands for the example's model.
    """

    example: str
    way: str
    threads: int
    size: Size
    seed: int
    batch_size: int | None = None
    width: int | None = None

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> BenchJob:
        """Read what `to_json` wrote."""
        fields = json.loads(text)
        return cls(**{**fields, "size": Size(**fields["size"])})


@dataclass
class Timeline:
    """When a process was how far.

    Attributes:
        first: seconds of the first step, tracing and compiling included.
        marks: (time, steps done) at the start of the training and at every point at which the
            way can tell; a way that runs many steps in one call can at the end of each epoch.
    """

    first: float | None = None
    marks: list[tuple[float, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Measured:
    """What a process measured, in seconds, and MiB of memory.

    Attributes:
        values: quantity → one number of this process: ``import``, ``build``, ``first_step``,
            ``step``, ``epoch``, ``loader``, ``memory``.
        steps_per_epoch: as the way had it.
        facts: versions of the framework, and what a way chose by itself.
    """

    values: dict[str, float]
    steps_per_epoch: int
    facts: dict[str, str] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> Measured:
        """From the answer of a process."""
        return cls(dict(fields["values"]), int(fields["steps_per_epoch"]), dict(fields["facts"]))


def steady(marks: Sequence[tuple[float, int]], steps: int) -> tuple[list[float], list[float]]:
    """Seconds of every timed epoch, and of every step in them.

    Steps between two marks have their mean.

    The rule of warming up: whatever lies before the end of the first epoch is dropped. Until then
    functions are traced and compiled, pages are touched for the first time, and caches fill.

    Args:
        marks: of a `Timeline`.
        steps: of one epoch.
    """
    at = {done: time for time, done in marks}
    ends = sorted(done for done in at if done % steps == 0 and done > 0)
    epochs = [at[end] - at[end - steps] for end in ends if end > steps and end - steps in at]
    timed = [(time, done) for time, done in marks if done >= steps]
    pieces = [
        (later - sooner) / (after - before)
        for (sooner, before), (later, after) in itertools.pairwise(timed)
        for _ in range(after - before)
    ]
    return epochs, pieces
