"""What ``parity bench`` does with its options."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from shared.bench import session, words
from shared.bench.job import WAYS
from shared.bench.result import Result
from shared.bench.session import Request, Say
from shared.errors import UsageError
from shared.runner import Options
from shared.session import side_named
from shared.spec import SIDES, ExampleSpec
from shared.suite_spec import Suite


def carry_out(
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
) -> Result:
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
        **rest: fields of `Request`.

    Raises:
        UsageError: an option that names nothing.
    """
    if strange := [way for way in ways or () if way not in WAYS]:
        raise UsageError(f"--way '{strange[0]}': expected {', '.join(WAYS)}.")
    chosen = {side_named(side) for side in sides}
    options = Options(
        pythons={side_named(s): p for s, p in pythons.items() if p},
        threads=threads or os.cpu_count() or 1,
        timeout=timeout,
    )
    request = Request(
        suite=suite,
        specs=tuple(specs) or tuple(spec for spec in suite.examples if spec.training),
        ways=() if ways is None else tuple(way for way in WAYS if way in ways) or WAYS,
        sides=tuple(side for side in SIDES if side in chosen) or SIDES,
        options=options,
        **rest,
    )
    with _telling() as say:
        result = session.carry_out(request, say)
    if not quiet:
        console = Console()
        for part in words.screen(result):
            console.print(part, highlight=False)
    if report is not None:
        from shared.report import performance  # noqa: PLC0415  # Matplotlib is slow to import

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
