"""Calls drawn by hypothesis from templates: of ``calls.txt``, or made from a signature.

A parameter that must be given is drawn by its name from `REQUIRED`; one that may be left out is
left out in half of the draws, and drawn from `OPTIONAL` else. Functions whose parameters depend on
each other have lines in ``calls.txt``, which says how a template is read.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

LINES = Path(__file__).with_name("calls.txt")
MACROS = {
    "ANY": "<normal|unit|positive|integers|booleans|grid|special>",
    "NUM": "<normal|integers|grid>",
    "ARRAY": "<ANY>(<(2, 3)|(3,)|()|(1,)|(2, 1, 3)>, 0)",
    "OTHER": "<<ANY>(<(2, 3)|(3,)|(2, 1)|()>, 1)|2|0.5|-1|True>",
    "AXIS": "<-1|0|1|-2>",
    "DTYPE": "<'float32'|'int32'|'bool'|'float16'|'bfloat16'|'uint8'|'int8'>",
    "WINDOW": "<|, strides=<2|3>|, dilation_rate=<2|3>><|, padding='same'>",
    "CAUSAL": "<|, strides=<2|3>|, dilation_rate=<2|3>><|, padding='<same|causal>'>",
    "STRIDES": "<|, strides=<1|2|3>><|, padding='same'>",
}
REQUIRED = {
    **dict.fromkeys(("x", "x1", "a", "array", "variable", "y"), "<ARRAY>"),
    "x2": "<OTHER>",
    "axis": "<AXIS>",
    "dtype": "<DTYPE>",
    "shape": "<(2, 3)|()|(3,)>",
    "fill_value": "<0|1.5|-2|True>",
    "threshold": "<0.0|0.5>",
    "default_value": "<0.0|1.0>",
    "q": "<0.5|[0.1, 0.75]|[0.5]|0|1>",
    **dict.fromkeys(("N", "n"), "<1..4>"),
}
OPTIONAL = {
    "axis": "<AXIS>",
    "dtype": "<DTYPE>",
    "initial": "<0.0|10.0|-10.0>",
    "k": "<1|-1|2|-3>",
    "M": "<1..4>",
    "n": "<1|2>",
    "method": "'<lower|higher|midpoint|nearest>'",
    **dict.fromkeys(("rtol", "atol"), "0.1"),
    **dict.fromkeys(("keepdims", "equal_nan"), "True"),
    "alpha": "<0.5|2.0>",
    "negative_slope": "<0.0|0.3>",
    "b": "<0|1.5>",
    "approximate": "False",
    "threshold": "<0.0|1.0>",
    "decimals": "<1|-1>",
    "nan": "1.5",
    "posinf": "<1.0|9.0>",
    "neginf": "<-1.0|-9.0>",
    "epsilon": "<0.001|1e-07>",
    "order": "<1|3>",
}
AXES = "<None|-1|0|(0, 1)|1|-2>"
"""Of a parameter whose default is all of them."""
PERCENT = "<50|[10, 75.5]|[25]|0|100>"


class UnreachedError(Exception):
    """Nothing says how to draw what must be given."""


@dataclass(frozen=True)
class Parameter:
    """One of a signature: its name, kind, whether it must be given, its default if it is plain."""

    name: str
    kind: str
    required: bool
    default: Any


@functools.cache
def lines() -> Mapping[str, Sequence[str]]:
    """Function → its templates in ``calls.txt``."""
    found: dict[str, list[str]] = {}
    for line in LINES.read_text().splitlines():
        if line and not line.startswith("#"):
            for one in _each(line):
                match = re.search(r"layers\.\w+", one) or re.search(r"ops\.(image\.)?\w+", one)
                assert match, one
                found.setdefault(match[0], []).append(one)
    return found


def _each(line: str) -> list[str]:
    """One line for each name in braces."""
    match = re.search(r"\b(ops\.|layers\.)([\w.]*)\{([\w,]+)\}", line)
    if match is None:
        return [line]
    head, tail = line[: match.start(3) - 1], line[match.end(3) + 1 :]
    return [f"{head}{name}{tail}" for name in match[3].split(",")]


def template(function: str, parameters: Sequence[Parameter]) -> str:
    """All the ways to call a function.

    Raises:
        UnreachedError: there is none.
    """
    if function in lines():
        return f"<{'|'.join(lines()[function])}>"
    if function.startswith("layers."):
        raise UnreachedError(function)
    given, more = [], ""
    for p in parameters:
        if p.kind.startswith("VAR"):
            continue
        if p.required and p.name not in REQUIRED:
            raise UnreachedError(f"{function}: {p.name}")
        if p.required:
            given.append(
                PERCENT if "percentile" in function and p.name == "q" else REQUIRED[p.name]
            )
        elif p.name in OPTIONAL:
            value = AXES if p.name == "axis" and p.default is None else OPTIONAL[p.name]
            more += f"<|, {p.name}={value}>"
    return f"{function}({', '.join(given)}{more})"


def calls(text: str) -> st.SearchStrategy[str]:
    """The calls that a template stands for."""

    @st.composite
    def drawn(draw: Callable[[Any], Any]) -> str:
        return _Reader(text, draw).read()

    return drawn()


class _Reader:
    """Reads a template from left to right, drawing at every choice."""

    def __init__(self, text: str, draw: Callable[[Any], Any]) -> None:
        self._text, self._draw = text, draw
        self._named: dict[str, str] = {}

    def read(self) -> str:
        """What is drawn."""
        return self._of(self._text)

    def _of(self, text: str) -> str:
        out, place = [], 0
        while (begin := text.find("<", place)) >= 0:
            end = _end(text, begin)
            out += [text[place:begin], self._chosen(text[begin + 1 : end])]
            place = end + 1
        return "".join(out) + text[place:]

    def _chosen(self, inner: str) -> str:
        if inner.startswith("="):
            return str(eval(inner[1:], {n: int(v) for n, v in self._named.items() if v.isdigit()}))
        if inner in self._named:
            return self._named[inner]
        if inner in MACROS:
            return self._of(MACROS[inner])
        name, colon, rest = inner.partition(":")
        named = bool(colon) and name.isidentifier() and len(name) == 1
        options = [o for part in _parts(rest if named else inner) for o in _range(part)]
        chosen = self._of(self._draw(st.sampled_from(options)))
        if named:
            self._named[name] = chosen
        return chosen


def _end(text: str, begin: int) -> int:
    """Where the choice that begins there ends; an arrow ends none."""
    depth = 0
    for place in range(begin, len(text)):
        if text[place] == "<":
            depth += 1
        elif text[place] == ">" and text[place - 1] != "-":
            depth -= 1
            if depth == 0:
                return place
    raise ValueError(f"a choice without an end: {text[begin:]}")


def _parts(text: str) -> list[str]:
    """The alternatives of a choice."""
    parts, depth, begin = [], 0, 0
    for place, letter in enumerate(text):
        if letter == "<":
            depth += 1
        elif letter == ">" and text[place - 1] != "-":
            depth -= 1
        elif letter == "|" and depth == 0:
            parts.append(text[begin:place])
            begin = place + 1
    return [*parts, text[begin:]]


def _range(part: str) -> list[str]:
    """The numbers of a range; else the alternative itself."""
    match = re.fullmatch(r"(\d+)\.\.(\d+)", part)
    return [str(n) for n in range(int(match[1]), int(match[2]) + 1)] if match else [part]
