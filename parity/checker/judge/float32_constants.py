"""Tables of numbers that both models make for themselves: sines of positions, windows, grids.

Each framework computes them in float32, and rounds them its own way. From there on the two models
are the same function only as far as float32 goes, whatever precision they are run in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import (
    ROUNDED,
    AttributedLayer,
    LayerAttribution,
    Replay,
    source_array,
)
from parity.checker.judge.judging import CheckFindings, RecordedRuns
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import U32


def note_constants(
    comparison: ModelComparison, recorded: RecordedRuns
) -> tuple[ModelComparison, tuple[str, ...]]:
    """The comparison with `ModelComparison.tables`, and a note that says so."""
    rounded = frozenset(_rounded(comparison, recorded))
    if not rounded:
        return comparison, ()
    names = [n.name for n in comparison.keras.nodes if n.id in rounded]
    return replace(comparison, tables=comparison.tables | rounded), (
        f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''} takes a table of numbers that "
        "is the same on both sides but for the rounding of float32, in which it was made; what "
        "lies behind is compared in float32.",
    )


def halved_note(comparison: ModelComparison) -> tuple[str, ...]:
    """What is said where both compute in half precision."""
    units = comparison.halved()
    names = [
        f"{match.left.name} / {match.right.name}"
        for match in comparison.matches
        if any(value.id in units for value in match.right.values)
    ]
    if not names:
        return ()
    return (
        f"Both compute {names[0]} in half precision: what lies behind is compared to the rounding "
        "of that, and a smaller difference is not seen.",
    )


def explains(findings: CheckFindings) -> bool:
    """Whether rounding of constants may explain a difference: float32 agrees, and float64 not."""
    every = [*findings.layers.values(), *(part.finding for part in findings.parts)]
    return any(f.rounded for f in every)


def untied(comparison: ModelComparison) -> tuple[list[str], list[str]]:
    """Of each side the weights that the other has no partner of: tables, and sums of weights."""
    tied = [
        (one.left.id, one.right.id)
        for one in comparison.axis_maps.weight_mappings
        if one.index is not None
    ]
    left, right = (
        [
            name
            for name, parameter in traced.parameters.items()
            if name in graph.parameters and name not in {pair[side] for pair in tied}
        ]
        for side, (graph, traced) in enumerate(
            zip((comparison.torch, comparison.keras), comparison.graphs, strict=True)
        )
    )
    return left, right


def diverging(
    comparison: ModelComparison, recorded: RecordedRuns, findings: CheckFindings, replay: Replay
) -> list[Match]:
    """Pairs that diverge by themselves, fed alike, in float64: float32 might not show it."""
    layers = LayerAttribution(comparison, recorded, findings.layers, replay).judge_all()
    return [layer.match for layer in layers if layer.status == "diverges"]


def hidden(comparison: ModelComparison, matches: Sequence[Match]) -> bool:
    """Whether one of these takes no table: then that one table is rounded is no excuse.

    Without this a wrong epsilon behind rotary positions would pass for the rounding of their table:
    ``test_a_mistake_in_it_is_seen`` plants 1e-5 for 1e-6 there.
    """
    return any(_flows(comparison, match) for match in matches)


def set_apart(matches: Sequence[Match]) -> bool:
    """Whether one of these has another setting, by more than rounding to float32 makes of it."""
    return any(
        isinstance(number, float)
        and isinstance(other := match.right.settings.get(name), float)
        and abs(number - other) > ROUNDED * U32 * max(abs(number), abs(other))
        for match in matches
        for name, number in match.left.settings.items()
    )


def few_digits(layer: AttributedLayer) -> bool:
    """Whether a pair differs in float64 alone, by numbers that are the same to float32.

    Someone wrote 0.20412414 for the root of 1/24: no fault, and no cause of what another makes.
    """
    found, match = layer.alone or layer.finding, layer.match
    if found is None or not found.rounded or match.left.kind != match.right.kind:
        return False
    settings = [
        {key: value for key, value in node.settings.items() if not isinstance(value, float)}
        for node in (match.left, match.right)
    ]
    return settings[0] == settings[1] and not set_apart([match])


def nudged_note(matches: Sequence[Match]) -> str:
    """What is said where rounding of constants makes up for a difference."""
    names = list(dict.fromkeys(f"{m.left.name} / {m.right.name}" for m in matches))
    which = f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}" if names else "The two"
    return (
        f"{which} differ in float64 by no more than "
        "the rounding of their constants to float32 does (a table made in float32, a number with "
        "too few digits); in float32 they are the same."
    )


def _flows(comparison: ModelComparison, match: Match) -> bool:
    """Whether all that the layer takes is computed: of masks and tables each side has its own."""
    makers = {*comparison.torch.producers, *(value.id for value in comparison.torch.inputs)}
    return all(source.value in makers for source in match.left.sources)


def _rounded(comparison: ModelComparison, recorded: RecordedRuns) -> Iterator[str]:
    for match in comparison.matches:
        for link in match.links:
            if link.left is None or link.right is None:
                continue
            mine = _table(comparison.torch, link.left, recorded, comparison.weights[0])
            theirs = _table(comparison.keras, link.right, recorded, comparison.weights[1])
            if mine is not None and theirs is not None and _alike(mine, theirs):
                yield match.right.id


def _table(
    graph: CanonicalGraph, source: Source, recorded: RecordedRuns, weights: Mapping[str, Array]
) -> Array | None:
    """The numbers of a constant or of a buffer, sorted; None for anything else.

    Sorted, since one side may keep it transposed, or with an axis more. A single number is no
    table but a setting, as an epsilon is: there a last digit is a finding.
    """
    kind, _, name = source.value.partition(":")
    learnt = kind == "parameter" and graph.parameters[name].trainable
    if kind == "input" or learnt or source.value in graph.producers:
        return None
    array = source_array(graph, source, recorded.best, recorded, weights)
    if array is None or array.dtype.kind != "f" or array.size < 2:
        return None
    return np.sort(array, axis=None)


def _alike(mine: Array, theirs: Array) -> bool:
    if not mine.size or not theirs.size:
        return False
    size = max(mine.size, theirs.size)  # one side may have it once for every sample
    mine, theirs = (np.repeat(table, size // table.size) for table in (mine, theirs))
    if mine.shape != theirs.shape or not np.all(np.isfinite(mine) & np.isfinite(theirs)):
        return False
    # Equal tables excuse nothing: hence more than zero.
    apart = float(np.max(np.abs(mine - theirs)))
    return 0.0 < apart <= ROUNDED * U32 * float(np.max(np.abs(mine)))


def mark_derived(comparison: ModelComparison) -> ModelComparison:
    """With the layers that have as a weight what the other side computes."""
    derived = {
        t.pair.right.id
        for t in comparison.axis_maps.weight_mappings
        if t.index is not None and t.left.computed != t.right.computed
    }
    return replace(comparison, tables=comparison.tables | derived, remade=frozenset(derived))
