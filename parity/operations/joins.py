"""Arrays joined along an axis that they have, or along a new one."""

import numpy as np

from parity.operations.operation import Operation, Setting

_AXIS = {"axis": Setting("axis", torch="dim", keras="axis")}

CONCATENATE = Operation(
    "concatenate",
    lambda s, p, x: np.concatenate(x, axis=s["axis"]),
    settings=_AXIS,
    category="join",
    lines={"keras": lambda s, shape: f"layers.Concatenate(axis={s['axis']!r})"},
)
STACK = Operation(
    "stack",
    lambda s, p, x: np.stack(x, axis=s["axis"]),
    settings=_AXIS,
    category="join",
    new_axes=1,
)
