"""Verdicts and recordings → Markdown, figures and JSON twins, in one folder.

In: `ReportInput`s, verdicts with the recordings they are of. Out: files; the same input gives the
same bytes. `write` is all that others call; Matplotlib is loaded when something is drawn, not
before. Read `result`, `pages` (one page an example), `index`, `documents` (the JSON twins); what
pages are made of: `tables`, `sentences`, `accuracy`, `classes`, `series` and `parting` (numbers
behind figures), `plots`, `gaps` and `bars` (figures), `sources` (both programs), `formatting`,
`files` (written whole or not at all); pages of their own: `differences`, `defaults` with `repairs`,
`native`, `backends`, `performance` with `bench_tables`, `checks`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from parity.report.result import ReportInput
from parity.spec.suite import Suite

__all__ = ["ReportInput", "write", "write_backends", "write_native"]


def write(
    suite: Suite,
    results: Sequence[ReportInput],
    folder: Path,
    current: Callable[[ReportInput], bool] = lambda result: False,
    on_written: Callable[[ReportInput, list[Path]], None] = lambda result, files: None,
) -> list[Path]:
    """Write a page, its figures and its JSON twin for every result, then the index.

    Examples that are not among the results keep their pages, on which sources that have changed
    are shown as they are now; the index reads them from their JSON twins, and names those that
    were never run. The same results give the same bytes.

    Args:
        suite: the examples, in the order of the index.
        results: verdicts with the recordings they were made from.
        folder: where the reports live; made if it is not there.
        current: whether the pages of a result are there as they would be drawn; then they are not.
        on_written: told which files were written for a result.

    Returns:
        Every file written.
    """
    from parity.report import native, sources  # noqa: PLC0415
    from parity.report.index import write as write_index  # noqa: PLC0415

    written: list[Path] = []
    for result in results:
        if not (current(result) and native.stands(folder, result.spec.name)):
            files = _page(suite, result, folder)
            on_written(result, files)
            written += files
    written += [path for path in sources.place(suite, folder) if path not in written]
    return [*written, *write_index(suite, {r.verdict.spec.name for r in results}, folder)]


def write_native(suite: Suite, folder: Path) -> list[Path]:
    """Put the results of a sweep, ``sweep.json`` in the folder, on the pages and into the index.

    Returns:
        Every file written; none where no report has been made yet.
    """
    from parity.report import native  # noqa: PLC0415
    from parity.report.index import run_now  # noqa: PLC0415
    from parity.report.index import write as write_index  # noqa: PLC0415

    now = run_now(folder)
    return [] if now is None else [*native.place(folder), *write_index(suite, now, folder)]


def write_backends(results: Sequence[ReportInput], folder: Path) -> list[Path]:
    """Write ``backends.md`` and its JSON twin: Keras' `fit` on its backends.

    Args:
        results: of examples that `parity.spec.backends.on_backends` made.
        folder: where the reports live.

    Returns:
        Both files, the page first.
    """
    from parity.report import backends  # noqa: PLC0415

    return backends.write(results, folder)


def _page(suite: Suite, result: ReportInput, folder: Path) -> list[Path]:
    # Imported here because drawing loads Matplotlib.
    from parity.report.differences import write as write_differences  # noqa: PLC0415
    from parity.report.pages import write as write_page  # noqa: PLC0415

    own = write_differences if result.spec is suite.differences else write_page
    return own(suite, result, folder)
