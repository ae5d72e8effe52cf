"""In what two lines differ, as Python reads them: arguments, or the smallest part."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from parity.checker.apply.spelling import quoted
from parity.operations import code as lines


def differing(
    old: ast.Call, new: ast.Call, *, function: bool = True
) -> Iterator[tuple[str, str | None]]:
    """Arguments that are others in the new call, as source code; None: taken away."""
    own = [
        {**_placed(c, lines.positions(c)), **{k.arg: k.value for k in c.keywords if k.arg}}
        for c in (old, new)
    ]
    for name, value in own[1].items():
        before = own[0].get(name)
        if name != "name" and (before is None or ast.dump(before) != ast.dump(value)):
            yield name, quoted(ast.unparse(value))
    for name in own[0]:
        if name not in own[1] and name != "name":
            yield name, None


def keywords(parsed: ast.Call) -> Iterator[tuple[str, str | None]]:
    """Arguments that are given by name, as source code."""
    for word in parsed.keywords:
        if word.arg:
            yield word.arg, ast.unparse(word.value)


def _placed(parsed: ast.Call, names: Sequence[str]) -> dict[str, ast.expr]:
    """Arguments by place, by their names; by their number where these are not known."""
    return {
        (names[i].rpartition("|")[2] if i < len(names) else str(i)): value
        for i, value in enumerate(parsed.args)
    }


def parting(
    mine: ast.AST, old: ast.AST | None, new: ast.AST | None
) -> tuple[ast.AST, ast.AST, ast.AST]:
    """The smallest part in which two trees differ, and that part of the user's own."""
    assert old is not None
    assert new is not None
    if type(old) is not type(new):
        return mine, old, new
    if isinstance(old, ast.Call) and isinstance(new, ast.Call):
        words = [[k.arg for k in parsed.keywords] for parsed in (old, new)]
        if len(old.args) != len(new.args) or words[0] != words[1]:
            return mine, old, new
    parts: list[tuple[ast.AST, ast.AST, ast.AST]] = []
    for field in old._fields:
        triple = [getattr(node, field, None) for node in (mine, old, new)]
        for own, a, b in zip(*(x if isinstance(x, list) else [x] for x in triple), strict=False):
            if isinstance(a, ast.AST) and isinstance(b, ast.AST):
                if ast.dump(a) != ast.dump(b):
                    parts.append((own, a, b))
            elif a != b:
                return mine, old, new
        if isinstance(triple[1], list) and len(triple[1]) != len(triple[2] or ()):
            return mine, old, new
    if len(parts) != 1:
        return mine, old, new
    found = parting(*parts[0])
    return found if isinstance(found[0], ast.expr) else (mine, old, new)


def statement_of(code: str) -> ast.stmt | None:
    """The line as one statement; None where it is none."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError):
        return None
    return body[0] if len(body) == 1 else None


def called_by(tree: ast.AST, part: ast.expr) -> ast.Call | None:
    """The call that a part of a tree is, or is the function of."""
    if isinstance(part, ast.Call):
        return part
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return next((call for call in calls if call.func is part), None)


def names_in(tree: ast.AST) -> set[str]:
    """Variables in a part of a program."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
