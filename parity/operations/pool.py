"""The maximum or the average of a window."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from parity.core.sides import Side
from parity.operations import windows
from parity.operations.code import changed, small, written
from parity.operations.operation import (
    Operation,
    Setting,
    Settings,
    Shape,
    Variation,
    WrittenOperation,
    with_arguments,
)
from parity.reference import spatial


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    windows.fill(settings, stride=True)
    plain = not any(b or a for b, a in settings.get("padding") or ())
    if plain or settings.get("mode") == "max":
        settings.pop("counts_padding", None)
        settings.pop("ceil_mode", None)
    if settings.get("mode") == "max":
        settings.setdefault("pad_value", -math.inf)
    return settings


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    if "kernel" not in settings:
        return
    yield from windows.paddings(settings, shape)
    counts = bool(settings.get("counts_padding"))
    yield Variation("padding_counted", counts, not counts, {"counts_padding": not counts})
    mode = "max" if settings["mode"] == "average" else "average"
    yield Variation("pooling", settings["mode"], mode, {"mode": mode})


def _torch(settings: Settings, shape: Shape) -> str:
    name = "AvgPool" if settings.get("mode") == "average" else "MaxPool"
    window, stride = small(settings["kernel"]), small(settings["stride"])
    return f"nn.{name}{len(settings['kernel'])}d({window}, stride={stride})"


def _keras(settings: Settings, shape: Shape) -> str:
    name = "AveragePooling" if settings.get("mode") == "average" else "MaxPooling"
    window, stride = small(settings["kernel"]), small(settings["stride"])
    return f"layers.{name}{len(settings['kernel'])}D({window}, strides={stride})"


_SWAPPED = {
    "max": {
        "AvgPool": "MaxPool",
        "AveragePooling": "MaxPooling",
        "avg_pool": "max_pool",
        "average_pool": "max_pool",
        "reduce_mean": "reduce_max",
        ".mean(": ".amax(",
        "ops.mean(": "ops.max(",
    },
    "average": {
        "MaxPool2d": "AvgPool2d",
        "MaxPool1d": "AvgPool1d",
        "MaxPool3d": "AvgPool3d",
        "MaxPooling": "AveragePooling",
        "MaxPool2D": "AveragePooling2D",
        "AdaptiveMaxPool": "AdaptiveAvgPool",
        "F.max_pool": "F.avg_pool",
        "adaptive_max_pool": "adaptive_avg_pool",
        "ops.max_pool": "ops.average_pool",
        "reduce_max": "reduce_mean",
        ".amax(": ".mean(",
        "ops.max(": "ops.mean(",
    },
}
"""Mode → what is called in the other mode: what is called in this one."""


def swapped(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    """The line with the maximum for the average, or the average for the maximum."""
    mode = str(other.settings.get("mode", ""))
    if (mine.kind, mine.settings.get("mode")) == (other.kind, mode):
        return None
    for old, new in _SWAPPED.get({"mean": "average"}.get(mode, mode), {}).items():
        if old in mine.code and new not in mine.code:
            return mine.code.replace(old, new)
    return None


def _pooling(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str | None:
    """The other's mode, and its window."""
    line = swapped(mine, other, side)
    window = {"kernel": OPERATION.settings["kernel"]}
    return with_arguments(window, replace(mine, code=line or mine.code), other, side) or line


def _counted(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    counts = bool(other.settings.get("counts_padding"))
    if side == "torch":
        return changed(mine.code, {"count_include_pad": counts})
    pads = other.settings.get("padding", ())
    if counts and pads:
        line = changed(mine.code, {"padding": "valid"})
        return f"layers.ZeroPadding{len(pads)}D({written(pads)})\n{line}"
    return changed(mine.code, {"padding": "same"})


OPERATION = Operation(
    "pool",
    lambda s, p, x: spatial.pool(s, x[0]),
    settings={
        "mode": Setting("pooling"),
        "kernel": Setting("pooling", torch="kernel_size", keras="pool_size", argument=small),
        "stride": windows.STRIDE,
        "dilation": windows.DILATION,
        "padding": Setting("padding", group="padding"),
        "pad_value": Setting(
            "padding", group="padding", say=lambda value: f"filled with {value:g}"
        ),
        "counts_padding": Setting(
            "padding_counted", False, torch="count_include_pad", group="counting"
        ),
        "ceil_mode": Setting("padding_counted", False, group="counting"),
        "divisor": Setting("pooling", None),
    },
    family="pooling",
    has_channels=True,
    canonical=_canonical,
    variations=_variations,
    lines={"torch": _torch, "keras": _keras},
    corrected={**windows.CORRECTED, "padding_counted": _counted, "pooling": _pooling},
)
