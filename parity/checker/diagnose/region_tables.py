"""Tables of the code in steps that both sides write otherwise: angles, slopes, decays, positions.

The same function in other steps on each side has no pair of nodes that takes a table on both. Yet
each side's table is there, and with the left's numbers in the right's steps these give what the
left has, if the table is all that differs: rotary positions of another base, ALiBi of other slopes.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parity.checker.align.matches import value_name
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge import masking
from parity.checker.judge.attribution import LayerAttribution, source_array
from parity.checker.judge.regions import DifferingRegion
from parity.comparator.noise import Finding
from parity.core.sides import Precision
from parity.diagnosis.causes import Cause
from parity.diagnosis.constants import contrast, relation

_TRIES = 48
"""Of what a region's tables may be: each runs all of its steps once."""


@dataclass(frozen=True)
class TableView:
    """Some numbers of a left's table, in an order in which the right may have them.

    Attributes:
        source: the table.
        picks: of its flattened numbers.
    """

    source: Source
    picks: Array


def causes(attribution: LayerAttribution) -> Iterator[tuple[set[str], Cause]]:
    """For each region that agrees once the right takes the left's tables in it: the names of all
    that it is made of, and the tables that differ."""
    for differing in attribution.differing:
        names = {node.name for node in (*differing.region.left, *differing.region.right)}
        found = _cause(attribution, differing)
        if found is not None:
            yield names, found


def _cause(attribution: LayerAttribution, differing: DifferingRegion) -> Cause | None:
    comparison, region = attribution.comparison, differing.region
    mine, theirs = _tables(comparison.torch, region.left), _tables(comparison.keras, region.right)
    views = {source: _views(attribution, mine, source) for source in theirs}
    # A table that the code names twice is written down twice; it is one.
    alike: dict[bytes, list[Source]] = {}
    for source in (source for source, found in views.items() if found):
        alike.setdefault(np.asarray(_own(attribution, source)).tobytes(), []).append(source)
    groups = list(alike.values())
    ways: list[list[TableView | None]] = [[*views[group[0]], None] for group in groups]
    for chosen in itertools.islice(itertools.product(*ways), _TRIES):
        taken = [
            (group, view) for group, view in zip(groups, chosen, strict=True) if view is not None
        ]
        finding = _with(attribution, differing, taken)
        if finding is None or not finding.agrees:
            continue
        for one in list(taken):  # what agrees without it, too, is no cause
            fewer = [other for other in taken if other is not one]
            again = _with(attribution, differing, fewer)
            if again is not None and again.agrees:
                taken, finding = fewer, again
        return _said(attribution, differing, taken, finding) if taken else None
    return None


def _with(
    attribution: LayerAttribution,
    differing: DifferingRegion,
    taken: Sequence[tuple[list[Source], TableView]],
) -> Finding | None:
    """The ends of a region, where the right takes these of the left's tables."""
    given = {
        source: {
            precision: _numbers(attribution, view, precision).reshape(source.shape)
            for precision in attribution.recorded.precisions
        }
        for group, view in taken
        for source in group
    }
    return attribution.compared_with(differing, given)


def _said(
    attribution: LayerAttribution,
    differing: DifferingRegion,
    taken: Sequence[tuple[list[Source], TableView]],
    finding: Finding,
) -> Cause | None:
    source, view = taken[0][0][0], taken[0][1]
    own, graph = _own(attribution, source), attribution.comparison.torch
    if own is None:
        return None
    right, left = (
        next(node for node in nodes if taken in node.sources)
        for nodes, taken in (
            (differing.region.right, source),
            (differing.region.left, view.source),
        )
    )
    shape = tuple(n for n in source.shape if n > 1)
    numbers = _numbers(attribution, view, attribution.recorded.best)
    tables = numbers.reshape(shape), own.reshape(shape)
    said, told = relation(*tables) or "other numbers", contrast(*tables)
    more = f": {told[0]}, where they are {told[1]}" if told else ""
    name, size = value_name(graph, view.source.value), " × ".join(map(str, source.shape))
    return Cause(
        "constant",
        (left.name, f"{name} ({size})"),
        (right.name, said),
        "confirmed",
        finding.ratio,
        1.0,
        "recomputed",
        fix=f"# {right.code}: it must take the numbers of {name} that {left.name} takes in PyTorch"
        + more,
    )


def _tables(graph: CanonicalGraph, nodes: Sequence[CanonicalNode]) -> list[Source]:
    """What these steps take of numbers that come from no input and that nothing learns."""
    fixed = _fixed(graph)
    takers = [node for node in nodes if not {v.id for v in node.values} <= fixed]
    sources = (source for node in takers for source in node.sources)
    return list(dict.fromkeys(s for s in sources if s.value in fixed or _is_given(graph, s.value)))


def _is_given(graph: CanonicalGraph, value: str) -> bool:
    kind, _, name = value.partition(":")
    learnt = kind == "parameter" and graph.parameters[name].trainable
    return kind != "input" and value not in graph.producers and not learnt


def _fixed(graph: CanonicalGraph) -> set[str]:
    """Values that nodes make of given numbers alone."""
    fixed: set[str] = set()
    for node in graph.nodes:
        learnt = any(graph.parameters[p].trainable for p in node.parameters.values())
        given = (s.value in fixed or _is_given(graph, s.value) for s in node.sources)
        if node.sources and not learnt and all(given):
            fixed |= {value.id for value in node.values}
    return fixed


def _views(
    attribution: LayerAttribution, mine: Sequence[Source], theirs: Source
) -> list[TableView]:
    """What the right's table may be of the left's: all of one, its halves, or every second."""
    own = _own(attribution, theirs)
    if own is None or own.dtype.kind != "f" or own.size < 2:
        return []
    if np.any(own < masking.MASKING):  # which places it masks, `structure.masks` tells
        return []
    found: dict[bytes, TableView] = {}
    for source in mine:
        array = source_array(
            attribution.comparison.torch,
            source,
            attribution.recorded.best,
            attribution.recorded,
            attribution.comparison.weights[0],
        )
        if array is None or array.dtype.kind != "f":
            continue
        for part in _parts(np.arange(array.size).reshape(source.shape), theirs.shape):
            numbers = np.ascontiguousarray(array.reshape(-1)[part])
            found.setdefault(numbers.tobytes(), TableView(source, part))
    # The nearest first: a table of another base is nearer to its partner than a sine to a cosine.
    distance = {
        key: float(np.max(np.abs(np.frombuffer(key, dtype=own.dtype) - own.reshape(-1))))
        for key, view in found.items()
    }
    return [found[key] for key in sorted(found, key=distance.__getitem__)]


def _parts(picks: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """Of a table's places those that may stand in one of this shape."""
    # As both are broadcast: samples, heads or rows may take the same.
    bare = picks.reshape(picks.shape[next((i for i, n in enumerate(picks.shape) if n > 1), 0) :])
    with contextlib.suppress(ValueError):
        yield np.broadcast_to(bare, shape)
    wanted = tuple(n for n in shape if n > 1)
    picks = picks.squeeze()
    if picks.ndim != len(wanted):
        return
    for axes in itertools.permutations(range(picks.ndim)):
        turned = picks.transpose(axes)
        if turned.shape == wanted:
            yield turned.reshape(shape)
        elif turned.shape[:-1] == wanted[:-1] and turned.shape[-1] == 2 * wanted[-1]:
            for part in _halves(turned):
                yield part.reshape(shape)


def _halves(picks: Array) -> tuple[Array, ...]:
    """The first half of the last axis, the second, and every second of either kind."""
    half = picks.shape[-1] // 2
    return picks[..., :half], picks[..., half:], picks[..., ::2], picks[..., 1::2]


def _own(attribution: LayerAttribution, source: Source) -> Array | None:
    array = attribution.right_source(source)
    return None if array is None else np.asarray(array)


def _numbers(attribution: LayerAttribution, view: TableView, precision: Precision) -> Array:
    array = source_array(
        attribution.comparison.torch,
        view.source,
        precision,
        attribution.recorded,
        attribution.comparison.weights[0],
    )
    assert array is not None
    return np.ascontiguousarray(array.reshape(-1)[view.picks])
