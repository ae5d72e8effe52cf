"""A transposed convolution, of whose full output something is cut at the edges."""

from collections.abc import Iterator
from typing import Any

from parity.operations import windows
from parity.operations.operation import Operation, Setting, Settings, Shape, Variation
from parity.reference import spatial


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    windows.fill(settings, edge="crop")
    return settings


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    if "kernel" in settings:
        yield from windows.paddings(settings, shape, edge="crop")


OPERATION = Operation(
    "transposed",
    lambda s, p, x: spatial.transposed(s, p, x[0]),
    settings={
        "stride": windows.STRIDE,
        "dilation": windows.DILATION,
        "groups": windows.GROUPS,
        "bias": windows.BIAS,
        "kernel": windows.KERNEL,
        "crop": Setting("padding"),
    },
    has_channels=True,
    weighted=True,
    canonical=_canonical,
    variations=_variations,
    corrected={"padding": windows.crop},
)
