"""A side's process: jobs in, summaries out, one JSON a line. Its framework is imported once."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from parity.core.errors import WorkerError
from parity.core.sides import SIDE_PACKAGES, TITLES, Side
from parity.native.summary import Summary
from parity.spec.suite import Suite
from parity.sweep.job import SweepJob, Task, code, own_versions
from parity.training.recorder import Framework
from parity.workers.channel import Progress, serve

Train = Callable[[SweepJob, Progress], Summary]


@dataclass(frozen=True)
class Asked:
    """A line of the channel."""

    id: str
    task: Task

    @classmethod
    def from_json(cls, text: str) -> Asked:
        """Read one line."""
        fields = json.loads(text)
        return cls(fields["id"], Task.from_dict(fields["task"]))


def main(
    suite: Suite, package: str, make_framework: Callable[[int], Framework], threads: int
) -> None:
    """Serve the jobs of one side."""
    made: list[tuple[Framework, Any]] = []

    def start() -> Side:
        framework = make_framework(threads)
        made.append((framework, importlib.import_module(f"{SIDE_PACKAGES[framework.side]}.native")))
        return framework.side

    def train(job: SweepJob, progress: Progress) -> Summary:
        framework, native = made[0]
        found: Summary = native.train_setting(
            suite,
            framework,
            job.example,
            job.setting,
            seed=job.seed,
            size=job.size,
            pair=job.pair,
            progress=progress,
        )
        return found

    answer(start, train)


def answer(start: Callable[[], Side], train: Train) -> None:
    """Answer jobs with what `train` gives.

    Args:
        start: imports the framework; which side it is.
        train: does one job.
    """

    def handle(asked: Asked, progress: Progress) -> dict[str, Any]:
        task = asked.task
        refuse_others(task)
        return {"summary": train(task.job, progress).to_dict()}

    serve(lambda: {"side": start()}, handle, Asked.from_json)


def refuse_others(task: Task) -> None:
    """Nobody may answer for programs or versions that are not his.

    Raises:
        WorkerError: this process has others than the task names.
    """
    job = task.job
    if wrong := task.mismatch(code(job.side, job.example), own_versions(job.side)):
        raise WorkerError(
            f"{TITLES[job.side]}, on {_here()}: {wrong}. Every worker needs the sources and "
            "versions of the machine that the sweep was started on: install the same there."
        )


def _here() -> str:
    import socket  # noqa: PLC0415  # for this message alone

    return socket.gethostname()
