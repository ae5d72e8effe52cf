"""Weights of which both models make one: each goes across as what is made of them does.

A weight norm has directions of the kernel's shape and lengths along some of its axes. Where the
kernel goes across, so do they, by the same axes: what each makes of them can then be compared.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Collection, Iterator

import numpy as np

from parity.checker.align.derived_weights import weights_behind
from parity.checker.align.matches import root_places
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.canonical.folding import COMPUTED
from parity.checker.graph.arrangement import Indices, Shape
from parity.checker.graph.graph import Graph, Parameter, Source
from parity.checker.transfer.mapping import SAME, AxisMaps, WeightMapping
from parity.checker.transfer.tables import ELEMENTWISE

_ALONE = frozenset({"unary", "activation"})
"""What makes a number of each number of one weight."""


def mappings(
    sides: tuple[CanonicalGraph, CanonicalGraph], graphs: tuple[Graph, Graph], maps: AxisMaps
) -> Iterator[WeightMapping]:
    """Partners of the parts, where only one fits.

    Args:
        sides: PyTorch's and Keras' canonical graph.
        graphs: as they were traced.
        maps: between the two.
    """
    known = {p.id for t in maps.weight_mappings if t.index is not None for p in (t.left, t.right)}
    for one in maps.weight_mappings:
        if not (one.left.computed and one.right.computed) or one.index is None:
            continue
        left, right = (
            _parts(side, graph, made, known)
            for side, graph, made in zip(sides, graphs, (one.left, one.right), strict=True)
        )
        order = slice(None) if one.index is SAME else one.index.ravel()
        found = [
            (a, b, _index(left[a][order], right[b], b))
            for a, b in itertools.product(left, right)
            if a.trainable == b.trainable
        ]
        fits = [(a, b, index) for a, b, index in found if index is not None]
        for a, b, index in fits:
            if sum(a is mine or b is theirs for mine, theirs, _ in fits) == 1:
                known |= {a.id, b.id}
                yield WeightMapping(a, b, index, one.pair, "raw")


def _parts(
    side: CanonicalGraph, graph: Graph, made: Parameter, known: Collection[str]
) -> dict[Parameter, Indices]:
    """Weights behind one that is made of them → which element of each stands at each of its own."""
    value, places = root_places(side, Source(f"parameter:{made.id}", made.shape))
    shapes = {v.id: v.shape for node in graph.nodes for v in node.values}
    name = value.removeprefix("parameter:").removeprefix(COMPUTED)
    whole, found = shapes[name], {}
    if not _is_norm(graph, name):
        return {}
    for name in weights_behind(graph, [value]) - set(known):
        seen = _seen(side, graph, name, whole)
        if seen is not None:
            found[graph.parameters[name]] = seen.ravel()[places.ravel()]
    return found


def _is_norm(graph: Graph, value: str) -> bool:
    """Whether the elements of what is made go into each other.

    Element by element one side may have the logarithm of what the other has.
    """
    wanted = {value}
    for node in reversed(graph.nodes):
        if any(v.id in wanted for v in node.values):
            told = node.kind != "opaque" or len(node.sources) > 1
            if told and node.kind not in ELEMENTWISE | _ALONE:
                return True
            wanted |= {source.value for source in node.sources}
    return False


def _seen(side: CanonicalGraph, graph: Graph, name: str, whole: Shape) -> Indices | None:
    """Which element of a weight meets each of what is made of it; None where it is not told.

    An operation takes it in that shape, in another of as many numbers, or broadcasts it. Not where
    all take a function of it: the other side may have what that function gives.
    """
    takers = [node for node in graph.nodes if node.kind not in _ALONE]
    for source in (s for node in takers for s in node.sources):
        if source.value == f"parameter:{name}":
            _, ids = root_places(side, source)
            if ids.size == math.prod(whole):
                return ids.reshape(whole)
            with contextlib.suppress(ValueError):
                return np.broadcast_to(ids, whole)
    return None


def _index(mine: Indices, theirs: Indices, right: Parameter) -> Indices | None:
    """Which element of the left's stands where in the right's; None where they do not fit."""
    table = np.zeros(math.prod(right.shape), np.int64)
    table[theirs] = mine
    one_to_one = np.array_equal(np.sort(table), np.arange(mine.max() + 1))
    return table.reshape(right.shape) if one_to_one and (table[theirs] == mine).all() else None
