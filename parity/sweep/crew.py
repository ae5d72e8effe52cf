"""The parent's end: one persistent process of a side, one job at a time.

The same class serves a sweep on this machine and a Dask worker anywhere, so both compute alike.
"""

from __future__ import annotations

import json
import threading
from typing import Any

import psutil

from parity.core.errors import WorkerError
from parity.core.sides import Side
from parity.sweep.job import Task
from parity.workers.child import ChildProcess
from parity.workers.options import WorkerOptions

LARGEST = 4 * 2**30
"""Bytes. A process that has grown larger is replaced before the next job: what TensorFlow keeps of
one training it never gives back, and after hours it would have all the memory there is."""
ATTEMPTS = 3
"""How often a job is tried whose process dies: of memory that others took, it may work later."""


class DeathError(WorkerError):
    """The process died, hung, or answered with rubbish; another one may do the job."""


class BrokenError(WorkerError):
    """No process of this side can be started at all: no job of it will ever be done."""


class Crew:
    """At most one process of each side, started when needed, replaced when one dies."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._children: dict[Side, ChildProcess] = {}
        self._able: set[Side] = set()
        self._closed = False
        self._lock = threading.Lock()

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that have a process."""
        return tuple(self._children)

    def run(self, task: Task) -> dict[str, Any]:
        """Do one job, with another process if one dies of it; the summary as plain values.

        Raises:
            WorkerError: the job failed, or has ended `ATTEMPTS` processes.
            BrokenError: no process of its side has ever started.
        """
        side = task.job.side
        for attempt in range(ATTEMPTS):
            try:
                child = self._child(side, task.job.threads)
                summary = self._summary(child, task)
                if _memory(child.pid) > LARGEST:
                    self._drop(side)
                return summary
            except (DeathError, BrokenError) as error:
                self._drop(side)
                # One that has started before can again: memory is short, say, for the moment.
                if self._closed or (isinstance(error, BrokenError) and side not in self._able):
                    raise
                if attempt == ATTEMPTS - 1:
                    raise WorkerError(f"{error}\nTried {ATTEMPTS} times.") from error
        raise AssertionError("unreachable")

    def close(self) -> None:
        """End the processes, also from another thread than that which waits for them."""
        with self._lock:
            self._closed = True
            for child in self._children.values():
                child.close()
            self._children.clear()

    def _child(self, side: Side, threads: int) -> ChildProcess:
        if side not in self._children:
            command = self._options.command(side, "--sweep", "--threads", str(threads))
            with self._lock:  # one that is still starting is ended by `close`, too
                if self._closed:
                    raise DeathError("The sweep was stopped.")
                try:
                    child = ChildProcess(side, command)
                except WorkerError as error:
                    raise BrokenError(str(error)) from error
                self._children[side] = child
            self._event(child, BrokenError)
            self._able.add(side)
        return self._children[side]

    def _summary(self, child: ChildProcess, task: Task) -> dict[str, Any]:
        child.doing = f"while training {task.job.words}"
        child.send(json.dumps({"id": task.digest, "task": task.to_dict()}))
        while True:
            event = self._event(child, DeathError)
            match event["event"]:
                case "done":
                    summary: dict[str, Any] = event["summary"]
                    return summary
                case "failed":
                    details = f"\n{event['details'].rstrip()}" if event.get("details") else ""
                    raise WorkerError(f"{task.job.words}: {event['message']}{details}")

    def _event(self, child: ChildProcess, kind: type[WorkerError]) -> dict[str, Any]:
        try:
            return child.next_event(self._options.timeout)
        except WorkerError as error:
            raise kind(str(error)) from error

    def _drop(self, side: Side) -> None:
        with self._lock:
            child = self._children.pop(side, None)
        if child is not None:
            child.close()


def _memory(pid: int) -> int:
    """Resident, in bytes; 0 of a process that has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
