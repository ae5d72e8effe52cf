"""Every kind of a traced graph's nodes in NumPy: the third opinion on a single operation.

What a framework computed can be recomputed here from a node's settings, so that a setting can be
replaced by another and the effect of that one setting be measured. In float64 it agrees with both
frameworks to rounding; `parity_tests/check/test_reference.py` holds it against them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import ParityError
from parity.reference import activations, layers, spatial

Array = NDArray[Any]
Settings = Mapping[str, Any]
Arrays = Mapping[str, Array]
Mode = Literal["evaluate", "train"]


class NotInterpretable(ParityError):  # noqa: N818
    """An operation that the reference does not know, or whose settings or arrays do not fit."""


def apply(
    kind: str,
    settings: Settings,
    parameters: Arrays,
    sources: Sequence[Array],
    *,
    mode: Mode = "evaluate",
) -> Array:
    """Compute one operation.

    Args:
        kind: a word of `parity.checker.graph.graph`.
        settings: as a node has them.
        parameters: role → canonical array.
        sources: as the node sees them, in the layout that the settings name.
        mode: ``train`` takes a batch norm's statistics from the batch.

    Returns:
        The node's first value, in the precision of the sources.

    Raises:
        NotInterpretable: this kind or one of its settings is unknown here, or the arrays do not
            fit together.
    """
    return apply_all(kind, settings, parameters, sources, mode=mode)[0]


def apply_all(
    kind: str,
    settings: Settings,
    parameters: Arrays,
    sources: Sequence[Array],
    *,
    mode: Mode = "evaluate",
) -> tuple[Array, ...]:
    """All values of an operation; as `apply`. A recurrent layer also has its last state."""
    function = KINDS.get(kind)
    if function is None:
        raise NotInterpretable(
            f"The reference has no '{kind}'. It knows {', '.join(sorted(KINDS))}. "
            "Judge this operation by the values of both frameworks instead."
        )
    arrays = [np.asarray(source) for source in sources]
    # Integers beside floats (indices, masks) do not decide the precision.
    floats = [a.dtype for a in arrays if a.dtype.kind == "f"]
    kept = {}
    for role, array in parameters.items():
        if array.dtype.kind == "f" and (floats or kind != "embedding"):
            kept[role] = array.astype(np.result_type(*floats) if floats else np.float64, copy=False)
        else:
            kept[role] = array
    training = {"training": True} if mode == "train" and kind == "batch_norm" else {}
    try:
        with np.errstate(all="ignore"):
            found = function({**settings, **training}, kept, arrays)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        shapes = ", ".join(str(a.shape) for a in arrays)
        raise NotInterpretable(
            f"A '{kind}' with settings {dict(settings)} on sources of shape {shapes} cannot be "
            f"computed: {type(error).__name__}: {error}. Expected are the settings and roles that "
            "parity/checker/graph/graph.py lists for this kind."
        ) from error
    return found if isinstance(found, tuple) else (found,)


def _dense(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    out = sources[0] @ parameters["kernel"]
    has = settings.get("bias", True) and "bias" in parameters
    return np.asarray(out + parameters["bias"] if has else out)


REDUCTIONS: dict[str, Callable[..., Array]] = {
    "mean": np.mean,
    "max": np.max,
    "sum": np.sum,
    "min": np.min,
    "prod": np.prod,
    "variance": np.var,
    "std": np.std,
    "any": np.any,
    "all": np.all,
    "logsumexp": lambda x, axis, keepdims: np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims)),
    "nanmean": np.nanmean,
    "nansum": np.nansum,
    "count_nonzero": np.count_nonzero,
    "argmax": lambda x, axis, keepdims: np.argmax(x, axis=axis[0], keepdims=keepdims),
    "argmin": lambda x, axis, keepdims: np.argmin(x, axis=axis[0], keepdims=keepdims),
}


def _reduce(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    x, mode = sources[0], settings["mode"]
    axes = settings.get("axes")
    axis = tuple(range(x.ndim)) if axes is None else tuple(a % x.ndim for a in axes)
    if mode == "norm":
        return _norm(x, axis, settings)
    more = {"ddof": settings["correction"]} if settings.get("correction") else {}
    return np.asarray(
        REDUCTIONS[mode](x, axis=axis, keepdims=bool(settings.get("keepdims")), **more)
    )


def _norm(x: Array, axis: tuple[int, ...], settings: Settings) -> Array:
    order, keep = float(settings.get("order", 2)), bool(settings.get("keepdims"))
    size = np.abs(x)
    if np.isinf(order):
        return np.asarray((np.max if order > 0 else np.min)(size, axis=axis, keepdims=keep))
    return np.asarray(np.sum(size**order, axis=axis, keepdims=keep) ** (1 / order))


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "floor_divide": np.floor_divide,
    "remainder": np.remainder,
    "equal": np.equal,
    "not_equal": np.not_equal,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
    "atan2": np.arctan2,
    "squared_difference": lambda a, b: (a - b) ** 2,
    "subtract_from": lambda a, b: b - a,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "logical_and": np.logical_and,
    "logical_or": np.logical_or,
    "logical_xor": np.logical_xor,
}


def _operands(settings: Settings, sources: Sequence[Array]) -> list[Any]:
    number = settings.get("scalar")
    if number is None and not isinstance(settings.get("scalar_left"), bool):
        number = settings.get("scalar_left")
    if number is None or len(sources) > 1:
        return list(sources)
    x = sources[0]
    number = x.dtype.type(number) if x.dtype.kind == "f" else number
    left = settings.get("scalar_left") not in (None, False)
    return [number, x] if left else [x, number]


def _binary(kind: str) -> Callable[[Settings, Arrays, Sequence[Array]], Array]:
    def function(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
        operands = _operands(settings, sources)
        if "alpha" in settings:
            operands[1] = operands[1] * settings["alpha"]
        total = operands[0]
        for other in operands[1:]:
            total = BINARY[kind](total, other)
        return np.asarray(total)

    return function


def _matmul(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    left, right = sources[:2]
    left = left.swapaxes(-1, -2) if settings.get("transpose_left") else left
    right = right.swapaxes(-1, -2) if settings.get("transpose_right") else right
    scale = settings.get("scale", 1.0)
    out = left @ right if scale == 1.0 else (left @ right) * scale
    return _stepped(out, settings.get("scale_steps", ()), sources)


def _stepped(x: Array, steps: Sequence[Sequence[Any]], sources: Sequence[Array]) -> Array:
    """``[operation, operand]`` in order, as the canonical graph has them."""
    for name, operand in steps:
        number = sources[operand["source"]] if isinstance(operand, Mapping) else operand
        x = BINARY[name](x, number)
    return np.asarray(x)


UNARY: dict[str, Callable[[Array], Any]] = {
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "square": np.square,
    "abs": np.abs,
    "neg": np.negative,
    "negative": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "erf": activations.erf,
    "erfc": lambda x: 1 - activations.erf(x),
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.round,
    "trunc": np.trunc,
    "reciprocal": lambda x: 1 / x,
    "not": np.logical_not,
    "logical_not": np.logical_not,
    "isnan": np.isnan,
    "isinf": np.isinf,
    "isfinite": np.isfinite,
    "tanh": np.tanh,
    "sigmoid": activations.sigmoid,
    "cube": lambda x: x**3,
    "zeros_like": np.zeros_like,
    "ones_like": np.ones_like,
}

CUMULATIVE: dict[str, Callable[..., Any]] = {
    "sum": np.cumsum,
    "cumsum": np.cumsum,
    "prod": np.cumprod,
    "cumprod": np.cumprod,
    "max": np.maximum.accumulate,
    "cummax": np.maximum.accumulate,
    "min": np.minimum.accumulate,
    "cummin": np.minimum.accumulate,
}


def _cumulative(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    x, axis = sources[0], settings["axis"]
    x = np.flip(x, axis) if settings.get("reverse") else x
    out = CUMULATIVE[settings["name"]](x, axis=axis)
    if settings.get("exclusive"):
        first = np.full_like(np.take(out, [0], axis), "prod" in settings["name"])
        out = np.concatenate([first, np.delete(out, -1, axis)], axis)
    return np.asarray(np.flip(out, axis) if settings.get("reverse") else out)


def _embedding(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    return np.asarray(parameters["embeddings"][sources[0].astype(np.int64)])


def _affine(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    """``x·scale + offset``; lists and parameters go along the channels, or along ``axis``."""
    x = sources[0]
    if "steps" in settings:
        return _stepped(x, settings["steps"], sources)
    scale = parameters.get("scale", parameters.get("gamma", settings.get("scale", 1.0)))
    offset = parameters.get("offset", parameters.get("beta", settings.get("offset", 0.0)))
    axis = settings.get("axis")
    axis = layers.channel_axis(settings, x.ndim) if axis is None else axis % x.ndim
    parts = []
    for part in (scale, offset):
        array = np.asarray(part, x.dtype)
        shape = [1] * x.ndim
        if array.ndim == 1 and array.size > 1:
            shape[axis] = array.size
            array = array.reshape(shape)
        parts.append(array)
    return np.asarray(x * parts[0] + parts[1])


def _gather(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    x, at = sources[0], sources[1].astype(np.int64)
    axis = settings.get("axis", 0)
    if settings.get("name") in ("__getitem__", "index_put", "take", "masked_select"):
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
    return np.asarray(BINARY[settings["name"]](*_operands(settings, sources)))


def _pad(settings: Settings, parameters: Arrays, sources: Sequence[Array]) -> Array:
    return spatial.padded(
        sources[0], settings["padding"], settings.get("mode", "zeros"), settings.get("value") or 0.0
    )


def _recurrent(
    settings: Settings, parameters: Arrays, sources: Sequence[Array]
) -> tuple[Array, ...]:
    if settings.get("masked") and "steps" not in settings:
        raise ValueError("steps are masked")
    return layers.recurrent(settings, parameters, sources)


KINDS: dict[str, Callable[[Settings, Arrays, Sequence[Array]], Array | tuple[Array, ...]]] = {
    "convolution": lambda s, p, x: spatial.convolution(s, p, x[0]),
    "transposed": lambda s, p, x: spatial.transposed(s, p, x[0]),
    "dense": _dense,
    "batch_norm": lambda s, p, x: layers.batch_norm(s, p, x[0], training=False),
    "layer_norm": lambda s, p, x: layers.layer_norm(s, p, x[0]),
    "group_norm": lambda s, p, x: layers.group_norm(s, p, x[0]),
    "rms_norm": lambda s, p, x: layers.rms_norm(s, p, x[0]),
    "activation": lambda s, p, x: activations.apply(s, p, x[0]),
    "pool": lambda s, p, x: spatial.pool(s, x[0]),
    "adaptive_pool": lambda s, p, x: spatial.adaptive_pool(s, x[0]),
    "reduce": _reduce,
    "resize": lambda s, p, x: spatial.resize(s, x[0]),
    "pad": _pad,
    "embedding": _embedding,
    "recurrent": _recurrent,
    **{
        kind: _binary(kind)
        for kind in ("add", "subtract", "multiply", "divide", "power", "maximum", "minimum")
    },
    "matmul": _matmul,
    "concatenate": lambda s, p, x: np.concatenate(x, axis=s["axis"]),
    "stack": lambda s, p, x: np.stack(x, axis=s["axis"]),
    "affine": _affine,
    "einsum": lambda s, p, x: np.einsum(s["equation"], *x, optimize=True),
    "unary": lambda s, p, x: np.asarray(UNARY[s["name"]](x[0])),
    "cumulative": _cumulative,
    "where": _where,
    "gather": _gather,
    "compare": _compare,
    "dropout": lambda s, p, x: x[0],
}
"""Kind → how it is computed from settings, parameters and sources. ``opaque`` is not among them."""
