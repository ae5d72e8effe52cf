"""The known differences: a page a section, on which every row has an address of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from parity.core.sides import LESSON_PACKAGES, SIDES
from parity.recording import provenance
from parity.report.formatting import cell, code
from parity.report.sources import blocks
from parity.spec.difference import AGREEING, DIRECTIONS
from website.blocks import code as listing
from website.blocks import folded, twins, unsearched
from website.page import Page

FOLDER = "differences"


def pages(reports: Path) -> list[Page]:
    """The overview, then a page a section, from ``differences.json``."""
    document = _document(reports)
    return [
        _overview(document),
        *(_section(some, _versions(document)) for some in document["sections"]),
    ]


def rows(reports: Path) -> list[Mapping[str, Any]]:
    """All rows."""
    return [row for section in _document(reports)["sections"] for row in section["rows"]]


def anchors(reports: Path) -> dict[str, str]:
    """Anchor of ``reports/differences.md`` → page of the site."""
    sections = _document(reports)["sections"]
    pages = {section["name"]: f"{FOLDER}/{section['name']}.md" for section in sections}
    rows = {r["name"]: f"{pages[s['name']]}#{r['name']}" for s in sections for r in s["rows"]}
    return pages | rows


def _document(reports: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads((reports / "differences.json").read_text("utf-8"))
    return found


def _overview(document: Mapping[str, Any]) -> Page:
    rows = [row for section in document["sections"] for row in section["rows"]]
    different = sum(not row["equal"] for row in rows)
    lists = "\n\n".join(
        f"## [{section['title']}](differences.md#{section['name']})\n\n"
        + "\n".join(f"- [{row['topic']}](differences.md#{row['name']})" for row in section["rows"])
        for section in document["sections"]
    )
    return Page(
        f"{FOLDER}/index.md",
        "All differences",
        f"""# What is different

What changes when a model goes from one framework to the other, and what makes it equal:
{len(rows)} rows, all measured on both sides. In {different} of them the frameworks differ. In
{len(rows) - different} they agree, although people expect otherwise.

The search at the top of the page finds a row by its words; on the command line,
`parity differences batchnorm momentum` does. Measured with {_versions(document)}.

{lists}
""",
        "reports",
    )


def _versions(document: Mapping[str, Any]) -> str:
    found = [
        f"{title} {document['versions'][side][name].partition('+')[0]}"
        for side, name, title in (
            ("torch", "torch", "PyTorch"),
            ("keras", "keras", "Keras"),
            ("keras", "tensorflow", "TensorFlow"),
        )
    ]
    return f"{', '.join(found[:-1])} and {found[-1]}"


def _section(section: Mapping[str, Any], versions: str) -> Page:
    torch, keras = (_functions(side, section["name"]) for side in SIDES)
    rows = "\n\n".join(
        row(found, torch.get(found["name"], ""), keras.get(found["name"], ""), versions)
        for found in section["rows"]
    )
    return Page(
        f"{FOLDER}/{section['name']}.md",
        section["title"],
        f"# {section['title']}\n\n{rows}\n",
        "reports",
        settings={"search": {"boost": 2}},
    )


def _functions(side: Any, section: str) -> dict[str, str]:
    file = provenance.ROOT / LESSON_PACKAGES[side] / FOLDER / f"{section}.py"
    return {block.name: block.text for block in blocks(file.read_text("utf-8"))}


def row(row: Mapping[str, Any], torch: str, keras: str, versions: str) -> str:
    """A row, below a heading that has its name for an address.

    Args:
        row: of ``differences.json``.
        torch, keras: the functions that measure it; may be empty.
        versions: with which it was measured.
    """
    given = [cell(code(row[side]["listed" if row["holds"] else "measured"])) for side in SIDES]
    parts = [
        f"## {row['topic']} {{ #{row['name']} }}",
        f"| PyTorch | Keras |\n|---|---|\n| {given[0]} | {given[1]} |",
        *([] if row["holds"] else [f"**This no longer holds.** {row['words']}"]),
        *(["They agree as they are."] if row["equal"] else []),
        *_directions(row),
        f"[Documentation]({row['link']}) · {versions}",
    ]
    if torch or keras:
        measured = (
            "`given` is what the framework gives by itself, `mapped` what it gives once made "
            f"equal. The test that holds it: `{row['test']}`\n\n{twins(torch, keras)}"
        )
        parts.append(unsearched(folded("How it was measured", measured, "example")))
    return "\n\n".join(parts)


def _directions(row: Mapping[str, Any]) -> list[str]:
    """What to write on each side to get what the other gives."""
    words = AGREEING if row["equal"] else DIRECTIONS
    found = [(words[side], row[f"in_{side}"]) for side in SIDES]
    return [
        f"**{title}:**\n\n{listing(recipe['code']) if 'code' in recipe else recipe['none']}"
        for title, recipe in found
    ]
