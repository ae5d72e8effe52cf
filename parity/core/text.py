"""Numbers in a few characters, for messages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def short(array: Array) -> str:
    """An array in a few characters, on one line."""
    text = np.array2string(array, precision=6, separator=", ", threshold=8)
    return " ".join(text.split())
