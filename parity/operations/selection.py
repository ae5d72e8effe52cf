"""Elements chosen by a condition or by their places, and the comparisons that say which."""

from collections.abc import Sequence

import numpy as np

from parity.operations.arithmetic import BINARY, CORRECTED, operands
from parity.operations.operation import Array, Arrays, Operation, Setting, Settings

_BY_EXPRESSION = ("__getitem__", "index_put", "take", "masked_select")


def _gather(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    x, at = sources[0], sources[1].astype(np.int64)
    axis = settings.get("axis", 0)
    if settings.get("name") in _BY_EXPRESSION:
        raise ValueError("the places stand in an index expression")
    if settings.get("name") in ("gather", "take_along_dim", "take_along_axis"):
        return np.take_along_axis(x, at, axis)
    return np.take(x, at, axis=axis)


def _where(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    """Numbers: the first is ``then`` or ``scalar``, the second ``otherwise`` or ``other``."""
    condition, *rest = sources
    numbers = [
        settings.get("then", settings.get("scalar")),
        settings.get("otherwise", settings.get("other")),
    ]
    arrays = iter(rest)
    parts = [next(arrays) if n is None else n for n in numbers]
    found = np.where(condition.astype(bool), *parts)
    kind = rest[0].dtype if rest else np.dtype(np.float64)
    return found.astype(kind, copy=False)


def _compare(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    return np.asarray(BINARY[settings["name"]](*operands(settings, sources)))


WHERE = Operation(
    "where",
    _where,
    settings={"then": Setting("constant"), "otherwise": Setting("constant")},
    corrected=CORRECTED,
)
GATHER = Operation(
    "gather",
    _gather,
    settings={"axis": Setting("axis", torch="dim", keras="axis")},
)
COMPARE = Operation(
    "compare",
    _compare,
    settings={"name": Setting("operation"), "scalar": Setting("constant")},
    category="where",
    corrected=CORRECTED,
)
