"""Numbers moved by half a unit of float32, so that a run shows what their rounding can do."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

BITS = 16
"""Numbers of no more bits are written down exactly, and were never rounded: 0.5, 3, 1024."""
_HALF = 2.0**-24


def nudged(values: ArrayLike) -> NDArray[Any]:
    """Each number half a unit of float32 up or down, always the same way; float64 or complex128.

    Numbers of few bits stay, as do infinities and NaN.
    """
    if np.iscomplexobj(values):
        return np.asarray(nudged(np.real(values)) + 1j * nudged(np.imag(values)))
    x = np.asarray(values, np.float64)
    mantissa, _ = np.frexp(np.where(np.isfinite(x), x, 0.0))
    mantissa = np.ldexp(mantissa, BITS)
    moves = mantissa != np.rint(mantissa)
    signs = np.random.default_rng(x.size).choice([-_HALF, _HALF], x.shape)
    return np.asarray(x + np.where(moves, x, 0.0) * signs)  # of one number, too
