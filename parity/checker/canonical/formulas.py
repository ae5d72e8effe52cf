"""Activations written by hand: a few elementwise operations on one value, told by their numbers.

An expression is evaluated at fixed points and compared with the functions people write out; so
every way to write a GELU is found, and one with a wrong constant is not taken for it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.canonical.affine import number_of
from parity.checker.canonical.drafts import Draft, Drafts
from parity.checker.graph.graph import Source
from parity.operations import unary
from parity.reference import activations

Array = NDArray[np.float64]
Function = Callable[[Array], Array]

POINTS: Array = np.concatenate([np.linspace(-7.3, 7.1, 97), [-40.0, -11.5, 0.0, 9.25, 40.0]])
"""Steps of 0.15 that miss the kinks at ±3 and 6, where a wrong bound would not show; 0, where a
quotient may be undefined; and far out, where everything has saturated or grown."""
EXACT = 2e-6
"""Relative, to the function or 1. In GELU's formula 0.797885 for √(2/π) is off by 1.4e-7 and meant;
0.0447 for 0.044715 is off by 8.7e-6 and a mistake. The two GELUs are 4.7e-4 apart."""
NEAR = 0.03
"""A GELU with 1.5 for √2 is 0.018 from the right one: to be compared with it, and named for what it
was meant to be. SiLU and hard SiLU, two functions, are 0.14 apart."""
DEPTH = 16
"""An activation written by hand has no more operations than this; GELU by tanh has eight. More
would let whole layers be evaluated for nothing."""

_ALONE = (
    *("exp", "log", "sqrt", "rsqrt", "square", "abs", "neg", "negative", "sin", "cos", "erf"),
    *("tanh", "sigmoid", "log1p", "expm1", "reciprocal"),
)
_ACTIVATIONS = ("softplus", "relu", "softsign")
_UNARY: dict[str, Function] = {
    **{name: unary.UNARY[name] for name in _ALONE},
    **{name: partial(activations.apply, {"name": name}, {}) for name in _ACTIVATIONS},
}
"""What an activation is written with."""
KNOWN: tuple[dict[str, Any], ...] = (
    {"name": "relu"},
    {"name": "relu6"},
    {"name": "sigmoid"},
    {"name": "tanh"},
    {"name": "silu"},
    {"name": "mish"},
    {"name": "gelu", "approximate": False},
    {"name": "gelu", "approximate": True},
    {"name": "quick_gelu"},
    {"name": "softplus"},
    {"name": "log_sigmoid"},
    {"name": "softsign"},
    {"name": "hard_sigmoid"},
    {"name": "hard_silu"},
)
"""What people write out; their equations stand in `parity.reference.activations`."""
_EVALUATED = frozenset(
    {settings["name"] for settings in KNOWN} | {"leaky_relu", "clip", "hard_tanh", "elu"}
)


@cache
def _targets() -> tuple[Array, ...]:
    return tuple(activations.apply(settings, {}, POINTS) for settings in KNOWN)


def _apply(node: Draft, values: list[Array]) -> Array | None:
    """What an elementwise operation makes of its operands."""
    if node.kind == "affine":
        if "steps" in node.settings:
            return None
        scale, offset = float(node.settings["scale"]), float(node.settings["offset"])
        return scale * values[0] + offset
    if node.kind == "unary":
        function = _UNARY.get(str(node.settings.get("name")))
        return None if function is None else function(values[0])
    if node.kind == "activation":
        if node.parameters or node.settings.get("name") not in _EVALUATED:
            return None
        return activations.apply(node.settings, {}, values[0])
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
    roots: list[Source] = []
    queue, seen = [node], {node.id}
    while queue and len(seen) <= DEPTH:
        current = queue.pop(0)
        for edge in current.edges:
            if not any(drafts.same_view(edge.source, other) for other in roots):
                roots.append(edge.source)
            inner = drafts.producer(edge)
            if inner is not None and inner.id not in seen and inner.kind in _ELEMENTWISE:
                seen.add(inner.id)
                queue.append(inner)
    return roots


def _recognise(result: Array) -> dict[str, Any] | None:
    # A quotient may be undefined at 0, an exponential overflow far out; 90 points are left to tell.
    if not np.isfinite(result).all():
        finite = np.isfinite(result) & (np.abs(POINTS) < 20)
        if finite.sum() < 90:
            return None
    else:
        finite = np.ones(POINTS.shape, dtype=bool)
    scale = np.maximum(1.0, np.abs(result[finite]))
    for settings, target in zip(KNOWN, _targets(), strict=True):
        if np.abs((result[finite] - target[finite]) / scale).max() <= EXACT:
            return dict(settings)
    return _with_number(result) if finite.all() else None


def _limit(kind: str, result: Array) -> dict[str, Any] | None:
    """A limit on one side; 10⁻¹² is no 0, though no other point tells the two apart."""
    side, end = ("low", -40.0) if kind == "maximum" else ("high", 40.0)
    limit = float(result[end == POINTS][0])
    return {"name": "clip", side: limit} if limit not in (0.0, end) else None


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
    return {"name": "custom", "near": KNOWN[best], "distance": distances[best]}


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
    limited: tuple[Source, list[Draft], dict[str, Any]] | None = None
    for root in _roots(drafts, node):
        members: list[Draft] = []
        result = _evaluate(drafts, node, root, {}, members)
        if result is None:
            continue
        inside = {member.id for member in members}
        # A gate that something else takes, too, has to stay a node, or its taker loses its source
        # (`test_an_activation_that_is_taken_in_between_stays_apart`).
        if any(drafts.users(m) - inside for m in members if m is not node):
            continue
        settings = None
        if near:
            # Two operations, or straight ones, are arithmetic that happens to lie near a ReLU.
            settings = _near(result) if len(members) >= 3 and _curved(members) else None
        elif len(members) == 1 and node.kind in ("maximum", "minimum"):
            limit = _limit(node.kind, result)
            settings = _recognise(result) if limit is None else None
            if limit is not None:  # if it is not the end of a longer one: min(max(x, 0), 6)
                limited = root, members, limit
        elif len(members) > 1 or node.kind == "unary":
            settings = _recognise(result)
        if settings is not None:
            _fuse(drafts, node, root, members, settings)
            return True
    if limited is not None:
        _fuse(drafts, node, *limited)
    return limited is not None


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
    # The maximum is taken off so that nothing overflows; it cancels, and is no other function.
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
    with_ones = [1 if k == axis else n for k, n in enumerate(shape)]
    wanted = np.broadcast_to(np.arange(int(np.prod(with_ones))).reshape(with_ones), shape)
    try:
        return np.array_equal(np.broadcast_to(drafts.picks(source), shape), wanted)
    except ValueError:
        return False
