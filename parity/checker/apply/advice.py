"""What a cause asks for, as edits: read from the very line that people are told."""

from __future__ import annotations

import re
from collections.abc import Iterator

from parity.diagnosis.causes import Cause
from parity.diagnosis.edits import (
    ArgumentChange,
    AttributeChange,
    Edit,
    Insertion,
    LineChange,
    Removal,
    Reordering,
)
from parity.operations.code import call, function_name

_PLACE = re.compile(r"\((?:before|behind) (.*)\)")


def places(cause: Cause) -> list[str]:
    """Names of all layers that a cause is about, on the side whose lines it has."""
    own = 1 if cause.fix_side == "right" else 0
    names = [place[own] for place in cause.places] or [cause.corrected[0]]
    return [re.sub(_PLACE, r"\1", name) for name in names if name != "(output)"]


def edits(cause: Cause, code: str) -> list[Edit]:
    """What a cause's line says to do, at the first of its places.

    Args:
        cause: with a line.
        code: the layer's or operation's line as it is.

    Returns:
        Nothing where the line is words alone.
    """
    if cause.edit is not None and cause.edit.text == cause.fix:
        return [cause.edit]
    return list(_read(cause, code))


def _read(cause: Cause, code: str) -> Iterator[Edit]:
    line, layer = cause.fix.strip(), cause.corrected[0]
    if found := re.fullmatch(r"# layers\.\w+: (\w+)=(\S+), of (\S+)", line):
        yield ArgumentChange(found[3], found[1], found[2])
    elif line.startswith("# without ") and layer:
        yield Removal(layer, line.removeprefix("# without "))
    elif line.startswith("#") and cause.kind == "order" and (order := _order(cause)):
        yield Reordering(layer, code, order)
    elif line.startswith("#") or not line:
        return
    elif found := re.fullmatch(r"(.*)  # of what (\S+) gives", line):
        yield Insertion(found[2], found[1], "behind")
    elif found := re.fullmatch(r"([\w/.]+)\.(trainable) = (\w+)", line):
        yield AttributeChange(found[1], found[2], found[3])
    elif "  # " not in line:
        yield from _lines(layer, code, line.split("\n"))


def _order(cause: Cause) -> tuple[int, ...]:
    """Place of each operand of the right in the order that is right."""
    values = [re.fullmatch(r"\[[\d, ]+\]", str(value)) for _, value in (cause.left, cause.right)]
    if not all(values):
        return ()
    wanted, present = ([int(n) for n in v[0][1:-1].split(",")] for v in values if v)
    return tuple(present.index(n) for n in wanted) if sorted(wanted) == sorted(present) else ()


def _lines(layer: str, code: str, lines: list[str]) -> Iterator[Edit]:
    """The layer's own line, and those before and behind it."""
    if len(lines) == 1:
        yield LineChange(layer, lines[0])
        return
    own = function_name(code)
    lines = [line.removeprefix("x = ") for line in lines]
    at = next((i for i, line in enumerate(lines) if own and function_name(line) == own), None)
    if at is None or any(call(line) is None for line in lines):
        return
    for line in lines[:at]:
        yield Insertion(layer, line, "before")
    if lines[at] != code:
        yield LineChange(layer, lines[at])
    for line in reversed(lines[at + 1 :]):
        yield Insertion(layer, line, "behind")
