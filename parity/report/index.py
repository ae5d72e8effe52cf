"""The index: one row an example, from the JSON twins, so that nothing is lost between runs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.core.json_format import JSON_FORMAT, READABLE_JSON
from parity.core.recording_keys import LADDER, LEVEL_TITLES, VALUES
from parity.report import documents, native
from parity.report.files import render, save
from parity.report.formatting import MARKS, NONE, count, fraction, listed, prose, ratio
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite

RUNGS = (VALUES, *LADDER)
_FOREST = "sweep-forest.png"
_COPIED = (
    "example",
    "title",
    "part",
    "verdict",
    "data",
    "levels",
    "first_divergence",
    "horizon",
    "metrics",
    "agreement",
)


@dataclass(frozen=True)
class IndexRow:
    """An example in the index.

    Attributes:
        spec: what it is.
        found: its JSON twin, or None where it was never run.
        now: it was run now, and not read from an earlier run.
    """

    spec: ExampleSpec
    found: Mapping[str, Any] | None
    now: bool

    @property
    def cells(self) -> list[str]:
        """The row of the table."""
        known = len((self.found or {}).get("known", []))
        listed = f"{known}" if known else NONE
        return [
            self._name,
            self.spec.title,
            self.verdict,
            listed,
            self._accuracy,
            self._agreement,
        ]

    @property
    def ladder(self) -> list[str]:
        """The row of the table of rungs."""
        return [self._name, *map(self._rung, RUNGS)]

    @property
    def _name(self) -> str:
        return f"[{self.spec.name}]({self.spec.name}.md)" if self.found else self.spec.name

    @property
    def verdict(self) -> str:
        """The verdict with its mark."""
        if self.found is None:
            return "not run"
        marks = {"agree": "✓", "differ": "✗", "undecided": "?"}
        verdict = str(self.found["verdict"])
        return f"{marks.get(verdict, '?')}\u00a0{verdict}"  # on one line

    def _rung(self, name: str) -> str:
        if self.found is None:
            return "not run" if name in self.spec.levels else NONE
        level = self.found["levels"].get(name)
        if level is None:
            return "not asked" if self.spec.training and name in LADDER else NONE
        status, worst = level["status"], level["worst"]["ratio"]
        mark = MARKS.get(status, "?")
        if status == "identical":
            return f"{mark} exact"
        if status == "rounding":
            return f"{mark} {ratio(worst)}"
        if status == "known":
            return f"{mark} {len(self.found.get('known', []))}"
        first = self.found.get("first_divergence")
        if first and first.get("level") == name:
            return f"{mark} `{first['key']}`"
        return mark

    @property
    def _accuracy(self) -> str:
        values = [
            side["metrics"].get("float32", side["metrics"].get("float64", {})).get("test_accuracy")
            for side in (self.found or {}).get("sides", [])
        ]
        return " · ".join(map(fraction, values)) if any(v is not None for v in values) else NONE

    @property
    def _agreement(self) -> str:
        counts = (self.found or {}).get("agreement", {})
        told = [f"{counts[p]['same']:,}" if p in counts else NONE for p in ("float32", "float64")]
        of = next((f"{c['of']:,}" for c in counts.values()), "")
        return f"{' · '.join(told)} of {of}" if of else NONE


def write(suite: Suite, now: Set[str], folder: Path) -> list[Path]:
    """Write ``README.md`` and ``index.json`` from every JSON twin in the folder.

    Args:
        suite: the examples.
        now: names of the examples that were run now.
        folder: where the reports live.
    """
    rows = [_row(spec, now, folder) for spec in suite.examples]
    missing = [row.spec for row in rows if row.found is None]
    gaps = native.read(folder)
    text = render(
        "index",
        lead=lead(rows),
        start=next((row.spec.name for row in rows if row.found), ""),
        rows=[row.cells for row in rows],
        ladder=[row.ladder for row in rows],
        rungs=[(name, LEVEL_TITLES[name]) for name in RUNGS],
        divergences=_divergences(rows),
        changed=[row.spec.name for row in rows if _changed(row)],
        earlier=[_earlier(row) for row in rows if row.found and not row.now],
        missing=missing,
        differences=_differences(folder),
        native=native.lines(gaps),
        level=native.level(gaps),
        forest=_FOREST if gaps else "",
        defaults=(folder / "defaults.md").exists(),
        planted=(folder / "planted.md").exists(),
        ports=(folder / "ports.md").exists(),
        performance=(folder / "performance.md").exists(),
        backends=(folder / "backends.md").exists(),
        partial=[
            (row.spec.name, row.found["pairs_not_run"])
            for row in rows
            if row.found and row.found.get("pairs_not_run")
        ],
    )
    document = {
        "format": JSON_FORMAT,
        "verdict": overall(rows),
        "examples": [
            {key: row.found.get(key) for key in _COPIED} | {"run_now": row.now}
            for row in rows
            if row.found
        ],
        "not_run": [spec.name for spec in missing],
    }
    drawn = _forest(gaps, folder)
    return [
        *drawn,
        save(folder / "README.md", text),
        save(folder / "index.json", documents.to_text(document)),
    ]


def run_now(folder: Path) -> set[str] | None:
    """What the index that is there says was run for it; None where there is none."""
    try:
        found = json.loads((folder / "index.json").read_text(encoding="utf-8"))["examples"]
        return {row["example"] for row in found if row["run_now"]}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _forest(gaps: Sequence[Mapping[str, Any]], folder: Path) -> list[Path]:
    """Draw the gaps of a sweep, if there was one; a figure of an earlier one goes."""
    path = folder / "figures" / _FOREST
    if not gaps:
        if path.is_file():
            path.unlink()
        return []
    # Imported here because drawing loads Matplotlib.
    from parity.report.gaps import forest  # noqa: PLC0415

    margin = max(float(row["margin"]) for row in gaps)
    return [save(path, forest(native.gaps(gaps), margin, native.level(gaps)))]


def _differences(folder: Path) -> Mapping[str, Any] | None:
    """The twin of the page of known differences, if it was written."""
    try:
        found = json.loads((folder / "differences.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("format") in READABLE_JSON else None


def _row(spec: ExampleSpec, now: Set[str], folder: Path) -> IndexRow:
    return IndexRow(spec, documents.read(folder / f"{spec.name}.json", spec), spec.name in now)


def overall(rows: list[IndexRow]) -> str:
    """``differ`` if any example does, ``undecided`` if any is or none was run, else ``agree``."""
    verdicts = {row.found["verdict"] for row in rows if row.found}
    if "differ" in verdicts:
        return "differ"
    return "agree" if verdicts == {"agree"} else "undecided"


def lead(rows: list[IndexRow]) -> str:
    """The verdict on everything in a sentence or two."""
    by: dict[str, list[str]] = {}
    for row in rows:
        by.setdefault(str(row.found["verdict"]) if row.found else "not run", []).append(
            f"`{row.spec.name}`"
        )
    run = sum(len(names) for verdict, names in by.items() if verdict != "not run")
    agreeing, told = len(by.get("agree", [])), []
    if not run:
        told.append("No example was run yet.")
    elif agreeing == run:
        who = (
            "The one example that was run agrees"
            if run == 1
            else (f"All {run} examples that were run agree")
        )
        told.append(f"{who}: PyTorch and Keras compute the same numbers, to rounding.")
    else:
        if "differ" in by:
            verb = "differs" if len(by["differ"]) == 1 else "differ"
            told.append(
                f"{len(by['differ'])} of {count(run, 'example')} {verb}: {listed(by['differ'])}."
            )
        if "undecided" in by:
            told.append(
                f"{len(by['undecided'])} of {count(run, 'example')} could not be decided: "
                f"{listed(by['undecided'])}."
            )
        if agreeing:
            told.append(f"{agreeing} {'agrees' if agreeing == 1 else 'agree'}.")
    if "not run" in by:
        told.append(f"{count(len(by['not run']), 'example')} not run: {listed(by['not run'])}.")
    exceptions = sum(len(row.found.get("known", [])) for row in rows if row.found)
    if exceptions:
        are, do = ("is", "does") if exceptions == 1 else ("are", "do")
        told.append(
            f"{count(exceptions, 'result')} of the lessons {are} known to differ, and {do} so "
            "exactly as listed."
        )
    return f"**{told[0]}** {' '.join(told[1:])}".strip()


def _divergences(rows: list[IndexRow]) -> list[tuple[str, str]]:
    told = []
    for row in rows:
        if row.found is None or row.found["verdict"] == "agree":
            continue
        pairs = row.found.get("pairs", [])
        wrong = [p for p in pairs if not p.get("as_expected", True) and p.get("first_divergence")]
        told += [
            (row.spec.name, f"{p['title']}: {prose(p['first_divergence']['text'])}") for p in wrong
        ]
        if not wrong:
            told.append((row.spec.name, "see its page"))
    return told


def _changed(row: IndexRow) -> bool:
    """Whether an earlier run was of other sources."""
    found = row.found
    return found is not None and not row.now and documents.sources_changed(found, row.spec)


def _earlier(row: IndexRow) -> tuple[str, str, str]:
    assert row.found is not None
    return row.spec.name, documents.made_with(row.found), str(row.found.get("data") or NONE)
