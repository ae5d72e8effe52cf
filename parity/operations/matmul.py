"""A matrix product of two values, and a product by an equation."""

from collections.abc import Sequence

import numpy as np

from parity.operations.arithmetic import stepped
from parity.operations.operation import Array, Arrays, Operation, Setting, Settings


def _compute(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    left, right = sources[:2]
    left = left.swapaxes(-1, -2) if settings.get("transpose_left") else left
    right = right.swapaxes(-1, -2) if settings.get("transpose_right") else right
    scale = settings.get("scale", 1.0)
    out = left @ right if scale == 1.0 else (left @ right) * scale
    return stepped(out, settings.get("scale_steps", ()), sources)


MATMUL = Operation(
    "matmul",
    _compute,
    settings={
        "transpose_left": Setting("operation", False),
        "transpose_right": Setting("operation", False),
        "scale": Setting("scale", 1.0),
    },
)
EINSUM = Operation(
    "einsum",
    lambda s, p, x: np.einsum(s["equation"], *x, optimize=True),
    settings={"equation": Setting("operation")},
)
