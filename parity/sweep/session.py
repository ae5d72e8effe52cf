"""A sweep from names to verdicts: plan, take over what is there, do the rest, keep each at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from numpy.typing import NDArray

from parity.core.errors import UsageError
from parity.core.sides import SIDES, Side
from parity.native.summary import Summary
from parity.sweep import job as jobs_of
from parity.sweep import plan
from parity.sweep.board import Board
from parity.sweep.job import SweepJob, Task
from parity.sweep.local import Executor, JobOutcome
from parity.sweep.plan import SweepRequest
from parity.sweep.store import Store

_ROUNDED = 1e-9
"""Share of the test set."""
Watch = Callable[[Board, int], AbstractContextManager[Callable[[], None]]]
"""Given board and number of places: what is called after every job."""


def tasks(request: SweepRequest, pythons: Mapping[Side, str]) -> dict[SweepJob, Task]:
    """Every job with the programs and versions that it must be done with.

    Raises:
        UsageError, WorkerError: as in `plan.jobs` and `job.versions`.
    """
    versions = {side: jobs_of.versions(side, pythons.get(side, "")) for side in SIDES}
    return {
        job: Task(job, jobs_of.code(job.side, job.example), versions[job.side])
        for job in plan.jobs(request)
    }


def board(
    request: SweepRequest,
    known: Mapping[SweepJob, Task],
    store: Store | None,
    *,
    resume: bool = True,
) -> Board:
    """The board with everything that is there already.

    Raises:
        DataError: data of an example is missing.
        StoreError: a result that is there is damaged.
    """
    labels = {spec.name: plan.dataset(request, spec).test_labels for spec in request.specs}
    made = Board(request, tuple(known), labels)
    if store is not None and resume:
        for job, task in known.items():
            if (found := store.get(task)) is not None:
                made.add(job, Summary.from_dict(found), reused=True)
    return made


def run_sweep(
    made: Board, known: Mapping[SweepJob, Task], store: Store, executor: Executor, watch: Watch
) -> None:
    """Do what is still to be done.

    Raises:
        StoreError: a result cannot be kept. The others are.
        WorkerError: no process of a side can be started, or the cluster is gone.
    """
    waiting = made.waiting
    if not waiting:
        return
    with executor:
        executor.submit([known[job] for job in waiting])
        with watch(made, executor.places) as show:
            open_ = set(waiting)
            for outcome in executor.outcomes():
                _take(made, store, outcome)
                open_.discard(outcome.task.job)
                if made.request.stop:
                    needless = open_ - set(made.waiting)
                    open_ -= needless
                    executor.withdraw(frozenset(known[job].digest for job in needless))
                show()


def _take(made: Board, store: Store, outcome: JobOutcome) -> None:
    job = outcome.task.job
    if outcome.summary is None:
        made.fail(job, outcome.failure)
        return
    try:
        summary = Summary.from_dict(outcome.summary)
    except UsageError as error:
        made.fail(job, f"{job.words}: {error}")
        return
    if wrong := _unfit(job, summary, made.labels[job.example]):
        made.fail(job, f"{job.words}: {wrong}")
        return
    store.put(outcome.task, outcome.summary)  # first on disk, then on the board
    made.add(job, summary)


def _unfit(job: SweepJob, summary: Summary, labels: NDArray[Any]) -> str:
    """Why this cannot be the result of the job; empty where it can."""
    asked = (job.example, job.pair, job.side, job.setting, job.seed)
    if (summary.example, summary.pair, *summary.key) != asked:
        return f"the answer is that of another job, {summary.key}"
    if len(summary.predictions) != len(labels):
        return f"the answer has {len(summary.predictions):,} predictions, expected {len(labels):,}"
    counted = float((summary.predictions == labels).mean())
    if not abs(summary.test_accuracy - counted) < _ROUNDED:
        return f"the answer says accuracy {summary.test_accuracy}, its predictions {counted}"
    return ""


def check(request: SweepRequest) -> None:
    """Refuse what cannot be asked.

    Raises:
        UsageError: says why.
    """
    if not request.specs:
        raise UsageError("Name an example. parity list shows which have a dataset.")
    if strange := [d for d in request.divisions if d not in plan.DIVISIONS]:
        raise UsageError(f"--division '{strange[0]}': expected {' or '.join(plan.DIVISIONS)}.")
    if request.stop and request.attribution:
        raise UsageError(
            "--attribution needs every seed, --stop-when-decided ends before the last. Expected "
            "one or the other."
        )
