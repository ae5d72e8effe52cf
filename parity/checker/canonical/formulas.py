"""Activations written by hand: a few elementwise operations on one value, told by their numbers.

An expression is evaluated at fixed points and compared with the functions people write out; so
every way to write a GELU is found, and one with a wrong constant is not taken for it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.canonical.affine import number_of
from parity.checker.canonical.drafts import Draft, Drafts
from parity.checker.graph.graph import Source

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

POINTS: Array = np.concatenate([np.linspace(-7.3, 7.1, 97), [-40.0, -11.5, 0.0, 9.25, 40.0]])
EXACT = 2e-6
"""Relative: people write constants with eight digits or more."""
NEAR = 0.03
DEPTH = 16
"""An activation written by hand has no more operations than this."""

_erf: Function = np.vectorize(math.erf, otypes=[np.float64])


def _sigmoid(x: Array) -> Array:
    return 0.5 * (1.0 + np.tanh(0.5 * x))


def _softplus(x: Array) -> Array:
    return np.logaddexp(0.0, x)


def _gelu(x: Array) -> Array:
    return 0.5 * x * (1.0 + _erf(x / math.sqrt(2.0)))


def _gelu_tanh(x: Array) -> Array:
    return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))


def _hard_sigmoid(x: Array) -> Array:
    return np.clip(x + 3.0, 0.0, 6.0) / 6.0


UNARY: dict[str, Function] = {
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1.0 / np.sqrt(x),
    "square": np.square,
    "abs": np.abs,
    "neg": np.negative,
    "negative": np.negative,
    "sin": np.sin,
    "cos": np.cos,
    "erf": _erf,
    "tanh": np.tanh,
    "sigmoid": _sigmoid,
    "softplus": _softplus,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "reciprocal": np.reciprocal,
    "relu": lambda x: np.maximum(x, 0.0),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
}

KNOWN: tuple[tuple[dict[str, Any], Function], ...] = (
    ({"name": "relu"}, lambda x: np.maximum(x, 0.0)),
    ({"name": "relu6"}, lambda x: np.clip(x, 0.0, 6.0)),
    ({"name": "sigmoid"}, _sigmoid),
    ({"name": "tanh"}, np.tanh),
    ({"name": "silu"}, lambda x: x * _sigmoid(x)),
    ({"name": "mish"}, lambda x: x * np.tanh(_softplus(x))),
    ({"name": "gelu", "approximate": False}, _gelu),
    ({"name": "gelu", "approximate": True}, _gelu_tanh),
    ({"name": "quick_gelu"}, lambda x: x * _sigmoid(1.702 * x)),
    ({"name": "softplus"}, _softplus),
    ({"name": "log_sigmoid"}, lambda x: -_softplus(-x)),
    ({"name": "softsign"}, lambda x: x / (1.0 + np.abs(x))),
    ({"name": "hard_sigmoid"}, _hard_sigmoid),
    ({"name": "hard_silu"}, lambda x: x * _hard_sigmoid(x)),
)
_TARGETS: list[Array] = []


def _targets() -> list[Array]:
    if not _TARGETS:
        _TARGETS.extend(function(POINTS) for _, function in KNOWN)
    return _TARGETS


def _activation(settings: dict[str, Any], x: Array) -> Array | None:
    for k, (known, _) in enumerate(KNOWN):
        if known["name"] == settings.get("name") and all(
            bool(settings.get(key, False)) == value for key, value in known.items() if key != "name"
        ):
            return np.asarray(KNOWN[k][1](x), dtype=np.float64)
    match settings.get("name"):
        case "leaky_relu":
            slope = float(settings["slope"])
            return np.asarray(np.where(x > 0, x, slope * x), dtype=np.float64)
        case "clip" | "hard_tanh":
            low, high = settings.get("low"), settings.get("high")
            return np.asarray(np.clip(x, low, high), dtype=np.float64)
        case "elu":
            alpha = float(settings.get("alpha", 1.0))
            return np.asarray(np.where(x > 0, x, alpha * np.expm1(x)), dtype=np.float64)
    return None


def _apply(node: Draft, values: list[Array]) -> Array | None:
    """What an elementwise operation makes of its operands."""
    if node.kind == "affine":
        if "steps" in node.settings:
            return None
        scale, offset = float(node.settings["scale"]), float(node.settings["offset"])
        return scale * values[0] + offset
    if node.kind == "unary":
        function = UNARY.get(str(node.settings.get("name")))
        return None if function is None else function(values[0])
    if node.kind == "activation":
        return None if node.parameters else _activation(node.settings, values[0])
    operation = _BINARY.get(node.kind)
    if operation is None:
        return None
    number, left = number_of(node.settings)
    if number is not None and len(values) == 1:
        other = np.full_like(values[0], number)
        return operation(other, values[0]) if left else operation(values[0], other)
    if len(values) < 2:
        return None
    result = values[0]
    for value in values[1:]:
        result = operation(result, value)
    return result


_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "power": np.power,
    "maximum": np.maximum,
    "minimum": np.minimum,
}
_ELEMENTWISE = frozenset({"affine", "unary", "activation", *_BINARY})


def _evaluate(
    drafts: Drafts, node: Draft, root: Source, seen: dict[str, Array], members: list[Draft]
) -> Array | None:
    """The node as a function of one value; None where it takes anything else."""
    if node.id in seen:
        return seen[node.id]
    if node.kind not in _ELEMENTWISE or len(members) >= DEPTH:
        return None
    members.append(node)
    values = []
    for edge in node.edges:
        if drafts.same_view(edge.source, root):
            values.append(POINTS)
            continue
        inner = drafts.producer(edge)
        if inner is None or not drafts.plain(edge.source):
            return None
        value = _evaluate(drafts, inner, root, seen, members)
        if value is None:
            return None
        values.append(value)
    with np.errstate(all="ignore"):
        result = _apply(node, values)
    if result is not None:
        seen[node.id] = result
    return result


def _roots(drafts: Drafts, node: Draft) -> list[Source]:
    """Values that the node may be a function of, the nearest first."""
    found: list[Source] = []
    queue, seen = [node], {node.id}
    while queue and len(seen) <= DEPTH:
        current = queue.pop(0)
        for edge in current.edges:
            if not any(drafts.same_view(edge.source, other) for other in found):
                found.append(edge.source)
            inner = drafts.producer(edge)
            if inner is not None and inner.id not in seen and inner.kind in _ELEMENTWISE:
                seen.add(inner.id)
                queue.append(inner)
    return found


def _recognise(result: Array) -> dict[str, Any] | None:
    if not np.isfinite(result).all():
        finite = np.isfinite(result) & (np.abs(POINTS) < 20)
        if finite.sum() < 90:
            return None
    else:
        finite = np.ones(POINTS.shape, dtype=bool)
    scale = np.maximum(1.0, np.abs(result[finite]))
    for (settings, _), target in zip(KNOWN, _targets(), strict=True):
        if np.abs((result[finite] - target[finite]) / scale).max() <= EXACT:
            return dict(settings)
    return _with_number(result) if finite.all() else None


def _with_number(result: Array) -> dict[str, Any] | None:
    low, high = float(result[POINTS == -40.0][0]), float(result[POINTS == 40.0][0])
    slope = low / -40.0
    if 0 < slope < 1 and np.allclose(result, np.where(POINTS > 0, POINTS, slope * POINTS), 1e-6):
        return {"name": "leaky_relu", "slope": slope}
    if -40 < low < high < 40 and np.allclose(result, np.clip(POINTS, low, high), 1e-6, 1e-6):
        return {"name": "clip", "low": low, "high": high}
    if low < 0 and np.allclose(result, np.where(POINTS > 0, POINTS, -low * np.expm1(POINTS)), 1e-6):
        return {"name": "elu", "alpha": -low}
    return None


def _near(result: Array) -> dict[str, Any] | None:
    inner = np.abs(POINTS) <= 4
    if not np.isfinite(result[inner]).all():
        return None
    distances = [float(np.abs(result[inner] - t[inner]).max()) for t in _targets()]
    best = int(np.argmin(distances))
    if distances[best] > NEAR:
        return None
    return {"name": "custom", "near": KNOWN[best][0], "distance": distances[best]}


def find_activation(drafts: Drafts, node: Draft, near: bool = False) -> bool:
    """Fuse the operations that make up one activation function.

    Args:
        drafts: the graph.
        node: the last operation of the expression.
        near: also take what is only nearly a known function, as ``custom``.
    """
    if node.kind not in _ELEMENTWISE or (node.kind == "activation" and not near):
        return False
    if node.kind == "affine" and drafts.producer(node.edges[0]) is None:
        return False
    for root in _roots(drafts, node):
        members: list[Draft] = []
        result = _evaluate(drafts, node, root, {}, members)
        if result is None:
            continue
        inside = {member.id for member in members}
        if any(drafts.users(m) - inside for m in members if m is not node):
            continue
        settings = None
        if near:
            settings = _near(result) if len(members) >= 3 and _curved(members) else None
        elif len(members) > 1 or node.kind in ("maximum", "minimum", "unary"):
            settings = _recognise(result)
        if settings is not None:
            _fuse(drafts, node, root, members, settings)
            return True
    return False


def _curved(members: list[Draft]) -> bool:
    return any(m.kind in ("unary", "activation") for m in members)


def _fuse(
    drafts: Drafts, node: Draft, root: Source, members: list[Draft], settings: dict[str, Any]
) -> None:
    edge = next(e for m in members for e in m.edges if drafts.same_view(e.source, root))
    node.kind, node.settings = "activation", settings
    order = list(drafts.nodes)
    for member in sorted(members, key=lambda m: -order.index(m.id)):
        if member is not node:
            drafts.absorb(node, member, [edge], node)
    if len(members) == 1:
        drafts.rewire(node, [edge])


def settle_activation(node: Draft) -> bool:
    """One name for functions that have two."""
    if node.kind == "unary" and node.settings.get("name") in (
        "tanh",
        "sigmoid",
        "softplus",
        "relu",
        "softsign",
    ):
        node.kind, node.settings = "activation", {"name": node.settings["name"]}
        return True
    if node.kind != "activation":
        return False
    name, low, high = (node.settings.get(key) for key in ("name", "low", "high"))
    if name == "hard_tanh":
        node.settings = {
            "name": "clip",
            "low": node.settings.get("low", -1.0),
            "high": node.settings.get("high", 1.0),
        }
        return True
    if name == "clip" and low == 0 and high == 6:
        node.settings = {"name": "relu6"}
        return True
    if name == "clip" and low == 0 and (high is None or high == float("inf")):
        node.settings = {"name": "relu"}
        return True
    return False


def find_softmax(drafts: Drafts, node: Draft) -> bool:
    """``exp(x) / sum(exp(x))``, with or without the maximum taken off before."""
    if node.kind != "divide" or len(node.edges) != 2:
        return False
    top, bottom = (drafts.producer(edge) for edge in node.edges)
    if top is None or bottom is None or bottom.kind != "reduce" or not _is_unary(top, "exp"):
        return False
    axes = list(bottom.settings.get("axes", ()))
    if bottom.settings.get("mode") != "sum" or len(axes) != 1:
        return False
    if bottom.edges[0].source.value != top.value or not drafts.plain(bottom.edges[0].source):
        return False
    rank = len(top.values[0].shape)
    if not _keeps_place(drafts, node.edges[1].source, top.values[0].shape, axes[0] % rank):
        return False
    if drafts.users(top) != {node.id, bottom.id} or not drafts.only_user(bottom, node):
        return False
    if not drafts.plain(node.edges[0].source):
        return False
    members, edge = [top, bottom], top.edges[0]
    shifted = drafts.producer(edge)
    if shifted is not None and shifted.kind == "subtract" and len(shifted.edges) == 2:
        peak = drafts.producer(shifted.edges[1])
        if (
            peak is not None
            and peak.kind == "reduce"
            and peak.settings.get("mode") == "max"
            and drafts.same_view(peak.edges[0].source, shifted.edges[0].source)
            and drafts.only_user(shifted, top)
            and drafts.only_user(peak, shifted)
            and drafts.plain(edge.source)
        ):
            edge, members = shifted.edges[0], [top, bottom, shifted, peak]
    node.kind, node.settings = "activation", {"name": "softmax", "axis": int(axes[0])}
    drafts.rewire(node, [edge])
    for member in [bottom, top, *members[2:]]:
        drafts.absorb(node, member, [edge], node)
    return True


def _is_unary(node: Draft, name: str) -> bool:
    return node.kind == "unary" and node.settings.get("name") == name


def _keeps_place(drafts: Drafts, source: Source, shape: tuple[int, ...], axis: int) -> bool:
    """Whether a reduced value meets exactly the elements it was reduced from."""
    kept = [1 if k == axis else n for k, n in enumerate(shape)]
    wanted = np.broadcast_to(np.arange(int(np.prod(kept))).reshape(kept), shape)
    try:
        return np.array_equal(np.broadcast_to(drafts.picks(source), shape), wanted)
    except ValueError:
        return False
