"""Initial weights, drawn in NumPy, because the two frameworks' random streams are never equal.

Every value is exact in float32, so that a float32 run and a float64 run start from the same
numbers and differ by the rounding of their arithmetic alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from parity.core.errors import DataError, UsageError
from parity.spec.cases import Numbers
from parity.spec.example import Initial, ParameterSpec
from parity.spec.expected import as_numbers

Array = NDArray[np.float64]
PRETRAINED = Path(__file__).parent / "data" / "pretrained"


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs and outputs of one unit, for a kernel ``(in, out)`` or ``(h, w, in, out)``."""
    if len(shape) < 2:
        raise UsageError(f"A kernel needs two axes or more to have fans, not shape {tuple(shape)}.")
    field = int(np.prod(shape[:-2]))
    return field * shape[-2], field * shape[-1]


def draw(parameters: Sequence[ParameterSpec], seed: int) -> dict[str, Array]:
    """Draw every initial weight, in canonical layout.

    Each parameter has a stream of its own, keyed by its name, so adding a layer changes no other.

    Returns:
        name → float64 array of the parameter's shape, each value exact in float32.
    """
    return {p.name: _draw_one(p, seed) for p in parameters}


def _draw_one(parameter: ParameterSpec, seed: int) -> Array:
    if parameter.initial.kind == "file":
        return _from_file(parameter).astype(np.float32).astype(np.float64)
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
        case "he_normal":  # He et al. 2015, eq. 10; torchvision's choice, counted over outputs
            return random.normal(0.0, np.sqrt(2.0 / fans(shape)[1]), shape)
        case "uniform":
            return random.uniform(-initial.scale, initial.scale, shape)
    raise UsageError(
        f"No initialiser '{initial.kind}': expected constant, normal, uniform, glorot_uniform, "
        "he_normal or file."
    )


def _from_file(parameter: ParameterSpec) -> Array:
    """A pretrained array, by the parameter's name.

    Raises:
        DataError: the file is missing or damaged, or has no such array of this shape.
    """
    path = PRETRAINED / parameter.initial.file
    try:
        with safe_open(path, framework="np") as file:
            values = file.get_tensor(parameter.name)
    except (OSError, SafetensorError) as error:
        raise DataError(
            f"{path}: no pretrained '{parameter.name}' can be read ({error}). It comes with the "
            "project: restore it with git, or install the project anew."
        ) from error
    if values.shape != parameter.shape:
        raise DataError(
            f"{path}: '{parameter.name}' has shape {values.shape}, expected {parameter.shape}."
        )
    return np.asarray(values)


def drawn(name: str, shape: Sequence[int], scale: float = 1.0) -> Numbers:
    """Normal numbers for a values-only case, always the same for a name, each exact in float32."""
    random = np.random.Generator(np.random.PCG64(zlib.crc32(name.encode())))
    return as_numbers(random.normal(0.0, scale, shape).astype(np.float32))
