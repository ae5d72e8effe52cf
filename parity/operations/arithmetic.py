"""Sums, products and their like, of arrays or with a number."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from parity.core.sides import Side
from parity.operations.operation import (
    Array,
    Arrays,
    Compute,
    Correct,
    Operation,
    Setting,
    Settings,
    Shape,
    WrittenOperation,
)

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
    "atan2": np.arctan2,
    "squared_difference": lambda a, b: (a - b) ** 2,
    "subtract_from": lambda a, b: b - a,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}
_CAUSES = {"add": "offset", "subtract": "offset", "multiply": "scale", "divide": "scale"}
_ORDERED = ("subtract", "divide", "power")
_LAYERS = {"add": "layers.Add()", "subtract": "layers.Subtract()", "multiply": "layers.Multiply()"}
_JOINS = ("add", "subtract", "multiply", "divide", "maximum", "minimum")


def operands(settings: Settings, sources: Sequence[Array]) -> list[Any]:
    """The sources, with the settings' number at its place."""
    number = settings.get("scalar")
    if number is None and not isinstance(settings.get("scalar_left"), bool):
        number = settings.get("scalar_left")
    if number is None or len(sources) > 1:
        return list(sources)
    x = sources[0]
    number = x.dtype.type(number) if x.dtype.kind == "f" else number
    left = settings.get("scalar_left") not in (None, False)
    return [number, x] if left else [x, number]


def stepped(x: Array, steps: Sequence[Sequence[Any]], sources: Sequence[Array]) -> Array:
    """``[operation, operand]`` in order, as the canonical graph has them."""
    for name, operand in steps:
        number = sources[operand["source"]] if isinstance(operand, Mapping) else operand
        x = BINARY[name](x, number)
    return np.asarray(x)


def _compute(kind: str) -> Compute:
    def function(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
        taken = operands(settings, sources)
        if "alpha" in settings:
            taken[1] = taken[1] * settings["alpha"]
        total = taken[0]
        for other in taken[1:]:
            total = BINARY[kind](total, other)
        return np.asarray(total)

    return function


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    left = settings.get("scalar_left")
    if isinstance(left, float | int) and not isinstance(left, bool):
        settings.update(scalar=left, scalar_left=True)
    return settings


def rescaling(scale: float, offset: float) -> str:
    """The layer that multiplies by a number and adds one."""
    return f"layers.Rescaling({scale!r}{f', offset={offset!r}' if offset else ''})"


def _line(kind: str) -> Callable[[Settings, Shape], str]:
    def line(settings: Settings, shape: Shape) -> str:
        number, left = settings.get("scalar"), settings.get("scalar_left")
        if number is None:
            return _LAYERS.get(kind, "")
        number = float(number)
        forwards = {
            "add": (1.0, number),
            "multiply": (number, 0.0),
            **({} if left else {"subtract": (1.0, -number)}),
            **({} if left or not number else {"divide": (1.0 / number, 0.0)}),
        }
        return rescaling(*forwards[kind]) if kind in forwards else ""

    return line


def _side(left: bool) -> str:
    return "number left" if left else "number right"


def _number(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """A number that stands in an expression once."""
    own, wanted = mine.settings.get("scalar"), other.settings.get("scalar")
    if own is None or wanted is None:
        return ""
    for text in dict.fromkeys((repr(own), f"{own:g}", str(own))):
        pattern = rf"(?<![\w.]){re.escape(text)}(?![\w.])"
        if len(re.findall(pattern, mine.code)) == 1:
            return re.sub(pattern, repr(wanted), mine.code)
    return ""


CORRECTED: dict[str, Correct] = {"scale": _number, "offset": _number, "constant": _number}
"""The corrected lines of what takes a number."""

OPERATIONS = tuple(
    Operation(
        kind,
        _compute(kind),
        settings={
            "scalar": Setting(_CAUSES.get(kind, "constant"), None),
            **({"scalar_left": Setting("order", False, say=_side)} if kind in _ORDERED else {}),
        },
        category="join" if kind in _JOINS else "arithmetic",
        commutes=kind in ("add", "multiply", "maximum", "minimum"),
        canonical=_canonical,
        lines={"keras": _line(kind)},
        corrected=CORRECTED,
    )
    for kind in (*_JOINS, "power")
)
