"""Numbers in a few characters, for messages, and read as people type them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import UsageError

Array = NDArray[Any]
_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def short(array: Array) -> str:
    """An array in a few characters, on one line."""
    text = np.array2string(array, precision=6, separator=", ", threshold=8)
    return " ".join(text.split())


def nearest(name: str, names: Iterable[str], most: int = 1) -> list[str]:
    """The names that are near to what was typed, the nearest first.

    At difflib's 0.6, of names with one wrong letter 99.9 % are found, with two 99 % (examples and
    rows of the known differences); at 0.4, `nope` is taken for `optimizers`.
    """
    return difflib.get_close_matches(name, list(names), n=most, cutoff=0.6)


def did_you_mean(name: str, names: Iterable[str], most: int = 1) -> str:
    """``Did you mean 'mlp'?``, of what `nearest` finds; empty if that is nothing."""
    near = nearest(name, names, most)
    return f"Did you mean {' or '.join(repr(one) for one in near)}?" if near else ""


def bytes_text(count: float) -> str:
    """A number of bytes to three digits, in powers of 1000: ``412 MB``."""
    unit = next(name for name, size in _UNITS.items() if count < 999.5 * size or name == "TB")
    return f"{count / _UNITS[unit]:.3g} {unit}"


def parse_bytes(text: str, option: str) -> int:
    """The number of bytes that ``4GB``, ``1.5 TB`` or ``0`` says.

    Args:
        text: a number and a unit, in any case; a number alone says too little, but for 0.
        option: what it was typed for, for the message.

    Raises:
        UsageError: it is no size.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?) *([kMGT]?B)?", text.strip(), re.ASCII | re.IGNORECASE)
    if match is None or (match[2] is None and float(match[1])):
        raise UsageError(
            f"{option} '{text}' is no size. Expected a number with its unit, as 8GB or 500MB; "
            f"units are {', '.join(_UNITS)}."
        )
    units = {name.lower(): size for name, size in _UNITS.items()}
    return round(float(match[1]) * units[(match[2] or "B").lower()])
