"""Numbers that are not known, in arrays of which only some were kept: a NaN of its own kind.

They move with the array, whatever becomes of its axes, and are known again by their bits: no
computation makes this NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.graph.model_interface import Array

_BITS: Mapping[np.dtype[Any], Any] = {
    np.dtype(np.float64): np.uint64(0x7FFA_5A5A_4000_0000),
    np.dtype(np.float32): np.uint32(0x7FD2_D2D2),
}
"""The same NaN in both precisions: converting one gives the other."""


def array(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """An array none of whose numbers is known."""
    bits = _BITS[dtype]
    return np.full(shape, bits, bits.dtype).view(dtype)


def known(array: Array) -> NDArray[np.bool_] | None:
    """Which numbers are known; None: all of them."""
    bits = _BITS.get(array.dtype)
    if bits is None or not np.isnan(np.min(array, initial=0.0)):
        return None
    mask: NDArray[np.bool_] = np.ascontiguousarray(array).view(bits.dtype) != bits
    return None if mask.all() else mask.reshape(array.shape)


def seen(array: Array) -> Array:
    """The known numbers, in a row."""
    mask = known(array)
    return array.reshape(-1) if mask is None else array[mask]


def largest(array: Array) -> float:
    """The largest size of a known number."""
    return float(np.max(np.abs(seen(array)), initial=0.0))
