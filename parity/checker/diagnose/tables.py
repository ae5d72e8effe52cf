"""Tables that an operation takes or looks up: other numbers, other rows, rows that never learn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from parity.checker.align.matches import Link, Match, indices, source_text
from parity.checker.graph import unseen
from parity.checker.graph.model_interface import Array
from parity.checker.judge import comparing
from parity.checker.judge.attribution import AttributedLayer, LayerAttribution
from parity.checker.judge.judging import CheckFindings, RecordedRuns, weight_arrays
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping
from parity.comparator.noise import Finding
from parity.core.errors import ParityError
from parity.diagnosis.causes import Cause
from parity.diagnosis.constants import contrast, relation


def table_causes(attribution: LayerAttribution, layer: AttributedLayer) -> list[Cause]:
    """Why a pair that takes one weight on both sides diverges: its numbers, or which of them.

    Proven by the right's operation on the left's: with the left's numbers in the right's weight, or
    with the left's elements of it, and all else its own, it gives what the left gives.

    Args:
        attribution: all pairs.
        layer: one that diverges by itself.
    """
    for link in layer.match.links if layer.linked else ():
        one = _mapping(attribution.comparison, layer.match, link)
        if one is None or link.left is None or link.right is None:
            continue
        for cause, operand in _hypotheses(attribution.comparison, layer.match, link, one):
            ratio = _repaired(attribution, layer.match, link, operand)
            if ratio is not None:
                return [replace(cause, status="confirmed", residual_ratio=ratio, share=1.0)]
    return []


def _mapping(comparison: ModelComparison, match: Match, link: Link) -> WeightMapping | None:
    """What belongs together of the weight that a link takes on both sides."""
    if link.left is None or link.right is None:
        return None
    names = [s.value.removeprefix("parameter:") for s in (link.left, link.right)]
    return next(
        (
            one
            for one in comparison.axis_maps.weight_mappings
            if one.pair is match and [one.left.id, one.right.id] == names and one.index is not None
        ),
        None,
    )


def _hypotheses(
    comparison: ModelComparison, match: Match, link: Link, one: WeightMapping
) -> Iterator[tuple[Cause, Array]]:
    """A cause, and what the right's operation takes if it is repaired."""
    assert link.left is not None
    assert link.right is not None
    own = np.asarray(comparison.weights[0][one.left.id], np.float64)
    theirs = np.asarray(comparison.weights[1][one.right.id], np.float64)
    mine = one.to_right(own, theirs)
    places = indices(comparison.keras, link.right)
    names = match.left.name, match.right.name
    if not np.array_equal(mine, theirs):
        said, told = relation(mine, theirs) or "others", contrast(mine, theirs)
        if told and said.startswith("other"):
            said = f"{told[1]} where they are {told[0]}"
        learnt = one.left.trainable or one.right.trainable
        yield (
            Cause(
                "weights",
                (names[0], one.left.id),
                (names[1], f"other numbers in {one.right.id}"),
                proof="recomputed",
                fix=f"# {one.right.id} must hold the numbers of {one.left.id}, not {said}"
                + ("" if learnt else ": neither learns, so that the check takes none across"),
            ),
            mine.reshape(link.right.shape) if places is None else mine.reshape(-1)[places],
        )
    taken = indices(comparison.torch, link.left)
    seen = own.reshape(link.left.shape) if taken is None else own.reshape(-1)[taken]
    if seen.size == int(np.prod(link.right.shape)):
        texts = source_text(comparison.torch, link.left), source_text(comparison.keras, link.right)
        same = texts[0].partition("[")[2] == texts[1].partition("[")[2]
        words = (f"{texts[0]} in one order", f"{texts[1]} in another") if same else texts
        cause = Cause(
            "order" if same else "wiring",
            (names[0], words[0]),
            (names[1], words[1]),
            proof="recomputed",
            fix=f"# it must take {texts[0].replace(one.left.id, one.right.id)}",
        )
        yield cause, seen.reshape(link.right.shape)


def _repaired(
    attribution: LayerAttribution, match: Match, link: Link, operand: Array
) -> float | None:
    """How far the right's operation on this operand is from the left's, if it agrees."""
    best = attribution.recorded.best
    fed = attribution.own_sources(match)
    if fed is None:
        return None
    given = [operand if to == link.to else array for to, array in enumerate(fed)]
    try:
        answer = attribution.replayed(match.right, given, best)
    except ParityError:
        return None
    mine, theirs = match.left.values[0], match.right.values[0]
    move = attribution.comparison.axis_maps.values.get(mine.id)
    arrays = attribution.recorded.key_arrays(f"values/{mine.id}", f"values/{theirs.id}", move)
    known = {"float32": arrays.left32, "float64": answer} if best == "float64" else {}
    repaired = replace(arrays, right32=known.get("float32", answer), right64=known.get("float64"))
    finding = comparing.compare(Finding(match.left.name, "check", "identical"), repaired)
    return finding.ratio or 0.0 if finding.agrees else None


def unlearnt_rows(
    comparison: ModelComparison, findings: CheckFindings, recorded: RecordedRuns
) -> Iterator[Cause]:
    """Rows of an embedding that never learn on one side: ``padding_idx`` in PyTorch.

    Proven by the gradients: without that row they agree.
    """
    failing = {p.torch for p in findings.parts if p.stage == "gradients" and not p.finding.agrees}
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        row = one.pair.left.settings.get("zero_index")
        if one.left.id not in failing or row is None or one.index is None:
            continue
        arrays = weight_arrays(one, recorded, "gradients")
        if arrays.left64 is None or arrays.right64 is None or arrays.right64.ndim != 2:
            continue
        repaired = replace(
            arrays, right32=_still(arrays.right32, row), right64=_still(arrays.right64, row)
        )
        finding = comparing.compare(Finding(one.left.id, "check", "identical"), repaired)
        if np.any(unseen.seen(arrays.left64[row])) or not finding.agrees:
            continue
        right = one.pair.right
        yield Cause(
            "mask_zero",
            (one.pair.left.name, f"padding_idx={row}: row {row} never learns"),
            (right.name, f"row {row} learns"),
            "confirmed",
            finding.ratio,
            1.0,
            "values",
            fix=(
                f"x = keras.ops.where(keras.ops.equal(ids, {row})[..., None], "
                f"keras.ops.stop_gradient(x), x)  # x is what {right.name} gives for ids"
            ),
        )


def _still(array: Array | None, row: int) -> Array | None:
    """A gradient with a row that never learns."""
    if array is None:
        return None
    changed = np.array(array)
    changed[row] = 0
    return changed
