"""The page on performance: what ``parity bench`` measured, as tables and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.bench import statistics
from shared.bench.job import MODES, WAYS
from shared.bench.result import Measurement, Ratio, Result, to_json
from shared.bench.words import COLUMNS, cell, interval
from shared.report import bars, documents
from shared.report.files import render, save
from shared.report.words import count, listed, number
from shared.spec import SIDES, TITLES

NAME = "performance"
_MEANT = {
    "tutorial": "as the usual tutorials write it: torchvision's items through `ToTensor` and "
    "`DataLoader`; `compile` and `fit` on NumPy arrays, with their defaults",
    "idiomatic": "the example's own training function, as people read it, fed by the suite",
    "fast": "the same steps on data in memory as tensors, as fast as the suite can",
    "limit": "the same matrix products and convolutions alone, in the same library and threads",
}


@dataclass(frozen=True)
class _Part:
    """What the page says of one example."""

    name: str
    figure: str
    rows: list[dict[str, str]]
    ratios: list[dict[str, str]]
    sides: list[dict[str, str]]
    modes: list[dict[str, str]]
    sweep: str
    swept: list[dict[str, str]]
    facts: list[str]


def write(result: Result, folder: Path) -> list[Path]:
    """Write ``performance.md``, its figures and its JSON twin; old figures of it go.

    Returns:
        Every file written.
    """
    written: list[Path] = []
    parts = []
    for example in result.examples:
        figures = _figures(result, example)
        written += [save(folder / "figures" / file, made) for file, made in figures.items()]
        parts.append(_part(result, example, set(figures)))
    for old in (folder / "figures").glob(f"{NAME}-*.png"):
        if old not in written:
            old.unlink()
    text = render(
        NAME, machine=result.machine, plan=result.plan, loads=_loads(result), parts=parts,
        headings=[COLUMNS[what] for what in COLUMNS], ways=_meant(result),
        versions=_versions(result), enough=statistics.ENOUGH,
    )  # fmt: skip
    twin = documents.to_text(to_json(result))
    return [save(folder / f"{NAME}.md", text), save(folder / f"{NAME}.json", twin), *written]


def _figures(result: Result, example: str) -> dict[str, bytes]:
    """Those of one example, by file name."""
    panes = [
        ("seconds an epoch (shorter is faster)", _of(result.measurements, example, "epoch")),
        ("milliseconds a step, eager and compiled", _of(result.modes, example, "step")),
    ]
    figures = {}
    if drawn := [(heading, rows) for heading, rows in panes if rows]:
        figures[f"{NAME}-{example}.png"] = bars.epochs(drawn)
    if swept := _of(result.sweep, example, "epoch"):
        figures[f"{NAME}-{example}-sweep.png"] = bars.sweep(swept)
    return figures


def _of(rows: Sequence[Measurement], example: str, what: str) -> list[Measurement]:
    return [
        m for side in SIDES for m in rows if (m.example, m.side, m.what) == (example, side, what)
    ]


def _part(result: Result, example: str, figures: set[str]) -> _Part:
    own = [r for r in result.ratios if r.example == example]
    modes = tuple(dict.fromkeys(mode for side in SIDES for mode in MODES[side]))
    bar, grown = f"{NAME}-{example}.png", f"{NAME}-{example}-sweep.png"
    return _Part(
        example,
        bar if bar in figures else "",
        _rows(result, example, WAYS),
        [_ratio(r) for r in own if r.side],
        [_sides(r) for r in own if r.way],
        _rows(result, example, modes),
        grown if grown in figures else "",
        _swept(_of(result.sweep, example, "epoch")),
        _facts(result, example),
    )


def _rows(result: Result, example: str, ways: Sequence[str]) -> list[dict[str, str]]:
    rows = []
    for side in SIDES:
        for way in ways:
            cells = [result.of(example, side, way, what) for what in COLUMNS]
            if any(cells):
                rows.append({"way": f"{TITLES[side]}, {way}", "cells": [cell(c) for c in cells]})
    return rows  # type: ignore[return-value]


def _ratio(ratio: Ratio) -> dict[str, str]:
    titles: dict[str, str] = dict(TITLES.items())
    return {
        "side": titles[ratio.side],
        "of": f"{ratio.of} / {ratio.to}",
        "ratio": f"{ratio.mark}{interval(ratio.interval)}",
    }


def _sides(ratio: Ratio) -> dict[str, str]:
    """The two sides in one way; one of them is called faster only if the interval says so."""
    words = "not told apart"
    if ratio.interval.significant:
        less, more = SIDES if ratio.interval.high < 1 else reversed(SIDES)
        words = f"{TITLES[less]} takes less time than {TITLES[more]}"
    return {"way": ratio.way, "ratio": f"{ratio.mark}{interval(ratio.interval)}", "words": words}


def _swept(rows: Sequence[Measurement]) -> list[dict[str, str]]:
    at = {(m.over, m.at, m.side): m for m in rows}
    return [
        {
            "over": bars.AXES[over],
            "at": f"{value:,}",
            **{side: cell(at.get((over, value, side))) for side in SIDES},
        }
        for over, value in dict.fromkeys((m.over, m.at) for m in rows)
    ]


def _facts(result: Result, example: str) -> list[str]:
    """What the ways chose by themselves."""
    told = []
    for way, facts in result.facts.get(example, {}).items():
        own = [f"{name}: {value}" for name, value in facts.items() if name not in _VERSIONS]
        told += [f"`{way}`: {', '.join(own)}"] if own else []
    return told


_VERSIONS = ("torch", "torchvision", "keras", "tensorflow")


def _versions(result: Result) -> str:
    found = {
        name: value
        for of in result.facts.values()
        for facts in of.values()
        for name, value in facts.items()
        if name in _VERSIONS
    }
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _meant(result: Result) -> list[tuple[str, str]]:
    measured = {m.way for m in result.measurements}
    return [(way, words) for way, words in _MEANT.items() if way in measured]


def _loads(result: Result) -> str:
    """What else loaded the machine, in words; empty if nothing did."""
    loads: list[dict[str, Any]] = list(result.machine["other_load"])
    if not loads:
        return ""
    share = sum(load["percent"] for load in loads)
    names = listed([f"`{load['command'] or load['pid']}`" for load in loads[:3]])
    more = f" and {len(loads) - 3} more" if len(loads) > 3 else ""
    processes = count(len(loads), "process").replace("processs", "processes")
    return f"{processes} used {number(share)} % of a core before the start: {names}{more}"
