"""The first page: what this is, three doors, and one network in both frameworks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from parity.report import sources
from parity.spec.example import ExampleSpec
from website import report_page
from website.blocks import twins
from website.page import Page

SHOWN = ("fashion_mlp", "build_model")
"""Lesson and function of which the page shows both sides."""


def page(specs: Sequence[ExampleSpec], reports: Path, rows: int) -> Page:
    """The page.

    Args:
        specs: the lessons.
        reports: the folder with their pages.
        rows: how many differences are known.
    """
    name, function = SHOWN
    spec = next(spec for spec in specs if spec.name == name)
    row = next(row for row in sources.rows(name) if row.name == function)
    report = report_page.read((reports / f"{name}.md").read_text("utf-8"))
    text = (
        (Path(__file__).parent / "home.md")
        .read_text("utf-8")
        .format(
            lessons=len(specs),
            first=specs[0].name,
            example=twins(row.torch, row.keras),
            title=spec.title,
            name=name,
            verdict=report.verdict.replace("**", ""),
            rows=rows,
        )
    )
    return Page("index.md", "Home", text, "", settings={"hide": ["navigation"]})
