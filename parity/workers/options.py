"""How workers are started."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from parity.core.sides import BACKENDS, LESSON_PACKAGES, Side


@dataclass(frozen=True)
class WorkerOptions:
    """How workers are started.

    Attributes:
        pythons: interpreter of each side; the running one where none is given. Keras on another
            backend has that of Keras.
        threads: CPU threads a worker computes with.
        timeout: seconds without a sign of life after which a worker counts as hung.
        commands: full command lines instead of the above, for tests.
    """

    pythons: Mapping[Side, str] = field(default_factory=dict)
    threads: int = 1
    timeout: float = 300.0
    commands: Mapping[Side, Sequence[str]] = field(default_factory=dict)

    def command(self, side: Side, *arguments: str) -> list[str]:
        """The command line of a side's worker.

        Args:
            side: which framework.
            arguments: what the side's package is asked to be.
        """
        if side in self.commands:
            return list(self.commands[side])
        return [self.python(side) or sys.executable, "-m", LESSON_PACKAGES[side], *arguments]

    def python(self, side: Side) -> str:
        """The interpreter that was named for a side; empty where it is the running one."""
        same: Side = "keras" if side in BACKENDS.values() else side
        return self.pythons.get(side, self.pythons.get(same, ""))
