"""Steps that the two sides write otherwise, judged together by the value where they end.

Between values that both sides have, one side may take other steps than the other: a mask made
anew, a norm written out, a second ReLU. What each step yields has then no counterpart, or an unlike
one; where they end the numbers are the same, or they are not. A `Region` is those steps.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass

from parity.checker.align.matches import Match
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph.graph import Source
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.key_arrays import KeyArrays

LARGEST = 64
"""Nodes of a region; one that is larger is no other way to write a step, but another model."""


@dataclass(frozen=True)
class Region:
    """What lies between settled values and the one where the steps end, on each side.

    Attributes:
        left, right: nodes in the order of execution; the last of each yields the end.
    """

    left: tuple[CanonicalNode, ...]
    right: tuple[CanonicalNode, ...]


@dataclass(frozen=True)
class DifferingRegion:
    """A region whose ends differ.

    Attributes:
        region: its steps.
        name: of its end, for a finding.
        end: what the right yields there.
        left: gives what the left yields there, and the right did in its own run.
        below: see `parity.checker.judge.masking.unmasked`.
    """

    region: Region
    name: str
    end: Source
    left: Callable[[], KeyArrays]
    below: float | None = None


def behind(
    graph: CanonicalGraph, values: Iterable[str], is_settled: Callable[[str], bool]
) -> tuple[CanonicalNode, ...]:
    """The nodes that values are made by, back to those that are settled, in order."""
    found: set[str] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        node = graph.producers.get(value)
        if node is None or node.id in found or is_settled(value):
            continue
        found.add(node.id)
        waiting.extend(source.value for source in node.sources)
    return tuple(node for node in graph.nodes if node.id in found) if found else ()


def is_written_otherwise(comparison: ModelComparison, region: Region, end: Match | None) -> bool:
    """Whether the two sides of a region are other steps, and not the same with other numbers."""
    if max(len(region.left), len(region.right)) > LARGEST:
        return False
    inside = {n.id for n in region.left}, {n.id for n in region.right}
    if end is not None and len(inside[0]) == len(inside[1]) == 1:
        pairs = [end]
    else:
        every = comparison.matches
        pairs = [m for m in every if m.left.id in inside[0] and m.right.id in inside[1]]
    if end is None or len(pairs) < max(len(inside[0]), len(inside[1])):
        return True
    sources = comparison.axis_maps.sources
    return any(
        match.substituted
        or any(not link.same or link.left_between or link.right_between for link in match.links)
        or any(
            link.left is not None
            and not link.left.value.startswith(("parameter:", "constant:"))
            and sources.get((match.left.id, link.at)) is None
            for link in match.links
        )
        for match in pairs
    )


def without_effect(graph: CanonicalGraph, ended: Mapping[str, Collection[str]]) -> set[str]:
    """Ids of the nodes that nothing is seen of behind the ends of their regions, which agree.

    Args:
        graph: of one side.
        ended: id of a node, or ``output:0``, whose value agrees → ids of the nodes behind it.
    """
    takers: dict[str, set[str]] = {}
    for node in graph.nodes:
        for source in node.sources:
            takers.setdefault(source.value, set()).add(node.id)
    for at, source in enumerate(graph.outputs):
        takers.setdefault(source.value, set()).add(f"output:{at}")
    taken = {n.id: {t for v in n.values for t in takers.get(v.id, ())} for n in graph.nodes}
    ends: dict[str, set[str]] = {}
    for end, nodes in ended.items():
        for name in nodes:
            ends.setdefault(name, set()).add(end)
    return {name for name in ends if _all_end(name, ends, taken)}


def _all_end(
    name: str, ends: Mapping[str, Collection[str]], taken: Mapping[str, Collection[str]]
) -> bool:
    """Whether every way from a node leads to an end of its regions, and through them only.

    Elsewhere it has been replaced by the left's value, and nothing was seen of it.
    """
    waiting, seen, own = [name], {name}, set(ends[name])
    while waiting:
        for taker in taken[waiting.pop()]:
            if taker in own or taker in seen:
                continue
            if own.isdisjoint(ends.get(taker, ())):
                return False
            seen.add(taker)
            waiting.append(taker)
    return True
