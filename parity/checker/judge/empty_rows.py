"""Attention in which a row keeps nothing: there each port gives something of its own.

Nothing to attend to has no average. Zeros, the mean of all values and NaN are all in use, and few
models ever meet such a row: where two differ in nothing else, that is worth a sentence, no more.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph.model_interface import Array
from parity.checker.judge.attribution import source_array
from parity.checker.judge.judging import RecordedRuns
from parity.checker.judge.masking import UNSEEN
from parity.checker.transfer.comparison import ModelComparison

NOTE = (
    "Where a row of attention keeps nothing, which has no average, the two give other numbers. On "
    "every other input that was tried they agree."
)


def keeps_nothing(comparison: ModelComparison, recorded: RecordedRuns) -> bool:
    """Whether a softmax of either side is given a row in which everything is masked."""
    sides = zip((comparison.torch, comparison.keras), comparison.weights, strict=True)
    return any(
        _is_empty(graph, node, recorded, weights)
        for graph, weights in sides
        for node in graph.nodes
        if node.is_softmax
    )


def _is_empty(
    graph: CanonicalGraph,
    node: CanonicalNode,
    recorded: RecordedRuns,
    weights: Mapping[str, Array],
) -> bool:
    scores = source_array(graph, node.sources[0], "float32", recorded, weights)
    if scores is None:
        return False
    highest = np.max(scores, axis=int(node.settings.get("axis", -1)), initial=-np.inf)
    return bool(np.any(~(highest > UNSEEN)))
