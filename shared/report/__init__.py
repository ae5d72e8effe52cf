"""Verdicts and recordings → Markdown, figures and JSON twins, in one folder.

`write` is all that others call. Matplotlib is loaded when something is drawn, not before.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from shared.differences import DIFFERENCES
from shared.report.result import Result

__all__ = ["Result", "write", "write_native"]


def write(
    results: Sequence[Result],
    folder: Path,
    current: Callable[[Result], bool] = lambda result: False,
    on_written: Callable[[Result, list[Path]], None] = lambda result, files: None,
) -> list[Path]:
    """Write a page, its figures and its JSON twin for every result, then the index.

    Examples that are not among the results keep their pages, on which sources that have changed
    are shown as they are now; the index reads them from their JSON twins, and names those that
    were never run. The same results give the same bytes.

    Args:
        results: verdicts with the recordings they were made from.
        folder: where the reports live; made if it is not there.
        current: whether the pages of a result are there as they would be drawn; then they are not.
        on_written: told which files were written for a result.

    Returns:
        Every file written.
    """
    from shared.report import native, sources  # noqa: PLC0415
    from shared.report.index import write as write_index  # noqa: PLC0415

    written: list[Path] = []
    for result in results:
        if not (current(result) and native.stands(folder, result.spec.name)):
            files = _page(result, folder)
            on_written(result, files)
            written += files
    written += [path for path in sources.place(folder) if path not in written]
    return [*written, *write_index({r.verdict.spec.name for r in results}, folder)]


def write_native(folder: Path) -> list[Path]:
    """Put the results of a sweep, ``sweep.json`` in the folder, on the pages and into the index.

    Returns:
        Every file written; none where no report has been made yet.
    """
    from shared.report import native  # noqa: PLC0415
    from shared.report.index import run_now  # noqa: PLC0415
    from shared.report.index import write as write_index  # noqa: PLC0415

    now = run_now(folder)
    return [] if now is None else [*native.place(folder), *write_index(now, folder)]


def _page(result: Result, folder: Path) -> list[Path]:
    # Imported here because drawing loads Matplotlib.
    from shared.report.differences import write as write_differences  # noqa: PLC0415
    from shared.report.pages import write as write_page  # noqa: PLC0415

    return (write_differences if result.spec is DIFFERENCES else write_page)(result, folder)
