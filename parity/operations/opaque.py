"""What the tracer cannot look into."""

from parity.core.sides import Side
from parity.operations import activation, arithmetic, pool, recurrent, resize
from parity.operations.operation import Operation, WrittenOperation


def _activation(mine: WrittenOperation, other: WrittenOperation, side: Side) -> str:
    return activation.line(other.settings, side) if other.kind == "activation" else ""


_FOUND = {
    "padding_counted": pool.OPERATION,
    "pooling": pool.OPERATION,
    "resize": resize.OPERATION,
    "direction": recurrent.OPERATION,
}
"""Cause that its numbers tell, by what its counterpart would give → what it then is."""

OPERATION = Operation(
    "opaque",
    None,
    corrected={
        **arithmetic.CORRECTED,
        "activation": _activation,
        **{cause: known.corrected[cause] for cause, known in _FOUND.items()},
    },
)
