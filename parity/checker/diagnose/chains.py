"""Chains of steps: which step of a chain is at fault, and steps that changed places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.checker.align.matches import Link, Match
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.diagnose import fix
from parity.checker.diagnose.evidence import bound
from parity.checker.graph.graph import Node
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution
from parity.core.sides import Side
from parity.diagnosis.array_hypotheses import apart
from parity.diagnosis.causes import Cause
from parity.diagnosis.edits import Insertion, StepExchange

_LONGEST = 6
"""Steps that are tried in another order; more have never been seen to be one mistake."""


# One chain, several steps


@dataclass(frozen=True)
class Parting:
    """Where the running values of two chains of arithmetic part.

    Attributes:
        left, right: the first step of each that is not the other's; None where it has no more.
    """

    left: Node | None
    right: Node | None


def parting(attribution: LayerAttribution, layer: AttributedLayer) -> Parting | None:
    """The step of a chain of arithmetic from which on the two differ.

    Both chains are one node each. Along them the values are compared as they were recorded: up to
    the last place at which both have the same numbers, all is well.

    Returns:
        None where there is no chain, or its beginning differs already.
    """
    match = layer.match
    if match.left.kind != "affine" or match.right.kind != "affine":
        return None
    mine, theirs = _steps(attribution, "torch", match), _steps(attribution, "keras", match)
    if len(mine) == len(theirs) == 1:
        return None
    move = attribution.comparison.axis_maps.values.get(match.left.value)
    met: tuple[int, int] | None = None
    for p, (_, value) in enumerate(mine):
        left = move(value) if move is not None and value.shape == move.left else value
        for q, (_, right) in enumerate(theirs):
            if apart(left, right) <= bound(None, right):
                met = (p, q)
    if met is None:
        return None
    after = [steps[at + 1 :] for steps, at in zip((mine, theirs), met, strict=True)]
    first = [steps[0][0] if steps else None for steps in after]
    return Parting(first[0], first[1]) if any(first) else None


def _steps(attribution: LayerAttribution, side: Side, match: Match) -> list[tuple[Node, Array]]:
    """The steps of a chain with what each gave; only those that change a number."""
    comparison = attribution.comparison
    node, graph = (
        (match.left, comparison.graphs[0])
        if side == "torch"
        else (match.right, comparison.graphs[1])
    )
    run = attribution.recorded.runs[side, attribution.recorded.best]
    made: list[tuple[Node, Array]] = []
    for name in node.members:
        value = run.get(f"values/{name}:0")
        if value is None or (made and np.array_equal(made[-1][1], value)):
            continue
        made.append((graph.nodes[int(name[1:])], value))
    return made


def chain_causes(attribution: LayerAttribution, layer: AttributedLayer) -> Iterator[Cause]:
    """A step of a chain that one side has alone, behind all steps of the other."""
    found = parting(attribution, layer)
    if found is None or (found.left is not None and found.right is not None):
        return
    match = layer.match
    # What comes before the step is the other side's whole chain; with the step it differs.
    if found.right is not None:
        yield Cause(
            "extra_layer",
            (f"(behind {match.left.name})", "none"),
            (found.right.name, found.right.code or found.right.kind),
            "confirmed",
            0.0,
            1.0,
            "recomputed",
            fix=f"# without {found.right.code or found.right.name}",
        )
    elif found.left is not None:
        place = Insertion(match.right.name, "", "behind")
        edit = fix.inserted(found.left, place)
        line = fix.inserted_in_words(found.left, place)
        yield Cause(
            "missing_layer",
            (found.left.name, found.left.code or found.left.kind),
            (f"(behind {match.right.name})", "none"),
            "confirmed",
            0.0,
            1.0,
            "recomputed",
            fix=line if edit is None else edit.text,
            edit=edit,
        )


# Steps that changed places


@dataclass(frozen=True)
class Exchange:
    """Steps between two places that agree, in another order on each side.

    Attributes:
        left, right: the pairs, each side's first step first.
        consumer: the pair behind them; None at an output.
    """

    left: tuple[AttributedLayer, ...]
    right: tuple[AttributedLayer, ...]
    consumer: AttributedLayer | None

    @property
    def layers(self) -> tuple[AttributedLayer, ...]:
        """All pairs that it explains."""
        return (*self.left, *(() if self.consumer is None else (self.consumer,)))


def exchanges(attribution: LayerAttribution, layers: Sequence[AttributedLayer]) -> list[Exchange]:
    """Every place where the same steps stand in another order."""
    by_value: tuple[dict[str, AttributedLayer], dict[str, AttributedLayer]] = (
        {layer.match.left.value: layer for layer in layers},
        {layer.match.right.value: layer for layer in layers},
    )
    ends: list[tuple[Link, AttributedLayer | None]] = [
        *((link, layer) for layer in layers for link in layer.match.links),
        *((link, None) for link in attribution.comparison.output_links),
    ]
    found: dict[str, Exchange] = {}
    for link, consumer in ends:
        one = _exchange(attribution, link, consumer, by_value)
        # Where all of them are settled, the order changes nothing.
        if one is not None and any(x.status != "inconclusive" for x in one.left):
            found.setdefault(one.left[0].match.left.id, one)
    return list(found.values())


def _exchange(
    attribution: LayerAttribution,
    link: Link,
    consumer: AttributedLayer | None,
    by_value: tuple[Mapping[str, AttributedLayer], Mapping[str, AttributedLayer]],
) -> Exchange | None:
    if link.left is None or link.right is None or link.left_between or link.right_between:
        return None
    comparison = attribution.comparison
    partners = comparison.axis_maps.partners
    mine, theirs = link.left.value, link.right.value
    if partners.get(mine) == theirs:
        return None
    left: list[AttributedLayer] = []
    right: list[AttributedLayer] = []
    for _ in range(_LONGEST):
        one, other = by_value[0].get(mine), by_value[1].get(theirs)
        if one is None or other is None:
            return None
        left.append(one)
        right.append(other)
        taken = (
            _taken(comparison.torch, one.match.left),
            _taken(comparison.keras, other.match.right),
        )
        if taken[0] is None or taken[1] is None:
            return None
        mine, theirs = taken[0], taken[1]
        if partners.get(mine) == theirs and {id(x) for x in left} == {id(x) for x in right}:
            return Exchange(tuple(left[::-1]), tuple(right[::-1]), consumer)
    return None


def _taken(graph: CanonicalGraph, node: CanonicalNode) -> str | None:
    """What a step of a chain takes, if it is one thing."""
    live = {s.value for s in node.sources if not s.value.startswith(("constant:", "parameter:"))}
    return live.pop() if len(live) == 1 else None


def settled(
    attribution: LayerAttribution, layers: Sequence[AttributedLayer]
) -> list[AttributedLayer]:
    """The pairs, where an exchange of steps that changes nothing is no divergence.

    A maximum and a ReLU may change places: what comes out at the end is the same.
    """
    same = {
        id(layer)
        for one in exchanges(attribution, layers)
        if not _differs(attribution, one)
        for layer in one.layers
        if layer.status == "downstream"
    }
    return [replace(x, status="inconclusive") if id(x) in same else x for x in layers]


def exchange_cause(attribution: LayerAttribution, found: Exchange) -> Cause:
    """Steps in another order; confirmed where each of them agrees in the other's place.

    Each of the right's steps, run on what its partner takes, gives what its partner gives: in the
    left's order they are the left's chain. And what comes behind agrees on that.
    """
    names = [
        ", then ".join(layer.match.left.name for layer in found.left),
        ", then ".join(layer.match.right.name for layer in found.right),
    ]
    edit = StepExchange(
        tuple(layer.match.right.name for layer in found.left),
        tuple(layer.match.right.name for layer in found.right),
        tuple(layer.match.right.code for layer in found.left),
    )
    right = ("agrees", "downstream")
    sound = all(layer.status in right for layer in found.left)
    behind = found.consumer is None or found.consumer.status in right
    parts = _differs(attribution, found)
    cause = Cause(
        "order",
        (found.left[0].match.left.name, names[0]),
        (found.right[0].match.right.name, names[1]),
        fix=edit.text,
        edit=edit,
    )
    if not (sound and behind and parts):
        return cause
    ratios = [layer.alone.ratio or 0.0 for layer in found.left if layer.alone is not None]
    return Cause(
        cause.kind,
        cause.left,
        cause.right,
        "confirmed",
        max(ratios, default=0.0),
        1.0,
        "bypass",
        fix=cause.fix,
        edit=edit,
    )


def _differs(attribution: LayerAttribution, found: Exchange) -> bool:
    """Whether the order matters at all: what comes out at the end is not the same."""
    last, other = found.left[-1].match.left, found.right[-1].match.right
    runs, best = attribution.recorded.runs, attribution.recorded.best
    mine = runs["torch", best].get(f"values/{last.value}")
    theirs = runs["keras", best].get(f"values/{other.value}")
    if mine is None or theirs is None:
        return False
    move = attribution.comparison.axis_maps.values.get(last.value)
    if move is not None and mine.shape == move.left:
        mine = move(mine)
    return apart(mine, theirs) > bound(None, theirs)
