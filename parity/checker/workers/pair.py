"""The two models, asked at the same time, and what the stages of a check take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from parity.checker.graph.model_interface import Model

T = TypeVar("T")
S = TypeVar("S")
Say = Callable[[str], None]


class ModelPair:
    """The two models, asked at the same time."""

    def __init__(self, torch: Model, keras: Model, *, parallel: bool) -> None:
        self.torch, self.keras = torch, keras
        self._pool = ThreadPoolExecutor(2) if parallel else None

    def __call__(self, left: Callable[[], T], right: Callable[[], S]) -> tuple[T, S]:
        """Results of both; the first failure is raised when both have ended."""
        if self._pool is None:
            return left(), right()
        mine, theirs = self._pool.submit(left), self._pool.submit(right)
        wait([mine])
        wait([theirs])  # both have answered, so that the next question gets its own answer
        return mine.result(), theirs.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


@dataclass
class Clock:
    """Wall time of each stage."""

    say: Say
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, words: str) -> Iterator[None]:
        """Time what is done within."""
        self.say(words)
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begun
