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

from parity.checker.align.matches import Link, Match, indices, source_name, source_text
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose import fix
from parity.checker.diagnose.settings import canonical, differing
from parity.checker.graph.arrangement import is_layout
from parity.checker.graph.graph import Node, Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution, source_array
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import U32
from parity.core.sides import Side
from parity.diagnosis.array_hypotheses import apart
from parity.diagnosis.causes import Cause
from parity.diagnosis.edits import Rewiring
from parity.operations.code import changed
from parity.operations.function import Function
from parity.operations.known import operation
from parity.operations.operation import Suspicion

"""Their kernels have another shape where they are fed another width."""
_SINGLE = 1e-4
"""Of the scale; some constants are kept in float32 whatever the precision."""


@dataclass(frozen=True)
class SourceDifference:
    """How one source differs: the kind of cause, and the words of both sides."""

    kind: str
    left: str
    right: str
    link: Link | None = None


def input_causes(attribution: LayerAttribution, layer: AttributedLayer) -> list[Cause]:
    """Why a pair of the same settings that takes other numbers diverges; empty if it is not so.

    Args:
        attribution: all pairs.
        layer: one that diverges, or could not be fed its partner's input.
    """
    match, comparison = layer.match, attribution.comparison
    if match.left.kind != match.right.kind or any(layer.between):
        return []
    differences = [
        difference
        for link in match.links
        if (difference := _difference(attribution, match, link)) is not None
    ]
    if not differences:
        return []
    heads = _heads(match)
    difference = differences[0] if heads is None else heads
    left = [s for s in differing_settings(comparison, match) if not _of_heads(s, match, heads)]
    if left or not _same_weights(comparison, match) or not _same_tables(attribution, match):
        return []
    ratios = [
        _residual(attribution, "torch", match.left),
        _residual(attribution, "keras", match.right),
    ]
    if any(r is None for r in ratios):
        return []
    ratio = max(r for r in ratios if r is not None)
    line = _fix(match, difference, heads)
    edit = None
    if heads is None and difference.kind == "wiring" and match.right.code:
        edit = rewired(comparison, match, difference.link, difference.right)
        line = edit.text
    cause = Cause(
        difference.kind,
        (match.left.name, difference.left),
        (match.right.name, difference.right),
        "confirmed" if ratio <= 1 else "suspected",
        ratio,
        1.0,
        "recomputed",
        fix=line,
        edit=edit,
    )
    return [_where_reduced(comparison, difference.link, cause)]


def _residual(attribution: LayerAttribution, side: Side, node: CanonicalNode) -> float | None:
    """How far one side's operation, computed again on its own sources, is from what it gave."""
    comparison, recorded = attribution.comparison, attribution.recorded
    graph = comparison.torch if side == "torch" else comparison.keras
    weights = comparison.weights[0 if side == "torch" else 1]
    output = recorded.runs[side, recorded.best].get(f"values/{node.value}")
    made = [source_array(graph, s, recorded.best, recorded, weights) for s in node.sources]
    if output is None or any(array is None for array in made):
        return None
    parameters = {
        role: np.asarray(weights[name], np.float64) for role, name in node.parameters.items()
    }
    function = Function(
        node.kind, canonical(as_node(node)), parameters, tuple(a for a in made if a is not None)
    )
    again = function()
    if again is None:
        return None
    scale = float(np.max(np.abs(output), initial=0.0, where=np.isfinite(output)))
    bound = (2 * U32 if recorded.best == "float64" else _SINGLE) * scale
    return apart(again, output) / bound if bound else None


def as_node(node: CanonicalNode) -> Node:
    """A canonical node as one of a traced graph."""
    return Node(
        node.id,
        node.name,
        node.kind,
        node.settings,
        node.sources,
        node.values,
        node.parameters,
        node.code,
    )


def differing_settings(comparison: ModelComparison, match: Match) -> tuple[Suspicion, ...]:
    """What differs in the settings of a pair, its axes brought to one layout."""
    first = match.left.sources[0] if match.left.sources else None
    move = None if first is None else comparison.axis_maps.values.get(first.value)
    axes = None
    if first is not None and move is not None and move.axes is not None:
        rank = len(first.shape)
        axes = [move.axes.index(i) for i in range(rank)] if len(move.axes) == rank else None
    return differing(as_node(match.left), as_node(match.right), axes=axes)


def _same_weights(comparison: ModelComparison, match: Match) -> bool:
    """Whether both have the same weights, but for a kernel that is fed another width."""
    for one in comparison.axis_maps.weight_mappings:
        if one.pair is not match:
            continue
        if one.index is None:
            if not operation(match.left.kind).weighted or not one.role.endswith("kernel"):
                return False
            continue
        mine = one.to_right(np.asarray(comparison.weights[0][one.left.id]))
        theirs = one.of_right(np.asarray(comparison.weights[1][one.right.id]))
        if mine.shape != theirs.shape or not np.allclose(mine, theirs, rtol=1e-6, atol=0):
            return False
    return True


def _same_tables(attribution: LayerAttribution, match: Match) -> bool:
    """Whether both have the same numbers where their code makes them of constants alone."""
    return all(
        attribution.takes_same(match, link)
        for link in match.links
        if link.left is not None
        and link.right is not None
        and not link.left.value.startswith("parameter:")
        and attribution.is_table(link.left, link.right)
    )


def _difference(attribution: LayerAttribution, match: Match, link: Link) -> SourceDifference | None:
    """How the two sources of a link differ, where both come from something that agrees."""
    comparison, maps = attribution.comparison, attribution.comparison.axis_maps
    mine, theirs = link.left, link.right
    if mine is None or theirs is None or not attribution.agreeing.get(mine.value, False):
        return None
    texts = source_text(comparison.torch, mine), source_text(comparison.keras, theirs)
    if maps.partners.get(mine.value) != theirs.value:
        return SourceDifference("wiring", *texts, link)
    moved = maps.sources.get((match.left.id, link.at))
    if moved is not None and moved.is_identity:
        return None
    root = maps.values.get(mine.value)
    turned = root is not None and not root.is_identity
    if turned and moved is not None and is_layout(moved):
        return None  # channels first here and last there, as in what they are taken from
    places = _places(comparison, mine, theirs)
    if places is None:
        return None
    left, right = places
    if np.array_equal(left.reshape(-1), right.reshape(-1)):
        return _broadcast(comparison, match, link) if moved is None or moved.axes is None else None
    if np.array_equal(np.unique(left), np.unique(right)):
        shapes = [" × ".join(map(str, s.shape)) for s in (mine, theirs)]
        return SourceDifference(
            "axis",
            f"takes {source_name(comparison.torch, mine)} as {shapes[0]}",
            f"takes the same numbers as {shapes[1]}, in another order",
        )
    return SourceDifference("wiring", *texts, link)


def _broadcast(comparison: ModelComparison, match: Match, link: Link) -> SourceDifference | None:
    """The same numbers, laid along other axes of what they are combined with: ``keepdims``."""
    mine, theirs = link.left, link.right
    if mine is None or theirs is None or len(match.left.sources) < 2:
        return None
    left, right = (_aligned(source.shape) for source in (mine, theirs))
    if operation(match.left.kind).category not in ("arithmetic", "join") or left == right:
        return None
    shapes = [" × ".join(map(str, s.shape)) for s in (mine, theirs)]
    return SourceDifference(
        "axis",
        f"{source_name(comparison.torch, mine)} as {shapes[0]}",
        f"{source_name(comparison.keras, theirs)} as {shapes[1]}",
        link,
    )


def _where_reduced(comparison: ModelComparison, link: Link | None, cause: Cause) -> Cause:
    """The same cause, said of the reduction that keeps its axes on one side only."""
    if cause.kind != "axis" or link is None or link.left is None or link.right is None:
        return cause
    mine = comparison.torch.producers.get(link.left.value)
    theirs = comparison.keras.producers.get(link.right.value)
    if mine is None or theirs is None or mine.kind != "reduce" or theirs.kind != "reduce":
        return cause
    kept = [bool(node.settings.get("keepdims")) for node in (mine, theirs)]
    if kept[0] == kept[1] or comparison.corrected != "keras":
        return cause
    words = ["kept with a size of 1" if k else "dropped" for k in kept]
    node = as_node(theirs)
    wanted = replace(node, settings={**node.settings, "keepdims": kept[0]})
    line = fix.fix("axis", node, wanted, "keras", wanted=words[0])
    return replace(cause, left=(mine.name, words[0]), right=(theirs.name, words[1]), fix=line)


def _aligned(shape: Sequence[int]) -> tuple[int, ...]:
    """A shape as it is laid over a larger one, from the last axis on."""
    first = next((i for i, size in enumerate(shape) if size != 1), len(shape))
    return tuple(shape[first:])


def _places(
    comparison: ModelComparison, mine: Source, theirs: Source
) -> tuple[Array, Array] | None:
    """Which numbers of the left's root both take."""
    root = comparison.axis_maps.values.get(mine.value)
    if root is None:
        return None
    left, right = indices(comparison.torch, mine), indices(comparison.keras, theirs)
    if left is None:
        left = np.arange(int(np.prod(mine.shape))).reshape(mine.shape)
    if right is None:
        right = np.arange(int(np.prod(theirs.shape))).reshape(theirs.shape)
    places = root.indices.reshape(-1)
    if right.size and int(right.max()) >= len(places):
        return None
    return left, places[right]


# Heads


def _heads(match: Match) -> SourceDifference | None:
    """Scores of attention whose features are divided into another number of heads."""
    if match.left.kind != "matmul" or len(match.left.sources) != len(match.right.sources):
        return None
    for mine, theirs in zip(match.left.sources, match.right.sources, strict=True):
        a, b = _divided(mine.shape, theirs.shape), _divided(theirs.shape, mine.shape)
        if a is not None and b is not None:
            return SourceDifference("groups", f"{a[0]} heads of {a[1]}", f"{b[0]} heads of {b[1]}")
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


def _of_heads(suspicion: Suspicion, match: Match, heads: SourceDifference | None) -> bool:
    """Whether the scores' factor differs as the sizes of the heads ask for."""
    if heads is None or suspicion.kind != "scale":
        return False
    sizes = [float(text.rpartition(" ")[2]) for text in (heads.left, heads.right)]
    scales = [float(n.settings.get("scale", 1.0)) for n in (match.left, match.right)]
    a, b = (scale * math.sqrt(size) for scale, size in zip(scales, sizes, strict=True))
    return math.isclose(a, b, rel_tol=1e-5)


def _fix(match: Match, difference: SourceDifference, heads: SourceDifference | None) -> str:
    code = match.right.code
    if not code:
        return ""
    if heads is not None:
        count, size = (int(w) for w in heads.left.split(" heads of "))
        arguments = {"num_heads": count, "key_dim": size}
        if "value_dim=" in code:
            arguments["value_dim"] = size
        if "MultiHeadAttention(" in code:
            return changed(code, arguments)
        return f"# {code}: {heads.left}, not {heads.right}"
    return f"# {code}: {difference.left} instead of {difference.right}"


def rewired(comparison: ModelComparison, match: Match, link: Link | None, present: str) -> Rewiring:
    """What a pair's right must take through a link, instead of what it takes."""
    source = None if link is None else link.left
    wanted = "" if source is None else value_here(comparison, source)
    part = "" if source is None or wanted else _part(comparison, source)
    if source is not None and part:
        wanted = value_here(comparison, replace(source, ids=""))
    words = _name_here(comparison, source), present
    at = -1 if link is None else link.to
    return Rewiring(match.right.name, match.right.code, at, wanted, words, part)


def _part(comparison: ModelComparison, source: Source) -> str:
    """Which numbers of a value a source takes, as both sides write it; empty where they do not."""
    root = comparison.axis_maps.values.get(source.value)
    name, bracket, rest = source_text(comparison.torch, source).partition("[")
    alike = root is not None and root.is_identity and name == source_name(comparison.torch, source)
    return f"[{rest}" if bracket and alike and "…" not in rest else ""


def value_here(comparison: ModelComparison, source: Source) -> str:
    """Name of what gives on the right what the left takes; empty where nothing is known to."""
    partner = comparison.axis_maps.partners.get(source.value, "")
    maker = comparison.keras.producers.get(partner)
    if maker is not None:
        return "" if source.ids or partner != maker.value else maker.name
    return partner if partner.startswith("input:") and not source.ids else ""


def _name_here(comparison: ModelComparison, source: Source | None) -> str:
    """What people call on the right what the left takes."""
    if source is None:
        return "nothing"
    partner = comparison.axis_maps.partners.get(source.value)
    maker = comparison.keras.producers.get(partner or "")
    if maker is None or source.ids:
        text = source_text(comparison.torch, source)
        return text if partner is None else f"what {text} is in PyTorch"
    return f"the output of {maker.name}"


# Another operation in place of a chain


def replacement_causes(attribution: LayerAttribution, layer: AttributedLayer) -> list[Cause]:
    """One operation on the left for a chain of others on the right, computed in its place."""
    match, comparison = layer.match, attribution.comparison
    chain = layer.between[1]
    if match.left.kind == match.right.kind or not chain or any(layer.between[0]):
        return []
    if len(match.left.sources) != 1 or match.left.sources[0].ids:
        return []
    source = match.left.sources[0]
    if not attribution.agreeing.get(source.value, False) or len(match.right.sources) != 1:
        return []
    partner = comparison.axis_maps.partners.get(source.value)
    if _start(comparison.keras, match.right, chain) != partner:
        return []
    ratio = _residual(attribution, "torch", match.left)
    if ratio is None:
        return []
    said = [
        comparison.keras.producers[v].code or comparison.keras.producers[v].kind
        for v in _values(comparison.keras, chain)
    ]
    cause = Cause(
        "operation",
        (match.left.name, match.left.code or match.left.kind),
        (match.right.name, ", then ".join([*said, match.right.code or match.right.kind])),
        "confirmed" if ratio <= 1 else "suspected",
        ratio,
        1.0,
        "recomputed",
    )
    here = " and ".join([*said, match.right.code or match.right.kind])
    return [replace(cause, fix=f"# in place of {here}: what PyTorch has, {cause.left[1]}")]


def _values(graph: CanonicalGraph, names: Sequence[str]) -> list[str]:
    return [n.value for n in graph.nodes if n.name in names]


def _start(graph: CanonicalGraph, node: CanonicalNode, chain: Sequence[str]) -> str | None:
    """What the chain before a node takes first."""
    value = node.sources[0].value
    while value in graph.producers and graph.producers[value].name in chain:
        maker = graph.producers[value]
        if len(maker.sources) != 1:
            return None
        value = maker.sources[0].value
    return value
