"""What ``parity differences`` does: finds rows of the known differences by words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from parity.core.errors import UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.text import nearest
from parity.report.formatting import count, squeezed, told_apart
from parity.spec.difference import Difference, DifferenceSection, NoWay, Recipe

PAGE = "reports/differences.md"
_NEAR = 5
"""So many topics are named where nothing is found."""


@dataclass(frozen=True)
class PlacedRow:
    """A row of the known differences, and where it is."""

    row: Difference
    section: DifferenceSection

    @property
    def place(self) -> str:
        """Page and anchor."""
        return f"{PAGE}#{self.row.name}"

    @property
    def given(self) -> tuple[str, str]:
        """What PyTorch and Keras give by themselves."""
        return told_apart(squeezed(self.row.torch), squeezed(self.row.keras))

    @property
    def text(self) -> str:
        """All that is searched."""
        row = self.row
        texts = (row.name, row.topic, row.mapping, *self.given, self.section.title)
        return _plain(" ".join(texts)).casefold()


def differences_command(
    sections: Sequence[DifferenceSection], words: Sequence[str], *, as_json: bool
) -> None:
    """Print the rows that hold all words.

    Raises:
        UsageError: there is none.
    """
    rows = [PlacedRow(row, section) for section in sections for row in section.rows]
    found = find(rows, words)
    if not found:
        raise UsageError(_nothing(rows, words))
    if as_json:
        document = {"format": JSON_FORMAT, "words": list(words), "rows": list(map(_json, found))}
        print(json.dumps(document, indent=2, allow_nan=False))
        return
    console = Console()
    for one in found:
        console.print(Text(_plain(one.row.topic), style="bold"))
        console.print(_table(one))
        for direction, recipe in one.row.directions:
            console.print(Text(f" {direction}:", style="dim"))
            console.print(_recipe(recipe))
        print(f" {one.row.link}\n")  # in one piece, to be clicked or copied
    print(f"{count(len(found), 'row')} of {len(rows)}")


def find(rows: Iterable[PlacedRow], words: Sequence[str]) -> list[PlacedRow]:
    """The rows that hold all words, in any case and anywhere in a word of theirs."""
    wanted = [_plain(word).casefold() for word in words]
    return [one for one in rows if all(word in one.text for word in wanted)]


def _nothing(rows: Sequence[PlacedRow], words: Sequence[str]) -> str:
    """That nothing was found, and the topics that are near."""
    wanted = [_plain(word).casefold() for word in words]
    known = {word for one in rows for word in re.findall(r"[^\W_]+", one.text)}
    meant = [
        next(iter(nearest(word, known)), word) if not find(rows, [word]) else word
        for word in wanted
    ]
    hits = {one.row.name: sum(word in one.text for word in meant) for one in rows}
    best = max(hits.values(), default=0)
    near = [one for one in rows if best and hits[one.row.name] == best][:_NEAR]
    listed = "".join(f"\n  {one.row.name}: {_plain(one.row.topic)}" for one in near)
    hint = f"Near are:{listed}" if near else f"All are in {PAGE}."
    all_ = "all of " if len(words) > 1 else ""
    return f"No known difference holds {all_}{', '.join(map(repr, words))}. {hint}"


def _table(one: PlacedRow) -> Table:
    """What each side gives, and where that stands."""
    table = Table(box=None, show_header=False, pad_edge=True, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(overflow="fold")
    for label, text in _lines(one):
        table.add_row(label, Text(text))
    return table


def _lines(one: PlacedRow) -> list[tuple[str, str]]:
    torch, keras = one.given
    given = [("both", torch)] if one.row.equal else [("PyTorch", torch), ("Keras", keras)]
    return [*given, ("see", one.place), ("test", one.row.test)]


def _recipe(recipe: Recipe) -> Padding:
    """Code as it is, a sentence as it fits."""
    text = recipe.why if isinstance(recipe, NoWay) else recipe
    return Padding(Text(_plain(text), overflow="fold"), (0, 0, 0, 2))


def _json(one: PlacedRow) -> dict[str, object]:
    torch, keras = one.given
    return {
        "name": one.row.name,
        "section": one.section.name,
        "topic": one.row.topic,
        "torch": torch,
        "keras": keras,
        "equal": one.row.equal,
        "mapping": one.row.mapping,
        **one.row.recipes_json,
        "place": one.place,
        "test": one.row.test,
        "link": one.row.link,
    }


def _plain(text: str) -> str:
    """Markdown without its marks of code."""
    return text.replace("`", "")
