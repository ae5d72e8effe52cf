"""Weights that no pair of layers maps: matched by their shapes, where the numbers then prove it.

A recurrence written out against a layer, a weight norm written twice: the graphs do not lie on each
other, but each weight of one side is one of the other's. Which, is a guess; that what is computed
with it agrees afterwards is not, whatever else is at fault elsewhere.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.arrangement import Indices
from parity.checker.graph.graph import STATISTICS, Graph, Node, Parameter
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping
from parity.comparator.noise import Finding

TRIES = 12
"""Each is a recording of both models in both precisions. Two square weights, each as it is or
transposed, are 8 ways; the ways grow as n!, and more are not worth the time."""
_NAMED = 4
"""Weights that a note names."""
NOTE = (
    "The two are not built of the same layers, and some weights were taken across by their shapes; "
    "with these what is computed of them agrees."
)


def note(comparison: ModelComparison) -> str:
    """That weights were taken across by their shapes; which are turned round, or are halves."""
    turned = [
        one.right.id
        for one in unique_mappings(comparison.axis_maps.weight_mappings)
        if one.role == "raw"
        and one.index is not None
        and one.left.shape == one.right.shape
        and not np.array_equal(one.index.ravel(), np.arange(one.index.size))
    ]
    parts: dict[str, list[str]] = {}
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        if one.index is not None and 2 * one.index.size == _size(one.left):
            parts.setdefault(one.left.id, []).append(one.right.id)
    halves = [f" Halves of {w}, in this order: {', '.join(of)}." for w, of in parts.items()]
    return "".join(
        [
            NOTE,
            f" Transposed, though it would fit as it is: {', '.join(turned)}." * bool(turned),
            *halves[:_NAMED],
        ]
    )


def made_notes(comparison: ModelComparison) -> Iterator[str]:
    """Which weights of one side hold what the other computes of its own, and which are zero."""
    for name, graph in (("PyTorch", comparison.torch), ("Keras", comparison.keras)):
        if graph.left_out:
            yield (
                f"Zero in {name}: {', '.join(sorted(graph.left_out))}. It is added to another "
                "bias, and the other side has one for both: a port has to add the two."
            )
    for side, names in enumerate((("PyTorch", "Keras"), ("Keras", "PyTorch"))):
        both = [
            (one.left, one.right)[:: 1 - 2 * side]
            for one in unique_mappings(comparison.axis_maps.weight_mappings)
        ]
        made = {b.id: a.names for a, b in both if a.computed and not b.computed}
        if made:
            which = [f"{name} ({', '.join(of)})" for name, of in made.items()]
            more = " …" * (len(which) > _NAMED)
            yield (
                f"Weights of {names[1]} were given what {names[0]} makes of its own: "
                f"{', '.join(which[:_NAMED])}{more}. Copied as they are they would be others."
            )


def match_by_shape(
    comparison: ModelComparison, layers: Mapping[str, Finding]
) -> Iterator[ModelComparison]:
    """The comparison with the weights that are left over matched in one way after the other.

    Args:
        comparison: as it is.
        layers: left node id → finding of its value.
    """
    settled = _settled(comparison, layers)
    left = _free(comparison.torch, comparison.graphs[0], {one.left.id for one in settled})
    right = _free(comparison.keras, comparison.graphs[1], {one.right.id for one in settled})
    if not left or len(left) > len(right) or not comparison.matches:
        return
    if len(left) < len(right) and sum(map(_size, left)) != sum(map(_size, right)):
        return
    for pairs in itertools.islice(_assignments(left, right), TRIES):
        more = [
            WeightMapping(a, b, index, comparison.matches[0], b.role if a.role == "raw" else a.role)
            for a, b, index in pairs
        ]
        yield replace(
            comparison, axis_maps=replace(comparison.axis_maps, weight_mappings=[*settled, *more])
        )


def proven(
    guess: ModelComparison, before: ModelComparison, layers: Mapping[str, Finding]
) -> list[WeightMapping]:
    """The ties that are new in a guess, each with a pair that depends on it and agrees.

    The weights are random numbers: with a wrong one nothing that depends on it agrees.

    Args:
        guess, before: with these ties and without.
        layers: left node id → finding of its value, with the guess.
    """
    known = {
        (t.left.id, t.right.id) for t in before.axis_maps.weight_mappings if t.index is not None
    }
    agreeing = [pair for pair in guess.matches if _agrees(guess, pair, layers)]
    return [
        one
        for one in unique_mappings(guess.axis_maps.weight_mappings)
        if (one.left.id, one.right.id) not in known and _meet(guess, one, agreeing)
    ]


def with_ties(comparison: ModelComparison, ties: Sequence[WeightMapping]) -> ModelComparison:
    """The comparison with these ties in place of all others of their weights."""
    left, right = {t.left.id for t in ties}, {t.right.id for t in ties}
    rest = [
        t
        for t in comparison.axis_maps.weight_mappings
        if t.left.id not in left and t.right.id not in right
    ]
    return replace(
        comparison, axis_maps=replace(comparison.axis_maps, weight_mappings=[*rest, *ties])
    )


def _meet(comparison: ModelComparison, one: WeightMapping, pairs: Sequence[Match]) -> bool:
    """Whether one of the pairs depends on both weights of a tie."""
    left = _dependents(comparison.graphs[0], {comparison.torch.whole(one.left.id)})
    right = _dependents(comparison.graphs[1], {comparison.keras.whole(one.right.id)})
    return any(
        left.intersection(pair.left.members) and right.intersection(pair.right.members)
        for pair in pairs
    )


def _dependents(graph: Graph, roots: Collection[str]) -> set[str]:
    """Ids of the nodes that weights or inputs go into, over whatever others."""
    found: set[str] = set()
    made = {*roots, *(f"parameter:{root}" for root in roots)}
    for node in graph.nodes:
        if made & {*node.parameters.values(), *(s.value for s in node.sources)}:
            found.add(node.id)
            made |= {value.id for value in node.values}
    return found


def _settled(comparison: ModelComparison, layers: Mapping[str, Finding]) -> list[WeightMapping]:
    """Ties of which each weight has one partner, of layers whose weights all fit.

    One weight that does not fit makes the whole pair doubtful: two layers that are none of each
    other's may have a bias of one length. A table that an operation takes is linked by its place
    alone, and settled where that operation agrees.
    """
    odd = {t.pair.left.id for t in comparison.axis_maps.weight_mappings if t.index is None}
    every = [
        t
        for t in unique_mappings(comparison.axis_maps.weight_mappings)
        if t.pair.left.id not in odd
        and not (
            t.role == "raw" and len(t.left.shape) > 1 and not _agrees(comparison, t.pair, layers)
        )
    ]
    mine = [t.left.id for t in every]
    theirs = [t.right.id for t in every]
    return [
        t
        for t in every
        if mine.count(t.left.id) == theirs.count(t.right.id) == 1
        and not (t.left.computed or t.right.computed)
    ]


def _agrees(comparison: ModelComparison, pair: Match, layers: Mapping[str, Finding]) -> bool:
    """Whether a pair agrees, and on something that was fed.

    What is computed of weights alone lies as its shapes allow: by a guess, in which a wrong tie
    agrees with itself (a kernel that is standardised by hand, whose axes are of one length).
    """
    finding = layers.get(pair.left.id)
    guessed = pair.left.values and pair.left.value in comparison.axis_maps.guessed
    fed = _dependents(comparison.graphs[0], {v.id for v in comparison.graphs[0].inputs})
    return (
        finding is not None
        and finding.agrees
        and not guessed
        and bool(fed.intersection(pair.left.members))
    )


def _free(graph: CanonicalGraph, traced: Graph, settled: set[str]) -> list[Parameter]:
    """Weights that are learnt or counted and have no partner, in the order of their use."""
    order: dict[str, None] = {}
    for node in graph.nodes:
        order |= dict.fromkeys(node.parameters.values())
        order |= dict.fromkeys(
            s.value.removeprefix("parameter:")
            for s in node.sources
            if s.value.startswith("parameter:")
        )
    every = [*order, *graph.parameters]
    # What dead nodes alone take, as of a head whose output is not returned, is as good as unused.
    dead = _taken(node for node in traced.nodes if node.id in graph.dead)
    alive = _taken(node for node in traced.nodes if node.id not in graph.dead)
    alive |= {s.value.removeprefix("parameter:") for s in traced.outputs}
    unused = {*graph.unused, *(dead - alive)}
    return [
        p
        for p in (graph.parameters[name] for name in dict.fromkeys(every))
        if p.id not in settled
        and p.id not in unused
        and not p.computed
        and (p.trainable or p.role.endswith(STATISTICS))
    ]


def _taken(nodes: Iterable[Node]) -> set[str]:
    """Ids of the weights, among others, that any of the nodes takes."""
    found: set[str] = set()
    for node in nodes:
        found |= {*node.parameters.values()}
        found |= {s.value.removeprefix("parameter:") for s in node.sources}
    return found


def _assignments(
    left: Sequence[Parameter], right: Sequence[Parameter]
) -> Iterator[list[tuple[Parameter, Parameter, Indices]]]:
    """Every way in which each of the left is one of the right, or two, the order of use first."""
    if not left:
        yield from [] if right else [[]]
        return
    first, rest = left[0], left[1:]
    for k, other in enumerate(right):
        for index in _indices(first, other):
            for more in _assignments(rest, [*right[:k], *right[k + 1 :]]):
                yield [(first, other, index), *more]
    if len(left) == len(right):
        return
    for pair in sorted(itertools.permutations(range(len(right)), 2), key=sum):
        others = [p for k, p in enumerate(right) if k not in pair]
        for halves in _halves(first, right[pair[0]], right[pair[1]]):
            for more in _assignments(rest, others):
                yield [
                    *((first, right[k], half) for k, half in zip(pair, halves, strict=True)),
                    *more,
                ]


def _halves(mine: Parameter, one: Parameter, other: Parameter) -> Iterator[list[Indices]]:
    """Ways in which two weights of one shape may be the halves of another, as of fused experts."""
    if one.shape != other.shape or 2 * _size(one) != _size(mine):
        return
    if not mine.trainable == one.trainable == other.trainable or mine.role != "raw":
        return
    every = np.arange(_size(mine), dtype=np.int64).reshape(mine.shape)
    for axis in range(max(every.ndim - 2, 0), every.ndim):  # what is stacked before stays whole
        if mine.shape[axis] % 2:
            continue
        halves = np.split(every, 2, axis)
        ways = [halves, [half.swapaxes(-1, -2) for half in halves]] if every.ndim > 1 else [halves]
        # A stack of dense layers that takes one thing is one dense layer, as wide as all of them.
        wide = [np.moveaxis(half, -1, 0).reshape(half.shape[-1], -1) for half in halves]
        for seen in (*ways, wide):
            if seen[0].shape == one.shape:
                yield [np.ascontiguousarray(half) for half in seen]


def _size(parameter: Parameter) -> int:
    return math.prod(parameter.shape)


def _indices(mine: Parameter, theirs: Parameter) -> Iterator[Indices]:
    """Ways in which one array may lie in the other: as it is, or as the other framework has it."""
    if mine.trainable != theirs.trainable:
        return
    every = np.arange(int(np.prod(mine.shape)), dtype=np.int64).reshape(mine.shape)
    if mine.shape == theirs.shape:
        yield every
    # The layout of a role is known on both sides; only a bare weight may lie in either.
    if "raw" not in (mine.role, theirs.role):
        return
    rank = len(mine.shape)
    spatial = range(2, rank)
    turned = [
        (1, 0),
        (*range(rank - 2), rank - 1, rank - 2),
        (*spatial, 1, 0),
        (*spatial, 0, 1),
        (rank - 1, rank - 2, *range(rank - 2)),
    ]
    for axes in dict.fromkeys(turned if rank > 1 else []):
        if sorted(axes) == list(range(rank)) and every.transpose(axes).shape == theirs.shape:
            yield np.ascontiguousarray(every.transpose(axes))
    if rank > 2 and mine.shape[1] == 1 and mine.shape[2:] == theirs.shape[:-2]:
        yield every.transpose(*spatial, 1, 0).reshape(theirs.shape)  # of a depthwise convolution
    short = [tuple(n for n in p.shape if n != 1) for p in (mine, theirs)]
    if mine.shape != theirs.shape and short[0] == short[1]:
        yield every.reshape(theirs.shape)
