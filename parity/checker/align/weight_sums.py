"""Sums of weights: two that one side adds one after the other, and the other as one.

Every token is of the first segment: one port adds that row of its table to the table of positions
once and for all, and has no table of segments.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.align.alignment import Alignment
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.canonical.drafts import Ids
from parity.checker.canonical.folding import COMPUTED
from parity.checker.graph.graph import Parameter, Source
from parity.checker.graph.model_interface import Array


def summed(
    torch: CanonicalGraph, keras: CanonicalGraph, alignment: Alignment
) -> tuple[CanonicalGraph, CanonicalGraph] | None:
    """Both with sums of weights as one weight, where the other side adds one; None without any."""
    wanted: tuple[set[str], set[str]] = (set(), set())
    for pair in alignment.pairs:
        nodes = torch.by_id[pair.left], keras.by_id[pair.right]
        counts = [len(_weights_of(node)) for node in nodes]
        if {node.kind for node in nodes} == {"add"} and min(counts) == 1 < max(counts):
            wanted[counts.index(max(counts))].add(nodes[counts.index(max(counts))].id)
    if not any(wanted):
        return None
    return _with_sums(torch, wanted[0]), _with_sums(keras, wanted[1])


def _weights_of(node: CanonicalNode) -> tuple[Source, ...]:
    return tuple(s for s in node.sources if s.value.startswith("parameter:"))


def _with_sums(graph: CanonicalGraph, wanted: set[str]) -> CanonicalGraph:
    parameters, sums, ids = dict(graph.parameters), dict(graph.sums), dict(graph.ids)
    nodes = []
    for node in graph.nodes:
        if node.id not in wanted:
            nodes.append(node)
            continue
        terms = _weights_of(node)
        picks = _without_copies([_picks(graph, term) for term in terms])
        name = f"{COMPUTED}sum:{node.value}"
        sums[name] = tuple(
            Source(term.value, places.shape, f"{name}:{k}")
            for k, (term, places) in enumerate(zip(terms, picks, strict=True))
        )
        ids |= {source.ids: places for source, places in zip(sums[name], picks, strict=True)}
        learns = [graph.parameters[s.value.removeprefix("parameter:")].trainable for s in terms]
        parameters[name] = Parameter(
            id=name,
            role="raw",
            shape=picks[0].shape,
            trainable=any(learns),
            names=(node.name,),
            computed=True,
        )
        rest = tuple(s for s in node.sources if s not in terms)
        total = Source(f"parameter:{name}", picks[0].shape)
        nodes.append(replace(node, sources=(*rest, total)))
    return replace(graph, nodes=tuple(nodes), parameters=parameters, sums=sums, ids=ids)


def _picks(graph: CanonicalGraph, source: Source) -> Ids:
    if source.ids:
        return graph.ids[source.ids]
    return np.arange(math.prod(source.shape), dtype=np.int64).reshape(source.shape)


def _without_copies(picks: Sequence[Ids]) -> list[Ids]:
    """Of one shape, which has one place along every axis on which all of them stay the same."""
    whole = list(np.broadcast_arrays(*picks))
    for axis in range(whole[0].ndim):
        first = [places.take([0], axis) for places in whole]
        if all(np.all(places == one) for places, one in zip(whole, first, strict=True)):
            whole = first
    return [np.ascontiguousarray(places) for places in whole]


def values(graph: CanonicalGraph, weights: Mapping[str, Array]) -> dict[str, Array]:
    """Id of each sum → array.

    Args:
        graph: with its sums.
        weights: of that side, by id, also those that it computes.
    """
    arrays = {}
    for name, sources in graph.sums.items():
        terms = [
            np.asarray(weights[s.value.removeprefix("parameter:")], np.float64) for s in sources
        ]
        arrays[name] = np.asarray(
            sum(
                term.reshape(-1)[graph.ids[source.ids]]
                for term, source in zip(terms, sources, strict=True)
            )
        )
    return arrays
