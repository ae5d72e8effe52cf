"""Numbers in a few characters, for messages, and read as people type them."""

from __future__ import annotations

import re
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
            f"{option} '{text}' is no size. Expected a number and one of {', '.join(_UNITS)}: 4GB"
        )
    units = {name.lower(): size for name, size in _UNITS.items()}
    return round(float(match[1]) * units[(match[2] or "B").lower()])
