"""The options of ``parity bench``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from parity.cli.options import MOST_EPOCHS, MOST_THREADS


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(help="Examples; all that train if none is named.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="The whole data.")] = False,
    train: Annotated[int | None, typer.Option(min=1, help="Only so many training samples.")] = None,
    epochs: Annotated[
        int,
        typer.Option(
            min=1,
            max=MOST_EPOCHS,
            help="Timed epochs of a process, behind one that warms up.",
        ),
    ] = 1,
    runs: Annotated[int, typer.Option(min=2, help="Processes of each kind.")] = 5,
    way: Annotated[
        list[str] | None,
        typer.Option(help="Only tutorial, idiomatic, fast or limit; can be repeated."),
    ] = None,
    ways: Annotated[
        bool, typer.Option("--ways/--no-ways", help="None of them: only --modes or --sweep.")
    ] = True,
    side: Annotated[
        list[str] | None, typer.Option(help="Only torch or keras; can be repeated.")
    ] = None,
    modes: Annotated[
        bool, typer.Option("--modes", help="Also eager and compiled steps of both.")
    ] = False,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="Also other batch sizes, widths, numbers of samples.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option(help="Folder for performance.md, its figures and its JSON.")
    ] = None,
    torch_python: Annotated[str | None, typer.Option(help="Interpreter that has PyTorch.")] = None,
    keras_python: Annotated[str | None, typer.Option(help="Interpreter that has Keras.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=MOST_THREADS, help="CPU threads. Default: as many as cores."),
    ] = None,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=1e6, help="Seconds after which one process is stopped.")
    ] = 1800.0,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
) -> None:
    """How long does each side take? Timed fairly, beside the machine's limit."""
    # Imported here: what is slow to import must not slow down the help.
    from parity.cli import lessons

    suite = lessons.suite()
    from parity.cli import bench_command  # its libraries are there where the lessons are

    result = bench_command.bench_command(
        suite,
        specs=[lessons.example(suite, name) for name in dict.fromkeys(names or [])],
        full=full,
        train=train,
        epochs=epochs,
        runs=runs,
        ways=(way or []) if ways else None,
        sides=side or [],
        modes=modes,
        sweep=sweep,
        report=report,
        pythons={"torch": torch_python, "keras": keras_python},
        threads=threads,
        timeout=timeout,
        quiet=as_json,
    )
    if as_json:
        from parity.bench.result import to_json

        print(json.dumps(to_json(result), indent=2, allow_nan=False))
