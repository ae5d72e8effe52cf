"""Jobs in processes on this machine, each with its own process of a side."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from parity.core.errors import WorkerError
from parity.core.sides import SIDES, Side
from parity.sweep.crew import BrokenError, Crew, DeathError
from parity.sweep.job import Task
from parity.workers.channel import message
from parity.workers.options import WorkerOptions

_AHEAD = 2
"""Seeds."""


@dataclass(frozen=True)
class JobOutcome:
    """A job that has ended: with a summary, or with the reason why there is none."""

    task: Task
    summary: dict[str, Any] | None = None
    failure: str = ""


class Executor(Protocol):
    """Where jobs are done. Use it in a `with`: at its end nothing runs any more."""

    def __enter__(self) -> Executor:
        """Start."""

    def __exit__(self, *exception: object) -> None:
        """Stop everything."""

    @property
    def places(self) -> int:
        """How many jobs are done at once."""

    def submit(self, tasks: Sequence[Task]) -> None:
        """Take jobs, to be done in about this order."""

    def withdraw(self, digests: frozenset[str]) -> None:
        """Leave out jobs that have not been begun; one that has may still come."""

    def outcomes(self) -> Iterator[JobOutcome]:
        """Jobs as they end, until there are no more."""


class Local:
    """Slots, each of which does one job at a time.

    Args:
        workers: how many.
        options: how processes are started; their threads are those of the job.
    """

    def __init__(self, workers: int, options: WorkerOptions) -> None:
        self._waiting: list[Task] = []
        self._lock = threading.Lock()
        self._ended: queue.Queue[JobOutcome | BaseException] = queue.Queue()
        self._running = 0
        self._stopped = False
        self._crews = [Crew(options) for _ in range(workers)]
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._stopped = True
            self._waiting.clear()
        for crew in self._crews:
            crew.close()
        for thread in self._threads:
            thread.join(timeout=10)

    @property
    def places(self) -> int:
        """As many as there are slots."""
        return len(self._crews)

    def submit(self, tasks: Sequence[Task]) -> None:
        """Begin."""
        self._waiting.extend(tasks)
        for number, crew in enumerate(self._crews[: len(tasks)]):
            own = SIDES if len(self._crews) == 1 else (SIDES[number % len(SIDES)],)
            thread = threading.Thread(target=self._work, args=(crew, own), daemon=True)
            self._threads.append(thread)
        self._running = len(self._threads)
        for thread in self._threads:
            thread.start()

    def withdraw(self, digests: frozenset[str]) -> None:
        """Leave out what waits."""
        with self._lock:
            self._waiting = [task for task in self._waiting if task.digest not in digests]

    def outcomes(self) -> Iterator[JobOutcome]:
        """Jobs as they end."""
        while self._running or not self._ended.empty():
            try:
                ended = self._ended.get(timeout=0.5)
            except queue.Empty:
                continue
            if isinstance(ended, BaseException):
                raise ended
            yield ended

    def _work(self, crew: Crew, own: tuple[Side, ...]) -> None:
        try:
            while (task := self._next(crew, own)) is not None:
                self._ended.put(self._do(crew, task))
        except BaseException as error:
            if not self._stopped:
                self._ended.put(error)
        finally:
            with self._lock:
                self._running -= 1

    @staticmethod
    def _do(crew: Crew, task: Task) -> JobOutcome:
        try:
            return JobOutcome(task, crew.run(task))
        except (BrokenError, DeathError):
            raise  # nothing will ever come, or the sweep was stopped
        except WorkerError as error:
            return JobOutcome(task, failure=message(error))

    def _next(self, crew: Crew, own: tuple[Side, ...]) -> Task | None:
        """The first job of a side that this slot has a process of, or is for; or any.

        Verdicts need both sides: the quicker one does not run far ahead.
        """
        with self._lock:
            if self._stopped or not self._waiting:
                return None
            sides = {*own, *crew.sides}
            at = next((i for i, t in enumerate(self._waiting) if t.job.side in sides), 0)
            if self._waiting[at].job.seed - self._waiting[0].job.seed > _AHEAD:
                at = 0
            return self._waiting.pop(at)
