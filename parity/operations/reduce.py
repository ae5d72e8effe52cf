"""A reduction along axes: mean, maximum, sum, norm and their like."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from parity.core.sides import Side
from parity.operations import pool
from parity.operations.code import written
from parity.operations.operation import (
    Array,
    Arrays,
    Operation,
    Setting,
    Settings,
    Shape,
    Variation,
    WrittenOperation,
)

REDUCTIONS: dict[str, Callable[..., Array]] = {
    "mean": np.mean,
    "max": np.max,
    "sum": np.sum,
    "min": np.min,
    "prod": np.prod,
    "variance": np.var,
    "std": np.std,
    "any": np.any,
    "all": np.all,
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    "nanmean": np.nanmean,
    "nansum": np.nansum,
    "count_nonzero": np.count_nonzero,
    "argmax": lambda x, axis, keepdims: np.argmax(x, axis=axis[0], keepdims=keepdims),
    "argmin": lambda x, axis, keepdims: np.argmin(x, axis=axis[0], keepdims=keepdims),
}


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    x, mode = sources[0], settings["mode"]
    axes = settings.get("axes")
    axis = tuple(range(x.ndim)) if axes is None else tuple(a % x.ndim for a in axes)
    if mode == "norm":
        return _norm(x, axis, settings)
    more = {"ddof": settings["correction"]} if settings.get("correction") else {}
    return np.asarray(
        REDUCTIONS[mode](x, axis=axis, keepdims=bool(settings.get("keepdims")), **more)
    )


def _norm(x: Array, axis: tuple[int, ...], settings: Settings) -> Array:
    order, keep = float(settings.get("order", 2)), bool(settings.get("keepdims"))
    size = np.abs(x)
    if np.isinf(order):
        return np.asarray((np.max if order > 0 else np.min)(size, axis=axis, keepdims=keep))
    return np.asarray(np.sum(size**order, axis=axis, keepdims=keep) ** (1 / order))


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    if settings.get("axes", 0) is None:
        settings["axes"] = tuple(range(rank))
    return settings


def _cause(key: str, settings: Settings, shape: Shape) -> str:
    """A reduction over all of space is a global pooling."""
    rank, axes = len(shape), settings.get("axes")
    over = set() if axes is None or rank < 3 else {a % rank for a in axes}
    if key == "mode" and over in (set(range(1, rank - 1)), set(range(2, rank))) and over:
        return "pooling"
    return OPERATION.settings[key].cause


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    cause = "operation" if len(shape) < 3 else "pooling"
    for mode in ("mean", "max", "sum", "min", "variance", "std", "norm"):
        yield Variation(cause, settings["mode"], mode, {"mode": mode})


def _pooling(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    return pool.swapped(mine, other, side) or _in_mode(mine, other, side)


def _in_mode(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    """Another mode of the same function: ``ops.sum`` for ``ops.mean``."""
    if other.kind != "reduce":
        return None
    own, wanted = mine.settings["mode"], other.settings["mode"]
    if own == wanted or not {own, wanted} <= {"mean", "sum", "max", "min", "prod"}:
        return None
    if mine.code.startswith("layers."):
        return OPERATION.lines[side](other.settings, other.shape)
    return re.sub(rf"(?<=[._]){own}\(", f"{wanted}(", mine.code, count=1)


def _said(kept: bool) -> str:
    return "kept with a size of 1" if kept else "dropped"


OPERATION = Operation(
    "reduce",
    _compute,
    settings={
        "mode": Setting("operation", group="reduction"),
        "axes": Setting("axis", torch="dim", keras="axis"),
        "keepdims": Setting("axis", False, "keepdim", "keepdims", say=_said),
        "correction": Setting("operation", 0, group="reduction"),
        "order": Setting("operation", 2.0, group="reduction"),
    },
    family="pooling",
    canonical=_canonical,
    cause=_cause,
    variations=_variations,
    lines={
        "torch": lambda s, shape: f"x.{s['mode']}(dim={written(s['axes'])})",
        "keras": lambda s, shape: f"ops.{s['mode']}(x, axis={written(s['axes'])})",
    },
    corrected={"pooling": _pooling},
)
