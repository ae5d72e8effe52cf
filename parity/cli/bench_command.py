"""What ``parity bench`` does with its options."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from parity.bench import session
from parity.bench.job import WAYS
from parity.bench.result import BenchResult
from parity.bench.session import BenchRequest, Say
from parity.cli.writable import expect_folder
from parity.core.errors import InterruptionError, UsageError
from parity.core.sides import SIDES, side_named
from parity.report import bench_tables
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite
from parity.workers.options import WorkerOptions


def bench_command(
    suite: Suite,
    *,
    specs: Sequence[ExampleSpec],
    ways: Sequence[str] | None,
    sides: Sequence[str],
    threads: int | None,
    timeout: float,
    pythons: Mapping[str, str | None],
    report: Path | None,
    quiet: bool,
    **rest: Any,
) -> BenchResult:
    """Measure, print the tables unless `quiet`, and write the page if asked.

    Args:
        suite: the examples.
        specs: what to measure; every example that trains where there are none.
        ways, sides: as they were typed; all where there are none. No way at all for None.
        threads: CPU threads of each process; None for as many as there are cores.
        timeout: seconds for one process.
        pythons: interpreters.
        report: folder of the page.
        quiet: print nothing on standard output.
        **rest: fields of `BenchRequest`.

    Raises:
        UsageError: an option that names nothing.
        InterruptionError: somebody stopped it.
    """
    if report is not None:
        expect_folder(report, "--report")
    if strange := [way for way in ways or () if way not in WAYS]:
        raise UsageError(f"--way '{strange[0]}': expected {', '.join(WAYS)}.")
    chosen = {side_named(side) for side in sides}
    options = WorkerOptions(
        pythons={side_named(s): p for s, p in pythons.items() if p},
        threads=threads or os.cpu_count() or 1,
        timeout=timeout,
    )
    request = BenchRequest(
        suite=suite,
        specs=tuple(specs) or tuple(spec for spec in suite.examples if spec.training),
        ways=() if ways is None else tuple(way for way in WAYS if way in ways) or WAYS,
        sides=tuple(side for side in SIDES if side in chosen) or SIDES,
        options=options,
        **rest,
    )
    try:
        with _telling() as say:
            result = session.run_bench(request, say)
    except KeyboardInterrupt:
        raise InterruptionError(
            "Interrupted. Nothing of this bench is kept; the same command begins it again."
        ) from None
    if not quiet:
        console = Console()
        for part in bench_tables.screen(result):
            console.print(part, highlight=False)
    if report is not None:
        from parity.report import performance  # Matplotlib is slow to import

        written = performance.write(suite, result, report)
        if not quiet:
            print("Written: " + ", ".join(str(path) for path in written))
    return result


@contextlib.contextmanager
def _telling() -> Iterator[Say]:
    """Say on standard error what is being done: a line that moves in a terminal, else nothing."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("starting …") as status:
        yield status.update
