"""An image enlarged or reduced."""

import itertools
from collections.abc import Iterator
from typing import Any

from parity.core.sides import Side
from parity.operations.code import changed, function_name
from parity.operations.operation import (
    UNSTATED,
    Operation,
    Setting,
    Settings,
    Shape,
    Variation,
    WrittenOperation,
)
from parity.reference import spatial

_CUBIC = -0.5
"""Of Keras' bicubic, and of PyTorch's where it smooths; elsewhere PyTorch takes -0.75."""


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    single = bool(settings.get("single"))
    if settings.get("mode") == "bicubic":
        settings.setdefault("cubic", _CUBIC if single or settings["antialias"] else -0.75)
    if settings.get("mode") == "area":
        settings.setdefault("fractional", single)
    return settings


def _variations(settings: Settings, shape: Shape) -> Iterator[Variation]:
    modes = ("nearest", "nearest_exact", "bilinear", "bicubic", "area")
    for mode, corners, anti in itertools.product(modes, (False, True), (False, True)):
        other = {"align_corners": corners, "antialias": anti}
        settings_then = {"mode": mode, **other}
        yield Variation("resize", settings["mode"], {"name": mode, **other}, settings_then)


def _corrected(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    s, code = other.settings, mine.code
    mode = s.get("mode", "nearest")
    arguments: dict[str, Any]
    if side == "torch":
        arguments = {"mode": mode.replace("_", "-")}
        if mode in ("bilinear", "bicubic"):
            arguments["align_corners"] = bool(s.get("align_corners"))
            if s.get("antialias"):
                arguments["antialias"] = True
        return changed(code, arguments)
    if s.get("align_corners"):
        return f"{code}  # Keras cannot align corners; resize with a matrix, or use False"
    if mode == "bicubic" and s.get("cubic", _CUBIC) != _CUBIC:
        return ""
    word = "method" if code.startswith("tf.") else "interpolation"
    arguments = {word: mode.removesuffix("_exact")}
    if bool(s.get("antialias")) != bool(mine.settings.get("antialias")):
        if function_name(code) == "UpSampling2D":
            return ""
        arguments["antialias"] = bool(s.get("antialias"))
    return changed(code, arguments)


_DEFAULTS = {"align_corners": False, "antialias": False, "half_pixel": True, "scale": None}

OPERATION = Operation(
    "resize",
    lambda s, p, x: spatial.resize(s, x[0]),
    settings={
        name: Setting("resize", _DEFAULTS.get(name, UNSTATED), group="resize")
        for name in (
            "size",
            "mode",
            "align_corners",
            "antialias",
            "cubic",
            "fractional",
            "half_pixel",
            "scale",
        )
    },
    has_channels=True,
    canonical=_canonical,
    variations=_variations,
    corrected={"resize": _corrected},
)
