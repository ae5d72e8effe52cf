"""A convolution; depthwise with as many groups as channels."""

from collections.abc import Iterator
from typing import Any

from parity.operations import windows
from parity.operations.operation import Operation, Setting, Settings, Shape, Variation
from parity.reference import spatial


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    windows.fill(settings)
    return settings


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    if "kernel" not in settings:
        return
    yield from windows.paddings(settings, shape)
    for mode in ("reflect", "replicate", "circular"):
        yield Variation("padding", "zeros", mode, {"mode": mode})


OPERATION = Operation(
    "convolution",
    lambda s, p, x: spatial.convolution(s, p, x[0]),
    settings={
        "stride": windows.STRIDE,
        "dilation": windows.DILATION,
        "groups": windows.GROUPS,
        "bias": windows.BIAS,
        "kernel": windows.KERNEL,
        "padding": Setting("padding", group="padding"),
        "mode": Setting("padding", "zeros", torch="padding_mode", group="padding"),
    },
    has_channels=True,
    weighted=True,
    canonical=_canonical,
    variations=_variations,
    corrected=windows.CORRECTED,
)
