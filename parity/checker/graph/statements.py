"""The user's statement that a line of a file belongs to."""

from __future__ import annotations

import ast
import functools
import linecache
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from parity.checker.graph.graph import Graph


def statement(path: str, number: int) -> str:
    """The whole statement of a line; the line as it stands where that has statements in it."""
    return statement_in("".join(linecache.getlines(path)), number)


@functools.lru_cache(maxsize=4096)
def statement_in(text: str, number: int) -> str:
    """The same of a file's text."""
    lines = text.splitlines()
    line = lines[number - 1].strip() if number <= len(lines) else ""
    around = [node for node in _statements(text) if node.lineno <= number <= (node.end_lineno or 0)]
    inner = max(around, key=lambda node: (node.lineno, node.col_offset), default=None)
    if inner is None or hasattr(inner, "body"):
        return line
    source = ast.get_source_segment(text, inner)
    return " ".join(part.strip() for part in (source or line).splitlines())


@functools.lru_cache(maxsize=16)
def _statements(text: str) -> Sequence[ast.stmt]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def with_statements(graph: Graph, sources: Mapping[str, str]) -> Graph:
    """A graph whose operations have for their code the statement that they were called in.

    Layers keep the call that makes them.

    Args:
        graph: as it was traced.
        sources: file → what was run in its place.
    """

    def of(name: str, code: str) -> str:
        sites = () if name in graph.made else graph.called.get(name, ())
        if not sites:
            return code
        path = Path(sites[0].file)
        text = sources.get(sites[0].file)
        if text is None and path.is_file():
            text = path.read_text("utf-8", errors="replace")
        return statement_in(text, sites[0].line) if text else code

    nodes = tuple(replace(node, code=of(node.name, node.code)) for node in graph.nodes)
    return replace(graph, nodes=nodes)
