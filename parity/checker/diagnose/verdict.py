"""The verdict: what the findings say, and whether the weights let them say it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from parity.checker.judge import float32_constants
from parity.checker.judge.attribution import AttributedLayer
from parity.checker.judge.judging import CheckFindings
from parity.checker.transfer.comparison import ModelComparison
from parity.diagnosis.causes import Cause
from parity.verdict.judgement import Verdict

_SHOWN = 3


def verdict(findings: CheckFindings) -> Verdict:
    """What the findings say by themselves."""
    if not findings.parts:
        return "undecided"
    if findings.agrees:
        return "agree"
    failing = {p.finding.status for p in findings.parts if not p.finding.agrees}
    return "undecided" if failing <= {"nonfinite", "undecided"} else "differ"


def unrelated_weights(
    comparison: ModelComparison,
    layers: Sequence[AttributedLayer],
    findings: CheckFindings,
    causes: Sequence[Cause],
) -> str:
    """Why a difference of the outputs says nothing: both have weights without a partner.

    Such weights have numbers of their own on each side, and outputs made of them differ in any
    case. Not where something is known that the numbers do not matter to: another count of numbers,
    outputs of other shapes, a pair that diverges on inputs that agree, a confirmed cause.

    Returns:
        A note for the reader; empty where the difference tells that the two differ.
    """
    failing = [part for part in findings.parts if not part.finding.agrees]
    if not any(part.stage == "outputs" for part in failing):
        return ""
    if any(part.stage == "structure" or part.finding.status == "shape" for part in failing):
        return ""
    if any(layer.status == "diverges" and layer.linked for layer in layers):
        return ""
    graphs = comparison.graphs
    left, right = (
        [n for n in names if graph.parameters[n].trainable and n not in graph.unused]
        for graph, names in zip(graphs, float32_constants.untied(comparison), strict=True)
    )
    sizes = [
        sum(math.prod(graph.parameters[name].shape) for name in names)
        for graph, names in zip(graphs, (left, right), strict=True)
    ]
    if not all(sizes) or sizes[0] != sizes[1] or any(c.confirmed for c in causes):
        return ""
    return (
        f"Undecided: no fault is proven, and {_listed(left)} of PyTorch and {_listed(right)} of "
        "Keras have no partner. With numbers of their own in these the outputs differ in any case. "
        "Pair their layers by hand: --map TORCH_NAME=KERAS_NAME."
    )


def _listed(names: Sequence[str]) -> str:
    """How many weights, and some of their names."""
    some = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    return f"{len(names)} weight{'s' if len(names) > 1 else ''} ({some})"
