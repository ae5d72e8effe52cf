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

from website.blocks import folded
from website.dialect import DETAILS, converted, lines_outside_code

CASES = "Case by case"
"""A function a heading: what it was given, and what it gave."""
CODE = ("Both sources", "The rest of both sources")
"""What a lesson shows from the files themselves."""
SHOWN = (
    "The answer",
    "Train against validation",
    "While it trains",
    "Accuracy",
    "Images and predictions",
    "Own defaults",
    "Known differences",
)
"""What is read without a click; all else is proof, and folded."""
PICTURED = ("Step by step",)
"""What is folded but for its figures."""
_CODE_TABLE = re.compile(r"^<table>.*?^</table>$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(
    r"^\*\*`(\w+)`\*\*(?:, given ([^\n]*))?:\n\n((?:\|[^\n]*(?:\n|\Z))+)", re.MULTILINE
)
"""What a function was given and gave, below its name in a paragraph."""
_FIGURE = re.compile(r"^!\[[^\n]*\]\([^\n]*\)\n(?:\n\*(?!\*)[^\n]*\*\n?)?", re.MULTILINE)
_NO_WORDS = re.compile(r"[|!>]|\*(?!\*)")
"""How a table, a figure, a box and the words below a figure begin."""
_EQUAL = re.compile(r"^✓ (?:equal )?")
_CELLS = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Piece:
    """A heading, and what stands below it; of what is before the first, the heading is empty."""

    title: str
    text: str


@dataclass(frozen=True)
class Report:
    """What came out of a lesson.

    Attributes:
        verdict: one sentence.
        opening: what else stands above the first heading: figures, boxes, the setting.
        proof: how near the sides are, of the opening.
        results: name of a function → what it was given and gave.
        pieces: the rest.
    """

    verdict: str
    opening: str
    proof: str
    results: dict[str, str]
    pieces: tuple[Piece, ...]

    @property
    def shown(self) -> str:
        """What is read without a click: pieces, and the figures of those that are folded."""
        pictures = [
            figure[0]
            for piece in self.pieces
            if piece.title in PICTURED
            for figure in _FIGURE.finditer(piece.text)
        ]
        shown = [f"### {p.title}\n\n{_deeper(p.text)}" for p in self.pieces if p.title in SHOWN]
        return "\n\n".join([*pictures, *shown])

    @property
    def folded(self) -> str:
        """The proof, a click a piece."""
        rest = [Piece("How near the two sides are", self.proof), *self.pieces]
        return "\n\n".join(
            folded(piece.title, _without_figures(piece), "abstract")
            for piece in rest
            if piece.text and piece.title not in SHOWN
        )


def read(text: str, summary: str) -> Report:
    """Cut a page.

    Args:
        text: of the page.
        summary: of the lesson, which the page begins with, and which is no news.
    """
    first, *pieces = cut(text, "## ")
    said = [
        p for p in paragraphs(first.text) if not p.startswith(("# ", "Contents:")) and p != summary
    ]
    verdict = next((p for p in said if p.startswith("**")), "")
    rest = [p for p in said if p != verdict]
    words = [p for p in rest if not _NO_WORDS.match(p)]
    results: dict[str, str] = {}
    kept = []
    for piece in pieces:
        if piece.title == CASES:
            functions = cut(piece.text, "### ")[1:]
            results |= {function.title: result(function.text) for function in functions}
        elif piece.title not in CODE:
            results |= {found[1]: _named_result(found) for found in _NAMED.finditer(piece.text)}
            kept.append(Piece(piece.title, converted(_NAMED.sub("", piece.text))))
    return Report(
        verdict,
        converted("\n\n".join(p for p in rest if p not in words)),
        converted("\n\n".join(words)),
        results,
        tuple(kept),
    )


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
    rest = paragraphs(DETAILS.sub("", _CODE_TABLE.sub("", text)))
    told = [
        _told_once(p) if p.startswith("|") else p for p in rest if p.startswith(("Given ", "|"))
    ]
    return "\n\n".join([*told, *(converted(w) for w in witness)])


def _named_result(found: re.Match[str]) -> str:
    table = _told_once(found[3].strip())
    return f"Given {found[2]}:\n\n{table}" if found[2] else table


def _told_once(table: str) -> str:
    """A table of results where a number on which all agree stands once."""
    head, _, *rows = [_cells(line) for line in table.splitlines()]
    if head != ["result", "expected", "PyTorch", "Keras", "status"]:
        return table
    equal = [row for row in rows if row[2] == row[3] and row[1] in ("", row[2])]
    other = [row for row in rows if row not in equal]
    shown = []
    if equal:
        shown.append(
            _table(["result", "both give", "equal"], [[r[0], r[2], _how(r[4])] for r in equal])
        )
    if other:
        columns = [0, 2, 3, 4] if all(row[1] in ("", row[2]) for row in other) else [0, 1, 2, 3, 4]
        shown.append(_table([head[c] for c in columns], [[r[c] for c in columns] for r in other]))
    return "\n\n".join(shown)


def _how(status: str) -> str:
    """A status in the words that "equal" leaves out."""
    return _EQUAL.sub("", status).replace("identical, bit for bit", "exactly")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in _CELLS.split(line.strip())[1:-1]]


def _table(head: list[str], rows: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])


def _without_figures(piece: Piece) -> str:
    text = _FIGURE.sub("", piece.text) if piece.title in PICTURED else piece.text
    return _deeper(text)


def _deeper(text: str) -> str:
    """A text whose headings stand below one more."""
    return "\n".join(
        f"#{line}" if is_text and line.startswith("##") else line
        for line, is_text in lines_outside_code(text)
    )
