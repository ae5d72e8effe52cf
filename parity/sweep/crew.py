"""The parent's end: one persistent process of a side, one job at a time.

The same class serves a sweep on this machine and a Dask worker anywhere, so both compute alike.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psutil

from parity.core.errors import ParityError, WorkerError
from parity.core.sides import LESSON_PACKAGES, TITLES, Side
from parity.run.pool import environment
from parity.sweep.job import Task

_TAIL = 12
LARGEST = 4 * 2**30
"""Bytes. A process that has grown larger is replaced before the next job: what TensorFlow keeps of
one training it never gives back, and after hours it would have all the memory there is."""
ATTEMPTS = 3
"""How often a job is tried whose process dies: of memory that others took, it may work later."""


class DeathError(WorkerError):
    """The process died, hung, or answered with rubbish; another one may do the job."""


class BrokenError(WorkerError):
    """No process of this side can be started at all: no job of it will ever be done."""


@dataclass(frozen=True)
class Starting:
    """How the processes of a sweep are started.

    Attributes:
        pythons: interpreter of each side; the running one where none is given.
        timeout: seconds without a sign of life after which a process counts as hung.
        commands: full command lines instead, for tests.
    """

    pythons: Mapping[Side, str] = field(default_factory=dict)
    timeout: float = 1800.0
    commands: Mapping[Side, Sequence[str]] = field(default_factory=dict)

    def command(self, side: Side, threads: int) -> list[str]:
        """The command line of a side's process."""
        if side in self.commands:
            return list(self.commands[side])
        python = self.pythons.get(side, sys.executable)
        return [python, "-m", LESSON_PACKAGES[side], "--sweep", "--threads", str(threads)]


class Child:
    """One process. It ends with `close`, and by itself when this process dies."""

    def __init__(self, side: Side, command: Sequence[str], timeout: float) -> None:
        self.side, self._timeout = side, timeout
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._tail: deque[str] = deque(maxlen=_TAIL)
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment(),
                start_new_session=True,  # its own group, so that its children end with it
            )
        except OSError as error:
            raise BrokenError(
                f"{TITLES[side]}: cannot start '{command[0]}': {error.strerror}. Give the path of "
                f"a Python interpreter: --{side}-python PATH"
            ) from error
        self._readers = [
            threading.Thread(target=reader, daemon=True) for reader in (self._hear, self._collect)
        ]
        for reader in self._readers:
            reader.start()
        try:
            self._await_ready(command[0])
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def memory(self) -> int:
        """Resident, in bytes; 0 of a process that has ended."""
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0

    def run(self, task: Task) -> dict[str, Any]:
        """Do one job; the summary as plain values.

        Raises:
            DeathError: the process died, hung, or answered with rubbish. It is to be closed.
            WorkerError: the job itself failed.
        """
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # its end shows on the channel
            line = json.dumps({"id": task.digest, "task": task.to_dict()})
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
        while True:
            event = self._next(task.job.words)
            match event["event"]:
                case "done":
                    summary: dict[str, Any] = event["summary"]
                    return summary
                case "failed":
                    details = f"\n{event['details'].rstrip()}" if event.get("details") else ""
                    raise WorkerError(f"{task.job.words}: {event['message']}{details}")

    def close(self) -> None:
        """End the process and everything it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for reader in self._readers:
            reader.join(timeout=1.0)
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                if pipe:
                    pipe.close()

    def _await_ready(self, python: str) -> None:
        try:
            event = self._next("starting")
        except DeathError as error:
            raise BrokenError(
                f"{error}\nIs {python} a Python with this framework and the suite's other "
                f"requirements? Install them there, or name another: --{self.side}-python PATH"
            ) from error
        if event["event"] != "ready":
            raise BrokenError(
                f"{TITLES[self.side]} cannot be used with {python}: {event.get('message')}. "
                f"Install it there, or name an interpreter that has it: --{self.side}-python PATH"
            )

    def _next(self, doing: str) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=self._timeout)
        except queue.Empty:
            raise DeathError(
                f"{TITLES[self.side]} ({doing}): no sign of life for {self._timeout:g} s; its "
                f"process was stopped. Longer time-out: --timeout SECONDS. {self._last()}"
            ) from None
        if line is None:
            raise DeathError(f"{TITLES[self.side]} ({doing}): {self._death()} {self._last()}")
        try:
            event: dict[str, Any] = json.loads(line)
            event["event"]
        except (ValueError, KeyError, TypeError):
            raise DeathError(
                f"{TITLES[self.side]} ({doing}): its process printed something that is no event: "
                f"{line.strip()[:120]!r}."
            ) from None
        return event

    def _death(self) -> str:
        code = self._process.wait()
        if code >= 0:
            return f"its process ended by itself with exit code {code}."
        how = f"its process ended with signal {signal.Signals(-code).name}"
        return how + (", perhaps out of memory." if code == -signal.SIGKILL else ".")

    def _last(self) -> str:
        if self._process.poll() is not None:
            self._readers[1].join(timeout=1.0)  # the pipe outlives the process by what it holds
        lines = [line for line in self._tail if line.strip()]
        return "Its last lines:\n  " + "\n  ".join(lines) if lines else "It printed nothing."

    def _hear(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def _collect(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._tail.append(line.rstrip())


class Crew:
    """At most one process of each side, started when needed, replaced when one dies."""

    def __init__(self, starting: Starting) -> None:
        self._starting = starting
        self._children: dict[Side, Child] = {}
        self._able: set[Side] = set()
        self._closed = False
        self._lock = threading.Lock()

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that have a process."""
        return tuple(self._children)

    def run(self, task: Task) -> dict[str, Any]:
        """Do one job, with another process if one dies of it.

        Raises:
            WorkerError: the job failed, or has ended `ATTEMPTS` processes.
            BrokenError: no process of its side has ever started.
        """
        side = task.job.side
        for attempt in range(ATTEMPTS):
            try:
                child = self._child(side, task.job.threads)
                summary = child.run(task)
                if child.memory > LARGEST:
                    self._drop(side)
                return summary
            except (DeathError, BrokenError) as error:
                # One that has started before can again: memory is short, say, for the moment.
                if self._closed or (isinstance(error, BrokenError) and side not in self._able):
                    raise
                self._drop(side)
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

    def _child(self, side: Side, threads: int) -> Child:
        if side not in self._children:
            child = Child(side, self._starting.command(side, threads), self._starting.timeout)
            with self._lock:
                if self._closed:
                    child.close()
                    raise DeathError("The sweep was stopped.")
                self._children[side] = child
                self._able.add(side)
        return self._children[side]

    def _drop(self, side: Side) -> None:
        with self._lock:
            child = self._children.pop(side, None)
        if child is not None:
            child.close()


def message(error: Exception) -> str:
    """What to tell people of a job that failed."""
    return str(error) if isinstance(error, ParityError) else f"{type(error).__name__}: {error}"
