"""Large weights, gradients and optimizer states, of which some elements and sums of all are kept.

A recording of a network of 11 million weights would take 400 MB in float64 for its first step
alone, half of it to say the same as a 32nd part of it does. Of every `CHUNK` elements in a row, in
the canonical layout, two numbers are kept: one element, and the sum of all with signs, divided by
√`CHUNK` so that it is as large, and rounds as much, as an element. Both are judged by the same
measured noise as whole arrays are. An element that is off alone shows in its sum, by an eighth of
its size; what is off in many shows in both. Whether two arrays are equal bit for bit their digests
say, which are of all elements.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.recording_keys import parse_key
from parity.recording.mapped_arrays import checksum

Array = NDArray[Any]
WHOLE = 1 << 16
"""Arrays of at most so many elements are kept whole."""
CHUNK = 64
"""Elements of which one is kept, and one sum."""
_STAGES = frozenset({"weights", "gradients", "state"})
# Which numbers below 67 are squares modulo 67: signs without a pattern that a difference could
# have, too, and the same on every machine and in every version of NumPy.
_SIGNS = np.array([1.0 if pow(j, 33, 67) == 1 else -1.0 for j in range(1, CHUNK + 1)])
_SIGNS /= math.sqrt(CHUNK)


@dataclass(frozen=True)
class Thinned:
    """What an array was before it was thinned.

    Attributes:
        shape: of the array.
        digest: of its dtype, shape and numbers; −0 is 0.
    """

    shape: tuple[int, ...]
    digest: str

    @classmethod
    def of(cls, array: Array) -> Thinned:
        """What is to be known of an array."""
        return cls(array.shape, checksum(array + array.dtype.type(0)))

    @property
    def kept(self) -> int:
        """How many elements are kept; as many sums stand behind them."""
        return -(-math.prod(self.shape) // CHUNK)

    def place(self, at: int) -> tuple[int, ...] | None:
        """Index in the whole array of the kept element `at`; None for a sum."""
        if at >= self.kept:
            return None
        flat = int(_places(math.prod(self.shape))[at])
        return tuple(int(i) for i in np.unravel_index(flat, self.shape))


def is_large(key: str, array: Array) -> bool:
    """Whether an array is one of those that are thinned."""
    return array.dtype.kind == "f" and array.size > WHOLE and parse_key(key).stage in _STAGES


def thin(array: Array) -> Array:
    """Some elements, and the sums of all: ``(2 · ⌈size / CHUNK⌉,)``, in the array's dtype."""
    flat = np.ascontiguousarray(array).reshape(-1)
    whole = flat.size // CHUNK * CHUNK
    sums = flat[:whole].reshape(-1, CHUNK).astype(np.float64) @ _SIGNS
    if rest := flat.size - whole:
        sums = np.append(sums, flat[whole:].astype(np.float64) @ _SIGNS[:rest])
    return np.concatenate([flat[_places(flat.size)], sums.astype(flat.dtype)])


def _places(size: int) -> NDArray[np.int64]:
    """Of every chunk another place: of no matrix of up to 300 columns are a fifth left out."""
    chunks = np.arange(-(-size // CHUNK), dtype=np.int64)
    inside = (chunks * (chunks + 1) // 2 + chunks // CHUNK * 23) % CHUNK
    if size % CHUNK:
        inside[-1] %= size % CHUNK
    return chunks * CHUNK + inside
