"""What is measured on: the machine, and what else loads it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from parity.core.errors import UsageError
from parity.core.sides import LESSON_PACKAGES, SIDE_PACKAGES
from parity.recording.provenance import base_versions, commit

BUSY = 5.0
"""A process that uses so many percent of a core is said to load the machine."""
_WATCHED = 0.5
_COMMANDS = ("run", "report", "check", "bench", "diff")
_SHOWN = 60


@dataclass(frozen=True)
class Load:
    """A process that uses the machine beside the measurements.

    Attributes:
        pid: its number.
        percent: of one core.
        command: its command line, cut.
    """

    pid: int
    percent: float
    command: str


def facts(threads: int) -> dict[str, Any]:
    """Processor, cores, memory and versions, and the load before the start."""
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "logical_cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(),
        "threads": threads,
        "versions": base_versions(),
        "commit": commit(),
        "load_average": [round(x, 2) for x in os.getloadavg()],
        "other_load": [vars(load) for load in others()],
    }


def _cpu() -> str:
    """The processor's name as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def others() -> list[Load]:
    """Processes that use more than `BUSY` percent of a core, the busiest first."""
    own = _family()
    seen = [p for p in psutil.process_iter() if p.pid not in own]
    for process in seen:
        _percent(process)  # the first call only starts the clock
    time.sleep(_WATCHED)
    loads = [Load(p.pid, round(_percent(p), 1), " ".join(_command(p))[:_SHOWN]) for p in seen]
    busy = [load for load in loads if load.percent > BUSY]
    return sorted(busy, key=lambda load: -load.percent)


def refuse_own_work() -> None:
    """Do not time while the tool itself is at work elsewhere on this machine.

    Raises:
        UsageError: with the process that is.
    """
    for pid, command in own_work():
        raise UsageError(
            f"The suite is at work elsewhere on this machine, in process {pid} "
            f"({' '.join(command)[:_SHOWN]}): its load would be in every figure. Expected to "
            "measure alone. Wait for its end, or stop it, and start again."
        )


def own_work() -> Iterator[tuple[int, list[str]]]:
    """Processes of the tool that run a framework or compare, but for this one and its parents."""
    own = _family()
    for process in psutil.process_iter():
        command = _command(process)
        if process.pid not in own and is_own(command):
            yield process.pid, command


_SIDES = (*LESSON_PACKAGES.values(), *SIDE_PACKAGES.values())


def is_own(command: Sequence[str]) -> bool:
    """Whether a command line is the tool's at work: a command of `parity`, or a side."""
    words = list(command)
    if not words or not Path(words[0]).name.lower().startswith(("python", "parity", "pypy")):
        return False
    for at, word in enumerate(words[:-1]):
        if word == "-m" and words[at + 1].startswith(_SIDES):
            return True
        # Of an interpreter's words only the script itself, not what is handed to another program.
        if at < 3 and Path(word).name == "parity" and words[at + 1] in _COMMANDS:
            return "--help" not in words
    return False


def _family() -> set[int]:
    """This process, and those that wait for it."""
    this = psutil.Process()
    return {this.pid, *(parent.pid for parent in this.parents())}


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline() if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.Error:
        return []


def _percent(process: psutil.Process) -> float:
    try:
        return float(process.cpu_percent())
    except psutil.Error:
        return 0.0
