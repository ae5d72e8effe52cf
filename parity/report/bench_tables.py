"""What `parity bench` measured, as tables, and the cells that the page on performance takes."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from parity.bench.job import MODES, WAYS
from parity.bench.result import BenchResult, Measurement, Ratio
from parity.bench.statistics import MedianInterval
from parity.core.sides import SIDES, TITLES
from parity.report.formatting import NONE, number

COLUMNS = {
    "epoch": "epoch, s",
    "step": "step, ms",
    "first_step": "first step, s",
    "build": "build, s",
    "import": "import, s",
    "loader": "loader, s",
    "memory": "memory, MiB",
}

_WRITTEN = {"idiomatic": "custom loop", "fast": "fast path"}
_TUTORIALS = {"torch": "DataLoader (tutorial)", "keras": "fit (tutorial)"}
"""Way → what people call it, where `--way` has another word; a tutorial's in each framework."""

SHOWN = {"step": 1000.0}
"""What is shown in another unit than measured: steps in milliseconds."""


def written(side: str, way: str) -> str:
    """A way as people call it who write it."""
    return _TUTORIALS[side] if way == "tutorial" else _WRITTEN.get(way, way)


def both(way: str) -> str:
    """A way as it is called in both frameworks."""
    return " / ".join(dict.fromkeys(written(side, way) for side in SIDES))


def screen(result: BenchResult) -> Iterator[RenderableType]:
    """Everything that was measured, an example after the other."""
    yield _load(result)
    for example in result.examples:
        yield _table(example, result, WAYS, result.measurements)
        for ratio in (r for r in result.ratios if r.example == example):
            yield Text(f"  {sentence(ratio)}")
        if any(m.example == example for m in result.modes):
            modes = tuple(dict.fromkeys(mode for side in SIDES for mode in MODES[side]))
            yield _table(example, result, modes, result.modes)
        if some := [m for m in result.sweep if m.example == example and m.what == "epoch"]:
            yield _sweep(some)


def _load(result: BenchResult) -> Text:
    machine = result.machine
    text = f"{machine['cpu']}, {machine['cores']} cores, {machine['threads']} threads"
    loads = [f"{x['command'] or x['pid']} ({x['percent']:.0f} %)" for x in machine["other_load"]]
    return Text(f"{text}; other load: {', '.join(loads) or 'none'}")


def _table(
    example: str, result: BenchResult, ways: tuple[str, ...], rows: tuple[Measurement, ...]
) -> Table:
    table = Table(title=example, title_justify="left")
    table.add_column("side, way")
    for heading in COLUMNS.values():
        table.add_column(heading, justify="right")
    for side in SIDES:
        for way in ways:
            if any((m.example, m.side, m.way) == (example, side, way) for m in rows):
                cells = (result.of(example, side, way, what) for what in COLUMNS)
                table.add_row(f"{TITLES[side]}, {written(side, way)}", *map(cell, cells))
    return table


def cell(measurement: Measurement | None) -> str:
    """``1.2 [1.1, 1.3]``, steps in milliseconds."""
    if measurement is None:
        return NONE
    some = measurement.interval
    if measurement.what == "memory":
        return f"{some.median:,.0f} [{some.low:,.0f}, {some.high:,.0f}]"
    return interval(some, SHOWN.get(measurement.what, 1.0))


def interval(some: MedianInterval, factor: float = 1.0) -> str:
    """Median, and in brackets its interval."""
    median, low, high = (number(x * factor) for x in (some.median, some.low, some.high))
    return f"{median} [{low}, {high}]"


def sentence(ratio: Ratio) -> str:
    """A ratio in words; nothing is faster than anything unless its interval says so."""
    titles: dict[str, str] = dict(TITLES.items())
    if ratio.side:
        names = [written(ratio.side, way) for way in (ratio.of, ratio.to)]
        where = titles[ratio.side]
    else:
        names, where = [titles[ratio.of], titles[ratio.to]], both(ratio.way)
    told = f"{where}: {names[0]} / {names[1]}, an epoch: {ratio.mark}{interval(ratio.interval)}"
    return told if ratio.interval.significant else f"{told}, not told apart"


def _sweep(rows: list[Measurement]) -> Table:
    table = Table(title="fast path, an epoch, s", title_justify="left")
    for heading in ("changed", "to", *(TITLES[side] for side in SIDES)):
        table.add_column(heading, justify="right")
    at = {(m.over, m.at, m.side): m for m in rows}
    for over, value in dict.fromkeys((m.over, m.at) for m in rows):
        table.add_row(over, f"{value:,}", *(cell(at.get((over, value, side))) for side in SIDES))
    return table


__all__ = ["COLUMNS", "SHOWN", "both", "cell", "interval", "screen", "sentence", "written"]
