"""Pairs that compute alike on other numbers: another part, another order, another division.

Both sides' operations are computed again with their own settings on what each really took. Where
that gives both outputs, and what they took comes from one place that agrees, the way from there to
here is the cause.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.checker.align.matches import Link, Match, called, indices, picked
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose.code_edit import changed
from parity.checker.diagnose.operation import Function
from parity.checker.diagnose.settings import canonical, differing
from parity.checker.diagnose.value_hypotheses import apart
from parity.checker.graph.graph import Node, Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import LayerAttribution, LayerStatus, source_array
from parity.checker.result.causes import Cause, Suspicion
from parity.checker.transfer.subject import Subject
from parity.comparator.noise import U32
from parity.core.sides import Side

_FED = ("dense", "recurrent", "convolution", "transposed")
"""Their kernels have another shape where they are fed another width."""
_SINGLE = 1e-4
"""Of the scale; some constants are kept in float32 whatever the precision."""


@dataclass(frozen=True)
class RepairSearch:
    """How one source differs: the kind of cause, and the words of both sides."""

    kind: str
    left: str
    right: str


def told(stands: LayerAttribution, stand: LayerStatus) -> list[Cause]:
    """Why a pair parts that has the same settings and takes other numbers; empty if it is not so.

    Args:
        stands: all pairs.
        stand: one that parts, or could not be fed its partner's input.
    """
    match, subject = stand.match, stands.subject
    if match.left.kind != match.right.kind or any(stand.between):
        return []
    ways = [way for link in match.links if (way := _way(stands, match, link)) is not None]
    if not ways:
        return []
    heads = _heads(match)
    way = ways[0] if heads is None else heads
    left = [s for s in _differing(subject, match) if not _of_heads(s, match, heads)]
    if left or not _same_weights(subject, match):
        return []
    ratios = [
        _residual(stands, "torch", match.left),
        _residual(stands, "keras", match.right),
    ]
    if any(r is None for r in ratios):
        return []
    ratio = max(r for r in ratios if r is not None)
    return [
        Cause(
            way.kind,
            (match.left.name, way.left),
            (match.right.name, way.right),
            "confirmed" if ratio <= 1 else "suspected",
            ratio,
            1.0,
            "recomputed",
            fix=_fix(match.right, way, heads),
        )
    ]


def _residual(stands: LayerAttribution, side: Side, merged: CanonicalNode) -> float | None:
    """How far one side's operation, computed again on its own sources, is from what it gave."""
    subject, recorded = stands.subject, stands.recorded
    normal = subject.torch if side == "torch" else subject.keras
    weights = subject.weights[0 if side == "torch" else 1]
    output = recorded.runs[side, recorded.best].get(f"values/{merged.value}")
    made = [source_array(normal, s, recorded.best, recorded, weights) for s in merged.sources]
    if output is None or any(array is None for array in made):
        return None
    parameters = {
        role: np.asarray(weights[name], np.float64) for role, name in merged.parameters.items()
    }
    function = Function(
        merged.kind, canonical(as_node(merged)), parameters, tuple(a for a in made if a is not None)
    )
    again = function()
    if again is None:
        return None
    scale = float(np.max(np.abs(output), initial=0.0, where=np.isfinite(output)))
    bound = (2 * U32 if recorded.best == "float64" else _SINGLE) * scale
    return apart(again, output) / bound if bound else None


def as_node(merged: CanonicalNode) -> Node:
    """A node of the normal form as one of the graph's."""
    return Node(
        merged.id,
        merged.name,
        merged.kind,
        merged.settings,
        merged.sources,
        merged.values,
        merged.parameters,
        merged.code,
    )


def _differing(subject: Subject, match: Match) -> tuple[Suspicion, ...]:
    first = match.left.sources[0] if match.left.sources else None
    move = None if first is None else subject.across.values.get(first.value)
    axes = None
    if first is not None and move is not None and move.axes is not None:
        rank = len(first.shape)
        axes = [move.axes.index(i) for i in range(rank)] if len(move.axes) == rank else None
    return differing(as_node(match.left), as_node(match.right), axes=axes)


def _same_weights(subject: Subject, match: Match) -> bool:
    """Whether both have the same weights, but for a kernel that is fed another width."""
    for one in subject.across.tied:
        if one.pair is not match:
            continue
        if one.index is None:
            if match.left.kind not in _FED or not one.role.endswith("kernel"):
                return False
            continue
        mine = one.to_right(np.asarray(subject.weights[0][one.left.id]))
        theirs = np.asarray(subject.weights[1][one.right.id])
        if mine.shape != theirs.shape or not np.allclose(mine, theirs, rtol=1e-6, atol=0):
            return False
    return True


def _way(stands: LayerAttribution, match: Match, link: Link) -> RepairSearch | None:
    """How the two sources of a link differ, where both come from something that agrees."""
    subject, across = stands.subject, stands.subject.across
    mine, theirs = link.left, link.right
    if mine is None or theirs is None or not stands.agreeing.get(mine.value, False):
        return None
    texts = picked(subject.torch, mine), picked(subject.keras, theirs)
    if across.partners.get(mine.value) != theirs.value:
        return RepairSearch("wiring", *texts)
    found = across.sources.get((match.left.id, link.at))
    if found is not None and found.is_identity:
        return None
    places = _places(subject, mine, theirs)
    if places is None:
        return None
    left, right = places
    if left.shape == right.shape and np.array_equal(left, right):
        return None
    if np.array_equal(np.unique(left), np.unique(right)):
        shapes = [" × ".join(map(str, s.shape)) for s in (mine, theirs)]
        return RepairSearch(
            "axis",
            f"takes {called(subject.torch, mine)} as {shapes[0]}",
            f"takes the same numbers as {shapes[1]}, in another order",
        )
    return RepairSearch("wiring", *texts)


def _places(subject: Subject, mine: Source, theirs: Source) -> tuple[Array, Array] | None:
    """Which numbers of the left's root both take."""
    root = subject.across.values.get(mine.value)
    if root is None:
        return None
    left, right = indices(subject.torch, mine), indices(subject.keras, theirs)
    if left is None:
        left = np.arange(int(np.prod(mine.shape))).reshape(mine.shape)
    if right is None:
        right = np.arange(int(np.prod(theirs.shape))).reshape(theirs.shape)
    places = root.indices.reshape(-1)
    if right.size and int(right.max()) >= len(places):
        return None
    return left, places[right]


# Heads


def _heads(match: Match) -> RepairSearch | None:
    """Scores of attention whose features are divided into another number of heads."""
    if match.left.kind != "matmul" or len(match.left.sources) != len(match.right.sources):
        return None
    for mine, theirs in zip(match.left.sources, match.right.sources, strict=True):
        a, b = _divided(mine.shape, theirs.shape), _divided(theirs.shape, mine.shape)
        if a is not None and b is not None:
            return RepairSearch("groups", f"{a[0]} heads of {a[1]}", f"{b[0]} heads of {b[1]}")
    return None


def _divided(shape: Sequence[int], other: Sequence[int]) -> tuple[int, int] | None:
    """(heads, size) of ``(…, heads, steps, size)``, where the other divides the same width."""
    if len(shape) < 4 or len(shape) != len(other) or shape[-3] == other[-3]:
        return None
    for at in (-1, -2):
        rest = [i for i in range(-len(shape), 0) if i not in (-3, at)]
        if shape[-3] * shape[at] == other[-3] * other[at] and all(
            shape[i] == other[i] for i in rest
        ):
            return shape[-3], shape[at]
    return None


def _of_heads(suspicion: Suspicion, match: Match, heads: RepairSearch | None) -> bool:
    """Whether the scores' factor differs as the sizes of the heads ask for."""
    if heads is None or suspicion.kind != "scale":
        return False
    sizes = [float(text.rpartition(" ")[2]) for text in (heads.left, heads.right)]
    scales = [float(n.settings.get("scale", 1.0)) for n in (match.left, match.right)]
    a, b = (scale * math.sqrt(size) for scale, size in zip(scales, sizes, strict=True))
    return math.isclose(a, b, rel_tol=1e-5)


def _fix(right: CanonicalNode, way: RepairSearch, heads: RepairSearch | None) -> str:
    if not right.code:
        return ""
    if heads is not None:
        count, size = (int(w) for w in heads.left.split(" heads of "))
        arguments = {"num_heads": count, "key_dim": size}
        if "value_dim=" in right.code:
            arguments["value_dim"] = size
        if "MultiHeadAttention(" in right.code:
            return changed(right.code, arguments)
        return f"{right.code}  # of {heads.left}"
    wanted = way.left.removeprefix("takes ")
    return f"{right.code}  # it must take {wanted}"


# Another operation in place of a chain


def replaced(stands: LayerAttribution, stand: LayerStatus) -> list[Cause]:
    """One operation on the left for a chain of others on the right, computed in its place."""
    match, subject = stand.match, stands.subject
    chain = stand.between[1]
    if match.left.kind == match.right.kind or not chain or any(stand.between[0]):
        return []
    if len(match.left.sources) != 1 or match.left.sources[0].ids:
        return []
    source = match.left.sources[0]
    if not stands.agreeing.get(source.value, False) or len(match.right.sources) != 1:
        return []
    partner = subject.across.partners.get(source.value)
    if _start(subject.keras, match.right, chain) != partner:
        return []
    ratio = _residual(stands, "torch", match.left)
    if ratio is None:
        return []
    said = [
        subject.keras.producers[v].code or subject.keras.producers[v].kind
        for v in _values(subject.keras, chain)
    ]
    found = Cause(
        "operation",
        (match.left.name, match.left.code or match.left.kind),
        (match.right.name, ", then ".join([*said, match.right.code or match.right.kind])),
        "confirmed" if ratio <= 1 else "suspected",
        ratio,
        1.0,
        "recomputed",
    )
    return [replace(found, fix="")]


def _values(normal: CanonicalGraph, names: Sequence[str]) -> list[str]:
    return [n.value for n in normal.nodes if n.name in names]


def _start(normal: CanonicalGraph, node: CanonicalNode, chain: Sequence[str]) -> str | None:
    """What the chain before a node takes first."""
    value = node.sources[0].value
    while value in normal.producers and normal.producers[value].name in chain:
        maker = normal.producers[value]
        if len(maker.sources) != 1:
            return None
        value = maker.sources[0].value
    return value
