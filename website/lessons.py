"""The lessons: what one learns, the program of both sides, and what came out of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from parity.core.sides import LESSON_PACKAGES, SIDES, Side
from parity.report import sources
from parity.report.formatting import fraction, prose
from parity.spec.example import ExampleSpec
from website import report_page
from website.blocks import boxed, folded, twins, unsearched
from website.page import Page

FOLDER = "lessons"
_NAMES: dict[Side, str] = {"torch": "PyTorch", "keras": "Keras"}
_NOQA = re.compile(r"  # noqa: .*$", re.MULTILINE)
_TWIN = re.compile(r"^Twin: .*\n?", re.MULTILINE)


def pages(specs: Sequence[ExampleSpec], reports: Path) -> list[Page]:
    """The course's own page, then a page a lesson, in its order.

    Args:
        specs: the catalogue.
        reports: the folder with a page of each, and ``index.json``.
    """
    told = report_page.index(reports)
    return [_contents(specs), *(_page(spec, reports, told.get(spec.name, {})) for spec in specs)]


def notebook(name: str, side: Side) -> str:
    """Where the notebook of a lesson would be in the repository, if it had one."""
    return f"notebooks/{name}-{side}.ipynb"


def _contents(specs: Sequence[ExampleSpec]) -> Page:
    lists = "\n\n".join(
        f"## {part}\n\n"
        + "\n".join(f"- [{spec.title}]({spec.name}.md): {spec.summary}" for spec in group)
        for part, group in groupby(specs, lambda spec: spec.part)
    )
    first = specs[0]
    return Page(
        f"{FOLDER}/index.md",
        "The course",
        f"""# The course

Every lesson is one topic and two programs: one in PyTorch, one in Keras. The two have the same
functions, in the same order, with the same arguments. Whatever is different between them is a
difference of the frameworks.

The tabs above the code choose what you see: one framework, or both side by side. The choice holds
on every page. Below the code stands what the programs gave, and whether they gave the same.

Read from top to bottom, or start where you are. Start: [{first.title}]({first.name}.md).

{lists}
""",
        "reports",
    )


def _page(spec: ExampleSpec, reports: Path, told: Mapping[str, Any]) -> Page:
    file = reports / f"{spec.name}.md"
    report = report_page.read(file.read_text("utf-8")) if file.is_file() else None
    text = f"# {spec.title}\n\n{spec.summary}\n\n{_program(spec, report)}\n\n"
    text += _outcome(spec, report, told) if report else "*Nobody has run this lesson yet.*"
    return Page(f"{FOLDER}/{spec.name}.md", spec.title, text, "reports", spec.part)


def _program(spec: ExampleSpec, report: report_page.Report | None) -> str:
    results = report.results if report else {}
    rows = sources.rows(spec.name)
    heads = [row for row in rows if row.name == sources.HEAD]
    parts = ["## The programs", _to_run(spec.name), *(_look_at(row) for row in heads)]
    for row in heads:
        parts += [
            "### Imports",
            _twins(*(_without_docstring(text) for text in (row.torch, row.keras))),
        ]
    parts.append(_folded("Helpers", [row for row in rows if row.name.startswith("_")]))
    for row in rows:
        if row.name != sources.HEAD and not row.name.startswith("_"):
            parts += [f"### `{row.name}`", _docs(row), _twins(row.torch, row.keras)]
            if gave := results.get(row.name):
                parts.append(unsearched(f"**What it gives**\n\n{gave}"))
    bridges = sources.bridges(spec.name)
    parts.append(_folded("The other framework's equation, written for this one", bridges))
    return "\n\n".join(part for part in parts if part)


def _folded(title: str, rows: Sequence[sources.SourceRow]) -> str:
    shown = [f"**`{row.name}`**\n\n{_docs(row)}\n\n{_twins(row.torch, row.keras)}" for row in rows]
    return folded(title, "\n\n".join(shown), "example") if shown else ""


def _to_run(name: str) -> str:
    files = " · ".join(
        f"[{file}](../{file}){{ download }}"
        for file in (f"{LESSON_PACKAGES[side]}/{name}.py" for side in SIDES)
    )
    books = " · ".join(
        f"[{_NAMES[side]}](../{notebook(name, side)}){{ download }}" for side in SIDES
    )
    runs = "\n".join(f"python -m {LESSON_PACKAGES[side]} {name}" for side in SIDES)
    return (
        f"Run them, in a clone of the project:\n\n```sh\n{runs}\n```\n\n"
        f"The whole files: {files}\n\nAs notebooks: {books}"
    )


def _look_at(row: sources.SourceRow) -> str:
    said = [
        f"**In the {_NAMES[side]} file.** {prose(_TWIN.sub('', doc).strip())}"
        for side, text in zip(SIDES, (row.torch, row.keras), strict=True)
        if (doc := ast.get_docstring(ast.parse(text)))
    ]
    return boxed("What to look at", "\n\n".join(said), "tip") if said else ""


def _without_docstring(head: str) -> str:
    first = ast.parse(head).body[:1]
    is_doc = first and ast.get_docstring(ast.parse(head)) is not None
    return "\n".join(head.splitlines()[first[0].end_lineno if is_doc else 0 :]).strip("\n")


def _twins(torch: str, keras: str) -> str:
    """Both, without what is said to a linter."""
    return twins(_NOQA.sub("", torch), _NOQA.sub("", keras))


def _docs(row: sources.SourceRow) -> str:
    torch, keras = (prose(doc) for doc in row.docs)
    if torch == keras:
        return torch
    return "\n\n".join(
        f"**{name}**: {doc}"
        for name, doc in zip(_NAMES.values(), (torch, keras), strict=True)
        if doc
    )


def _outcome(spec: ExampleSpec, report: report_page.Report, told: Mapping[str, Any]) -> str:
    kind = "success" if told.get("verdict", "agree") == "agree" else "failure"
    verdict = "\n\n".join(part for part in (report.verdict, _scores(told)) if part)
    return "\n\n".join(
        part
        for part in (
            "## What came out",
            report.opening,
            report.shown,
            boxed("Are both the same program?", verdict, kind),
            "How it was found: [the rule](../docs/verdict.md).",
            unsearched(report.proof),
        )
        if part
    )


def _scores(told: Mapping[str, Any]) -> str:
    """Accuracy and equal predictions of a training, in a sentence; empty of other lessons."""
    accuracy = {side: told.get("metrics", {}).get(side, {}).get("test_accuracy") for side in SIDES}
    if None in accuracy.values():
        return ""
    words = [
        "Trained in float32, they reach a test accuracy of "
        + " and ".join(f"{fraction(accuracy[side])} ({_NAMES[side]})" for side in SIDES)
        + f". Data: {told['data']}."
    ]
    same = told.get("agreement", {}).get("float64")
    if same:
        words.append(
            f"With the digits of float64, both give {same['same']:,} of {same['of']:,} test "
            "samples the same class."
        )
    return " ".join(words)
