"""Both sources, function by function, read from the files when a page is made."""

from __future__ import annotations

import ast
import dis
import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from parity.core.sides import LESSON_PACKAGES, SIDE_PACKAGES, SIDES, Side
from parity.recording import provenance
from parity.report import documents
from parity.report.files import linked, render, save
from parity.report.formatting import listed
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite

_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
HEAD = ""
"""Name of the block before the first function: docstring and imports."""
_SECTION = re.compile(r"^## The programs\n.*?(?=^## What comes out$)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A function or class with its decorators and the comments above it, or the file's head.

    Attributes:
        name: of the function or class; `HEAD` for the head.
        text: its source, without a docstring of one line.
        doc: that docstring: it reads better above the code, which is narrower without it.
    """

    name: str
    text: str
    doc: str = ""


@dataclass(frozen=True)
class SourceRow:
    """What stands side by side; an empty text where a side has nothing of this name."""

    name: str
    torch: str
    keras: str
    docs: tuple[str, str] = ("", "")


def path(side: Side, example: str) -> Path:
    """The file that people read."""
    return provenance.ROOT / LESSON_PACKAGES[side] / f"{example}.py"


def rows(example: str) -> tuple[SourceRow, ...]:
    """Both files, blocks of the same name in one row; empty where neither file exists."""
    return align(*(blocks(_read(path(side, example))) for side in SIDES))


def bridges(example: str) -> tuple[SourceRow, ...]:
    """What the two files import of their sides (``from parity.torch_side.optimizers import …``).

    These are the bridges that make two equations one; each stands alone in its row.
    """
    found: dict[Side, list[Block]] = {side: _imported(side, example) for side in SIDES}
    return align(found["torch"], found["keras"])


def section(example: str, since: str = "") -> str:
    """Markdown of both files and their bridges, for the page of a training.

    Args:
        example: its name; empty text where neither side has a file of it.
        since: commit of the recordings, where the sources have changed since.
    """
    found = rows(example)
    if not found:
        return ""
    return render("sources", name=example, since=since, rows=found, bridges=bridges(example))


def place(suite: Suite, folder: Path) -> list[Path]:
    """Show sources that have changed on the pages of trainings that were not made anew.

    The numbers of such a page stay, and it says of which commit they are.

    Returns:
        The pages that changed.
    """
    changed = []
    for spec in suite.examples:
        page = folder / f"{spec.name}.md"
        text = page.read_text(encoding="utf-8") if page.is_file() else ""
        if (found := _SECTION.search(text)) and (wanted := section(spec.name, _since(page, spec))):
            placed = f"{text[: found.start()]}{wanted.strip()}\n\n{text[found.end() :]}"
            if linked(placed, folder) != text:
                changed.append(save(page, placed))
    return changed


def _since(page: Path, spec: ExampleSpec) -> str:
    """Commit of a page's recordings, where the sources are others now; empty where they are not."""
    try:
        twin = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
        if not documents.sources_changed(twin, spec):
            return ""
        return listed(sorted({str(twin["environment"][side]["commit"]) for side in SIDES}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""


def witnesses(functions: Sequence[Callable[..., Any]]) -> str:
    """Source of functions of one module, and before it of what they call of that module."""
    found: dict[str, FunctionType] = {}
    waiting = [function for function in functions if isinstance(function, FunctionType)]
    while waiting:
        function = waiting.pop()
        if function.__name__ in found:
            continue
        found[function.__name__] = function
        called = [function.__globals__.get(name) for name in _globals_of(function.__code__)]
        waiting += [
            other
            for other in called
            if isinstance(other, FunctionType) and other.__module__ == function.__module__
        ]
    in_order = sorted(found.values(), key=lambda function: function.__code__.co_firstlineno)
    return "\n\n\n".join(inspect.getsource(function).strip() for function in in_order)


def _globals_of(code: CodeType) -> Iterator[str]:
    """Names that a function reads from its module, those of the functions within it too."""
    yield from (i.argval for i in dis.get_instructions(code) if i.opname == "LOAD_GLOBAL")
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _globals_of(inner)


def blocks(source: str) -> list[Block]:
    """Cut a module into its head and its top-level functions and classes, losing no line."""
    lines = source.splitlines()
    starts: list[tuple[int, str, tuple[int, str] | None]] = [(0, HEAD, None)]
    for node in ast.parse(source).body:
        if isinstance(node, _NAMED):
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
            while first > 0 and lines[first - 1].startswith("#"):
                first -= 1
            starts.append((first, node.name, _one_line_doc(node)))
    ends = [first for first, _, _ in starts[1:]] + [len(lines)]
    cut = []
    for (first, name, doc), end in zip(starts, ends, strict=True):
        gone = _lines_of_doc(doc, lines)
        kept = [line for place, line in enumerate(lines[first:end], first + 1) if place not in gone]
        cut.append(Block(name, "\n".join(kept).strip("\n"), doc[1] if doc else ""))
    return [block for block in cut if block.text]


def _one_line_doc(
    node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef,
) -> tuple[int, str] | None:
    """Line and text of a docstring that has a line for itself and is not all there is."""
    doc, first = ast.get_docstring(node), node.body[0]
    alone = first.lineno == first.end_lineno and first.lineno > node.lineno
    return (first.lineno, doc) if doc and alone and len(node.body) > 1 else None


def _lines_of_doc(doc: tuple[int, str] | None, lines: Sequence[str]) -> set[int]:
    """Numbers of the lines that go with a docstring: itself, and an empty one below it."""
    if doc is None:
        return set()
    below = doc[0] < len(lines) and not lines[doc[0]].strip()
    return {doc[0], doc[0] + 1} if below else {doc[0]}


def align(left: Sequence[Block], right: Sequence[Block]) -> tuple[SourceRow, ...]:
    """Rows in the left file's order; what only the right has follows what it follows there."""
    by_name = {block.name.casefold(): block for block in right}
    names = [block.name.casefold() for block in left]
    for place, block in enumerate(right):
        name = block.name.casefold()
        if name not in names:
            before = right[place - 1].name.casefold() if place else None
            names.insert(names.index(before) + 1 if before is not None else 0, name)
    own = {block.name.casefold(): block for block in left}
    found = [(own.get(name), by_name.get(name)) for name in names]
    empty = Block("", "")
    return tuple(
        SourceRow(
            (a or b or empty).name,
            (a or empty).text,
            (b or empty).text,
            ((a or empty).doc, (b or empty).doc),
        )
        for a, b in found
    )


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _imported(side: Side, example: str) -> list[Block]:
    found, own = [], f"{SIDE_PACKAGES[side]}."
    for node in ast.parse(_read(path(side, example))).body:
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(own):
            wanted = {alias.name for alias in node.names}
            file = provenance.ROOT / f"{str(node.module).replace('.', '/')}.py"
            found += [block for block in blocks(_read(file)) if block.name in wanted]
    return found
