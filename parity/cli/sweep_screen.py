"""What people see of a sweep: a table that grows while seeds come in, and the one at its end."""

from __future__ import annotations

import time
from collections import defaultdict
from types import TracebackType

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from parity.core.statistics import PairedComparison
from parity.report.native import points
from parity.sweep.board import Board, BoardRow
from parity.sweep.job import SweepJob

_STYLES = {"equal": "bold green", "different": "bold red", "undecided": "yellow"}
_EVERY = 30.0
"""Seconds between two lines in a log."""


class Display:
    """Progress on standard error: a live table in a terminal, now and then a line in a log."""

    def __init__(self, board: Board, places: int) -> None:
        self._board, self._places = board, places
        self._console = Console(stderr=True)
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._said = time.monotonic()

    def __enter__(self) -> Display:
        if self._console.is_terminal:
            self._live.start()
            self.show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._live.stop()

    def show(self) -> None:
        """What is known now."""
        if self._console.is_terminal:
            self._live.update(Group(table(self._board), Text(self.words())), refresh=True)
        elif time.monotonic() - self._said > _EVERY:
            self._said = time.monotonic()
            self._console.print(self.words(), highlight=False, soft_wrap=True)

    def words(self) -> str:
        """``7 of 48 jobs, 4 taken over; 3 min left``."""
        board = self._board
        waiting = len(board.waiting)
        ended = board.done + board.reused + len(board.failed)
        told = f"{ended:,} of {ended + waiting:,} jobs"
        told += f", {board.reused:,} of them taken over" if board.reused else ""
        told += f", {len(board.failed):,} failed" if board.failed else ""
        left = seconds_left(board, self._places)
        return told if left is None or not waiting else f"{told}; {duration(left)} left"


def seconds_left(board: Board, places: int) -> float | None:
    """How long what waits will probably take, from jobs of its kind; None while none has ended."""
    kinds: dict[tuple[str, ...], list[float]] = defaultdict(list)
    for job, summary in board.found.items():
        for kind in _kinds(job):
            kinds[kind].append(summary.seconds)
    total = 0.0
    for job in board.waiting:
        known = next((kinds[kind] for kind in _kinds(job) if kind in kinds), None)
        if known is None:
            return None
        total += sum(known) / len(known)
    return total / places


def _kinds(job: SweepJob) -> tuple[tuple[str, ...], ...]:
    return (job.example, job.side, job.setting), (job.example, job.side), (job.example,)


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def table(board: Board) -> Table:
    """A line an example and division."""
    title = "PyTorch minus Keras, test accuracy in points"
    found = Table(title=title, title_justify="left", box=box.SIMPLE, padding=(0, 1, 0, 0))
    for heading in ("example", "division", "seeds", "gap", "interval", "verdict"):
        right = heading in ("seeds", "gap", "interval")
        whole = heading != "verdict"  # the one column that may be of two lines
        found.add_column(heading, justify="right" if right else "left", no_wrap=whole)
    for row in board.rows:
        words = row.words
        words += f" (decided after {len(row.seeds)} seeds)" if row.stopped else ""
        mean = row.comparison.mean
        found.add_row(
            row.example,
            row.division,
            f"{len(row.seeds)}/{board.request.seeds}",
            "–" if mean is None else points(mean),
            interval(row.comparison),
            Text(words, style=_STYLES[row.verdict.answer] if row.final else "dim"),
        )
    return found


def interval(comparison: PairedComparison) -> str:
    """``−0.12 … +0.31``, with its level where that is not 90 %."""
    found = comparison.interval
    if found is None:
        return "–"
    level = "" if comparison.looks == 1 else f" ({found.level:.1%})"
    return f"{points(found.low)} … {points(found.high)}{level}"


def outcome(board: Board) -> list[RenderableType]:
    """Everything for the screen when the sweep has ended."""
    parts: list[RenderableType] = [table(board)]
    parts += [Text(line) for row in board.rows if row.seeds for line in _lines(board, row)]
    jobs = f"jobs: {board.done:,} done, {board.reused:,} taken over, {len(board.failed):,} failed"
    jobs += f", {len(board.waiting):,} still to be done" if board.waiting else ""
    return [*parts, Text(jobs)]


def _lines(board: Board, row: BoardRow) -> list[str]:
    found = board.details(row)
    turned = found["churn"]
    shares = {
        "two seeds of PyTorch": turned.left,
        "two of Keras": turned.right,
        "one of each": turned.across,
        "both at the same seed": turned.paired,
    }
    told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items() if share is not None)
    single = found["mcnemar"]
    apart = sum(one.p <= 0.05 for one in single)
    lines = [f"{row.example}, {row.division}: other predictions between {told}"] if told else []
    lines.append(f"  {apart} of {len(single)} single pairs of runs part by McNemar's test at 5 %")
    classes = found["classes"]
    at = max(classes, key=lambda c: abs(classes[c].mean or 0.0), default=None)
    if at is not None and classes[at].mean is not None:
        told = f"{classes[at].mean:+.2f} [{interval(classes[at])}]"
        lines.append(f"  widest gap of a class: {told}, class {at}")
    return lines


__all__ = ["Display", "duration", "interval", "outcome", "seconds_left", "table"]
