"""Where one side's tracer saw layers only: what runs between them on the other is one node, too.

An untraced node stands for all that runs between two layers. The other side may have ten
operations there. They are drawn together, so that what they yield is compared with what the
untraced node yields, and none of them is taken for one that the other side lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from parity.checker.align.alignment import AlignedPair, Alignment, SourceLink
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph.graph import Source, Value
from parity.checker.graph.layerwise import UNTRACED

VIEW = "#seen"
"""Behind the id of a value: as all see it that take it."""


def is_untraced(node: CanonicalNode) -> bool:
    """Whether it stands for what runs between two layers."""
    return node.kind == "opaque" and node.settings.get("name") == UNTRACED


def fuse_untraced_regions(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment
) -> tuple[CanonicalGraph, CanonicalGraph] | None:
    """Both with one node opposite each untraced one, step by step; None where nothing changes.

    Args:
        left, right: canonical.
        alignment: how they lie on each other.
    """
    chained = _chained(left), _chained(right)
    if chained != (left, right):
        return chained
    sides = [left, right]
    for at in (0, 1):
        free = set((alignment.right_only, alignment.left_only)[at]) | _partners(
            left, right, alignment, at
        )
        for value in _opposite(left, right, alignment, at):
            region = _region(sides[1 - at], value, free)
            if region is not None:
                free -= {node.id for node in region}
                sides[1 - at] = _merged(sides[1 - at], region)
    return None if sides == [left, right] else (sides[0], sides[1])


def _chained(graph: CanonicalGraph) -> CanonicalGraph:
    """Untraced nodes in a row, between which a dropout stood, are one."""
    for node in graph.nodes:
        takers = [n for n in graph.nodes for s in n.sources if s.value == node.value]
        returned = any(s.value == node.value for s in graph.outputs)
        if is_untraced(node) and len(takers) == 1 and is_untraced(takers[0]) and not returned:
            return _chained(_merged(graph, [node, takers[0]]))
    return graph


def _opposite(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment, at: int
) -> Iterator[str]:
    """For each untraced node of one side the value that stands in its place on the other."""
    mine, theirs = (left, right)[at], (right, left)[at]
    alone = {v.id for n in mine.nodes if is_untraced(n) for v in n.values}
    settled = [p for p in alignment.pairs if all(map(is_untraced, _nodes(left, right, p)))]
    # Where both sides were seen layer by layer there is nothing to draw together.
    alone -= {_nodes(left, right, p)[at].value for p in settled}

    def partners(
        links: tuple[SourceLink, ...], own: tuple[Source, ...], other: tuple[Source, ...]
    ) -> Iterator[str]:
        for link in links:
            here, there = (link.left, link.right)[:: 1 - 2 * at]
            if here is not None and there is not None and own[here].value in alone:
                yield other[there].value

    for pair in alignment.pairs:
        one, other = (pair.left, pair.right)[:: 1 - 2 * at]
        yield from partners(pair.links, mine.by_id[one].sources, theirs.by_id[other].sources)
    yield from partners(alignment.outputs, mine.outputs, theirs.outputs)


def _nodes(
    left: CanonicalGraph, right: CanonicalGraph, pair: AlignedPair
) -> tuple[CanonicalNode, CanonicalNode]:
    return left.by_id[pair.left], right.by_id[pair.right]


def _partners(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment, at: int
) -> set[str]:
    """Of the other side what was taken for the partner of an untraced node."""
    every = [_nodes(left, right, pair) for pair in alignment.pairs]
    return {nodes[1 - at].id for nodes in every if is_untraced(nodes[at])}


def _region(graph: CanonicalGraph, value: str, free: set[str]) -> list[CanonicalNode] | None:
    """The nodes without a counterpart that only this value is made of, in order.

    One with weights is never drawn in, nor one that another layer takes: both are seen on the other
    side, too, and a fault in them is to be named.
    """
    last = graph.producers.get(value)
    if last is None or last.id not in free or last.parameters:
        return None
    takers: dict[str, set[str]] = {}
    for node in graph.nodes:
        for source in node.sources:
            takers.setdefault(source.value, set()).add(node.id)
    outputs = {source.value for source in graph.outputs}
    members = {last.id}
    for node in reversed(graph.nodes):
        taken = [takers.get(v.id, set()) for v in node.values]
        inner = any(taken) and all(t <= members for t in taken)
        bare = not node.parameters and not outputs & {v.id for v in node.values}
        if inner and bare and node.id in free:
            members.add(node.id)
    return [node for node in graph.nodes if node.id in members]


@dataclass(frozen=True)
class _FusedValue:
    """A value as its takers see it: its new id, and how it is read."""

    value: Value
    source: Source


def _merged(graph: CanonicalGraph, region: list[CanonicalNode]) -> CanonicalGraph:
    """The graph with one untraced node in place of these."""
    last, inner = region[-1], {v.id for node in region[:-1] for v in node.values}
    seen = _view(graph, last)
    order = {v.id: place for place, n in enumerate(graph.nodes) for v in n.values}
    every = dict.fromkeys(s for node in region for s in node.sources if s.value not in inner)
    # In the order of execution, by which the other side's are told apart.
    sources = sorted(every, key=lambda source: order.get(source.value, -1))
    name = last.name if len(region) == 1 else f"{region[0].name} … {last.name}"
    node = replace(
        last,
        name=name,
        kind="opaque",
        settings={"name": UNTRACED},
        sources=tuple(sources),
        values=last.values if seen is None else (seen.value, *last.values),
        members=tuple(m for n in region for m in n.members),
        names=(name, *(name for n in region for name in n.names)),
        code="; ".join(dict.fromkeys(n.code for n in region if n.code)),
    )

    def turned(source: Source) -> Source:
        return Source(seen.value.id, source.shape) if seen and source == seen.source else source

    gone = {n.id for n in region[:-1]}
    nodes = [node if n.id == last.id else n for n in graph.nodes if n.id not in gone]
    return replace(
        graph,
        nodes=tuple(replace(n, sources=tuple(turned(s) for s in n.sources)) for n in nodes),
        outputs=tuple(turned(s) for s in graph.outputs),
        pieces={**graph.pieces, **({seen.value.id: seen.source} if seen else {})},
    )


def _view(graph: CanonicalGraph, node: CanonicalNode) -> _FusedValue | None:
    """Its value as all see it that take it, where they see the same and move it first."""
    every = [s for n in graph.nodes for s in n.sources] + list(graph.outputs)
    views = {s for s in every if s.value == node.value}
    if len(views) != 1:
        return None
    (view,) = views
    if not view.ids:
        return None
    return _FusedValue(Value(f"{node.value}{VIEW}", view.shape, node.values[0].dtype), view)


# Arrangements
