"""Factors and summands in a row: ``x·scale + offset``, one number or one a channel each."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from parity.operations.arithmetic import rescaling, stepped
from parity.operations.operation import Array, Arrays, Operation, Setting, Settings, Shape
from parity.reference import layers


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    """Lists and parameters go along the channels, or along ``axis``."""
    x = sources[0]
    if "steps" in settings:
        return stepped(x, settings["steps"], sources)
    scale = parameters.get("scale", parameters.get("gamma", settings.get("scale", 1.0)))
    offset = parameters.get("offset", parameters.get("beta", settings.get("offset", 0.0)))
    axis = settings.get("axis")
    axis = layers.channel_axis(settings, x.ndim) if axis is None else axis % x.ndim
    parts = []
    for part in (scale, offset):
        array = _number(part, x)
        shape = [1] * x.ndim
        if array.ndim == 1 and array.size > 1:
            shape[axis] = array.size
            array = array.reshape(shape)
        parts.append(array)
    return np.asarray(x * parts[0] + parts[1])


def _number(part: Any, x: Array) -> Array:
    """A factor or a summand as an array takes it: half of a whole number is no whole number."""
    if x.dtype.kind not in "iub":
        return np.asarray(part, x.dtype)
    array = np.asarray(part)
    return array if array.dtype.kind in "iu" else array.astype(np.float64)


def _line(settings: Settings, shape: Shape) -> str:
    """Numbers in a row, as one layer; '' where one of them is a table."""
    scale, offset = settings.get("scale", 1.0), settings.get("offset", 0.0)
    for name, number in settings.get("steps", ()):
        if not isinstance(number, int | float) or isinstance(number, bool):
            return ""
        match name:
            case "add" | "subtract":
                offset += number if name == "add" else -number
            case "multiply" | "divide" if number:
                factor = number if name == "multiply" else 1 / number
                scale, offset = scale * factor, offset * factor
            case _:
                return ""
    if not all(isinstance(number, int | float) for number in (scale, offset)):
        return ""
    return rescaling(float(scale), float(offset))


OPERATION = Operation(
    "affine",
    _compute,
    settings={
        "scale": Setting("scale", 1.0),
        "offset": Setting("offset", 0.0),
        "axis": Setting("axis"),
        "steps": Setting("constant"),
    },
    category="arithmetic",
    lines={"keras": _line},
)
