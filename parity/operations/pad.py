"""Something added around an array."""

from collections.abc import Sequence
from typing import Any

from parity.operations.operation import Array, Arrays, Operation, Setting, Settings
from parity.reference import spatial


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    mode, value = settings.get("mode", "zeros"), settings.get("value") or 0.0
    return spatial.padded(sources[0], settings["padding"], mode, value)


def _canonical(settings: dict[str, Any], rank: int) -> dict[str, Any]:
    if settings.get("mode") == "constant":
        settings["mode"] = "zeros"
    return settings


OPERATION = Operation(
    "pad",
    _compute,
    settings={
        "padding": Setting("padding", group="padding"),
        "mode": Setting("padding", "zeros", group="padding"),
        "value": Setting("padding", 0.0, group="padding"),
    },
    per_axis=("padding",),
    canonical=_canonical,
)
