"""Numbers that a spec states, and whether an array is that number to the digits stated."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.text import short
from parity.spec.cases import Numbers

Array = NDArray[Any]
UNITS = {"float32": 2.0**-24, "float64": 2.0**-53}
SLACK = 32.0
"""How many units of rounding, relative to the largest element, an exact number may be off by."""


def numbers(value: Numbers, precision: str = "float64") -> Array:
    """Numbers of a spec as an array: text is read as a decimal."""
    return np.array(_floats(value), dtype=precision)


def stated(value: Numbers) -> str:
    """What a spec states, in a few characters; a fact such as ``"RuntimeError"`` is itself."""
    try:
        return short(numbers(value))
    except ValueError:
        return str(value)


def _floats(value: Numbers) -> Any:
    return [_floats(v) for v in value] if isinstance(value, tuple) else float(value)


def as_numbers(array: Any) -> Numbers:
    """An array as the nested tuples that a spec holds."""
    nested: Numbers = _tuples(np.asarray(array, dtype=np.float64).tolist())
    return nested


def _tuples(value: Any) -> Any:
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


def is_zero(value: Numbers) -> bool:
    """Whether every number stated is exactly zero."""
    if isinstance(value, tuple):
        return all(is_zero(v) for v in value)
    return not isinstance(value, str) and value == 0


def matches(array: Array, value: Numbers) -> bool:
    """Whether `array` is `value`, each element to the digits stated.

    A float or int stands for itself, to rounding in the array's dtype; text such as ``"2.0404"``
    for a decimal known to half its last digit; ``"nan"`` and ``"inf"`` for themselves. Text that
    is no number, ``"RuntimeError"``, states a fact, which no array matches.
    """
    try:
        want = numbers(value)
    except ValueError:
        return False
    if array.shape != want.shape:
        return False
    have = array.astype(np.float64)
    normal = np.isfinite(have) & np.isfinite(want)
    largest = np.max(np.abs(want), initial=0.0, where=normal)
    unit = UNITS.get(str(array.dtype), 0.0)
    slack = np.maximum(half_digit(value), SLACK * unit * largest)
    apart = np.abs(np.where(normal, have, 0) - np.where(normal, want, 0))
    special = (have == want) | (np.isnan(have) & np.isnan(want))
    return bool(np.all(np.where(normal, apart <= slack, special)))


def half_digit(value: Numbers) -> Array:
    """Half a unit in the last digit of every number given as text, 0 for the others."""
    if isinstance(value, tuple):
        return np.array([half_digit(v) for v in value])
    if not isinstance(value, str) or value.lstrip("+-").lower() in ("nan", "inf"):
        return np.array(0.0)
    mantissa, _, exponent = value.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    return np.array(0.5 * 10.0 ** (int(exponent or 0) - digits))
