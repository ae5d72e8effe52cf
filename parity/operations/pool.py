"""The maximum or the average of a window."""

import math
from collections.abc import Iterator
from typing import Any

from parity.operations import windows
from parity.operations.code import small
from parity.operations.operation import Operation, Setting, Settings, Shape, Variation
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


OPERATION = Operation(
    "pool",
    lambda s, p, x: spatial.pool(s, x[0]),
    settings={
        "mode": Setting("pooling"),
        "kernel": Setting("pooling", torch="kernel_size", keras="pool_size"),
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
)
