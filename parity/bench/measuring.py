"""Start one measuring process, wait for its answer; whatever else happens is one clear error."""

from __future__ import annotations

import json
import time

from parity.bench.job import BenchJob, Measured
from parity.core.errors import WorkerError
from parity.core.sides import TITLES, Side
from parity.workers.child import ChildProcess
from parity.workers.options import WorkerOptions
from parity.workers.signals import signals_as_interrupt


def measure(side: Side, job: BenchJob, options: WorkerOptions) -> Measured:
    """Run one job in a process of its own, and nothing beside it.

    Raises:
        WorkerError: it could not start, died, took too long, or answered with no measurement. No
            process is left.
    """
    command = options.command(side, "--bench")
    name = f"{TITLES[side]}, measuring {job.example} ({job.way})"
    with (
        signals_as_interrupt(),
        ChildProcess(side, command, name=name, less="--train, --epochs") as child,
    ):
        child.doing = ""
        child.send(job.to_json())
        said = _said(child, options.timeout)
        if child.exit_code != 0:
            raise child.death()
        try:
            return Measured.from_dict(json.loads(said))
        except (ValueError, TypeError, KeyError):
            raise WorkerError(
                f"{name}: its worker answered with no measurement: {said.strip()[:120]!r}. "
                f"{child.last_lines()}"
            ) from None


def _said(child: ChildProcess, timeout: float) -> str:
    """All that it says, until it ends."""
    deadline = time.monotonic() + timeout
    said = ""
    try:
        while (line := child.receive(deadline - time.monotonic())) is not None:
            said += line
    except TimeoutError:
        raise child.hung(f"not done after {timeout:g} s") from None
    return said
