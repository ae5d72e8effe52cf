"""What convolutions and pools share: a window that moves over the spatial axes."""

from __future__ import annotations

import ast
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from parity.core.sides import Side
from parity.operations.code import argument, changed, small, written
from parity.operations.operation import (
    Correct,
    Setting,
    Settings,
    Shape,
    Variation,
    WrittenOperation,
    with_arguments,
)

Pads = Sequence[Sequence[int]]

_MOST = 64
"""So many paddings are tried, the nearest to the layer's own first."""

STRIDE = Setting("stride", torch="stride", keras="strides", argument=small)
DILATION = Setting("dilation", torch="dilation", keras="dilation_rate", argument=small)
GROUPS = Setting("groups", 1, "groups", "groups", roles=("kernel",))
BIAS = Setting("bias", True, "bias", "use_bias", roles=("bias",))
KERNEL = Setting(
    "kernel_size",
    torch="kernel_size",
    keras="kernel_size",
    roles=("kernel",),
    argument=small,
)


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


def _padding(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """The other's padding, as an argument or in a line before."""
    pads, mode = other.settings.get("padding", ()), other.settings.get("mode")
    mirrored = mode in ("reflect", "replicate", "circular")
    if mirrored and side == "torch":
        return changed(mine.code, {"padding_mode": mode})
    if not pads:
        return ""
    if mirrored:
        keras_mode = {"replicate": "edge", "circular": "wrap"}.get(str(mode), mode)
        return _padded_before(mine, pads, f'mode="{keras_mode}"')
    return _torch_padded(mine, pads) if side == "torch" else _keras_padding(mine, pads)


def _torch_padded(mine: WrittenOperation, pads: Pads) -> str:
    if all(before == after for before, after in pads):
        return changed(mine.code, {"padding": small([before for before, _ in pads])})
    flat = tuple(n for pair in reversed(pads) for n in pair)
    line = changed(mine.code, {"padding": 0})
    if mine.settings.get("mode") == "max":
        return f'x = F.pad(x, {flat}, value=float("-inf"))\n{line}'
    return f"nn.ZeroPad{len(pads)}d({flat})\n{line}"


def _keras_padding(mine: WrittenOperation, pads: Pads) -> str:
    line = _keras_padded(mine, pads)
    own = mine.settings.get("pad_value", -math.inf)
    instead = mine.settings.get("mode") == "max" and own != -math.inf
    return f"{line}  # without the padding of {own:g} before it" if instead else line


def _keras_padded(mine: WrittenOperation, pads: Pads) -> str:
    if not any(map(any, pads)):
        return changed(mine.code, {"padding": "valid"})
    before = any(map(any, mine.settings.get("padding", ()))) and not _works_out_padding(mine)
    counts = mine.settings.get("mode") == "average" and mine.settings.get("counts_padding")
    if _is_worked_out(mine, pads) and not before and not counts:
        return changed(mine.code, {"padding": "same"})
    if mine.settings.get("mode") == "max":
        return _padded_before(mine, pads, 'constant_values=float("-inf")')
    line = changed(mine.code, {"padding": "valid"})
    return f"layers.ZeroPadding{len(pads)}D({_shown(pads)})\n{line}"


def _padded_before(mine: WrittenOperation, pads: Pads, how: str) -> str:
    every = ((0, 0), *map(tuple, pads), (0, 0))
    return f"x = ops.pad(x, {every}, {how})\n{changed(mine.code, {'padding': 'valid'})}"


def _shown(pads: Pads) -> str:
    """Pairs as a layer of Keras takes them: a single one by itself."""
    return written(pads[0] if len(pads) == 1 else pads)


def crop(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    """A transposed convolution that cuts at the edges what the other cuts."""
    cut = other.settings.get("crop", ())
    if side == "torch" or min(map(min, cut), default=-1) < 0:
        return ""
    line = changed(mine.code, {"padding": "valid"})
    if any(map(any, cut)):
        line += f"\nlayers.Cropping{len(cut)}D({_shown(cut)})"
    present = mine.settings.get("crop", ())
    if not _works_out_padding(mine) and any(map(any, present)):
        line += f"  # without the crop {_shown(present)} behind it"
    return line


def follows(mine: WrittenOperation, other: WrittenOperation) -> bool:
    """Whether the line works its padding out, and as the other's with the other's window."""
    pads = other.settings.get("padding", ())
    return _works_out_padding(mine) and _is_worked_out(_with_window(mine, other), pads)


def _works_out_padding(mine: WrittenOperation) -> bool:
    """Whether the line says "same" or "causal", which is another for every size and window."""
    stated = argument(mine.code, "padding")
    return isinstance(stated, ast.Constant) and stated.value in ("same", "causal")


def _with_window(mine: WrittenOperation, other: WrittenOperation) -> WrittenOperation:
    """The operation with the other's window, on what the other takes."""
    window = {k: other.settings[k] for k in ("kernel", "stride", "dilation") if k in other.settings}
    return replace(mine, settings={**mine.settings, **window}, shape=other.shape)


def _is_worked_out(mine: WrittenOperation, pads: Pads) -> bool:
    """Whether this is what the line adds for the size that it is given: "same", or "causal"."""
    s, shape = mine.settings, mine.shape
    if argument(mine.code, "padding") is not None and '"causal"' in mine.code:
        ahead = zip(s["kernel"], s["dilation"], strict=True)
        return [tuple(p) for p in pads] == [(d * (k - 1), 0) for k, d in ahead]
    sizes = shape[2:] if s.get("channels") == "first" else shape[1:-1]
    if len(sizes) != len(pads) or "kernel" not in s:
        return False
    for n, pair, k, stride, d in zip(
        sizes, pads, s["kernel"], s["stride"], s["dilation"], strict=True
    ):
        total = max((-(-n // stride) - 1) * stride + d * (k - 1) + 1 - n, 0)
        if tuple(pair) != (total // 2, total - total // 2):
            return False
    return True


def _moving(key: str, setting: Setting) -> Correct:
    """Another stride, dilation or kernel, with the padding that the line worked out before."""

    def corrected(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
        line = with_arguments({key: setting}, mine, other, side)
        pads = other.settings.get("padding", ())
        if not line or side == "torch" or not mine.alone:
            return line
        if not pads or not _works_out_padding(mine) or follows(mine, other):
            return line
        if mine.settings.get("padding") != pads:
            return line  # a cause of its own, with a line of its own
        return _keras_padded(replace(_with_window(mine, other), code=line), pads)

    return corrected


CORRECTED: dict[str, Correct] = {
    "padding": _padding,
    "stride": _moving("stride", STRIDE),
    "dilation": _moving("dilation", DILATION),
    "kernel_size": _moving("kernel", KERNEL),
}
"""The corrected lines of a window that pads."""
