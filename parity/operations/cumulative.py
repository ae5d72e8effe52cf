"""A sum, product, maximum or minimum of all that came before along an axis."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from parity.operations.operation import Array, Arrays, Operation, Setting, Settings

CUMULATIVE: dict[str, Callable[..., Any]] = {
    "sum": np.cumsum,
    "cumsum": np.cumsum,
    "prod": np.cumprod,
    "cumprod": np.cumprod,
    "max": np.maximum.accumulate,
    "cummax": np.maximum.accumulate,
    "min": np.minimum.accumulate,
    "cummin": np.minimum.accumulate,
}


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    x, axis = sources[0], settings["axis"]
    x = np.flip(x, axis) if settings.get("reverse") else x
    out = CUMULATIVE[settings["name"]](x, axis=axis)
    if settings.get("exclusive"):
        first = np.full_like(np.take(out, [0], axis), "prod" in settings["name"])
        out = np.concatenate([first, np.delete(out, -1, axis)], axis)
    return np.asarray(np.flip(out, axis) if settings.get("reverse") else out)


OPERATION = Operation(
    "cumulative",
    _compute,
    settings={
        "name": Setting("operation"),
        "axis": Setting("axis", torch="dim", keras="axis"),
    },
    category="reduce",
)
