"""Is a step that one side has alone the cause? Taken away, and put in, on numbers that agree.

The pair behind the step is the consumer. It is computed twice on the left's numbers: as the left
has it, and as the right has it. The step is the cause only if the first agrees and the second does
not. Whether what goes into the step is right at all, is asked afterwards (`starts`, and
`parity.checker.diagnose.search`): behind a pair that diverges by itself, the two together may be
one thing that is written otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from parity.checker.align.matches import Link, indices
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.diagnose.evidence import bound
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution
from parity.core.errors import ParityError
from parity.diagnosis.array_hypotheses import apart

_GIVEN = ("constant:", "parameter:")


def is_proven(attribution: LayerAttribution, layer: AttributedLayer) -> bool:
    """Whether the steps between are the cause of what the pair behind them gives.

    Args:
        attribution: all pairs.
        layer: agrees when it is fed what its partner takes.
    """
    if not any(layer.between):
        return _sources_differ(attribution, layer)
    if all(layer.between):  # one thing, written in different steps: no step of it is the fault
        return False
    crossing = [k for k in layer.match.links if k.left_between or k.right_between]
    with_it = [_as_on_the_right(attribution, layer, link) for link in crossing]
    if not with_it or any(array is None for array in with_it):
        return False
    return _parts(attribution, layer, {k.to: a for k, a in zip(crossing, with_it, strict=True)})


def starts(attribution: LayerAttribution, layer: AttributedLayer) -> list[str]:
    """Values of the left at which the steps between begin, or that the right takes instead."""
    partners = {right: left for left, right in attribution.comparison.axis_maps.partners.items()}
    found: list[str] = []
    for link in layer.match.links:
        if link.left is None or link.right is None:
            continue
        if link.right_between:
            found.append(link.left.value)
        elif link.left_between or not any(layer.between):
            found += [partners[v] for v in [link.right.value] if v in partners]
    return found


def leads_in(attribution: LayerAttribution, layer: AttributedLayer) -> bool:
    """Whether steps that one side has alone lead from what agrees to two kinds of layer.

    Such a pair cannot be run alone; that the steps are there is all that is known.
    """
    if layer.status != "inconclusive" or not layer.match.substituted or not any(layer.between):
        return False
    begun = starts(attribution, layer)
    return bool(begun) and all(attribution.agreeing.get(value) for value in begun)


def _sources_differ(attribution: LayerAttribution, layer: AttributedLayer) -> bool:
    """Rewired: what the right takes, on the left's own numbers, makes the pair part."""
    partners = {right: left for left, right in attribution.comparison.axis_maps.partners.items()}
    taken: dict[int, Array | None] = {}
    for link in layer.match.links:
        if link.left is None or link.right is None:
            continue
        if link.right.value.startswith(_GIVEN):
            if not link.left.value.startswith(_GIVEN):
                taken[link.to] = attribution.right_source(link.right)
            continue
        mine = partners.get(link.right.value)
        placed = attribution.comparison.axis_maps.sources.get((layer.match.left.id, link.at))
        if mine is None or (mine == link.left.value and placed is not None):
            continue
        taken[link.to] = _moved(attribution, mine, link.right)
    if not taken or any(array is None for array in taken.values()):
        return False
    return _parts(attribution, layer, taken)


def _parts(
    attribution: LayerAttribution, layer: AttributedLayer, taken: dict[int, Array | None]
) -> bool:
    """Whether the right's node parts from the left's output when it takes these sources."""
    sources = layer.inputs()
    expected = layer.output()  # on the left's sources, where it agrees
    if sources is None or expected is None:
        return False
    fed = [taken.get(at, array) for at, array in enumerate(sources)]
    wanted = [source.shape for source in layer.match.right.sources]
    if any(a is None or a.shape != shape for a, shape in zip(fed, wanted, strict=True)):
        return True  # it does not even fit
    try:
        output = attribution.replayed(layer.match.right, [a for a in fed if a is not None])
    except ParityError:
        return False
    return apart(output, expected) > bound(layer.alone, expected)


def _as_on_the_right(
    attribution: LayerAttribution, layer: AttributedLayer, link: Link
) -> Array | None:
    """What the right's node takes through a link, made of the left's numbers; None if unknown."""
    if link.left is None or link.right is None:
        return None
    comparison = attribution.comparison
    if link.right_between:  # the right has steps of its own: they are run on the left's numbers
        partner = comparison.axis_maps.partners.get(link.left.value)
        if partner is None:
            return None
        return _chain(attribution, link.right, link.right_between, partner, link.left.value)
    partners = {right: left for left, right in comparison.axis_maps.partners.items()}
    start = partners.get(link.right.value)
    if start is None or not _reaches(comparison.torch, link.left.value, link.left_between, start):
        return None
    return _moved(attribution, start, link.right)


def _moved(attribution: LayerAttribution, value: str, theirs: Source) -> Array | None:
    """A value of the left as a source of the right sees its partner."""
    move = attribution.comparison.axis_maps.values.get(value)
    array = attribution.left_value(value)
    if move is None or array is None or array.shape != move.left:
        return None
    ids = indices(attribution.comparison.keras, theirs)
    moved = np.ascontiguousarray(move(array))
    if ids is None:
        return moved
    return moved.reshape(-1)[ids] if not ids.size or int(ids.max()) < moved.size else None


def _chain(
    attribution: LayerAttribution, source: Source, between: Sequence[str], start: str, mine: str
) -> Array | None:
    """What comes out of the right's own steps where they begin at the left's numbers."""
    graph, met = attribution.comparison.keras, False

    def taken(one: Source) -> Array | None:
        nonlocal met
        if one.value == start:
            met = True
            return _moved(attribution, mine, one)
        maker = graph.producers.get(one.value)
        if maker is None or maker.name not in between or one.value != maker.value:
            return attribution.right_source(one)
        fed = [taken(s) for s in maker.sources]
        if any(array is None for array in fed):
            return None
        made = attribution.replayed(maker, [a for a in fed if a is not None])
        ids = indices(graph, one)
        return made if ids is None else made.reshape(-1)[ids]

    try:
        array = taken(source)
    except ParityError:
        return None
    return array if met else None


def _reaches(graph: CanonicalGraph, value: str, between: Sequence[str], start: str) -> bool:
    """Whether the steps between begin at a value."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if value == start:
            return True
        maker = graph.producers.get(value)
        if maker is not None and maker.name in between:
            waiting += [s.value for s in maker.sources]
    return False
