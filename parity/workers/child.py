"""The parent's end of the channel: a child process that answers in lines, and leaves nothing.

Whatever happens to it, a crash, a hang, rubbish on its channel, a missing framework, becomes one
`WorkerError` that ends in the last lines it printed.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from parity.core.errors import CrashError, WorkerError
from parity.core.sides import BACKENDS, PYTHON_OPTIONS, TITLES, Side
from parity.workers.environment import environment

Inbox: TypeAlias = "queue.Queue[tuple[ChildProcess, str | None]]"
"""Lines, and who said them; None once a child has ended."""

_STARTING = "while starting"
_TAIL_LINES = 12
_DRAIN = 1.0
"""Seconds to read what the pipes of an ended process still hold. Its end of file may never come:
a process that it started can hold them open."""
_NOISE = ("I0000", "WARNING: All log messages", "To enable the following instructions")
"""How lines begin that TensorFlow prints at every start."""
_FATAL = "Fatal Python error"
"""How a report of `faulthandler` begins: the innermost call comes first."""
_CRASHES = frozenset(
    -number
    for number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE)
)
"""Exit codes of a process that native code brought down."""


class ChildProcess:
    """A process of a side, in a group of its own, so that what it starts ends with it.

    Use it in a `with`, or call `close`. It ends by itself when this process dies, if it reads its
    standard input with `parity.workers.channel`.

    Args:
        side: which framework.
        command: its command line.
        name: what messages call it; the framework's title if None.
        less: the options that ask less of it, for whoever has too little time or memory.
        inbox: where its lines arrive, if several children share one.
        variables: of its environment, instead of the user's.

    Attributes:
        side: as above.
        doing: what it is at, for messages: ``while recording autograd``.

    Raises:
        WorkerError: it cannot be started.
    """

    def __init__(
        self,
        side: Side,
        command: Sequence[str],
        *,
        name: str | None = None,
        less: str = "",
        inbox: Inbox | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.side, self.doing = side, _STARTING
        self._python, self._name, self._less = command[0], name or TITLES[side], less
        self._inbox: Inbox = queue.Queue() if inbox is None else inbox
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        try:
            self._process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                errors="replace",
                env=environment() | dict(variables or {}),
                start_new_session=True,
            )
        except OSError as error:
            raise WorkerError(
                f"{TITLES[side]}: cannot start '{self._python}': {error.strerror}. Give the path "
                f"of a Python interpreter: {PYTHON_OPTIONS[side]} PATH"
            ) from error
        self._listener = _started(self._listen)
        self._collector = _started(self._collect)
        self._watcher = _started(self._watch)  # the last: it waits for the listener

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Of the process, and of its group."""
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it has ended by now; does not wait."""
        return self._process.poll() is not None

    @property
    def exit_code(self) -> int:
        """Of the process; waits for its end. A signal's number is negative."""
        return self._process.wait()

    def send(self, line: str) -> None:
        """A line to its standard input; if it has ended, that shows when the answer is received."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def receive(self, timeout: float) -> str | None:
        """Its next line; None once it has ended.

        Raises:
            TimeoutError: nothing came for so many seconds.
        """
        try:
            _, line = self._inbox.get(timeout=max(0.0, timeout))
        except queue.Empty:
            raise TimeoutError from None
        if line is None:
            self._inbox.put((self, None))  # it has ended for whoever asks next, too
        return line

    def next_event(self, timeout: float) -> dict[str, Any]:
        """Its next line, as an event.

        Raises:
            WorkerError: nothing came for so many seconds; or as `event`.
        """
        try:
            line = self.receive(timeout)
        except TimeoutError:
            raise self.hung(f"no sign of life for {timeout:g} s") from None
        return self.event(line)

    def event(self, line: str | None) -> dict[str, Any]:
        """A line it said, as an event.

        Raises:
            WorkerError: it has ended, said that it is broken, or printed what is no event.
        """
        if line is None:
            raise self.death()
        try:
            event = json.loads(line)
            if not isinstance(event, dict) or "event" not in event:
                raise ValueError
        except ValueError:
            raise WorkerError(
                f"{self._name}: its worker printed something that is no event{self._at}: "
                f"{line.strip()[:120]!r}. Nothing but the tool may write to its standard output."
            ) from None
        if event["event"] == "broken":
            extra = " (pip install '.[backends]')" if self.side in BACKENDS.values() else ""
            raise WorkerError(
                f"{self._name} cannot be used with {self._python}: {event['message']}. Install it "
                f"there{extra}, or name an interpreter that has it: "
                f"{PYTHON_OPTIONS[self.side]} PATH"
            )
        return event

    def death(self) -> WorkerError:
        """That it has ended, how, and what it printed last."""
        code = self.exit_code
        how = f"exit code {code}"
        if code < 0:
            known = {number.value: number.name for number in signal.Signals}
            how = f"signal {known.get(-code, -code)}"
            if code == -signal.SIGKILL:
                how += f", perhaps out of memory{self._advice}"
        hint = ""
        if self.doing == _STARTING:
            hint = (
                f"\nIs {self._python} a Python with this framework, NumPy and the tool's other "
                f"requirements? Install them there, or name another: "
                f"{PYTHON_OPTIONS[self.side]} PATH"
            )
        said = self.last_lines()
        kind = CrashError if code in _CRASHES else WorkerError
        return kind(f"{self._name}: its worker ended by itself ({how}){self._at}. {said}{hint}")

    def hung(self, words: str) -> WorkerError:
        """That it took too long, and what it printed last.

        Args:
            words: how long: ``not done after 60 s``.
        """
        return WorkerError(
            f"{self._name}: {words}{self._at}; it was stopped. Longer time-out: --timeout SECONDS"
            f"{self._advice}. {self.last_lines()}"
        )

    def last_lines(self) -> str:
        """What it printed last on standard error, without the noise."""
        if self._process.returncode is not None:
            self._collector.join(_DRAIN)
        lines = list(self._tail)
        return "Its last lines:\n  " + "\n  ".join(lines) if lines else "It printed nothing."

    def forget_lines(self) -> None:
        """What it printed so far is not about what comes."""
        self._tail.clear()

    def close(self, grace: float = 0.0) -> None:
        """End it and everything it started; from any thread, and more than once.

        Args:
            grace: seconds that it has to end by itself.
        """
        self._watcher.join(grace)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        for thread, pipe in (
            (self._listener, self._process.stdout),
            (self._collector, self._process.stderr),
        ):
            thread.join(_DRAIN)
            if pipe is not None and not thread.is_alive():  # to close it would wait for the reader
                pipe.close()

    @property
    def _at(self) -> str:
        return f" {self.doing}" if self.doing else ""

    @property
    def _advice(self) -> str:
        return f"; less work: {self._less}" if self._less else ""

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._inbox.put((self, line))

    def _collect(self) -> None:
        assert self._process.stderr is not None
        fatal = False
        for line in self._process.stderr:
            if line.startswith(_FATAL):
                fatal = True
                self._tail.clear()
            full = fatal and len(self._tail) == _TAIL_LINES
            if line.strip() and not full and not line.startswith(_NOISE):
                self._tail.append(line.rstrip())

    def _watch(self) -> None:
        """Say that it has ended, behind everything it said."""
        self._process.wait()
        self._listener.join(_DRAIN)
        self._inbox.put((self, None))


def _started(run: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread
