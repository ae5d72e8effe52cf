"""The smallest change of initial weights: how far it grows says what a difference may grow to."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def nudged(
    weights: Mapping[str, Array], seed: int, precision: str = "float64"
) -> dict[str, NDArray[Any]]:
    """Move every weight by one ulp of a precision, up or down at random: the smallest change.

    How far a training moves from itself after this is the yardstick σ of the verdict.

    A weight that is exactly 0 stays so. Its neighbours are subnormal, which some kernels flush to
    0 and others do not; and where an image is black, a bias of 5e-324 instead of 0 carries a
    whole background across the kink of ReLU: no rounding ever does that.
    """
    result = {}
    for name, values in weights.items():
        stream = np.random.SeedSequence([seed, zlib.crc32(name.encode()), 1])
        up = np.random.Generator(np.random.PCG64(stream)).random(values.shape) < 0.5
        exact = values.astype(precision)
        moved = np.nextafter(exact, np.where(up, np.inf, -np.inf).astype(precision))
        result[name] = np.where(exact == 0, exact, moved)
    return result
