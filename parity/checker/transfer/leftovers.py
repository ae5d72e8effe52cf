"""Weights that no pair of layers maps: matched by their shapes, where the numbers then prove it.

A recurrence written out against a layer, a weight norm written twice: the graphs do not lie on each
other, but each weight of one side is one of the other's. Which, is a guess; that the outputs agree
on every input afterwards is not.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.arrangement import Indices
from parity.checker.graph.graph import STATISTICS, Parameter
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping

TRIES = 12
"""Each is a recording of both models in both precisions. Two square weights, each as it is or
transposed, are 8 ways; the ways grow as n!, and more are not worth the time."""
NOTE = (
    "The two are not built of the same layers, and some weights were taken across by their shapes; "
    "with these the outputs and the gradients agree."
)


def match_by_shape(comparison: ModelComparison) -> Iterator[ModelComparison]:
    """The comparison with the weights that are left over matched in one way after the other."""
    settled = _settled(comparison)
    left = _free(comparison.torch, {one.left.id for one in settled})
    right = _free(comparison.keras, {one.right.id for one in settled})
    if not left or len(left) != len(right) or not comparison.matches:
        return
    for pairs in itertools.islice(_assignments(left, right), TRIES):
        more = [
            WeightMapping(a, b, index, comparison.matches[0], b.role if a.role == "raw" else a.role)
            for a, b, index in pairs
        ]
        yield replace(
            comparison, axis_maps=replace(comparison.axis_maps, weight_mappings=[*settled, *more])
        )


def _settled(comparison: ModelComparison) -> list[WeightMapping]:
    """Ties of which each weight has one partner, of layers whose weights all fit.

    One weight that does not fit makes the whole pair doubtful: two layers that are none of each
    other's may have a bias of one length.
    """
    odd = {t.pair.left.id for t in comparison.axis_maps.weight_mappings if t.index is None}
    every = [
        t
        for t in unique_mappings(comparison.axis_maps.weight_mappings)
        if t.pair.left.id not in odd and not (t.role == "raw" and len(t.left.shape) > 1)
    ]
    mine = [t.left.id for t in every]
    theirs = [t.right.id for t in every]
    return [
        t
        for t in every
        if mine.count(t.left.id) == theirs.count(t.right.id) == 1
        and not (t.left.computed or t.right.computed)
    ]


def _free(graph: CanonicalGraph, settled: set[str]) -> list[Parameter]:
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
    unused = set(graph.unused)
    return [
        p
        for p in (graph.parameters[name] for name in dict.fromkeys(every))
        if p.id not in settled
        and p.id not in unused
        and not p.computed
        and (p.trainable or p.role.endswith(STATISTICS))
    ]


def _assignments(
    left: Sequence[Parameter], right: Sequence[Parameter]
) -> Iterator[list[tuple[Parameter, Parameter, Indices]]]:
    """Every way in which each of the left is one of the right, the order of use first."""
    if not left:
        yield []
        return
    first, rest = left[0], left[1:]
    for k, other in enumerate(right):
        for index in _indices(first, other):
            for more in _assignments(rest, [*right[:k], *right[k + 1 :]]):
                yield [(first, other, index), *more]


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
    turned = [(1, 0), (*spatial, 1, 0), (*spatial, 0, 1), (rank - 1, rank - 2, *range(rank - 2))]
    for axes in dict.fromkeys(turned if rank > 1 else []):
        if sorted(axes) == list(range(rank)) and every.transpose(axes).shape == theirs.shape:
            yield np.ascontiguousarray(every.transpose(axes))
    short = [tuple(n for n in p.shape if n != 1) for p in (mine, theirs)]
    if mine.shape != theirs.shape and short[0] == short[1]:
        yield every.reshape(theirs.shape)
