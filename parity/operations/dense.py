"""A dense layer, on the last axis."""

from collections.abc import Sequence

import numpy as np

from parity.operations import windows
from parity.operations.operation import Array, Arrays, Operation, Setting, Settings, Shape


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    out = sources[0] @ parameters["kernel"]
    has = settings.get("bias", True) and "bias" in parameters
    return np.asarray(out + parameters["bias"] if has else out)


def _torch(settings: Settings, shape: Shape) -> str:
    bias = "" if settings["bias"] else ", bias=False"
    return f"nn.Linear({shape[-1] if shape else 'features'}, {settings['units']}{bias})"


def _keras(settings: Settings, shape: Shape) -> str:
    return f"layers.Dense({settings['units']}{'' if settings['bias'] else ', use_bias=False'})"


OPERATION = Operation(
    "dense",
    _compute,
    settings={
        "units": Setting("units", torch="out_features", keras="units", roles=("kernel", "bias")),
        "bias": windows.BIAS,
    },
    on_features=True,
    weighted=True,
    lines={"torch": _torch, "keras": _keras},
)
