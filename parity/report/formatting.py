"""Numbers, marks and Markdown: how a value is written in a table or a sentence."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.recording_keys import STAGES

MARKS = {
    "identical": "✓",
    "rounding": "✓",
    "known": "≈",
    "different": "✗",
    "undecided": "?",
}
NONE = "–"
_KEY = re.compile(rf"(?<![\w`/])(?:{'|'.join(STAGES)})/[\w.\-]+(?:/[\w.\-]+)*(?<![.\-])")
_EXPONENT = re.compile(r"(?<=\d)e([+-])0*(\d+)\b")
_SHOWN = 12
"""So many elements are shown whatever their length …"""
_LENGTH = 160
"""… and more of them if they take no more characters."""


def number(value: float | None, digits: int = 3) -> str:
    """A number to `digits` significant digits: 0.000137, 1.22e-13, 1.1e9."""
    if value is None:
        return NONE
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    text = f"{value:.{digits}g}"
    return _EXPONENT.sub(lambda m: f"e{m[1].replace('+', '')}{m[2]}", text)


def ratio(value: float | None) -> str:
    """A ratio to a bound: 0.06, 7.5, 1.1e9."""
    if value is None:
        return NONE
    if value == 0 or 0.005 <= value < 99.5:
        return f"{value:.2f}" if 0 < value < 9.95 else f"{value:.0f}"
    return "> 1e300" if value > 1e300 else number(value, 2)


def fraction(value: float | None) -> str:
    """An accuracy or a loss: four decimals."""
    if value is None:
        return NONE
    return f"{value:.4f}" if math.isfinite(value) else number(value)


def count(some: int, noun: str) -> str:
    """``1 step``, ``1,875 steps``."""
    return f"{some:,} {noun}{'' if some == 1 else 's'}"


def listed(words: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def array(value: NDArray[Any]) -> str:
    """A small array as nested lists, a large one as its shape and first elements."""
    if value.size <= _LENGTH:
        text = _nested(value)
        if value.size <= _SHOWN or len(text) <= _LENGTH:
            return text
    first = ", ".join(_element(x) for x in value.ravel()[:3])
    return f"[{first}, …] of shape {value.shape}"


def _nested(value: NDArray[Any]) -> str:
    if value.ndim == 0:
        return _element(value[()])
    return "[" + ", ".join(_nested(np.asarray(part)) for part in value) + "]"


def _element(value: Any) -> str:
    return number(float(value), 7) if np.asarray(value).dtype.kind == "f" else str(value)


def spec_numbers(value: Any, digits: int = 7) -> str:
    """Numbers as a spec states them, many of them as an array is; text stands for itself."""
    if isinstance(value, tuple):
        everything = np.array(value, dtype=object)
        text = _tuples(value, digits)
        if everything.size <= _SHOWN or len(text) <= _LENGTH:
            return text
        first = ", ".join(spec_numbers(x, digits) for x in everything.ravel()[:3])
        return f"[{first}, …] of shape {everything.shape}"
    if isinstance(value, float):
        return number(value, digits)
    return "NaN" if value == "nan" else str(value)


def _tuples(value: Any, digits: int) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_tuples(v, digits) for v in value) + "]"
    return spec_numbers(value, digits)


def squeezed(value: Any) -> Any:
    """Numbers of a spec without axes of length 1, which only make them harder to read."""
    while isinstance(value, tuple):
        if len(value) > 1:
            return tuple(squeezed(part) for part in value)
        (value,) = value
    return value


def told_apart(left: Any, right: Any) -> tuple[str, str]:
    """Two numbers of a spec with as many digits as it takes to see that they differ."""
    shown = [(spec_numbers(left, d), spec_numbers(right, d)) for d in (7, 9, 12, 17)]
    return next((both for both in shown if both[0] != both[1]), shown[0])


def cell(text: object) -> str:
    """Text for a table cell: pipes escaped, on one line."""
    one_line = re.sub(r"[ \t\r\n\v\f]+", " ", str(text)).strip()  # not \u00a0
    return re.sub(r"(?<!\\)\|", r"\\|", one_line)


def code(text: object) -> str:
    """A code span, whatever backticks are in the text; empty text gives an empty cell."""
    words = str(text)
    if not words:
        return ""
    longest = max((len(run) for run in re.findall("`+", words)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def prose(text: str) -> str:
    """Words of the engine as Markdown: no stray markup, keys as code."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace("*", r"\*")
    short = _EXPONENT.sub(lambda m: f"e{m[1].replace('+', '')}{m[2]}", safe)
    return _KEY.sub(lambda match: f"`{match[0]}`", short)


def fence(text: str) -> str:
    """The fence that a code block needs, longer than any in it."""
    longest = max((len(run) for run in re.findall("`{3,}", text)), default=2)
    return "`" * (longest + 1)


def signed(value: float) -> str:
    """Two significant digits and always a sign; what rounding leaves is 0."""
    return "0" if abs(value) < 5e-6 else number(value, 2) if value < 0 else f"+{number(value, 2)}"
