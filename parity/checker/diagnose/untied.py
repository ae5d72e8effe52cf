"""Weights without a partner on either side: what is made of them differs, and says nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence

from parity.checker.align.derived_weights import weights_behind
from parity.checker.align.matches import Match
from parity.checker.judge import float32_constants
from parity.checker.judge.attribution import AttributedLayer
from parity.checker.judge.judging import CheckFindings
from parity.checker.transfer.comparison import ModelComparison
from parity.diagnosis.causes import Cause
from parity.operations.known import operation

_SHOWN = 3


def takes_unrelated(comparison: ModelComparison, match: Match) -> bool:
    """Whether a pair takes weights of as many numbers on both sides that are no partners.

    Not where the two are layers of two kinds: these are others whatever their weights are.
    """
    nodes = match.left, match.right
    if match.substituted and all(operation(node.kind).weighted for node in nodes):
        return False
    found = []
    both = comparison.torch, comparison.keras
    for canonical, graph, node, lone in zip(
        both, comparison.graphs, nodes, _untied(comparison), strict=True
    ):
        own = [f"parameter:{canonical.whole(name)}" for name in node.parameters.values()]
        behind = weights_behind(graph, [*own, *(s.value for s in node.sources)])
        found.append([name for name in lone if name in behind])
    return _as_many(comparison, found)


def unproven(
    comparison: ModelComparison,
    layers: Sequence[AttributedLayer],
    findings: CheckFindings,
    causes: Sequence[Cause],
) -> str:
    """Why a difference of the outputs says nothing: both have weights without a partner.

    Such weights have numbers of their own on each side, and outputs made of them differ in any
    case. Not where something is known that the numbers do not matter to: another count of numbers,
    outputs of other shapes, a confirmed cause, another pair that diverges on inputs that agree.

    Returns:
        A note for the reader; empty where the difference tells that the two differ.
    """
    failing = [part for part in findings.parts if not part.finding.agrees]
    if not any(part.stage == "outputs" for part in failing):
        return ""
    if any(part.stage == "structure" or part.finding.status == "shape" for part in failing):
        return ""
    left, right = _untied(comparison)
    if any(c.confirmed for c in causes) or not _as_many(comparison, (left, right)):
        return ""
    parted = (layer.match for layer in layers if layer.status == "diverges" and layer.linked)
    if not all(takes_unrelated(comparison, match) for match in parted):
        return ""
    return (
        f"Undecided: no fault is proven, and {_listed(left)} of PyTorch and {_listed(right)} of "
        "Keras have no partner. With numbers of their own in these the outputs differ in any case. "
        "Pair their layers by hand: --map TORCH_NAME=KERAS_NAME."
    )


def _untied(comparison: ModelComparison) -> tuple[list[str], list[str]]:
    """Of each side the weights that learn, are used, and have no partner."""
    left, right = (
        [n for n in names if graph.parameters[n].trainable and n not in graph.unused]
        for graph, names in zip(
            comparison.graphs, float32_constants.untied(comparison), strict=True
        )
    )
    return left, right


def _as_many(comparison: ModelComparison, names: Sequence[Sequence[str]]) -> bool:
    """Whether these weights of each side hold as many numbers, and any."""
    left, right = (
        sum(math.prod(graph.parameters[name].shape) for name in some)
        for graph, some in zip(comparison.graphs, names, strict=True)
    )
    return left == right > 0


def _listed(names: Sequence[str]) -> str:
    """How many weights, and some of their names."""
    some = ", ".join(names[:_SHOWN]) + (" …" if len(names) > _SHOWN else "")
    return f"{len(names)} weight{'s' if len(names) > 1 else ''} ({some})"
