"""Child processes: one persistent worker a side, jobs in, events out, and nothing left behind.

Whatever happens to a worker, a crash, a hang, rubbish on its channel, a missing framework, becomes
one `WorkerError`; recordings already written stay.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parity.core.errors import WorkerError
from parity.core.sides import LESSON_PACKAGES, SIDES, TITLES, Side
from parity.recording.provenance import ROOT
from parity.training.job import RecordingJob

_TAIL_LINES = 12
_MANY_JOBS = 12
"""So many jobs are worth the start of another worker: some five seconds."""
KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    "MALLOC_TOP_PAD_": str(2**26),
}
"""Freed memory stays with the worker. A step allocates the same buffers again and again; glibc
would hand each back to the kernel and fault its pages in anew. Only buffers up to 32 MB: larger
ones on the heap leave holes, and a worker grew to 16 GB."""


def environment() -> dict[str, str]:
    """Environment variables of every process that runs a framework.

    Before the user's own ``PYTHONPATH`` only the project itself is put on the path, and not the
    working directory: a file there called random.py must not shadow a library.
    """
    theirs = os.environ.get("PYTHONPATH")
    path = [own_code(), theirs] if theirs else [own_code()]
    return KEPT_MEMORY | os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1"}


@functools.cache
def own_code() -> str:
    """A folder with this project's packages and no others, for an interpreter that lacks them.

    Where the project is installed they lie among all other libraries of this interpreter, which
    would come before those of the other: then it is a folder of links.
    """
    if (ROOT / "pyproject.toml").is_file():
        return str(ROOT)
    folder = tempfile.mkdtemp(prefix="parity-code-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (Path(folder) / "parity").symlink_to(ROOT / "parity", target_is_directory=True)
    return folder


_ENDINGS = (signal.SIGTERM, signal.SIGHUP)
_NOISE = ("I0000", "WARNING: All log messages", "To enable the following instructions")


@dataclass(frozen=True)
class Options:
    """How workers are started.

    Attributes:
        pythons: interpreter of each side; the running one where none is given.
        threads: CPU threads a worker computes with.
        timeout: seconds without any event after which a worker counts as hung.
        commands: full command lines instead of the above, for tests.
    """

    pythons: Mapping[Side, str] = field(default_factory=dict)
    threads: int = 1
    timeout: float = 300.0
    commands: Mapping[Side, Sequence[str]] = field(default_factory=dict)

    def command(self, side: Side) -> list[str]:
        """The command line of a side's worker."""
        if side in self.commands:
            return list(self.commands[side])
        python = self.pythons.get(side, sys.executable)
        return [python, "-m", LESSON_PACKAGES[side], "--worker", "--threads", str(self.threads)]


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
    """A child process, its channel, and the last lines it printed.

    `waiting` is a side's: a second worker takes its jobs from the same queue.
    """

    side: Side
    command: list[str]
    process: subprocess.Popen[str]
    waiting: deque[RecordingJob]
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL_LINES))
    current: RecordingJob | None = None
    heard: float = field(default_factory=time.monotonic)
    finished: bool = False
    readers: list[threading.Thread] = field(default_factory=list)

    def send(self, line: str) -> None:
        """A line to the worker; a broken pipe shows as its end, on the channel."""
        assert self.process.stdin is not None
        with contextlib.suppress(OSError):
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()

    def last_lines(self) -> str:
        """What the worker printed last, for an error message."""
        # The pipe outlives the process by what it still holds.
        self.readers[1].join(timeout=1.0)
        lines = [line for line in self.tail if line.strip() and not line.startswith(_NOISE)]
        return "\n  " + "\n  ".join(lines) if lines else " (it printed nothing)"


def run_jobs(
    jobs: Mapping[Side, Sequence[RecordingJob]],
    options: Options,
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
            process is left, and recordings already made stay.
    """
    failures: dict[str, str] = {}
    inbox: queue.Queue[tuple[_Worker, str | None]] = queue.Queue()
    workers: list[_Worker] = []
    with sigterm_as_interrupt():
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


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """A terminated run cleans up as an interrupted one does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDINGS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(
    side: Side,
    jobs: deque[RecordingJob],
    options: Options,
    inbox: queue.Queue[tuple[_Worker, str | None]],
) -> _Worker:
    command = options.command(side)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=environment(),
            start_new_session=True,  # its own group, so that its children end with it
        )
    except OSError as error:
        raise WorkerError(
            f"{TITLES[side]}: cannot start '{command[0]}': {error.strerror}. Give the path of a "
            f"Python interpreter: --{side}-python PATH"
        ) from error
    worker = _Worker(side, command, process, jobs)

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            inbox.put((worker, line))
        inbox.put((worker, None))

    def collect() -> None:
        assert process.stderr is not None
        for line in process.stderr:
            worker.tail.append(line.rstrip())

    worker.readers = [threading.Thread(target=t, daemon=True) for t in (listen, collect)]
    for reader in worker.readers:
        reader.start()
    return worker


def _step(
    workers: Sequence[_Worker],
    inbox: queue.Queue[tuple[_Worker, str | None]],
    options: Options,
    failures: dict[str, str],
    on_event: Callable[[Event], None],
) -> None:
    """Take one event if there is one, and notice a worker whose next is overdue."""
    try:
        worker, line = inbox.get(timeout=0.2)
    except queue.Empty:
        # A child that the worker left behind can hold its channel open: no end of file then.
        dead = [w for w in workers if not w.finished and w.process.poll() is not None]
        if dead:
            raise WorkerError(_death(dead[0])) from None
    else:
        worker.heard = time.monotonic()
        if line is not None:
            _take(worker, _parse(worker, line), failures, on_event)
        elif not worker.finished:
            raise WorkerError(_death(worker))
    for worker in workers:
        silent = time.monotonic() - worker.heard
        if not worker.finished and silent > options.timeout:
            raise WorkerError(
                f"{TITLES[worker.side]}: no sign of life for {silent:.0f} s {_busy(worker)}; it "
                "was stopped. Longer time-out: --timeout SECONDS. "
                f"Its last lines:{worker.last_lines()}"
            )


def _parse(worker: _Worker, line: str) -> dict[str, Any]:
    try:
        event = json.loads(line)
        if not isinstance(event, dict) or "event" not in event:
            raise ValueError
    except ValueError:
        raise WorkerError(
            f"{TITLES[worker.side]}: its worker printed something that is no event "
            f"{_busy(worker)}: {line.strip()[:120]!r}. Nothing but the suite may write to its "
            "standard output."
        ) from None
    return event


def _take(
    worker: _Worker,
    event: dict[str, Any],
    failures: dict[str, str],
    on_event: Callable[[Event], None],
) -> None:
    match event["event"]:
        case "broken":
            raise WorkerError(
                f"{TITLES[worker.side]} cannot be used with {worker.command[0]}: "
                f"{event['message']}. Install it there, or name an interpreter that has it: "
                f"--{worker.side}-python PATH"
            )
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
        worker.send("quit")
        return
    worker.current = worker.waiting.popleft()
    worker.send(worker.current.to_json())
    on_event(Event(worker.side, "started", worker.current))


def _stop(worker: _Worker) -> None:
    """End a worker and everything it started."""
    if worker.finished:
        with contextlib.suppress(subprocess.TimeoutExpired):
            worker.process.wait(timeout=10)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    for reader in worker.readers:
        reader.join(timeout=1.0)
    for pipe in (worker.process.stdin, worker.process.stdout, worker.process.stderr):
        with contextlib.suppress(OSError):
            if pipe:
                pipe.close()


def _busy(worker: _Worker) -> str:
    return f"while recording {_named(worker.current)}" if worker.current else "while starting"


def _named(job: RecordingJob) -> str:
    return f"{job.example} ({job.way}, {job.precision}{', nudged' if job.nudged else ''})"


def _death(worker: _Worker) -> str:
    code = worker.process.wait()
    how = f"exit code {code}"
    if code < 0:
        how = f"signal {signal.Signals(-code).name}"
        if code == -signal.SIGKILL:
            how += ", perhaps out of memory"
    hint = ""
    if worker.current is None:
        hint = (
            f"\nIs {worker.command[0]} a Python with this framework, NumPy and the suite's other "
            f"requirements? Install them there, or name another: --{worker.side}-python PATH"
        )
    return (
        f"{TITLES[worker.side]}: its worker ended by itself ({how}) {_busy(worker)}. "
        f"Its last lines:{worker.last_lines()}{hint}"
    )
