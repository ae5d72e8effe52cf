"""Recordings in child processes: a persistent worker a side, one job at a time.

Whatever happens to a worker becomes one `WorkerError`; recordings already written stay.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parity.core.sides import ENVIRONMENTS, SIDES, TITLES, Side
from parity.training.job import RecordingJob
from parity.workers.child import ChildProcess, Inbox
from parity.workers.options import WorkerOptions
from parity.workers.signals import signals_as_interrupt

_MANY_JOBS = 12
"""So many jobs are worth the start of another worker: some five seconds."""
_GRACE = 10.0
"""Seconds that a worker with nothing left to do has to end by itself."""


@dataclass(frozen=True)
class Event:
    """What a worker says: ``ready``, ``started``, ``progress``, ``done`` or ``failed``."""

    side: Side
    kind: str
    job: RecordingJob | None = None
    done: int = 0
    total: int = 0
    message: str = ""


@dataclass
class _Worker:
    """A child process and what it does.

    `waiting` is a side's: a second worker takes its jobs from the same queue.
    """

    child: ChildProcess
    waiting: deque[RecordingJob]
    current: RecordingJob | None = None
    heard: float = field(default_factory=time.monotonic)
    finished: bool = False

    @property
    def side(self) -> Side:
        return self.child.side


def run_jobs(
    jobs: Mapping[Side, Sequence[RecordingJob]],
    options: WorkerOptions,
    on_event: Callable[[Event], None] = lambda event: None,
) -> dict[str, str]:
    """Make all recordings, both sides at once.

    Args:
        jobs: side → its jobs, in order.
        options: interpreters, threads, time-out.
        on_event: called in this thread for every event.

    Returns:
        example → message, for examples of which a job failed; their other jobs are left out.

    Raises:
        WorkerError: a worker could not start, died, hung, or printed what is no event. No child
            process and no unfinished recording is left, and those already made stay.
    """
    failures: dict[str, str] = {}
    inbox: Inbox = queue.Queue()
    workers: list[_Worker] = []
    with signals_as_interrupt():
        try:
            for side, some in jobs.items():
                if some:
                    workers.append(_start(side, deque(some), options, inbox))
            while not all(worker.finished for worker in workers):
                _step(workers, inbox, options, failures, on_event)
                if (slow := _overburdened(workers)) is not None:
                    workers.append(_start(slow.side, slow.waiting, options, inbox))
        finally:
            for worker in workers:
                _stop(worker)
    return failures


def _overburdened(workers: Sequence[_Worker]) -> _Worker | None:
    """A worker that has much left to do while the other side's core is idle already."""
    if len(workers) != len(SIDES) or not any(worker.finished for worker in workers):
        return None
    return next((w for w in workers if len(w.waiting) >= _MANY_JOBS), None)


def _start(side: Side, jobs: deque[RecordingJob], options: WorkerOptions, inbox: Inbox) -> _Worker:
    command = options.command(side, "--worker", "--threads", str(options.threads))
    return _Worker(ChildProcess(side, command, inbox=inbox, variables=ENVIRONMENTS[side]), jobs)


def _step(
    workers: Sequence[_Worker],
    inbox: Inbox,
    options: WorkerOptions,
    failures: dict[str, str],
    on_event: Callable[[Event], None],
) -> None:
    """Take one event if there is one, and notice a worker whose next is overdue."""
    try:
        child, line = inbox.get(timeout=0.2)
    except queue.Empty:
        pass
    else:
        worker = next(w for w in workers if w.child is child)
        worker.heard = time.monotonic()
        if not worker.finished:
            _take(worker, child.event(line), failures, on_event)
    for worker in workers:
        if not worker.finished and time.monotonic() - worker.heard > options.timeout:
            raise worker.child.hung(f"no sign of life for {options.timeout:g} s")


def _take(
    worker: _Worker,
    event: dict[str, Any],
    failures: dict[str, str],
    on_event: Callable[[Event], None],
) -> None:
    match event["event"]:
        case "ready":
            on_event(Event(worker.side, "ready"))
            _next(worker, failures, on_event)
        case "progress":
            done, total = event["done"], event["total"]
            on_event(Event(worker.side, "progress", worker.current, done, total))
        case "done":
            on_event(Event(worker.side, "done", worker.current))
            _next(worker, failures, on_event)
        case "failed":
            assert worker.current is not None
            message = f"{TITLES[worker.side]}, {_named(worker.current)}: {event['message']}"
            if event.get("details"):
                message += f"\n{event['details'].rstrip()}"
            failures.setdefault(worker.current.example, message)
            on_event(Event(worker.side, "failed", worker.current, message=message))
            _next(worker, failures, on_event)


def _next(worker: _Worker, failures: Mapping[str, str], on_event: Callable[[Event], None]) -> None:
    """Send the next job of an example that has not failed, or the word to quit."""
    while worker.waiting and worker.waiting[0].example in failures:
        worker.waiting.popleft()
    if not worker.waiting:
        worker.finished = True
        worker.child.send("quit")
        return
    worker.current = worker.waiting.popleft()
    worker.child.doing = f"while recording {_named(worker.current)}"
    worker.child.send(worker.current.to_json())
    on_event(Event(worker.side, "started", worker.current))


def _stop(worker: _Worker) -> None:
    worker.child.close(_GRACE if worker.finished else 0.0)
    if worker.finished or worker.current is None:
        return
    # `recording_file.write` writes beside the recording first, and was perhaps killed in the midst.
    recording = Path(worker.current.out)
    for unfinished in recording.parent.glob(f".{recording.stem}-????????"):
        unfinished.unlink(missing_ok=True)


def _named(job: RecordingJob) -> str:
    return f"{job.example} ({job.way}, {job.precision}{', nudged' if job.nudged else ''})"
