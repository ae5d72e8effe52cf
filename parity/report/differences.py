"""The page of the known differences: a heading a row, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from parity.core.json_format import JSON_FORMAT
from parity.report import documents
from parity.report.files import render, save
from parity.report.formatting import (
    code,
    fence,
    prose,
    ratio,
    spec_numbers,
    squeezed,
    told_apart,
)
from parity.report.result import ReportInput
from parity.report.tables import environment, shown
from parity.spec.difference import Difference, NoWay, Recipe
from parity.spec.suite import Suite
from parity.verdict.known_differences import JudgedDifference, judge_differences


@dataclass(frozen=True)
class Line:
    """A row, as it is read."""

    row: Difference
    torch: str
    keras: str
    directions: list[tuple[str, str]]
    measured: str


def write(suite: Suite, result: ReportInput, folder: Path) -> list[Path]:
    """Write ``differences.md`` and its JSON twin."""
    return [
        save(folder / "differences.md", page(suite, result)),
        save(folder / "differences.json", documents.to_text(document(suite, result))),
    ]


def page(suite: Suite, result: ReportInput) -> str:
    """The Markdown."""
    judged = judge_differences(suite.sections, *result.headline())
    different = [row for row in suite.rows if not row.equal]
    return render(
        "differences",
        spec=suite.differences,
        rows=len(suite.rows),
        different=len(different),
        both=sum(not any(isinstance(r, NoWay) for r in row.recipes.values()) for row in different),
        failing=[prose(found.words) for found in judged.values() if found.words],
        sections=[
            (section, [_line(judged[row.name], result) for row in section.rows])
            for section in suite.sections
        ],
        versions=_versions(result),
        environment=environment(result),
    )


def _versions(result: ReportInput) -> list[str]:
    """Both frameworks' versions, without the build."""
    found = [(n, v) for r in result.by_side().values() for n, v in r.header.versions.items()]
    return [f"{n} {v.partition('+')[0]}" for n, v in found if n in ("torch", "keras", "tensorflow")]


def _given(row: Difference, result: ReportInput) -> tuple[str, str]:
    """What each side gives."""
    _, left, right = result.headline()
    return shown(left, row.given), shown(right, row.given)


def _line(found: JudgedDifference, result: ReportInput) -> Line:
    row = found.row
    # As listed, to whose last digit the measured numbers are known to be equal.
    torch, keras = told_apart(squeezed(row.torch), squeezed(row.keras))
    if not found.holds:
        torch, keras = _given(row, result)
    written = [(words, _written(recipe)) for words, recipe in row.directions]
    return Line(row, code(torch), code(keras), written, _measured(found))


def _written(recipe: Recipe) -> str:
    """A recipe in Markdown."""
    if isinstance(recipe, NoWay):
        return recipe.why
    return f"{fence(recipe)}python\n{recipe}\n{fence(recipe)}"


def _measured(found: JudgedDifference) -> str:
    """How near the mapping brings the sides: the worst distance over its bound."""
    if not found.row.mapping or found.mapped is None or not found.mapped.agrees:
        return ""
    if found.mapped.rule == "exact":  # a fact: a type, a shape, digits of a distribution's bound
        return f"One way is measured ({found.row.mapping}): the same."
    near = found.mapped.ratio
    how = f"equal to rounding, at {ratio(near)} of its bound" if near else "the very same numbers"
    return f"One way is measured ({found.row.mapping}): {how}."


def document(suite: Suite, result: ReportInput) -> dict[str, Any]:
    """All that the page says."""
    judged = judge_differences(suite.sections, *result.headline())
    return {
        "format": JSON_FORMAT,
        "verdict": result.verdict.verdict,
        "rows": len(suite.rows),
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "rows": [_entry(judged[row.name], result) for row in section.rows],
            }
            for section in suite.sections
        ],
        "versions": {s: dict(r.header.versions) for s, r in result.by_side().items()},
        "environment": {s: dict(r.header.environment) for s, r in result.by_side().items()},
        "code": {s: r.header.code for s, r in result.by_side().items()},
    }


def _entry(found: JudgedDifference, result: ReportInput) -> dict[str, Any]:
    row, (torch, keras) = found.row, _given(found.row, result)
    return {
        "name": row.name,
        "topic": row.topic,
        "torch": {"listed": spec_numbers(row.torch), "measured": torch},
        "keras": {"listed": spec_numbers(row.keras), "measured": keras},
        "equal": row.equal,
        "mapping": row.mapping,
        **row.recipes_json,
        "test": row.test,
        "ratio": found.mapped.ratio if found.mapped else None,
        "link": row.link,
        "holds": found.holds,
        "words": found.words,
    }
