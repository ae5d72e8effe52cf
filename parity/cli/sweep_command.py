"""What ``parity sweep`` does with its options."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from parity.cli import sweep_screen
from parity.cli.writable import expect_file, expect_folder
from parity.core.errors import InterruptionError, UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.sides import SIDES, TITLES, side_named
from parity.report.formatting import count
from parity.spec.example import ExampleSpec
from parity.sweep import plan, result, session
from parity.sweep.board import Board
from parity.sweep.cluster import Cluster
from parity.sweep.local import Executor, Local
from parity.sweep.plan import SweepRequest
from parity.sweep.store import FILE, Store, default_folder
from parity.workers.options import WorkerOptions
from parity.workers.signals import signals_as_interrupt


def sweep_command(
    request: SweepRequest,
    *,
    workers: int | None,
    scheduler: str | None,
    out: Path | None,
    resume: bool,
    finished: bool,
    repair: bool,
    dry_run: bool,
    pythons: Mapping[str, str | None],
    timeout: float,
    report: Path | None,
    details: Path | None,
    quiet: bool,
) -> int:
    """Sweep, print the table or the JSON, and write files if asked.

    Args:
        request: what to sweep.
        workers: local processes; None for as many as the cores hold.
        scheduler: of a Dask cluster, in place of local processes.
        out: folder of the results.
        resume: take over what is finished.
        finished: train nothing more.
        repair: take what is whole out of a damaged file first.
        dry_run: only say what would be done.
        pythons: interpreters, by side.
        timeout: seconds without a sign of life.
        report: folder for sweep.json and, where it was measured, defaults.md.
        details: file for everything behind the verdicts.
        quiet: JSON on standard output, and nothing else there.

    Returns:
        The exit code.
    """
    session.check(request)
    if report is not None:
        expect_folder(report, "--report")
    if details is not None:
        expect_file(details, "--details")
    named = {side_named(side): python for side, python in pythons.items() if python}
    if scheduler and (named or workers):
        raise UsageError(
            "--workers and interpreters are of this machine; with --scheduler the cluster has its "
            "own. Expected one or the other."
        )
    if finished and not resume:
        raise UsageError(
            "--finished asks for what is there, --no-resume to leave it. Expected one or the other."
        )
    known = session.tasks(request, named)
    folder = out or default_folder()
    if dry_run:
        return _planned(request, known, folder, resume=resume, quiet=quiet)
    if finished and not repair:
        with Store(folder, reading=True) as store:
            made = session.board(request, known, store)
        _tell(made, folder, report, details, quiet=quiet)
        return result.exit_code(made)
    options = WorkerOptions(pythons=named, timeout=timeout)
    executor: Executor = (
        Cluster(scheduler, timeout) if scheduler else Local(_workers(request, workers), options)
    )
    with signals_as_interrupt(), Store(folder, repair=repair) as store:
        if store.repaired:
            Console(stderr=True).print(store.repaired, highlight=False, soft_wrap=True)
        made = session.board(request, known, store, resume=resume)
        try:
            if not finished:
                session.run_sweep(made, known, store, executor, _watching)
        except KeyboardInterrupt:
            raise InterruptionError(
                f"Interrupted after {made.done:,} jobs, which are kept with {made.reused:,} "
                "earlier ones. The same command goes on from there; with --finished it says what "
                "follows from them."
            ) from None
    _tell(made, folder, report, details, quiet=quiet)
    return result.exit_code(made)


def _workers(request: SweepRequest, workers: int | None) -> int:
    """As many as get `threads` cores each."""
    return workers or max(1, (os.cpu_count() or 1) // request.threads)


@contextlib.contextmanager
def _watching(board: Board, places: int) -> Iterator[Callable[[], None]]:
    with sweep_screen.Display(board, places) as display:
        yield display.show


def _planned(
    request: SweepRequest, known: Mapping[Any, Any], folder: Path, *, resume: bool, quiet: bool
) -> int:
    """Say what would be done, and change nothing."""
    there = 0
    if resume:
        with Store(folder, reading=True) as store:
            there = sum(store.get(task) is not None for task in known.values())
    parts: list[dict[str, Any]] = []
    for spec in request.specs:
        described = _described(request, spec)
        for side in SIDES:
            some = [job for job in known if (job.example, job.side) == (spec.name, side)]
            settings = list(dict.fromkeys(job.setting for job in some))
            parts.append(
                {
                    "example": spec.name,
                    "side": side,
                    "jobs": len(some),
                    "settings": settings,
                    "data": described,
                }
            )
    if quiet:
        told = {
            "format": JSON_FORMAT,
            "folder": str(folder),
            "margin": request.margin,
            "looks": list(request.looks),
            "planned": parts,
            "jobs": {"planned": len(known), "finished": there},
        }
        print(json.dumps(told, indent=2))
        return 0
    for part in parts:
        print(
            f"{part['example']}, {TITLES[part['side']]}: {part['jobs']} jobs "
            f"({', '.join(part['settings'])}); {part['data']}"
        )
    looks = ", ".join(map(str, request.looks))
    print(
        f"{len(known)} jobs, {there} of them finished in {folder}; margin {request.margin:g} "
        f"points; looks after {looks} seeds"
    )
    return 0


def _described(request: SweepRequest, spec: ExampleSpec) -> str:
    """What an example is trained on, and for how long."""
    epochs = count(request.size(spec).epochs, "epoch")
    return f"{plan.dataset(request, spec).describe()}, {epochs}"


def _tell(
    made: Board, folder: Path, report: Path | None, details: Path | None, *, quiet: bool
) -> None:
    short = json.dumps(result.to_json(made), indent=2, allow_nan=False)
    if quiet:
        print(short)
    else:
        console = Console()
        for part in sweep_screen.outcome(made):
            console.print(part, highlight=False)
        print(f"Results: {folder / FILE}")
    for message in made.failed.values():
        Console(stderr=True).print(f"parity: {message}", highlight=False, markup=False)
    if details is not None:
        _write(details, json.dumps(result.details(made), indent=2, allow_nan=False))
    if report is not None:
        _report(made, report)


def _report(made: Board, folder: Path) -> None:
    """Write what the pages say of a sweep."""
    described = {spec.name: _described(made.request, spec) for spec in made.request.specs}
    found = result.to_report(made, described)
    if not found["examples"]:
        raise UsageError(
            "--report: no example has two seeds of both sides yet, so there is nothing to say "
            "and nothing was written. Repeat the command without --finished."
        )
    # Matplotlib is slow to import.
    from parity.report import defaults, native, write_native

    # What an earlier sweep said of other examples stays: each row says by itself what it rests on.
    found["examples"] = native.beside(folder, found["examples"])
    _write(folder / native.FILE, json.dumps(found, indent=2, allow_nan=False))
    if made.request.attribution:
        defaults.write(made.request.suite, list(made.found.values()), folder, described)
    write_native(made.request.suite, folder)


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"Cannot write {path}: {error.strerror}. The results are kept; the same command "
            "writes it without training anything anew."
        ) from error
