"""Rules that bring two granularities of the same computation to one; each changes `Drafts`.

A rule looks at one node, and says whether it changed anything.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from parity.checker.canonical.drafts import Draft, DraftEdge, Drafts, Ids

WEIGHTED = frozenset({"convolution", "transposed", "dense"})
_PADDED_BY = {
    "constant": "zeros",
    "zeros": "zeros",
    "reflect": "reflect",
    "replicate": "replicate",
    "edge": "replicate",
    "circular": "circular",
    "wrap": "circular",
}
INFINITE = float("-inf")
COMPUTED = "computed:"
"""Ids of weights that a model makes of others begin so."""


def spatial(rank: int, settings: dict[str, Any]) -> list[int]:
    """The spatial axes of an array with a batch and a channel axis."""
    return list(range(2, rank)) if settings.get("channels") == "first" else list(range(1, rank - 1))


# Padding


def fold_pad(drafts: Drafts, node: Draft) -> bool:
    """A ``pad`` that only convolutions and pools take becomes the padding of each of them."""
    if node.kind not in ("convolution", "pool") or not node.edges:
        return False
    pad = drafts.producer(node.edges[0])
    if pad is None or pad.kind != "pad":
        return False
    users = [drafts.nodes.get(user) for user in drafts.users(pad)]
    if any(user is None or user.kind not in ("convolution", "pool") for user in users):
        return False
    if not drafts.plain(node.edges[0].source):
        return False
    pairs = [[int(n) for n in pair] for pair in pad.settings["padding"]]
    axes = spatial(len(pairs), node.settings)
    if any(any(p) for i, p in enumerate(pairs) if i not in axes) or min(map(min, pairs)) < 0:
        return False
    extra = [pairs[axis] for axis in axes]
    fits = _pad_convolution if node.kind == "convolution" else _pad_pool
    if not fits(node, pad, extra):
        return False
    drafts.absorb(node, pad, [pad.edges[0], *node.edges[1:]], node)
    return True


def _added(one: list[list[int]], other: list[list[int]]) -> list[list[int]]:
    return [[a + c, b + d] for (a, b), (c, d) in zip(one, other, strict=True)]


def _own(node: Draft, extra: list[list[int]]) -> list[list[int]]:
    return node.settings.get("padding") or [[0, 0] for _ in extra]


def _pad_convolution(node: Draft, pad: Draft, extra: list[list[int]]) -> bool:
    own, value = _own(node, extra), pad.settings.get("value") or 0
    mode = _PADDED_BY.get(str(pad.settings.get("mode", "constant")), "")
    mine = node.settings.get("mode") or "zeros"
    if not mode or (mode == "zeros" and value != 0):
        return False
    # Two paddings in a row add up only if both are zeros: reflecting twice is no wider reflection.
    if mode != mine and any(map(any, own)):
        return False
    if mode == mine and mode != "zeros" and any(map(any, own)):
        return False
    node.settings |= {"padding": _added(own, extra), "mode": mode}
    return True


def _pad_pool(node: Draft, pad: Draft, extra: list[list[int]]) -> bool:
    # A maximum pads with −∞ and a pad before it with 0, which wins where a window is negative; an
    # average leaves its own padding out of the count, and counts a pad before it. So a pad goes in
    # as what it is, and the two stay a difference of settings that can be named.
    own, value = _own(node, extra), pad.settings.get("value") or 0
    bare = not any(map(any, own))
    if _PADDED_BY.get(str(pad.settings.get("mode", "constant"))) != "zeros":
        return False
    if node.settings.get("mode") == "max":
        if value == INFINITE:
            node.settings["padding"] = _added(own, extra)
        elif bare:
            node.settings |= {"padding": extra, "pad_value": value}
        else:
            node.settings |= {"explicit_padding": extra, "pad_value": value}
        return True
    if value != 0 or "explicit_padding" in node.settings:
        return False
    if bare or node.settings.get("counts_padding"):
        node.settings |= {"padding": _added(own, extra), "counts_padding": True}
    else:
        node.settings["explicit_padding"] = extra
    return True


def settle_pool(drafts: Drafts, node: Draft) -> bool:
    """A pool over the whole image is a ``reduce``; settings without effect get one value.

    A window of 7 on an image of 7 × 7 is a global pool. Whether an average counts its padding is no
    difference where there is none.
    """
    if node.kind != "pool" or not node.edges:
        return False
    shape = node.edges[0].source.shape
    axes = spatial(len(shape), node.settings)
    padded = any(map(any, node.settings.get("padding") or []))
    explicit = node.settings.get("explicit_padding")
    out = node.values[0].shape
    if (
        not padded
        and not explicit
        and len(out) == len(shape)
        and [shape[a] for a in axes] == list(node.settings["kernel"])
        and all(out[a] == 1 for a in axes)
    ):
        mode = "max" if node.settings["mode"] == "max" else "mean"
        node.kind, node.settings = "reduce", {"mode": mode, "axes": axes, "keepdims": True}
        return True
    before = dict(node.settings)
    if node.settings["mode"] == "max":
        node.settings.pop("counts_padding", None)
        if padded:
            node.settings.setdefault("pad_value", INFINITE)
    elif not padded:
        node.settings["counts_padding"] = False
    return node.settings != before


# Dense and bias


def fold_dense(drafts: Drafts, node: Draft) -> bool:
    """A product with a matrix that is a parameter is a dense layer."""
    if node.kind != "matmul" or len(node.edges) != 2 or node.settings.get("transpose_left"):
        return False
    left, right = (edge.source for edge in node.edges)
    if not right.value.startswith("parameter:") or len(right.shape) != 2 or len(left.shape) < 1:
        return False
    # A product of two weights is a weight of low rank, no layer (`derived_weights`).
    if left.value.startswith(("parameter:", "constant:")):
        return False
    picks = drafts.picks(right)
    if node.settings.get("transpose_right"):
        picks = picks.T
    # A part of a weight is no kernel that could be taken across whole.
    if not drafts.is_permutation(right.value, picks):
        return False
    scale = node.settings.get("scale", 1.0)
    node.kind, node.settings = "dense", {"units": int(picks.shape[1]), "bias": False}
    if scale != 1.0:
        node.settings["scale"] = scale
    drafts.take_parameter(node, "kernel", right.value, picks)
    drafts.rewire(node, node.edges[:1])
    return True


def fold_kernel(drafts: Drafts, node: Draft) -> bool:
    """A convolution that takes such a weight has it as its kernel."""
    if node.kind not in ("convolution", "transposed") or len(node.edges) < 2:
        return False
    roles = node.settings.get("computed", ["kernel"])
    if len(roles) != len(node.edges) - 1:
        return False
    weights = [edge.source for edge in node.edges[1:]]
    if not all(s.value.startswith(f"parameter:{COMPUTED}") for s in weights):
        return False
    for role, source in zip(roles, weights, strict=True):
        picks = drafts.picks(source)
        if role == "kernel" and "computed" in node.settings:
            picks = picks.transpose(*range(2, picks.ndim), 1, 0)
        if role == "kernel" and node.kind == "convolution":  # Keras' depthwise has C × multiplier
            channels = node.values[0].shape[1 if node.settings["channels"] == "first" else -1]
            picks = picks.reshape(*picks.shape[:-2], -1, channels)
        drafts.take_parameter(node, role, source.value, picks)
    node.settings.pop("computed", None)
    drafts.rewire(node, node.edges[:1])
    return True


def fold_bias(drafts: Drafts, node: Draft) -> bool:
    """Adding a vector that is a parameter, after a layer without a bias, is its bias.

    Only along the channels: a position embedding is added just so, and of a square image its length
    could be the channels' (``test_a_bias_along_the_channels_only``).
    """
    if node.kind != "add" or len(node.edges) != 2:
        return False
    for edge, other in (node.edges, node.edges[::-1]):
        layer = drafts.producer(edge)
        if (
            layer is None
            or layer.kind not in WEIGHTED
            or layer.settings.get("bias")
            or layer.settings.get("scale", 1.0) != 1.0
            or not other.source.value.startswith("parameter:")
            or not drafts.only_user(layer, node)
            or not drafts.whole(edge.source)
        ):
            continue
        table = _channel_table(drafts, node, layer, edge, other)
        if table is None:
            continue
        node.kind, node.settings = layer.kind, {**layer.settings, "bias": True}
        node.parameters, node.views = dict(layer.parameters), dict(layer.views)
        drafts.take_parameter(node, "bias", other.source.value, table)
        drafts.absorb(node, layer, list(layer.edges), layer)
        return True
    return False


def _channel_table(
    drafts: Drafts, node: Draft, layer: Draft, edge: DraftEdge, other: DraftEdge
) -> Ids | None:
    """Which element of the vector each channel gets, if it gets one only."""
    root, shape = layer.values[0].shape, node.values[0].shape
    if int(np.prod(root)) != int(np.prod(shape)) or not root:
        return None
    axis = 1 if layer.settings.get("channels") == "first" else len(root) - 1
    units = root[axis]
    if int(np.prod(drafts.shapes.get(other.source.value, ()))) != units:
        return None
    lines = np.arange(units).reshape([-1 if i == axis else 1 for i in range(len(root))])
    channel = np.broadcast_to(lines, root).ravel()
    try:
        element = np.broadcast_to(drafts.picks(other.source), shape).ravel()
    except ValueError:
        return None
    if channel.size == 0:
        return None
    table = np.full(units, -1, dtype=np.int64)
    table[channel] = element
    if not np.array_equal(table[channel], element):
        return None
    return table if drafts.is_permutation(other.source.value, table) else None


# Sums, joins and reductions


def flatten_add(drafts: Drafts, node: Draft) -> bool:
    """A chain of sums is one sum, where nobody else takes what stands between.

    (a + b) + c and a + (b + c) are then one node with the same three sources, in any order.
    """
    if node.kind != "add" or len(node.edges) < 2:
        return False
    for k, edge in enumerate(node.edges):
        inner = drafts.producer(edge)
        if (
            inner is not None
            and inner.kind == "add"
            and len(inner.edges) >= 2
            and drafts.only_user(inner, node)
            and drafts.taken(inner) == 1
            and drafts.plain(edge.source)
            and tuple(edge.source.shape) == tuple(node.values[0].shape)
        ):
            edges = [*node.edges[:k], *inner.edges, *node.edges[k + 1 :]]
            drafts.absorb(node, inner, edges, node)
            return True
    return False


def flatten_join(drafts: Drafts, node: Draft) -> bool:
    """A join of a join is one join, whoever else takes the inner one.

    It moves numbers and rounds none. A DenseNet that joins step by step and one that keeps a list
    are the same then (``test_joins_of_joins_are_joins_of_all``).
    """
    if node.kind != "concatenate":
        return False
    for k, edge in enumerate(node.edges):
        inner = drafts.producer(edge)
        if (
            inner is not None
            and inner.kind == "concatenate"
            and _axis(inner) == _axis(node)
            and drafts.plain(edge.source)
        ):
            edges = [*node.edges[:k], *inner.edges, *node.edges[k + 1 :]]
            if drafts.only_user(inner, node) and drafts.taken(inner) == 1:
                drafts.absorb(node, inner, edges, node)
            else:
                drafts.rewire(node, edges)
            return True
    return False


def stack_to_join(drafts: Drafts, node: Draft) -> bool:
    """A stack joins its parts along an axis of one that each has got first.

    Half a vector turned is ``cat((-b, a), -1)`` here and ``reshape(stack((-b, a), -2))`` there.
    """
    if node.kind != "stack":
        return False
    axis = _axis(node)
    node.kind, node.settings = "concatenate", {"axis": axis}
    edges = [
        replace(e, source=drafts.view(e.source.value, np.expand_dims(drafts.picks(e.source), axis)))
        for e in node.edges
    ]
    drafts.rewire(node, edges)
    return True


def reduce_to_arithmetic(drafts: Drafts, node: Draft) -> bool:
    """A sum over the parts of a join, each of them one thick, adds them: ``stack(…).sum(0)``."""
    kind = _REDUCED.get(str(node.settings.get("mode"))) if node.kind == "reduce" else None
    join = drafts.producer(node.edges[0]) if kind else None
    if join is None or kind is None or join.kind != "concatenate":
        return False
    edge, shape = node.edges[0], join.values[0].shape
    axes = [a % len(shape) for a in node.settings["axes"]]
    thick = any(e.source.shape[_axis(join)] != 1 for e in join.edges)
    if axes != [_axis(join)] or thick or not drafts.plain(edge.source):
        return False
    if not drafts.only_user(join, node) or (kind != "add" and len(join.edges) != 2):
        return False
    out = node.values[0].shape
    edges = [
        replace(e, source=drafts.view(e.source.value, drafts.picks(e.source).reshape(out)))
        for e in join.edges
    ]
    node.kind, node.settings = kind, {}
    drafts.absorb(node, join, edges, node)
    return True


_REDUCED = {"sum": "add", "max": "maximum", "min": "minimum", "prod": "multiply"}


def see_through_join(drafts: Drafts, node: Draft) -> bool:
    """What is only a part of a join, as the last of stacked states, is taken from where it lies."""
    for k, edge in enumerate(node.edges):
        inner = drafts.producer(edge)
        if inner is None or inner.kind != "concatenate" or drafts.whole(edge.source):
            continue
        parts, axis = [drafts.picks(e.source) for e in inner.edges], _axis(inner)
        places = np.concatenate(parts, axis)
        owners = np.concatenate([p * 0 + i for i, p in enumerate(parts)], axis)
        if places.shape != tuple(inner.values[0].shape):
            continue
        picks = drafts.picks(edge.source)
        used = [inner.edges[i] for i in np.unique(owners.ravel()[picks])]
        # A view has one root; what takes from two parts takes the join.
        if len({e.source.value for e in used}) != 1:
            continue
        seen = drafts.view(used[0].source.value, places.ravel()[picks])
        marks = tuple(dict.fromkeys(m for e in (*used, edge) for m in e.marks))
        drafts.rewire(node, [*node.edges[:k], DraftEdge(seen, marks), *node.edges[k + 1 :]])
        if not drafts.users(inner):
            drafts.remove(inner)
        return True
    return False


def _axis(node: Draft) -> int:
    rank = len(node.values[0].shape)
    return int(node.settings.get("axis", -1)) % max(rank, 1)


def merge_reduces(drafts: Drafts, node: Draft) -> bool:
    """Two reductions of one mode over different axes are one.

    Not of a variance: that of variances along one axis is not that over both.
    """
    mode = node.settings.get("mode")
    if node.kind != "reduce" or mode not in ("mean", "max", "sum", "min", "prod"):
        return False
    inner = drafts.producer(node.edges[0])
    if (
        inner is None
        or inner.kind != "reduce"
        or inner.settings.get("mode") != mode
        or not drafts.only_user(inner, node)
        or not drafts.plain(node.edges[0].source)
    ):
        return False
    rank = len(inner.edges[0].source.shape)
    first = [a % rank for a in inner.settings["axes"]]
    remaining = list(range(rank))
    if len(inner.values[0].shape) != rank:
        remaining = [a for a in remaining if a not in first]
    axes = sorted({*first, *(remaining[a] for a in node.settings["axes"])})
    keepdims = len(node.values[0].shape) == rank
    node.settings = {**node.settings, "axes": axes, "keepdims": keepdims}
    drafts.absorb(node, inner, list(inner.edges), node)
    return True


def sum_to_mean(drafts: Drafts, node: Draft) -> bool:
    """A sum divided by the number of its terms is a mean."""
    if node.kind != "affine" or "steps" in node.settings or node.settings.get("offset"):
        return False
    inner = drafts.producer(node.edges[0])
    if (
        inner is None
        or inner.kind != "reduce"
        or inner.settings.get("mode") != "sum"
        or not drafts.only_user(inner, node)
        or not drafts.whole(node.edges[0].source)
    ):
        return False
    shape = inner.edges[0].source.shape
    terms = int(np.prod([shape[a] for a in inner.settings["axes"]]))
    # 1e-6, since the factor may have gone through float32.
    if terms < 2 or abs(node.settings["scale"] * terms - 1) > 1e-6:
        return False
    node.kind, node.settings = "reduce", {**inner.settings, "mode": "mean"}
    drafts.absorb(node, inner, list(inner.edges), inner)
    return True
