"""A lesson as a Jupyter notebook: in comes the text of a program, out goes that of an .ipynb file.

The same program, cut at its functions: the module's docstring is the first cell, a function's
stands above its cell, and the body of `main` is cut at its blank lines. Its variables are then at
the top level, where whoever reads it goes on. Every cell is the program's own text, but for the
first, which finds the folder `shared`, and for `IN_A_NOTEBOOK`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from parity.core.errors import UsageError

_SETUP = """\
# The data and the figures are in the folder `shared` of the project: this finds it.
import sys
from pathlib import Path

for folder in (Path.cwd(), *Path.cwd().parents):
    if (folder / "shared" / "data").is_dir():
        sys.path.insert(0, str(folder))
        break
else:
    raise FileNotFoundError(
        f"No folder `shared` in {Path.cwd()} or above it. Put this notebook into a clone of the "
        "project, and start Jupyter there."
    )"""
_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
_NOQA = re.compile(r"  # noqa: .*$", re.MULTILINE)
_TWIN = re.compile(r"^Twin: (\S+)$", re.MULTILINE)
_LABEL = re.compile(r"^(Look at|Seen in notes[\w, ]*):", re.MULTILINE)
_CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
IN_A_NOTEBOOK = {
    "Plots(__file__)": "Plots.inline()",
    'get_context("forkserver")': 'get_context("fork")',
    "fresh.set_forkserver_preload([__name__])": (
        "# No `forkserver` here: a fresh process cannot import what a notebook's cells define."
    ),
}
"""What a script says → what a notebook has to say in its place."""
_IN_A_SCRIPT = re.compile(r"[;,]? where ``--plots`` is given")


def notebook(program: str, title: str) -> str:
    """Return a lesson as the text of a notebook: the same program gives the same text.

    Args:
        program: The lesson, a module with a docstring and a function `main` without arguments.
        title: The notebook's heading.

    Raises:
        UsageError: nbformat is not installed.
    """
    try:
        import nbformat  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise UsageError(
            "Notebooks are written with nbformat, which is not installed. Install it: "
            "pip install nbformat, or in a clone pip install --editable '.[notebook]'."
        ) from error
    new: Any = nbformat.v4  # it says no types
    cells: list[Any] = []
    for kind, text in _cells(program, title):
        make = new.new_markdown_cell if kind == "markdown" else new.new_code_cell
        cells.append(make(text, id=f"cell-{len(cells)}"))
    book = new.new_notebook(cells=cells, metadata=_METADATA)
    nbformat.validate(book)
    return f"{new.writes(book)}\n"


def _cells(program: str, title: str) -> Iterator[tuple[str, str]]:
    """Yield the kind of each cell, `markdown` or `code`, and its text."""
    program = _NOQA.sub("", program)
    for said, instead in IN_A_NOTEBOOK.items():
        program = program.replace(said, instead)
    module = ast.parse(program)
    main = next(n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == "main")
    docstring = ast.get_docstring(module) or ""
    yield "markdown", f"# {title}\n\n{_prose(docstring)}"
    yield "code", _SETUP
    parts = [
        (node, text)
        for node, text in _pieces(program, module.body[1 if docstring else 0 :])
        if node is not main and not _starts_main(node)
    ]
    for kind, group in groupby(parts, lambda part: _kind(part[0])):
        if kind != "definition":
            yield "code", "\n".join(text for _, text in group).strip("\n")
            continue
        for node, text in group:
            yield from _definition(node, text)
    yield "markdown", f"## The whole program\n\n{_prose(ast.get_docstring(main) or '')}"
    yield from (("code", text) for text in _unrolled(program, main))
    yield (
        "markdown",
        "## Go on from here\n\nAll of the above is still there: "
        + ", ".join(f"`{name}`" for name in _variables(main))
        + ". Change a line, run its cell and those below it again, and see what it does.",
    )


def _kind(node: ast.stmt) -> str:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        return "import"
    return "definition" if isinstance(node, (ast.FunctionDef, ast.ClassDef)) else "statement"


def _starts_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)


def _pieces(program: str, nodes: list[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every statement with its text, and the comments above it; but for a docstring's."""
    lines = program.splitlines()
    end = nodes[0].lineno - 1
    for node in nodes:
        yield node, "\n".join(lines[end : node.end_lineno])
        end = node.end_lineno or end


def _definition(node: ast.stmt, text: str) -> Iterator[tuple[str, str]]:
    """A function or class: its docstring above it, unless there is nothing but that in it."""
    assert isinstance(node, (ast.FunctionDef, ast.ClassDef))
    text = text.strip("\n")
    docstring = ast.get_docstring(node)
    if docstring is None or len(node.body) == 1 or node.name.startswith("_"):
        yield "code", text
        return
    yield "markdown", f"### `{node.name}`\n\n{_prose(docstring)}"
    lines = text.splitlines()
    first = len(lines) - 1 - (node.end_lineno or 0)  # line of the program → of the text
    said = node.body[0]
    before = lines[: said.lineno + first]
    after = "\n".join(lines[(said.end_lineno or 0) + first + 1 :]).lstrip("\n")
    yield "code", "\n".join([*before, after])


def _unrolled(program: str, main: ast.FunctionDef) -> Iterator[str]:
    """Yield the body of `main` in pieces, cut at its blank lines."""
    body = main.body[1:] if ast.get_docstring(main) else main.body
    lines = [line.removeprefix(" " * body[0].col_offset) for line in program.splitlines()]
    start = (main.body[0].end_lineno or 0) if body is not main.body else body[0].lineno - 1
    blank = [i for i in range(start, main.end_lineno or 0) if not lines[i].strip()]
    inside = {i for node in body for i in range(node.lineno, node.end_lineno or 0)}
    cuts = [i for i in blank if i not in inside]
    for begin, end in zip([start, *cuts], [*cuts, main.end_lineno], strict=True):
        text = "\n".join(lines[begin:end]).strip("\n")
        if text:
            yield text


def _variables(main: ast.FunctionDef) -> list[str]:
    """What `main` assigns at its top level, in order."""
    stored = (
        name.id
        for node in main.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        for name in ast.walk(target)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    )
    return [name for name in dict.fromkeys(stored) if name != "plots" and not name.startswith("_")]


def _prose(docstring: str) -> str:
    """A docstring as Markdown: its labels bold, each with a paragraph of its own."""
    text = _TWIN.sub(r"\nThe same in the other framework: `\1`\n", docstring)
    text = _IN_A_SCRIPT.sub("", _LABEL.sub(r"\n**\1:**", text))
    pieces, at = [], 0
    for span in _CODE_SPAN.finditer(text):
        pieces += [_escaped(text[at : span.start()]), span[0]]
        at = span.end()
    return re.sub(r"\n{3,}", "\n\n", "".join([*pieces, _escaped(text[at:])])).strip()


def _escaped(text: str) -> str:
    """Words whose stars and angle brackets are no markup; bold labels stay."""
    safe = re.sub(r"(?<!\*)\*(?!\*)", r"\\*", text.replace("<", "&lt;"))
    return safe.replace("_", r"\_")
