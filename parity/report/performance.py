"""The page on performance: what ``parity bench`` measured, as tables and figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.bench import statistics
from parity.bench.job import MODES, WAYS
from parity.bench.result import BenchResult, Measurement, Ratio, from_json, to_json
from parity.core.errors import UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.sides import SIDES, TITLES
from parity.report import bars, documents
from parity.report.bench_tables import COLUMNS, both, cell, interval, written
from parity.report.files import render, save
from parity.report.formatting import count, listed, number
from parity.report.result import SHORT
from parity.spec.suite import Suite

NAME = "performance"
_MEANT = {
    "tutorial": "as most programs do it: in PyTorch torchvision's items through `ToTensor` and a "
    "`DataLoader`, in Keras `compile` and `fit` on NumPy arrays, with their defaults",
    "idiomatic": "the lesson's own `train_step`, in Keras with a `GradientTape`, called once a "
    "batch; the batches lie ready",
    "fast": "the same steps on data in memory as tensors, as fast as the suite can",
    "limit": "the same matrix products and convolutions alone, in the same library and threads",
}


@dataclass(frozen=True)
class _Section:
    """One kind of measurement of an example.

    Attributes:
        bench: number of the bench that made it.
        runs: processes of each kind in it.
        rows: of its table.
        figure: file name.
    """

    bench: int
    runs: int
    rows: list[dict[str, Any]]
    figure: str = ""


@dataclass(frozen=True)
class _Part:
    """What the page says of one example; a section that was not measured is None."""

    name: str
    conclusion: str
    ways: _Section | None
    ratios: list[dict[str, str]]
    sides: list[dict[str, str]]
    modes: _Section | None
    sweep: _Section | None
    facts: list[str]


def write(suite: Suite, result: BenchResult, folder: Path) -> list[Path]:
    """Write ``performance.md``, its figures and its JSON twin; figures of no use any more go.

    What an earlier bench measured stands beside it, unless it was measured anew.

    Returns:
        Every file written.

    Raises:
        UsageError: the twin that is there is none.
    """
    benches = [*_earlier(result, folder), result]
    written: list[Path] = []
    parts = []
    for example in _in_order(suite, benches):
        part, figures = _part(benches, example)
        written += [save(folder / "figures" / file, made) for file, made in figures.items()]
        parts.append(part)
    for old in (folder / "figures").glob(f"{NAME}-*.png"):
        if old not in written:
            old.unlink()
    text = render(
        NAME,
        benches=[_context(bench) for bench in benches],
        parts=parts,
        headings=[COLUMNS[what] for what in COLUMNS],
        ways=_meant(benches),
        enough=statistics.ENOUGH,
        plan=result.plan,
    )
    twin = documents.to_text({"format": JSON_FORMAT, "benches": [to_json(b) for b in benches]})
    return [save(folder / f"{NAME}.md", text), save(folder / f"{NAME}.json", twin), *written]


def _earlier(result: BenchResult, folder: Path) -> list[BenchResult]:
    """What is on the page already and was not measured anew."""
    path = folder / f"{NAME}.json"
    if not path.is_file():
        return []
    try:
        found = json.loads(path.read_text("utf-8"))["benches"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is there, but no twin of a page on performance ({type(error).__name__}). "
            "Expected what --report has written; move it away, and measure again."
        ) from error
    left = [from_json(document).without(result) for document in found]
    return [bench for bench in left if not bench.empty]


def _in_order(suite: Suite, benches: Sequence[BenchResult]) -> list[str]:
    """Every example that was measured, in teaching order."""
    measured = {example for bench in benches for example in bench.examples}
    return [spec.name for spec in suite.examples if spec.name in measured]


def _context(bench: BenchResult) -> dict[str, str]:
    """Where and how one bench measured, for the table of benches."""
    machine, plan = bench.machine, bench.plan
    size = (
        f"first {plan['train']:,} training samples"
        if plan.get("train")
        else ("whole data" if plan.get("full") else "the examples' default sizes")
    )
    return {
        "machine": f"{machine['cpu']}, {count(machine['cores'], 'core')}, "
        f"{machine['memory_gib']} GiB, {count(machine['threads'], 'thread')}",
        "versions": _versions(bench),
        "size": size,
        "runs": f"{plan['runs']} runs, {count(plan['epochs'], 'timed epoch')} each",
        "loads": _loads(bench),
    }


def _part(benches: Sequence[BenchResult], example: str) -> tuple[_Part, dict[str, bytes]]:
    """What the page says of an example, and its figures by file name."""
    figures: dict[str, bytes] = {}
    modes = tuple(dict.fromkeys(mode for side in SIDES for mode in MODES[side]))
    columns = tuple(COLUMNS)  # an epoch of the modes is cut short, and no epoch

    def section(name: str, kind: str, what: str) -> _Section | None:
        for place, bench in enumerate(benches, 1):
            drawn = _of(getattr(bench, kind), example, what)
            if drawn and kind == "sweep":
                figures[name] = bars.sweep(drawn)
                return _Section(place, bench.plan["runs"], _swept(drawn), name)
            if drawn:
                figures[name] = bars.epochs([(_AXES[kind], drawn)])
                whole = kind == "measurements"
                rows = _rows(bench, example, WAYS if whole else modes, columns[not whole :])
                return _Section(place, bench.plan["runs"], rows, name)
        return None

    own = [r for bench in benches for r in bench.ratios if r.example == example]
    part = _Part(
        example,
        _conclusion(own),
        section(f"{NAME}-{example}.png", "measurements", "epoch"),
        [_ratio(r) for r in own if r.side],
        [_sides(r) for r in own if r.way],
        section(f"{NAME}-{example}-modes.png", "modes", "step"),
        section(f"{NAME}-{example}-sweep.png", "sweep", "epoch"),
        [
            fact
            for bench in benches
            if _of(bench.measurements, example, "epoch")  # of the ways, not of modes or a sweep
            for fact in _facts(bench, example)
        ],
    )
    return part, figures


_AXES = {
    "measurements": "seconds an epoch (shorter is faster)",
    "modes": "milliseconds a step, eager and compiled",
}


def _of(rows: Sequence[Measurement], example: str, what: str) -> list[Measurement]:
    return [
        m for side in SIDES for m in rows if (m.example, m.side, m.what) == (example, side, what)
    ]


def _rows(
    result: BenchResult, example: str, ways: Sequence[str], columns: Sequence[str]
) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for side in SIDES:
        for way in ways:
            cells = [result.of(example, side, way, what) for what in columns]
            if any(cells):
                rows.append(
                    {
                        "way": f"{TITLES[side]}, {written(side, way)}",
                        "cells": [cell(c) for c in cells],
                    }
                )
    return rows


def _ratio(ratio: Ratio) -> dict[str, str]:
    titles: dict[str, str] = dict(TITLES.items())
    return {
        "side": titles[ratio.side],
        "of": f"{written(ratio.side, ratio.of)} / {written(ratio.side, ratio.to)}",
        "ratio": f"{ratio.mark}{interval(ratio.interval)}",
    }


def _sides(ratio: Ratio) -> dict[str, str]:
    """The two sides in one way; one of them is called faster only if the interval says so."""
    words = "not told apart"
    if ratio.interval.significant:
        less, more = SIDES if ratio.interval.high < 1 else reversed(SIDES)
        words = f"{TITLES[less]} takes less time than {TITLES[more]}"
    return {
        "way": both(ratio.way),
        "ratio": f"{ratio.mark}{interval(ratio.interval)}",
        "words": words,
    }


def _conclusion(ratios: Sequence[Ratio]) -> str:
    """Which side takes less time, as most programs do it and as fast as it goes."""
    by_way = {ratio.way: ratio for ratio in ratios if ratio.way}
    told = [
        f"{words}, {_less(by_way[way])}"
        for way, words in (("tutorial", "As most programs do it"), ("fast", "as fast as it goes"))
        if way in by_way
    ]
    return f"**{'; '.join(told)}.**" if told else ""


def _less(ratio: Ratio) -> str:
    found = ratio.interval
    if not found.significant:
        return "the two are not told apart"
    quick, times = ("torch", 1 / found.median) if found.high < 1 else ("keras", found.median)
    slow = "keras" if quick == "torch" else "torch"
    return f"{SHORT[quick]} takes less time, and {SHORT[slow]} {number(times, 2)} times as much"


def _swept(rows: Sequence[Measurement]) -> list[dict[str, Any]]:
    at = {(m.over, m.at, m.side): m for m in rows}
    return [
        {
            "over": bars.AXES[over],
            "at": f"{value:,}",
            **{side: cell(at.get((over, value, side))) for side in SIDES},
        }
        for over, value in dict.fromkeys((m.over, m.at) for m in rows)
    ]


def _facts(result: BenchResult, example: str) -> list[str]:
    """What the ways chose by themselves."""
    told = []
    for way, facts in result.facts.get(example, {}).items():
        own = [f"{name}: {value}" for name, value in facts.items() if name not in _VERSIONS]
        told += [f"`{way}`: {', '.join(own)}"] if own else []
    return told


_VERSIONS = ("torch", "torchvision", "keras", "tensorflow")


def _versions(result: BenchResult) -> str:
    found = {
        name: value
        for of in result.facts.values()
        for facts in of.values()
        for name, value in facts.items()
        if name in _VERSIONS
    }
    return ", ".join(f"{name} {value}" for name, value in found.items())


def _meant(benches: Sequence[BenchResult]) -> list[tuple[str, str]]:
    measured = {m.way for bench in benches for m in bench.measurements}
    return [(both(way), words) for way, words in _MEANT.items() if way in measured]


def _loads(result: BenchResult) -> str:
    """What else loaded the machine, in words; empty if nothing did."""
    loads: list[dict[str, Any]] = list(result.machine["other_load"])
    if not loads:
        return ""
    share = sum(load["percent"] for load in loads)
    names = listed([f"`{load['command'] or load['pid']}`" for load in loads[:3]])
    more = f" and {len(loads) - 3} more" if len(loads) > 3 else ""
    processes = count(len(loads), "process").replace("processs", "processes")
    return f"{processes} used {number(share)} % of a core before the start: {names}{more}"
