"""The options of ``parity sweep``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from parity.cli.options import (
    MOST_THREADS,
    AsJson,
    Epochs,
    Full,
    KerasPython,
    Names,
    Test,
    Threads,
    TorchPython,
    Train,
)


def sweep(
    names: Names = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds 1 to so many.")] = 12,
    margin: Annotated[
        float, typer.Option(min=0.001, max=100, help="Points of accuracy that count as equal.")
    ] = 0.5,
    division: Annotated[
        list[str] | None, typer.Option(help="Only native or matched; can be repeated.")
    ] = None,
    attribution: Annotated[
        bool, typer.Option("--attribution", help="Also every step between native and matched.")
    ] = False,
    full: Full = False,
    train: Train = None,
    test: Test = None,
    epochs: Epochs = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_THREADS, help="Jobs at once. Default: cores / --threads."),
    ] = None,
    threads: Threads = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Dask scheduler, tcp://host:8786 or its file, in place of --workers."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for results. Default: the user's cache.")
    ] = None,
    resume: Annotated[bool, typer.Option(help="Take over what is finished.")] = True,
    finished: Annotated[
        bool, typer.Option("--finished", help="Only what follows from what is finished.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="Take what is whole out of a damaged file first.")
    ] = False,
    stop_when_decided: Annotated[
        bool,
        typer.Option(
            "--stop-when-decided", help="End an example early, at one of three corrected looks."
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder of the reports, for what they say of this.")
    ] = None,
    details: Annotated[
        Path | None, typer.Option(help="JSON file for everything behind the verdicts.")
    ] = None,
    torch_python: TorchPython = None,
    keras_python: KerasPython = None,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1, max=1e6, help="Seconds without a sign of life; then a job is stopped."
        ),
    ] = 1800.0,
    as_json: AsJson = False,
) -> None:
    """Are both sides equally good? Many seeds, native and matched, here or on a cluster.

    Exit codes: 0 equal within the margin, 1 some differ, 2 undecided or failed.
    """
    # Imported here: what is slow to import must not slow down the help.
    from parity.cli import lessons

    suite = lessons.suite()
    from parity.cli import sweep_command  # its libraries are there where the lessons are
    from parity.sweep.plan import DIVISIONS, SweepRequest

    request = SweepRequest(
        suite,
        specs=tuple(lessons.example(suite, name) for name in dict.fromkeys(names or [])),
        seeds=seeds,
        margin=margin,
        divisions=tuple(dict.fromkeys(division or DIVISIONS)),
        attribution=attribution,
        full=full,
        train=train,
        test=test,
        epochs=epochs,
        threads=threads,
        stop=stop_when_decided,
    )
    code = sweep_command.sweep_command(
        request,
        workers=workers,
        scheduler=scheduler,
        out=out,
        resume=resume,
        finished=finished,
        repair=repair,
        dry_run=dry_run,
        pythons={"torch": torch_python, "keras": keras_python},
        timeout=timeout,
        report=report,
        details=details,
        quiet=as_json,
    )
    raise typer.Exit(code)
