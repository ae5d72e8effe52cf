"""Initial weights, drawn in NumPy, because the two frameworks' random streams are never equal.

Every value is exact in float32, so that a float32 run and a float64 run start from the same
numbers and differ by the rounding of their arithmetic alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from shared.errors import UsageError
from shared.expected import as_numbers
from shared.spec import Initial, Numbers, Parameter

Array = NDArray[np.float64]


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs and outputs of one unit, for a kernel ``(in, out)`` or ``(h, w, in, out)``."""
    if len(shape) < 2:
        raise UsageError(f"A kernel needs two axes or more to have fans, not shape {tuple(shape)}.")
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


def draw(parameters: Sequence[Parameter], seed: int) -> dict[str, Array]:
    """Draw every initial weight, in canonical layout.

    Each parameter has a stream of its own, keyed by its name, so adding a layer changes no other.

    Returns:
        name → float64 array of the parameter's shape, each value exact in float32.
    """
    return {p.name: _draw_one(p, seed) for p in parameters}


def _draw_one(parameter: Parameter, seed: int) -> Array:
    stream = np.random.SeedSequence([seed, zlib.crc32(parameter.name.encode())])
    random = np.random.Generator(np.random.PCG64(stream))
    values = _values(parameter.initial, parameter.shape, random)
    return values.astype(np.float32).astype(np.float64)


def _values(initial: Initial, shape: tuple[int, ...], random: np.random.Generator) -> Array:
    match initial.kind:
        case "constant":
            return np.full(shape, initial.scale)
        case "normal":
            return random.normal(0.0, initial.scale, shape)
        case "glorot_uniform":  # Glorot and Bengio 2010, eq. 16; the default of Keras' Dense
            bound = np.sqrt(6.0 / sum(fans(shape)))
            return random.uniform(-bound, bound, shape)
        case "he_normal":  # He et al. 2015, eq. 14: by the outputs, as torchvision draws a ResNet
            return random.normal(0.0, np.sqrt(2.0 / fans(shape)[1]), shape)
        case "uniform":
            return random.uniform(-initial.scale, initial.scale, shape)
    raise UsageError(
        f"No initialiser '{initial.kind}': expected constant, normal, uniform, glorot_uniform "
        "or he_normal."
    )


def nudged(weights: Mapping[str, Array], seed: int) -> dict[str, Array]:
    """Move every weight by one float64 ulp, up or down at random: the smallest change there is.

    How far a training moves from itself after this is the yardstick σ of the verdict.

    A weight that is exactly 0 stays so. Its neighbours are subnormal, which some kernels flush to
    0 and others do not; and where an image is black, a bias of 5e-324 instead of 0 carries a
    whole background across the kink of ReLU: no rounding ever does that.
    """
    result = {}
    for name, values in weights.items():
        stream = np.random.SeedSequence([seed, zlib.crc32(name.encode()), 1])
        up = np.random.Generator(np.random.PCG64(stream)).random(values.shape) < 0.5
        moved = np.nextafter(values, np.where(up, np.inf, -np.inf))
        result[name] = np.where(values == 0, values, moved)
    return result


def drawn(name: str, shape: Sequence[int], scale: float = 1.0) -> Numbers:
    """Normal numbers for a values-only case, always the same for a name, each exact in float32."""
    random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return as_numbers(random.normal(0.0, scale, shape).astype(np.float32))
