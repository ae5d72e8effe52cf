"""L5 native: the section of an example's page and of the index, where a sweep has been run.

They are read from ``sweep.json`` beside the pages, which is what `parity sweep --json` prints with
what the pages say beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.core.json_format import READABLE_JSON
from parity.report.files import linked, render, save
from parity.report.formatting import number

FILE = "sweep.json"
HEADING = "## Own defaults"
_MARKS = {"equal": "✓", "different": "✗", "undecided": "?"}
_WORDS = {"equal": "equal within the margin"}
_OWN = re.compile(rf"^{HEADING}\n.*?(?=^## )", re.MULTILINE | re.DOTALL)
_BEHIND = re.compile(
    "^## (What happens without the bridge|Where the two differ|Are both the same program\\?)$",
    re.MULTILINE,
)
"""What may stand behind the section."""
_FIELDS = {"example", "division", "seeds", "margin", "gap", "verdict"}


@dataclass(frozen=True)
class Gap:
    """A gap between the frameworks, with what was said of it.

    Attributes:
        title: of the line.
        mean, low, high: PyTorch minus Keras, in points.
        verdict: ``equal``, ``different`` or ``undecided``.
    """

    title: str
    mean: float
    low: float
    high: float
    verdict: str


def read(folder: Path) -> list[dict[str, Any]]:
    """The gaps of a sweep, as they were written; empty where there is none that can be read."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    if not isinstance(found, dict) or found.get("format") not in READABLE_JSON:
        return []
    rows = found.get("examples")
    return [row for row in rows if _whole(row)] if isinstance(rows, list) else []


def _whole(row: Any) -> bool:
    """Whether this is a gap that has been measured."""
    if not isinstance(row, dict) or not row.keys() >= _FIELDS or row["verdict"] not in _MARKS:
        return False
    gap = row["gap"]
    return isinstance(gap, dict) and all(
        isinstance(gap.get(bound), int | float) for bound in ("mean", "low", "high")
    )


def section(folder: Path, example: str) -> str:
    """Markdown for the page of an example; empty where no sweep has measured it."""
    rows = [row for row in read(folder) if row["example"] == example]
    if not rows:
        return ""
    return render(
        "native",
        heading=HEADING,
        rows=lines(rows),
        level=level(rows),
        data=rows[0].get("data", ""),
        defaults=_attributed(folder, example),
    )


def stands(folder: Path, example: str) -> bool:
    """Whether the page of an example says of the sweep what is known now."""
    wanted = linked(section(folder, example), folder)
    try:
        page = (folder / f"{example}.md").read_text(encoding="utf-8")
    except OSError:
        return False
    return wanted.strip() in page if wanted else HEADING not in page


def place(folder: Path) -> list[Path]:
    """Put what the sweep says on the pages that are there, which need not be made anew for it.

    Returns:
        The pages that changed.
    """
    changed = []
    for path in sorted({*folder.glob("*.md")} - {folder / "README.md"}):
        # Of an example that this sweep was not about, what an earlier one said goes, too.
        if not stands(folder, path.stem):
            text = path.read_text(encoding="utf-8")
            changed.append(save(path, placed(text, section(folder, path.stem))))
    return changed


def placed(page: str, section: str) -> str:
    """A page with this section in place of the one that it has, if any; as if drawn with it."""
    bare = _OWN.sub("", page)
    behind = _BEHIND.search(bare)
    if not section or behind is None:
        return bare
    at = behind.start()
    return f"{bare[:at]}{section.strip()}\n\n{bare[at:]}"


def beside(folder: Path, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """These gaps, and behind them those of earlier sweeps that are of something else."""
    now = {(row["example"], row["division"]) for row in rows}
    return [*rows, *(r for r in read(folder) if (r["example"], r["division"]) not in now)]


def level(rows: Sequence[Mapping[str, Any]]) -> str:
    """Of the intervals, in percent; one sweep has one."""
    return " or ".join(dict.fromkeys(map(_level, rows)))


def _level(row: Mapping[str, Any]) -> str:
    return f"{100 * float(row.get('level', 0.9)):.3g}"


def lines(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Rows of a table: native before matched."""
    order = sorted(rows, key=lambda row: (row["example"], row["division"] != "native"))
    mixed = len({*map(_level, rows)}) > 1
    return [
        {
            "example": _named(row),
            "division": row["division"],
            "seeds": f"{row['seeds']:,}",
            "gap": points(row["gap"]["mean"]),
            "interval": f"{points(row['gap']['low'])} … {points(row['gap']['high'])}"
            + (f" ({_level(row)} %)" if mixed else ""),
            "margin": number(row["margin"]),
            "verdict": _said(row),
            "data": row.get("data", ""),
        }
        for row in order
    ]


def points(value: float) -> str:
    """``+0.12``; a plain ``0.00`` of what rounds to it, which has no sign to speak of."""
    text = f"{value:+.2f}"
    return text if float(text) else text[1:]


def _said(row: Mapping[str, Any]) -> str:
    """The verdict with its mark, and with all that was said of it."""
    verdict = row["verdict"]
    return f"{_MARKS[verdict]} {row.get('words') or _WORDS.get(verdict, verdict)}"


def gaps(rows: Sequence[Mapping[str, Any]]) -> list[Gap]:
    """The same for the forest plot."""
    order = sorted(rows, key=lambda row: (row["example"], row["division"] != "native"))
    return [
        Gap(
            f"{_named(row)}, {row['division']}",
            mean=row["gap"]["mean"],
            low=row["gap"]["low"],
            high=row["gap"]["high"],
            verdict=row["verdict"],
        )
        for row in order
    ]


def _named(row: Mapping[str, Any]) -> str:
    pair = row.get("pair", "")
    return f"{row['example']} ({pair})" if pair else str(row["example"])


def _attributed(folder: Path, example: str) -> bool:
    """Whether the page of the defaults has this example."""
    try:
        return f"## {example}" in (folder / "defaults.md").read_text(encoding="utf-8")
    except OSError:
        return False
