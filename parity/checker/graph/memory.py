"""How much memory a check takes, told from both graphs before anything is recorded."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.checker.graph.graph import Graph
from parity.core.errors import UsageError
from parity.core.text import parse_bytes

_UNITS = {"MB": 10**6, "GB": 10**9, "TB": 10**12}
_WIDE = 8
"""Bytes of a number in float64."""
_FRAMEWORKS = 1.2e9
"""Bytes of PyTorch, TensorFlow and Keras together, measured (docs/check.md)."""
_WEIGHT, _VALUE, _TRAINED = 3, 2, 5
"""How many of each there are at a time on a side: the largest weight, its gradient and what is
written of it; each value, and what is kept of it for the way back; each weight that is trained, its
gradient, the step before and what is written of both."""


@dataclass(frozen=True)
class Estimate:
    """Bytes that all processes of a check hold together, at most.

    Attributes:
        frameworks: before there is a model.
        weights: of the largest weight; in training of all.
        values: of all layers' values.
    """

    frameworks: float
    weights: float
    values: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.frameworks + self.weights + self.values

    @property
    def words(self) -> str:
        """One line."""
        return (
            f"about {size(self.total)} of memory: {size(self.frameworks)} for the frameworks, "
            f"{size(self.weights)} for weights, {size(self.values)} for the values of all layers"
        )

    def expect_within(self, limit: float, whose: str = "--memory") -> None:
        """Stop before anything is recorded.

        Args:
            limit: bytes.
            whose: who sets it.

        Raises:
            UsageError: it is more than the limit; says what of it can be helped.
        """
        if self.total > limit:
            raise UsageError(
                f"This check takes {self.words}. Expected at most {size(limit)} ({whose}). A "
                "smaller --input takes fewer values, a smaller vocabulary a smaller table; without "
                "--train no more than one weight is held at a time."
            )

    def expect_available(self) -> None:
        """Stop before anything is recorded where the system would, in the middle.

        Raises:
            UsageError: it is more than the machine has left.
        """
        whose = f"what this machine has left; --memory {math.ceil(self.total / 1e9)}GB tries it"
        self.expect_within(self.frameworks + available(), whose)  # these are there already


def estimate(graphs: Sequence[Graph], *, train: bool) -> Estimate:
    """Of both sides at once, in float64, forwards and backwards.

    Args:
        graphs: of both sides.
        train: whether training is compared, which holds all weights.
    """
    weights = values = 0
    for graph in graphs:
        sizes = [math.prod(p.shape) for p in graph.parameters.values()]
        held = _TRAINED * sum(sizes) if train else 0
        weights += _WIDE * max(held, _WEIGHT * max(sizes, default=0))
        numbers = sum(math.prod(v.shape) for node in graph.nodes for v in node.values)
        values += _WIDE * _VALUE * numbers
    return Estimate(_FRAMEWORKS, weights, values)


def available() -> float:
    """Bytes that this machine has left; infinite where the system does not say."""
    with contextlib.suppress(OSError):
        found = re.search(r"MemAvailable:\s+(\d+) kB", Path("/proc/meminfo").read_text("utf-8"))
        return 1024.0 * int(found[1]) if found else math.inf
    return math.inf


def parse(text: str) -> int:
    """Bytes of ``8GB`` or ``500 MB``.

    Raises:
        UsageError: it is not of that form, or nothing.
    """
    if count := parse_bytes(text, "--memory"):
        return count
    raise UsageError(f"--memory '{text}' is none at all. Expected a size, as 8GB or 500MB.")


def size(count: float) -> str:
    """``3.5 GB``."""
    unit = "GB" if count >= _UNITS["GB"] else "MB"
    return f"{count / _UNITS[unit]:.{1 if unit == 'GB' else 0}f} {unit}"
