"""What people see: progress on standard error, verdicts on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType

from rich.console import Console, Group
from rich.markup import escape
from rich.panel import Panel
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from parity.comparator.noise import C
from parity.core.sides import TITLES, Side
from parity.run.pipeline import RunOutcome
from parity.run.pool import Event
from parity.spec.example import ExampleSpec
from parity.training.job import RecordingJob
from parity.verdict import wording
from parity.verdict.judgement import ExampleVerdict, Level, PairVerdict

_STYLES = {
    "identical": "green",
    "rounding": "green",
    "known": "cyan",
    "agree": "bold green",
    "different": "bold red",
    "differ": "bold red",
    "undecided": "yellow",
}
_MARKS = {
    "identical": "exact",
    "rounding": "✓",
    "known": "≈ listed",
    "different": "✗",
    "undecided": "?",
}
_LEGEND = (
    "exact: exactly equal · ✓ 0.06: equal to rounding, worst at 0.06 of its bound · "
    "≈ listed: equal but for listed differences · ✗ different · ? undecided"
)
_WIDE = 140


class RunDisplay:
    """Progress of both workers on standard error: bars in a terminal, lines in a log."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description:<20}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[what]}"),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[Side, TaskID] = {}
        self._done: dict[Side, list[str]] = {}

    def __enter__(self) -> RunDisplay:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, event: Event) -> None:
        """Show an event."""
        task = self._tasks.get(event.side)
        if task is None:
            what = "importing …" if event.job is None else ""
            task = self._bars.add_task(TITLES[event.side], total=None, what=what)
            self._tasks[event.side] = task
        if event.kind == "started" and event.job:
            self._bars.update(task, what=_job_words(event.job), completed=0, total=None)
            if not self._console.is_terminal and self._first_of(event):
                self._console.print(f"{TITLES[event.side]}: {event.job.example}", highlight=False)
        elif event.kind == "progress":
            self._bars.update(task, completed=event.done, total=event.total)

    def verdict(self, found: ExampleVerdict) -> None:
        """Say what came of an example; what there is to know about it comes at the end."""
        told = Text(f"{found.spec.name}: ")
        told.append(found.verdict, style=_STYLES[found.verdict])
        self._console.print(told)

    def _first_of(self, event: Event) -> bool:
        seen = self._done.setdefault(event.side, [])
        assert event.job is not None
        if event.job.example in seen:
            return False
        seen.append(event.job.example)
        return True


def _job_words(job: RecordingJob) -> str:
    return f"{job.example} · {job.way} · {job.precision}{' nudged' if job.nudged else ''}"


class ByteDisplay:
    """Progress of downloads on standard error."""

    def __init__(self) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<32}"),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> ByteDisplay:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def __call__(self, name: str, done: int, total: int | None) -> None:
        """Show bytes so far."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(name, total=total)
        self._bars.update(self._tasks[name], completed=done, total=total)


_ACROSS = 5
"""Pairs that stand side by side on a screen."""


def outcome(console: Console, result: RunOutcome) -> None:
    """All verdicts of a run, side by side, and what to know about them."""
    for shown in result.verdicts:
        console.print(_example(shown, result.data.get(shown.spec.name, "")))
    if result.verdicts:
        console.print(Text(_LEGEND, style="dim"))
    if len(result.verdicts) + len(result.failures) > 1:
        console.print(_verdicts(result))
        console.print(_tally(result), highlight=False)
    made = f"{result.made} recordings made, {result.reused} reused, {result.seconds:.0f} s"
    console.print(made, style="dim", highlight=False)


def _verdicts(result: RunOutcome) -> Table:
    """A line an example: the whole run at one glance, when its panels have scrolled away."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("example", "verdict", "pairs as expected"):
        table.add_column(heading, no_wrap=True)
    for shown in result.verdicts:
        verdict = Text(shown.verdict, style=_STYLES[shown.verdict])
        met = sum(pair.as_expected for pair in shown.pairs)
        table.add_row(shown.spec.name, verdict, f"{met} of {len(shown.pairs)}")
    for name in result.failures:
        table.add_row(name, Text("could not be run", style="red"), "")
    return table


def _tally(result: RunOutcome) -> str:
    """``23 examples: 22 agree, 1 differs``."""
    told = [v.verdict for v in result.verdicts]
    parts = [
        f"[{_STYLES[verdict]}]{told.count(verdict)} {words}[/]"
        for verdict, words in (("agree", "agree"), ("differ", "differ"), ("undecided", "undecided"))
        if verdict in told
    ]
    if result.failures:
        parts.append(f"[red]{len(result.failures)} could not be run[/]")
    return f"{len(told) + len(result.failures)} examples: {', '.join(parts)}"


def _example(shown: ExampleVerdict, data: str) -> Panel:
    rows: list[Table | Text] = [_ladder(shown.pairs)]
    for pair in shown.pairs:
        rows += _pair_notes(pair)
    style = _STYLES[shown.verdict]
    title = f"{shown.spec.name} · [{style}]{shown.verdict}[/]"
    return Panel(
        Group(*rows),
        title=title,
        title_align="left",
        subtitle=escape(data) or None,
        subtitle_align="right",
    )


def _ladder(pairs: Sequence[PairVerdict]) -> Table:
    """Rungs down, pairs across, or where there are many the other way: fits 80 columns."""
    if len(pairs) > _ACROSS:
        return _pairs_down(pairs)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for pair in pairs:
        table.add_column(pair.pair.name)
    for name in dict.fromkeys(name for pair in pairs for name in pair.levels):
        cells = [_level_cell(pair.levels.get(name)) for pair in pairs]
        table.add_row(wording.level_words(name), *cells)
    for precision in ("float64", "float32"):
        if any(precision in pair.agreement for pair in pairs):
            cells = [_agreement(pair, precision) for pair in pairs]
            of = max(pair.agreement.get(precision, (0, 0))[1] for pair in pairs)
            table.add_row(f"same of {of:,} classes, {precision}", *cells)
    for at, side in enumerate(("left", "right")):
        if any(_accuracy(pair, at) for pair in pairs):
            table.add_row(f"test accuracy, {side}", *(Text(_accuracy(p, at)) for p in pairs))
    table.add_row("verdict", *(_verdict_cell(pair) for pair in pairs))
    return table


def _pairs_down(pairs: Sequence[PairVerdict]) -> Table:
    levels = list(dict.fromkeys(name for pair in pairs for name in pair.levels))
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("pair", *levels, "verdict"):
        table.add_column(heading, no_wrap=heading != "pair", overflow="fold")
    for pair in pairs:
        cells = [_level_cell(pair.levels.get(name)) for name in levels]
        table.add_row(pair.pair.name, *cells, _verdict_cell(pair))
    return table


def _verdict_cell(pair: PairVerdict) -> Text:
    if pair.pair.differs_at and pair.as_expected:
        return Text("differ, meant", style="green")
    return Text(pair.verdict, style=_STYLES[pair.verdict])


def _level_cell(level: Level | None) -> Text:
    if level is None:
        return Text("–")
    ratio = f" {level.worst_ratio:.2g}" if level.worst_ratio else ""
    return Text(f"{_MARKS[level.status]}{ratio}", style=_STYLES[level.status])


def _agreement(pair: PairVerdict, precision: str) -> Text:
    same, of = pair.agreement.get(precision, (0, 0))
    return Text(f"{same:,}" if of else "")


def _accuracy(pair: PairVerdict, at: int) -> str:
    value = pair.metrics.get((pair.left, pair.right)[at], {}).get("test_accuracy")
    return "" if value is None else f"{value:.4f}"


def _pair_notes(pair: PairVerdict) -> list[Text]:
    notes = [Text.assemble(("\n" + pair.pair.name, "bold"), f": {pair.pair.title}")]
    if pair.first:
        notes.append(Text(f"  first divergence: {pair.text}", style=_first_style(pair)))
        if pair.others:
            notes.append(Text("  parting on their own as well: " + ", ".join(pair.others)))
        if pair.pair.reason:
            notes.append(Text(f"  why: {pair.pair.reason}", style="dim"))
    elif pair.pair.differs_at:
        notes.append(Text("  expected to differ, but it agrees", style="red"))
    if len(pair.precisions) == 1 and not pair.pair.identical:
        notes.append(
            Text(
                f"Only {pair.precisions[0]} was given: noise cannot be measured, so "
                "torch.testing's default tolerances decided.",
                style="yellow",
            )
        )
    if pair.horizon is not None and pair.horizon < (pair.last_step or 0):
        notes.append(
            Text(
                f"horizon: step {pair.horizon} of {pair.last_step}; beyond it only statistics "
                "speak",
                style="yellow",
            )
        )
    return notes


def _first_style(pair: PairVerdict) -> str:
    return "" if pair.as_expected else "red"


def pair(console: Console, result: PairVerdict) -> None:
    """One pair with its rungs in words: what `parity diff` shows."""
    table = Table(box=None, pad_edge=False)
    for heading in ("rung", "status", "keys", "worst key", "ratio", "would agree with"):
        table.add_column(heading, overflow="fold")
    for name, level in result.levels.items():
        ratio = level.worst_ratio
        table.add_row(
            wording.level_words(name),
            Text(level.status, style=_STYLES[level.status]),
            str(level.keys),
            level.worst_key if ratio or level.status == "different" else "",
            f"{ratio:.2g}" if ratio is not None else "",
            f"C ≥ {ratio * C:.2g}" if ratio else "",
        )
    console.print(table)
    for note in _pair_notes(result)[1:]:
        console.print(note)
    console.print(Text(result.verdict, style=_STYLES[result.verdict]))


def examples(console: Console, specs: Sequence[ExampleSpec]) -> None:
    """The catalogue."""
    table = Table(box=None, pad_edge=False)
    for heading in ("example", "title", "part", "rungs", "dataset"):
        table.add_column(heading, overflow="fold")
    for spec in specs:
        rungs = f"{spec.levels[0]}–{spec.levels[-1]}" if len(spec.levels) > 1 else spec.levels[0]
        dataset = spec.training.dataset if spec.training else ""
        table.add_row(spec.name, spec.title, spec.part, rungs, dataset)
    console.print(table)


def sources(console: Console, files: Mapping[Side, tuple[str, str]]) -> None:
    """Both sources, side by side where the terminal is wide enough."""
    panels = [
        Panel(Syntax(text, "python", theme="ansi_light", word_wrap=True), title=name)
        for name, text in files.values()
    ]
    if console.width < _WIDE:
        for panel in panels:
            console.print(panel)
        return
    grid = Table.grid(expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(*panels)
    console.print(grid)
