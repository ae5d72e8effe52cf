"""Weights for a comparison: the model's own, and telling ones where it starts with all zeros."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import numpy as np

from parity.checker.graph.graph import STATISTICS, Parameter
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import CompactArrays, kept

_GENERATED = 0.1
"""A bias of a tenth beside activations of about one: far above rounding, so that a missing one
shows, and too small to push a layer out of the range it was made for."""


def randomise_degenerate(
    parameters: Iterable[Parameter], weights: Mapping[str, Array], seed: int
) -> CompactArrays:
    """All weights, with telling numbers where a model has all zeros or all ones.

    A bias of zeros or a scale of ones would hide that it is missing on the other side. All are
    float32 numbers, so that both precisions start from the same.
    """
    result = CompactArrays()
    as_kept = weights.arrays if isinstance(weights, CompactArrays) else {}
    for parameter in parameters:
        if parameter.id not in weights:
            continue  # the model makes it of others
        array = np.asarray(kept(weights, parameter.id))
        if parameter.constant and is_replaceable(parameter, array):
            array = _random_values(parameter, seed)
        elif array.dtype == np.float32 and parameter.id in as_kept:
            result.arrays[parameter.id] = as_kept[parameter.id]
            continue
        result[parameter.id] = array.astype(np.float32, copy=False)
    return result


def is_replaceable(parameter: Parameter, array: Array) -> bool:
    """Whether other numbers may stand there: a buffer's belong to the model's code, and do not."""
    own = parameter.role == "raw" and not parameter.trainable
    return not own and array.dtype.kind == "f" and bool(array.size)


def _random_values(parameter: Parameter, seed: int) -> Array:
    rng = np.random.default_rng([seed, *parameter.id.encode()])
    noise = rng.standard_normal(parameter.shape)
    role = (
        parameter.role.rpartition("_")[2]
        if parameter.role.endswith(STATISTICS)
        else (parameter.role)
    )
    # A scale may neither vanish nor change its sign; a variance must be positive and far from any
    # epsilon; a slope stays a slope; a kernel yields numbers of the size of those it takes.
    match role:
        case "gamma":
            return 1 + 2 * _GENERATED * noise
        case "variance":
            return 0.75 + 0.5 * rng.random(parameter.shape)
        case "alpha":
            return 0.25 + _GENERATED / 2 * noise
        case "kernel" | "recurrent_kernel" | "embeddings":
            fan_in = max(math.prod(parameter.shape[:-1]), 1)
            scaled: Array = noise / math.sqrt(fan_in)
            return scaled
        case _:
            return _GENERATED * noise
