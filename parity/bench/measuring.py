"""Start one measuring process, wait for its answer; whatever else happens is one clear error."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys

from parity.bench.job import BenchJob, Measured
from parity.core.errors import WorkerError
from parity.core.sides import LESSON_PACKAGES, TITLES, Side
from parity.run.pool import Options, environment, sigterm_as_interrupt

_TAIL = 12


def measure(side: Side, job: BenchJob, options: Options) -> Measured:
    """Run one job in a process of its own, and nothing beside it.

    Raises:
        WorkerError: it could not start, died, took too long, or answered with no measurement. No
            process is left.
    """
    command = _command(side, options)
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
    with sigterm_as_interrupt():
        try:
            said, told = process.communicate(job.to_json() + "\n", timeout=options.timeout)
        except subprocess.TimeoutExpired:
            raise WorkerError(
                f"{_what(side, job)}: not done after {options.timeout:g} s; it was stopped. "
                "Longer time-out: --timeout SECONDS; less work: --train, --epochs"
            ) from None
        finally:
            _stop(process)
    return _answer(side, job, process.returncode, said, told)


def _command(side: Side, options: Options) -> list[str]:
    if side in options.commands:
        return list(options.commands[side])
    return [options.pythons.get(side, sys.executable), "-m", LESSON_PACKAGES[side], "--bench"]


def _stop(process: subprocess.Popen[str]) -> None:
    """End what is left of the process and of everything it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        with contextlib.suppress(OSError):
            if pipe:
                pipe.close()


def _answer(side: Side, job: BenchJob, code: int, said: str, told: str) -> Measured:
    if code != 0:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if code == -signal.SIGKILL:
            how += ", perhaps out of memory"
        raise WorkerError(f"{_what(side, job)}: its process ended with {how}. {_last(told)}")
    try:
        return Measured.from_dict(json.loads(said))
    except (ValueError, TypeError, KeyError):
        raise WorkerError(
            f"{_what(side, job)}: its process answered with no measurement: "
            f"{said.strip()[:120]!r}. {_last(told)}"
        ) from None


def _what(side: Side, job: BenchJob) -> str:
    return f"{TITLES[side]}, measuring {job.example} ({job.way})"


def _last(told: str) -> str:
    lines = [line for line in told.splitlines() if line.strip()][-_TAIL:]
    return "Its last lines:\n  " + "\n  ".join(lines) if lines else "It printed nothing."
