"""The page of the defaults: what each costs, in both directions, and how it is repaired."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.core.errors import UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.sides import SIDES, TITLES
from parity.native.attribution import (
    ENOUGH,
    LEVEL,
    METRICS,
    Attribution,
    AttributionRow,
    Change,
    Metric,
    attribute,
)
from parity.native.defaults import pairs
from parity.native.settings import examples, plan
from parity.native.summary import Summary
from parity.report import documents, gaps
from parity.report.files import render, save
from parity.report.formatting import NONE, count, listed, number, signed
from parity.report.repairs import REPAIRS, Repair
from parity.spec.suite import Suite

NAME = "defaults"


BOLD = 10
"""So many seeds it takes before a number is called clear on the page."""


@dataclass(frozen=True)
class Mistake:
    """A default that differs, what forgetting it costs, and its repair."""

    name: str
    title: str
    torch: str
    keras: str
    repair: Repair
    rows: list[dict[str, str]]
    missing: list[str]


@dataclass(frozen=True)
class DefaultSection:
    """What the page says of one example."""

    title: str
    figure: str
    alt: str
    seeds: int
    lead: str
    steps: list[dict[str, str]]
    rows: list[dict[str, str]]
    missing: list[str]


def write(
    suite: Suite,
    summaries: Iterable[Summary],
    folder: Path,
    data: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write ``defaults.md``, its figures and its JSON twin; figures of no use any more go.

    What an earlier sweep said of other examples stays.

    Args:
        suite: the examples.
        summaries: of a sweep.
        folder: where the reports live.
        data: example → on what it was measured.

    Returns:
        Every file written.

    Raises:
        UsageError: the twin that is there is none.
    """
    now = attributions(suite, list(summaries))
    earlier, told = _earlier(folder, {found.example for found in now})
    every = sorted([*now, *earlier], key=lambda found: _place(suite, found))
    told |= {found.example: (data or {}).get(found.example, "") for found in now}
    written = [save(folder / "figures" / _figure(found), gaps.waterfall(found)) for found in every]
    for old in (folder / "figures").glob(f"{NAME}-*.png"):
        if old not in written:
            old.unlink()
    twin = documents.to_text(document(every, told))
    return [
        save(folder / f"{NAME}.md", page(suite, every, told)),
        save(folder / f"{NAME}.json", twin),
        *written,
    ]


def _earlier(folder: Path, now: Set[str]) -> tuple[list[Attribution], dict[str, str]]:
    """What the page says already of other examples, and on what that was measured."""
    path = folder / f"{NAME}.json"
    if not path.is_file():
        return [], {}
    try:
        kept = [
            part
            for part in json.loads(path.read_text("utf-8"))["examples"]
            if part["example"] not in now
        ]
        told = {part["example"]: part.get("data", "") for part in kept}
        return [Attribution.from_dict(part) for part in kept], told
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is there, but no twin of the page of the defaults ({type(error).__name__}). "
            "Expected what --report has written; move it away, and repeat this command, which "
            "trains nothing anew."
        ) from error


def _place(suite: Suite, found: Attribution) -> int:
    """In teaching order; what no example has any more comes last."""
    every = [(spec.name, pair.name) for spec in examples(suite) for pair in pairs(spec)]
    key = found.example, found.pair
    return every.index(key) if key in every else len(every)


def attributions(suite: Suite, summaries: Sequence[Summary]) -> list[Attribution]:
    """Of every example and pair that has the whole chain, in teaching order."""
    found = [
        attribute(suite, spec.name, summaries, pair.name)
        for spec in examples(suite)
        for pair in pairs(spec)
    ]
    return [some for some in found if some is not None]


def document(every: Sequence[Attribution], data: Mapping[str, str]) -> dict[str, Any]:
    """All that the page says, as one JSON document. Accuracies are in points."""
    return {
        "format": JSON_FORMAT,
        "level": LEVEL,
        "examples": [
            {**dataclasses.asdict(found), "data": data.get(found.example, "")} for found in every
        ],
    }


def page(suite: Suite, every: Sequence[Attribution], data: Mapping[str, str]) -> str:
    """The Markdown."""
    return render(
        NAME,
        data=_data({found.example: data.get(found.example, "") for found in every}),
        finding=_finding(every),
        level=f"{100 * LEVEL:g}",
        enough=BOLD,
        few=[_title(suite, f) for f in every if len(f.seeds) < ENOUGH],
        mistakes=_mistakes(suite, every),
        lacking=_lacking(suite, every),
        parts=[_part(suite, found) for found in every],
    )


def _finding(every: Sequence[Attribution]) -> str:
    """What the page comes to, in two sentences: how many prices in accuracy are clear."""
    priced = [
        (row, row.given["accuracy"])
        for found in every
        for row in found.rows
        if row.given and row.default in REPAIRS
    ]
    clear = [some for some in priced if cell(some[1]).startswith("**")]
    if not priced:
        return ""
    if not clear:
        return (
            f"**No default moves accuracy clearly.** None of {len(priced)} prices is told apart "
            "from 0."
        )
    row, change = max(clear, key=lambda some: abs(some[1].mean))
    return (
        f"**Hardly any default moves accuracy clearly.** Of {count(len(priced), 'price')}, "
        f"{len(clear)} {'is' if len(clear) == 1 else 'are'} told apart from 0; by chance it would "
        f"be one in twenty. The largest is {signed(change.mean)} points, of the {row.title}."
    )


def _data(described: Mapping[str, str]) -> str:
    """On what it was measured, in a line for people."""
    alike: dict[str, list[str]] = {}
    for name, data in described.items():
        alike.setdefault(data, []).append(name)
    lines = [f"{', '.join(names)}: {data}" for data, names in alike.items() if data]
    return "; ".join(lines) + "." if lines else ""


def _title(suite: Suite, found: Attribution) -> str:
    first = next(pairs(spec)[0].name for spec in examples(suite) if spec.name == found.example)
    return found.example if found.pair == first else f"{found.example}, {found.pair}"


def _figure(found: Attribution) -> str:
    return f"{NAME}-{found.example}-{found.pair}.png"


def _lacking(suite: Suite, every: Sequence[Attribution]) -> str:
    """The defaults that no example on the page has, though others do."""
    has = {row.default for found in every for row in found.rows}
    known = {
        default.name: default.title
        for spec in examples(suite)
        for pair in pairs(spec)
        for side in SIDES
        for default in plan(suite, spec.name, side, pair.name).defaults
    }
    return listed([title for name, title in known.items() if name not in has])


def _mistakes(suite: Suite, every: Sequence[Attribution]) -> list[Mistake]:
    told = []
    for name, repair in REPAIRS.items():
        rows, both, missing = [], {}, []
        for found in every:
            own = {row.side: row for row in found.rows if row.default == name}
            if not own:
                continue
            if not all(row.given for row in own.values()):
                missing.append(_title(suite, found))
            else:
                both = own
                rows.append(
                    {"example": _title(suite, found), "seeds": _seeds(own.values())}
                    | {
                        f"{side}_{metric}": cell(row.given.get(metric))
                        for side, row in own.items()
                        for metric in METRICS
                    }
                )
        if rows:
            torch, keras = both["torch"], both["keras"]
            told.append(
                Mistake(name, torch.title, torch.native, keras.native, repair, rows, missing)
            )
    return told


def _seeds(rows: Iterable[AttributionRow]) -> str:
    """``12``, or ``8 to 12`` where the sides have not the same."""
    every = sorted({row.given["accuracy"].seeds for row in rows})
    return " to ".join(map(str, dict.fromkeys((every[0], every[-1]))))


def _part(suite: Suite, found: Attribution) -> DefaultSection:
    native, matched = found.native["accuracy"], found.matched["accuracy"]
    steps = [_step("native gap", found.native, None)]
    steps += [_step(_told(f"{s.title} matched", luck=s.luck), s.gap, native) for s in found.steps]
    steps.append(_step("matched gap", found.matched, None))
    return DefaultSection(
        _title(suite, found),
        _figure(found),
        f"Waterfall of {_title(suite, found)}: from a native gap of {number(native.mean, 2)} "
        f"points, one default at a time, to a matched gap of {number(matched.mean, 2)}.",
        len(found.seeds),
        _lead(found),
        steps,
        [_row(row) for row in found.rows if row.alone],
        _missing(suite, found),
    )


def _missing(suite: Suite, found: Attribution) -> list[str]:
    """Defaults that there is a training for, which nobody has run yet."""
    return [
        f"{row.title} ({TITLES[row.side]})"
        for row in found.rows
        if not row.alone and row.default in plan(suite, found.example, row.side, found.pair).alone
    ]


def _told(title: str, *, luck: bool) -> str:
    return f"{title} (other luck only)" if luck else title


def _step(title: str, gap: Mapping[Metric, Change], native: Change | None) -> dict[str, str]:
    """A line of the waterfall; a share of the gap only where there is a gap to share."""
    share = NONE
    if native is not None and native.clear:
        share = f"{-100 * gap['accuracy'].mean / native.mean:.0f} %"
    shown = bare if native is None else cell  # of a gap itself the sweep has the verdict
    return {"title": title, "share": share, **{m: shown(gap[m]) for m in METRICS}}


def _row(row: AttributionRow) -> dict[str, str]:
    return {
        "side": TITLES[row.side],
        "title": _told(row.title, luck=row.luck),
        "native": row.native,
        "matched": row.matched,
        "seeds": str(row.alone["accuracy"].seeds),
        "distance": number(row.distance.mean, 2) if row.distance else NONE,
        **{m: cell(row.alone.get(m)) for m in METRICS},
    }


def cell(change: Change | None) -> str:
    """``+1.2 [0.3, 2.1]``; with ~ where it is not told apart from 0, bold where it is."""
    if change is None or math.isnan(change.mean):  # of a training that diverged
        return NONE
    text = bare(change)
    if text == "0":
        return text
    return f"**{text}**" if change.clear and change.seeds >= BOLD else f"~{text}"


def bare(change: Change) -> str:
    """``+1.2 [0.3, 2.1]``, without any word on it; of a single seed there is no interval."""
    if change.seeds < 2:
        return signed(change.mean)
    if signed(change.mean) == signed(change.low) == signed(change.high) == "0":
        return "0"
    return f"{signed(change.mean)} [{signed(change.low)}, {signed(change.high)}]"


def _lead(found: Attribution) -> str:
    """The way in a sentence or two; whether the frameworks differ is for the sweep to say."""
    gap, end = found.native["accuracy"], found.matched["accuracy"]
    told = (
        f"The native gap is {signed(gap.mean)} points of accuracy, the matched one "
        f"{signed(end.mean)}"
    )
    clear = [(s, [m for m in METRICS if cell(s.gap[m]).startswith("**")]) for s in found.steps]
    words = ", ".join(
        f"{s.title} ({' and '.join(metrics)}{', luck' if s.luck else ''})"
        for s, metrics in clear
        if metrics
    )
    moved = f"What moves the gap: {words}." if words else "No single default moves the gap clearly."
    return (
        f"{told}, over the {count(len(found.seeds), 'seed')} that have every step between. {moved}"
    )
