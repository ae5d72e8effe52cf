"""Huge negative numbers that only say "not this one", each side its own."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from parity.checker.align.matches import Match
from parity.checker.canonical.canonical_graph import ADDED_UP
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.key_arrays import KeyArrays

MASKING = -1e6
"""Below this a number that is added to attention scores or logits only says "not this one"; minus
infinity, -1e9 and the smallest float32 mean the same. Each framework and each port has its own, and
their difference of 10⁹ would be the first divergence of every right one."""
UNSEEN = -5e3
"""The same on the way to a softmax, which makes an exact zero of what is a thousand below the rest:
BERT's -10000 is as good as any other."""
MASKED_KINDS = ADDED_UP | {"matmul"}
"""What makes or adds such numbers. From any other operation a number below -1e6 is a result."""


def masked_below(comparison: ModelComparison, match: Match) -> float | None:
    """Below which number the values of a pair say "not this one"; None where none does."""
    left, right = match.left, match.right
    if left.kind not in MASKED_KINDS:
        return None
    both = zip((comparison.torch, comparison.keras), (left, right), strict=True)
    return UNSEEN if all(node.id in graph.scores for graph, node in both) else MASKING


def unmasked(key: KeyArrays, below: float | None) -> KeyArrays:
    """Zeros where both sides say "not this one".

    Only where all four arrays do: a place that is masked on one side alone is a fault, and stays as
    large.
    """
    arrays = (key.left32, key.left64, key.right32, key.right64)
    if below is None or any(a is None or a.dtype.kind != "f" for a in arrays):
        return key
    shapes = {a.shape for a in arrays if a is not None}
    if len(shapes) != 1:
        return key
    whole = [a for a in arrays if a is not None]
    huge = np.logical_and.reduce([a < below for a in whole])
    if not np.any(huge):
        return key
    every = (*arrays, key.left_nudged, key.right_nudged)
    return KeyArrays(*(None if a is None else np.where(huge, 0, a).astype(a.dtype) for a in every))


def softmaxes(comparison: ModelComparison, match: Match) -> Iterator[Match]:
    """The pairs that take what a pair masks."""
    ends = comparison.torch.scores.get(match.left.id, ())
    yield from (other for other in comparison.matches if other.left.id in ends)
