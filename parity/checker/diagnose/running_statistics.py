"""Running statistics that parted in training: computed again with the other side's momentum."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalNode
from parity.checker.diagnose.evidence import bound
from parity.checker.graph import unseen
from parity.checker.judge.attribution import source_array
from parity.checker.judge.judging import CheckFindings, RecordedRuns, weight_arrays
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping
from parity.comparator.noise import U64
from parity.diagnosis.causes import Cause
from parity.operations.code import changed
from parity.reference.layers import channel_axis

CUMULATIVE = "none: the average of all batches"


def momenta(
    comparison: ModelComparison, findings: CheckFindings, trained: RecordedRuns
) -> Iterator[Cause]:
    """Running statistics that parted: computed again with the other side's momentum."""
    failing = {p.torch for p in findings.parts if p.stage == "state" and not p.finding.agrees}
    for one in unique_mappings(comparison.axis_maps.weight_mappings):
        mine = one.pair.left.settings.get("momentum")
        theirs = one.pair.right.settings.get("momentum")
        cumulative = bool(one.pair.left.settings.get("cumulative"))
        if cumulative:
            mine = 0.0  # the average of all batches so far is, after one, that batch's
        if one.left.id not in failing or mine is None or theirs is None or mine == theirs:
            continue
        arrays = weight_arrays(one, trained, "state")
        if arrays.left64 is None or arrays.right64 is None or mine == 1:
            continue
        old = one.to_right(np.asarray(comparison.weights[0][one.left.id]))
        batch = (arrays.left64 - mine * old) / (1 - mine)
        repaired = theirs * old + (1 - theirs) * batch
        finding = next(
            p.finding for p in findings.parts if p.stage == "state" and p.torch == one.left.id
        )
        allowed = max(bound(finding, arrays.left64), 64 * U64 * unseen.largest(batch))
        ratio = unseen.largest(repaired - arrays.right64) / allowed
        if ratio > 1:  # what the two were fed differs already: each on its own
            ratio = min(ratio, _moved_by(one, comparison, trained, (mine, theirs), allowed))
        cause = Cause(
            "momentum",
            (one.pair.left.name, CUMULATIVE if cumulative else f"{1 - mine:.6g}"),
            (one.pair.right.name, f"{theirs:.6g}"),
            "confirmed" if ratio <= 1 else "suspected",
            ratio,
            1.0,
            "state",
            fix=averaging(one.pair.right)
            if cumulative
            else changed(one.pair.right.code, {"momentum": round(mine, 12)}),
        )
        yield cause


def _moved_by(
    one: WeightMapping,
    comparison: ModelComparison,
    trained: RecordedRuns,
    factors: tuple[float, float],
    allowed: float,
) -> float:
    """How far each side's statistic is from what its own momentum makes of its own batch."""
    arrays, apart = weight_arrays(one, trained, "state"), 0.0
    for side, graph in enumerate((comparison.torch, comparison.keras)):
        node = (one.pair.left, one.pair.right)[side]
        x = source_array(graph, node.sources[0], trained.best, trained, comparison.weights[side])
        old = comparison.weights[side].get((one.left, one.right)[side].id)
        after = (arrays.left64, arrays.right64)[side]
        if x is None or old is None or after is None:
            return np.inf
        at = channel_axis(node.settings, x.ndim)
        others = tuple(axis for axis in range(x.ndim) if axis != at)
        batch = x.var(others) if one.role.endswith("variance") else x.mean(others)
        made = factors[side] * np.asarray(old) + (1 - factors[side]) * batch
        made = one.to_right(made) if side == 0 else made
        if made.shape != after.shape:
            return np.inf
        apart = max(apart, unseen.largest(made - after))
    return apart / allowed


def averaging(right: CanonicalNode) -> str:
    """The average of all batches, which Keras' layer has no setting for."""
    return f"{right.name}.momentum = n / (n + 1)  # before batch n = 0, 1, 2, …"
