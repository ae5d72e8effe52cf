"""What a page of `reports/` says of a lesson, cut in pieces that another page is made of.

The pages are read as people read them, by their headings: a heading that is new is a piece that is
folded, and a table with other columns stays as it is.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from website.dialect import DETAILS, converted, lines_outside_code

CASES = "Function by function"
"""A function a heading: its code, what it was given, and what it gave."""
OUTCOME = "What comes out"
"""What the programs gave."""
PROGRAMS = "The programs"
"""The code of both files, which a lesson shows from the files themselves."""
VERDICT = "Are both the same program?"
"""The verdict in a sentence or two, and the proof, folded."""
_CODE = re.compile(r"^(`{3,})python\n.*?\n\1$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(
    r"^\*\*`(\w+)`\*\*(?:, given ([^\n]*))?:\n\n((?:\| result [^\n]*\n(?:\|[^\n]*(?:\n|\Z))+\n?)+)",
    re.MULTILINE,
)
"""What a function was given and gave, below its name in a paragraph."""


@dataclass(frozen=True)
class Piece:
    """A heading, and what stands below it; of what is before the first, the heading is empty."""

    title: str
    text: str


@dataclass(frozen=True)
class Report:
    """What came out of a lesson.

    Attributes:
        opening: boxes above the first heading.
        results: name of a function → what it was given and gave.
        shown: what is read without a click.
        verdict: a sentence or two.
        proof: the rest, folded.
    """

    opening: str
    results: dict[str, str]
    shown: str
    verdict: str
    proof: str


def read(text: str) -> Report:
    """Cut a page of `parity.report`."""
    first, *pieces = cut(text, "## ")
    boxes = [p for p in paragraphs(first.text) if p.startswith(">")]
    results: dict[str, str] = {}
    shown, verdict, proof = [], "", ""
    for piece in pieces:
        if piece.title == CASES:
            functions = cut(_without_folded(piece.text), "### ")[1:]
            results |= {f.title.strip("`"): result(f.text) for f in functions}
        elif piece.title == VERDICT:
            verdict = "\n\n".join(paragraphs(DETAILS.sub("", piece.text)))
            proof = "\n\n".join(converted(found[0]) for found in DETAILS.finditer(piece.text))
        elif piece.title != PROGRAMS:
            results |= {found[1]: _named_result(found) for found in _NAMED.finditer(piece.text)}
            text = converted(_NAMED.sub("", piece.text))
            own = piece.title == OUTCOME  # the page has a heading of this kind
            shown.append(text if own else f"### {piece.title}\n\n{_deeper(text)}")
    return Report(
        converted("\n\n".join(boxes)), results, "\n\n".join(shown), converted(verdict), proof
    )


def _without_folded(text: str) -> str:
    """A text without what is folded and holds functions of its own."""
    return DETAILS.sub(lambda found: "" if "\n### " in found[2] else found[0], text)


def index(reports: Path) -> dict[str, dict[str, Any]]:
    """Lesson → what ``index.json`` says of it."""
    document = json.loads((reports / "index.json").read_text("utf-8"))
    return {example["example"]: example for example in document["examples"]}


def cut(text: str, mark: str) -> list[Piece]:
    """Cut at the headings of a mark (``"## "``); the first piece is what stands before them."""
    found: list[tuple[str, list[str]]] = [("", [])]
    for line, is_text in lines_outside_code(text):
        if is_text and line.startswith(mark):
            found.append((line.removeprefix(mark).strip(), []))
        else:
            found[-1][1].append(line)
    return [Piece(title, "\n".join(lines).strip()) for title, lines in found]


def paragraphs(text: str) -> list[str]:
    """What empty lines part. Not for text with code in it."""
    return [part.strip() for part in re.split(r"\n{2,}", text) if part.strip()]


def result(text: str) -> str:
    """What a function was given and gave, of its piece of a page, without its code."""
    witness = [found[0] for found in DETAILS.finditer(text)]
    rest = paragraphs(_CODE.sub("", DETAILS.sub("", text)))
    told = [p for p in rest if p.startswith(("Given ", "|"))]
    return "\n\n".join([*told, *(converted(w) for w in witness)])


def _named_result(found: re.Match[str]) -> str:
    tables = found[3].strip()
    return f"Given {found[2]}:\n\n{tables}" if found[2] else tables


def _deeper(text: str) -> str:
    """A text whose headings stand below one more."""
    return "\n".join(
        f"#{line}" if is_text and line.startswith("##") else line
        for line, is_text in lines_outside_code(text)
    )
