"""Stages of judging and explaining, which may fail without costing the verdict."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

import numpy as np

_LOG = logging.getLogger("parity")
T = TypeVar("T")


class Stages:
    """Runs the stages of an explanation, and remembers which of them failed.

    By then the verdict is known: whatever a strange layer does to a proof, it stands.
    """

    def __init__(self) -> None:
        self._failed: list[str] = []

    def attempt(self, what: str, stage: Callable[[], T], otherwise: T) -> T:
        """What a stage gives; `otherwise` where it fails, with its traceback in the log.

        Args:
            what: the stage in words, as they stand in the note: ``the proof of conv / conv``.
            stage: does all of its work when it is called; no generator.
            otherwise: what is known without it.
        """
        try:
            with np.errstate(all="ignore"):  # of masks that are infinite
                return stage()
        except Exception:  # the verdict does not depend on it
            _LOG.debug("A stage of explaining failed: %s.", what, exc_info=True)
            self._failed.append(what)
            return otherwise

    def listed(self, what: str, stage: Callable[[], Iterable[T]]) -> list[T]:
        """All that a stage yields; nothing where it fails, as with `attempt`."""
        nothing: list[T] = []
        return self.attempt(what, lambda: list(stage()), nothing)

    def notes(self) -> tuple[str, ...]:
        """One sentence where anything failed, else nothing."""
        if not self._failed:
            return ()
        more = f" and {len(self._failed) - 1} more" if len(self._failed) > 1 else ""
        return (
            f"A stage of explaining failed ({self._failed[0]}{more}): a cause may be missing, the "
            "verdict stands. --debug shows the error; please report it.",
        )
