"""What convolutions and pools share: a window that moves over the spatial axes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

from parity.operations.operation import Setting, Settings, Shape, Variation

Pads = Sequence[Sequence[int]]

_MOST = 64
"""So many paddings are tried, the nearest to the layer's own first."""

STRIDE = Setting("stride", torch="stride", keras="strides")
DILATION = Setting("dilation", torch="dilation", keras="dilation_rate")
GROUPS = Setting("groups", 1, "groups", "groups", roles=("kernel",))
BIAS = Setting("bias", True, "bias", "use_bias", roles=("bias",))
KERNEL = Setting("kernel_size", torch="kernel_size", keras="kernel_size", roles=("kernel",))


def fill(settings: dict[str, Any], *, stride: bool = False, edge: str = "padding") -> None:
    """Write out what a window does where nothing else is stated.

    Args:
        settings: changed in place.
        stride: whether it moves by its own size.
        edge: name of what is added or cut at the edges.
    """
    kernel = settings.get("kernel")
    if kernel is None:
        return
    ones = (1,) * len(kernel)
    blank = {"stride": tuple(kernel) if stride else ones, "dilation": ones}
    blank[edge] = ((0, 0),) * len(kernel)
    for key, value in blank.items():
        if settings.get(key) is None:
            settings[key] = value


def paddings(settings: Settings, shape: Shape, *, edge: str = "padding") -> Iterator[Variation]:
    """Other paddings with which as many windows come out.

    Args:
        settings: canonical.
        shape: of the source.
        edge: ``padding``, or ``crop``, whose sum then stays.
    """
    given = tuple(tuple(p) for p in settings[edge])
    choices = []
    for at, (before, after) in enumerate(given):
        total = before + after
        slack = _slack(settings, shape, at) if edge == "padding" else 0
        # So many more or fewer rows end in the same number of windows.
        totals = range(total - slack, total - slack + settings["stride"][at])
        kept = [t for t in totals if t >= 0] if edge == "padding" else [total]
        choices.append([(b, t - b) for t in kept for b in range(t + 1)])
    for pads in sorted(itertools.product(*choices), key=lambda p: _moved(p, given))[:_MOST]:
        if pads != given:
            yield Variation("padding", given, pads, {edge: pads})


def _slack(settings: Settings, shape: Shape, axis: int) -> int:
    """How many rows after the last window are not used."""
    n = shape[2 + axis] if settings.get("channels") == "first" else shape[1 + axis]
    window = settings["dilation"][axis] * (settings["kernel"][axis] - 1) + 1
    used = n + sum(settings["padding"][axis]) - window
    return int(used % settings["stride"][axis])


def _moved(pads: Pads, given: Pads) -> int:
    pairs = zip(pads, given, strict=True)
    return sum(abs(p[0] - g[0]) + abs(p[1] - g[1]) for p, g in pairs)
