"""Tables of numbers that both models make for themselves: sines of positions, windows, grids.

Each framework computes them in float32, and rounds them its own way. From there on the two models
are the same function only as far as float32 goes, whatever precision they are run in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import LayerAttribution, Replay, source_array
from parity.checker.judge.judging import CheckFindings, Recorded
from parity.checker.transfer.subject import Subject
from parity.comparator.noise import U32

ROUNDED = 64.0
"""Units of float32's rounding of the largest number: an angle's own rounding grows with it."""


def note_constants(subject: Subject, recorded: Recorded) -> tuple[Subject, tuple[str, ...]]:
    """The subject with `Subject.tables`, and a note that says so."""
    found = frozenset(_rounded(subject, recorded))
    if not found:
        return subject, ()
    names = [n.name for n in subject.keras.nodes if n.id in found]
    return replace(subject, tables=subject.tables | found), (
        f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''} takes a table of numbers that "
        "is the same on both sides but for the rounding of float32, in which it was made; what "
        "lies behind is compared in float32.",
    )


def hidden(subject: Subject, recorded: Recorded, judged: CheckFindings, replay: Replay) -> bool:
    """Whether a layer parts by itself, fed alike, in float64: float32 might not show it."""
    found = LayerAttribution(subject, recorded, judged.layers, replay).all()
    return any(stand.standing == "parts" and _flows(subject, stand.match) for stand in found)


def _flows(subject: Subject, match: Match) -> bool:
    """Whether all that the layer takes is computed: of masks and tables each side has its own."""
    makers = {*subject.torch.producers, *(value.id for value in subject.torch.inputs)}
    return all(source.value in makers for source in match.left.sources)


def _rounded(subject: Subject, recorded: Recorded) -> Iterator[str]:
    for match in subject.matches:
        for link in match.links:
            if link.left is None or link.right is None:
                continue
            mine = _table(subject.torch, link.left, recorded, subject.weights[0])
            theirs = _table(subject.keras, link.right, recorded, subject.weights[1])
            if mine is not None and theirs is not None and _alike(mine, theirs):
                yield match.right.id


def _table(
    normal: CanonicalGraph, source: Source, recorded: Recorded, weights: Mapping[str, Array]
) -> Array | None:
    """The numbers of a constant or of a buffer, sorted; None for anything else."""
    kind, _, name = source.value.partition(":")
    learnt = kind == "parameter" and normal.parameters[name].trainable
    if kind == "input" or learnt or source.value in normal.producers:
        return None
    array = source_array(normal, source, recorded.best, recorded, weights)
    if array is None or array.dtype.kind != "f" or array.size < 2:
        return None
    return np.sort(array, axis=None)


def _alike(mine: Array, theirs: Array) -> bool:
    if mine.shape != theirs.shape or not np.all(np.isfinite(mine) & np.isfinite(theirs)):
        return False
    apart = float(np.max(np.abs(mine - theirs)))
    return 0.0 < apart <= ROUNDED * U32 * float(np.max(np.abs(mine)))


def mark_derived(subject: Subject) -> Subject:
    """With the layers that have as a weight what the other side computes."""
    found = {
        t.pair.right.id
        for t in subject.across.tied
        if t.index is not None and t.left.computed != t.right.computed
    }
    return replace(subject, tables=subject.tables | found, remade=frozenset(found))
