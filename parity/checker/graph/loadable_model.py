"""A `Model` that is told by name what to be, again and again, and what a check does around that."""

from __future__ import annotations

from abc import abstractmethod

from parity.checker.graph.model_interface import Model
from parity.checker.graph.target import Target


class LoadableModel(Model):
    """A side of a check: a process, or what stands for one."""

    @abstractmethod
    def load(self, target: Target) -> None:
        """Become this model; what was set in the one before is gone.

        Raises:
            ModelError: it cannot be made; says why.
        """

    @abstractmethod
    def revive(self) -> bool:
        """Be ready to load, whatever has ended before; whether something had."""

    @abstractmethod
    def forget(self) -> None:
        """Remove what was recorded of the last model."""
