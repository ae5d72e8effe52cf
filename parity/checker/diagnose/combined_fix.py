"""One corrected line for a layer with several faults: each alone would leave the others in."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from parity.diagnosis.causes import Cause
from parity.operations.code import POSITIONS, call, changed


def together(causes: Sequence[Cause], codes: Mapping[str, str]) -> list[Cause]:
    """Every cause with the line in which the layer's other causes are repaired, too.

    Args:
        causes: of all layers.
        codes: name of a layer on the right → its line as it is.
    """
    joined = []
    for cause in causes:
        code = codes.get(cause.right[0], "")
        others = (
            [
                other.fix
                for other in causes
                if other is not cause
                and other.right[0] == cause.right[0]
                and other.fix_side == cause.fix_side == "right"
                and other.fix
            ]
            if code and cause.fix
            else []
        )
        line = cause.fix
        for other in others:
            line = _both(code, line, other)
        joined.append(replace(cause, fix=line))
    return joined


def _both(code: str, fix: str, other: str) -> str:
    """A corrected line with what another one changes; as it stands where that is no argument."""
    before, fixed, comment = _parted(fix)
    head, theirs, remark = _parted(other)
    calls = [call(text) for text in (code, fixed, theirs)]
    if any(c is None for c in calls) or remark:
        return fix
    own, mine, wanted = (c for c in calls if c is not None)
    if len({ast.unparse(c.func) for c in (own, mine, wanted)}) > 1:
        return fix
    repairs = dict(argument_changes(own, wanted))
    arguments = dict(argument_changes(own, mine))
    line = changed(fixed, {k: v for k, v in repairs.items() if k not in arguments})
    if not line:
        return fix
    return (before or head) + line + comment


def _parted(fix: str) -> tuple[str, str, str]:
    """What stands before the layer's own line, that line, and a remark behind it."""
    before, new, last = fix.strip().rpartition("\n")
    line, mark, comment = last.partition("  # ")
    return before + new, line, mark + comment


def argument_changes(old: ast.Call, new: ast.Call) -> Iterator[tuple[str, str | None]]:
    """Arguments that are others in the new call, as source code after a =; None: taken away."""
    names = POSITIONS.get(ast.unparse(old.func).rpartition(".")[2], ())
    for name, mine, theirs in zip(names, old.args, new.args, strict=False):
        if ast.unparse(mine) != ast.unparse(theirs):
            yield name.rpartition("|")[2], f"={ast.unparse(theirs)}"
    before = {k.arg: ast.unparse(k.value) for k in old.keywords if k.arg}
    after = {k.arg: ast.unparse(k.value) for k in new.keywords if k.arg}
    for name, text in after.items():
        if before.get(name) != text:
            yield name, f"={_quoted(text)}"
    for name in before.keys() - after.keys():
        yield name, None


def _quoted(text: str) -> str:
    """Strings in the quotes that people write here."""
    plain = text[1:-1]
    return f'"{plain}"' if text == f"'{plain}'" and '"' not in plain else text
