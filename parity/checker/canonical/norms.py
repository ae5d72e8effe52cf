"""Normalisations written by hand: mean, difference, variance, root, quotient, gain and offset.

One that divides by an unbiased variance, or adds its epsilon behind the root, is a ``layer_norm``,
too, with the settings ``correction`` and ``epsilon_outside``: no framework's layer does that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.checker.canonical.drafts import Draft, DraftEdge, Drafts, Ids
from parity.checker.graph.graph import Source


@dataclass
class _Norm:
    """What is known so far of the expression."""

    source: Source
    axes: tuple[int, ...] = ()
    settings: dict[str, Any] = field(default_factory=lambda: {"epsilon": 0.0})
    members: list[Draft] = field(default_factory=list)
    factor: float = 1.0


def find_norm(drafts: Drafts, node: Draft) -> bool:
    """Fuse ``(x − mean) / sqrt(variance + epsilon)``, or the same without the mean."""
    if node.kind not in ("divide", "multiply") or len(node.edges) != 2:
        return False
    orders = [node.edges] if node.kind == "divide" else [node.edges, node.edges[::-1]]
    return any(_norm(drafts, node, top, bottom) for top, bottom in orders)


def _norm(drafts: Drafts, node: Draft, top: DraftEdge, bottom: DraftEdge) -> bool:
    root = drafts.producer(bottom)
    gain, top, scaled = _gain_before(drafts, top)
    centred = drafts.producer(top)
    edge = top
    if centred is not None and centred.kind == "subtract" and len(centred.edges) == 2:
        edge = centred.edges[0]
    else:
        centred = None
    norm = _Norm(edge.source)
    if root is None or not _deviation(drafts, root, node.kind == "multiply", norm, centred):
        return False
    shape = tuple(edge.source.shape)
    if shape != tuple(node.values[0].shape) or not _in_place(drafts, bottom, shape, norm.axes):
        return False
    if centred is not None and not (drafts.plain(top.source) and _centre(drafts, centred, norm)):
        return False
    if gain is not None and scaled is not None:
        norm.members.append(scaled)
    unique = list({m.id: m for m in norm.members}.values())
    inside = {m.id for m in unique} | {node.id}
    if any(drafts.users(m) - inside for m in unique):
        return False
    table = None
    if gain is not None:
        table = _along(drafts, node, gain, norm.axes)
        if table is None:
            return False
    node.kind = "rms_norm" if centred is None else "layer_norm"
    node.settings = {"axes": list(norm.axes), **norm.settings, "scale": False}
    if centred is not None:
        node.settings["center"] = False
    if gain is not None and table is not None:
        node.settings["scale"] = True
        drafts.take_parameter(node, "gamma", gain.source.value, table)
    order = list(drafts.nodes)
    drafts.rewire(node, [edge])
    for member in sorted(unique, key=lambda m: -order.index(m.id)):
        drafts.absorb(node, member, [edge], node)
    return True


def _gain_before(
    drafts: Drafts, top: DraftEdge
) -> tuple[DraftEdge | None, DraftEdge, Draft | None]:
    """A weight that what is divided was multiplied with: it, the rest, and the product."""
    product = drafts.producer(top)
    if product is None or product.kind != "multiply" or len(product.edges) != 2:
        return None, top, None
    for weight, rest in (product.edges, product.edges[::-1]):
        if weight.source.value.startswith("parameter:") and drafts.plain(top.source):
            return weight, rest, product
    return None, top, None


def _deviation(
    drafts: Drafts, root: Draft, inverse: bool, norm: _Norm, centred: Draft | None
) -> bool:
    """What is divided by: from its last operation back to the variance."""
    current: Draft | None = root
    rooted = False
    wanted = "rsqrt" if inverse else "sqrt"
    while current is not None and current.kind in ("unary", "affine"):
        norm.members.append(current)
        if current.kind == "unary":
            if rooted or current.settings.get("name") != wanted:
                return False
            rooted = True
        elif rooted and current.settings.get("offset") == 0:
            norm.factor *= current.settings["scale"]
        else:
            # One epsilon, and no factor behind it: a second one, or a scaled one, is no layer's.
            unfit = current.settings.get("scale") != 1 or norm.factor != 1
            if unfit or norm.settings["epsilon"]:
                return False
            norm.settings["epsilon"] = current.settings["offset"]
            if not rooted:
                if inverse:
                    return False
                norm.settings["epsilon_outside"] = True
        if not drafts.plain(current.edges[0].source):
            return False
        current = drafts.producer(current.edges[0])
    if current is None or current.kind != "reduce":
        return False
    norm.members.append(current)
    norm.axes = tuple(
        a % len(current.edges[0].source.shape) for a in current.settings.get("axes", ())
    )
    return _variance(drafts, current, rooted, norm, centred)


def _variance(
    drafts: Drafts, reduce: Draft, rooted: bool, norm: _Norm, centred: Draft | None
) -> bool:
    mode, edge = reduce.settings.get("mode"), reduce.edges[0]
    if mode in ("variance", "std"):
        if (mode == "std") == rooted or centred is None or norm.factor != 1:
            return False
        if reduce.settings.get("correction"):
            norm.settings["correction"] = reduce.settings["correction"]
        return drafts.same_view(edge.source, norm.source)
    square = drafts.producer(edge)
    if mode == "mean" and norm.factor == 1:
        correction: int | None = 0
    else:
        correction = _correction(edge.source.shape, norm, str(mode))
    if (
        correction is None
        or (correction and centred is None)
        or not rooted
        or square is None
        or not drafts.plain(edge.source)
    ):
        return False
    if square.kind != "unary" or square.settings.get("name") != "square":
        return False
    if correction:
        norm.settings["correction"] = correction
    norm.members.append(square)
    inner = square.edges[0]
    if centred is None:
        return drafts.same_view(inner.source, norm.source)
    other = drafts.producer(inner)
    if other is None or other.kind != "subtract" or not drafts.plain(inner.source):
        return False
    return other is centred or _centre(drafts, other, norm)


def _correction(shape: tuple[int, ...], norm: _Norm, mode: str) -> int | None:
    """How many fewer than all a sum of squares is divided by; None where it is no variance."""
    number = int(np.prod([shape[a] for a in norm.axes]))
    if mode not in ("mean", "sum") or norm.factor <= 0:
        return None
    correction = number - (number if mode == "mean" else 1) / norm.factor
    # The number may have gone through float32, or be said as a factor of eight digits.
    near = round(correction)
    return near if abs(correction - near) < 1e-5 * number and 0 <= near < number else None


def _centre(drafts: Drafts, difference: Draft, norm: _Norm) -> bool:
    """Whether it is x minus its mean over the axes."""
    mean = drafts.producer(difference.edges[1])
    if len(difference.edges) != 2 or mean is None or mean.kind != "reduce":
        return False
    source = mean.edges[0].source
    axes = tuple(a % len(source.shape) for a in mean.settings.get("axes", ()))
    norm.members += [difference, mean]
    return (
        mean.settings.get("mode") == "mean"
        and sorted(axes) == sorted(norm.axes)
        and drafts.same_view(source, norm.source)
        and drafts.same_view(difference.edges[0].source, norm.source)
        and _in_place(drafts, difference.edges[1], tuple(source.shape), axes)
    )


def _in_place(
    drafts: Drafts, edge: DraftEdge, shape: tuple[int, ...], axes: tuple[int, ...]
) -> bool:
    """Whether a reduced value meets exactly the elements it was reduced from."""
    with_ones = [1 if k in axes else n for k, n in enumerate(shape)]
    wanted = np.broadcast_to(np.arange(int(np.prod(with_ones))).reshape(with_ones), shape)
    try:
        return np.array_equal(np.broadcast_to(drafts.picks(edge.source), shape), wanted)
    except ValueError:
        return False


def fold_gain(drafts: Drafts, node: Draft) -> bool:
    """A weight multiplied with, or added, behind a normalisation that has none."""
    if node.kind not in ("multiply", "add") or len(node.edges) != 2:
        return False
    setting, role = ("scale", "gamma") if node.kind == "multiply" else ("center", "beta")
    for edge, other in (node.edges, node.edges[::-1]):
        norm = drafts.producer(edge)
        if (
            norm is None
            or norm.kind not in ("layer_norm", "rms_norm")
            or norm.settings.get(setting) is not False
            or (role == "gamma" and norm.settings.get("center"))
            or not drafts.only_user(norm, node)
            or not drafts.plain(edge.source)
            or not other.source.value.startswith("parameter:")
        ):
            continue
        table = _along(drafts, norm, other, norm.settings["axes"])
        if table is None:
            continue
        node.kind, node.settings = norm.kind, {**norm.settings, setting: True}
        node.parameters, node.views = dict(norm.parameters), dict(norm.views)
        drafts.take_parameter(node, role, other.source.value, table)
        drafts.absorb(node, norm, list(norm.edges), norm)
        return True
    return False


def _along(drafts: Drafts, norm: Draft, other: DraftEdge, along: Sequence[int]) -> Ids | None:
    """Which element of the weight each place of the normalised axes gets, if one only."""
    shape = norm.values[0].shape
    axes = sorted(a % len(shape) for a in along)
    sizes = [shape[a] for a in axes]
    size = int(np.prod(sizes))
    if int(np.prod(drafts.shapes.get(other.source.value, ()))) != size:
        return None
    lines = np.arange(size).reshape([shape[a] if a in axes else 1 for a in range(len(shape))])
    place = np.broadcast_to(lines, shape).ravel()
    try:
        element = np.broadcast_to(drafts.picks(other.source), shape).ravel()
    except ValueError:
        return None
    table = np.full(size, -1, dtype=np.int64)
    table[place] = element
    if not np.array_equal(table[place], element):
        return None
    table = table.reshape(sizes)
    return table if drafts.is_permutation(other.source.value, table) else None
