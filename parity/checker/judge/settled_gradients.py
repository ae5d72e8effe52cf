"""Gradients that float32 settles, so that float64 need not compute them once more.

Of a large model they are most of what a run computes, writes and compares. On the first inputs all
are compared in both precisions; on special ones, where those agree, a fault shows as a wrong
number: a row that learns nothing, a mask that is left out.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalGraph
from parity.checker.graph.storage import LARGE
from parity.checker.judge.judging import RecordedRuns, slope, weight_arrays
from parity.checker.transfer.comparison import ModelComparison, unique_mappings
from parity.checker.transfer.mapping import WeightMapping
from parity.comparator.noise import U32, C, Finding
from parity.core import blockwise


def settled(comparison: ModelComparison, recorded: RecordedRuns) -> dict[str, Finding]:
    """Gradients of large weights that are the same numbers in float32: left weight → finding.

    The same by the least noise that there can be, so that the first inequality of the rule holds
    whatever float64 gives. The second is left to all values, to the inputs' gradients and to those
    of the small weights: a layer's bias has the sum of what its kernel's gradient is made of.

    Args:
        comparison: the two models, whose gradients agree on other inputs.
        recorded: both, in float32.
    """
    found = {}
    for one in _mappings(comparison):
        finding = _settled(one, recorded)
        if finding is not None:
            found[one.left.id] = finding
    return found


def _mappings(comparison: ModelComparison) -> list[WeightMapping]:
    return [
        one
        for one in unique_mappings(comparison.axis_maps.weight_mappings)
        if one.index is not None
        and one.left.trainable
        and one.right.trainable
        and not (one.left.computed or one.right.computed)
    ]


def _settled(one: WeightMapping, recorded: RecordedRuns) -> Finding | None:
    if math.prod(one.right.shape) * np.dtype(np.float32).itemsize < LARGE:
        return None
    key = weight_arrays(one, recorded, "gradients")
    a, b = key.left32, key.right32
    if a is None or b is None or a.shape != b.shape or not a.dtype.kind == b.dtype.kind == "f":
        return None
    same, finite = blockwise.alike(a, b)
    distance = blockwise.apart(a, b)
    scale = max(blockwise.largest(a), blockwise.largest(b))
    if not finite or distance > C * U32 * scale:
        return None
    return replace(
        slope(one),
        status="identical" if same else "rounding",
        rule="numbers",
        ratio=0.0 if same else distance / (C * U32 * scale),
        distance32=distance,
        noise=U32 * scale,
        scale=scale,
    )


def skipped(
    comparison: ModelComparison, settled: Mapping[str, Finding]
) -> tuple[list[str], list[str]]:
    """Weights whose gradients float64 need not compute, by each side's own ids.

    A weight of which a part is open is not among them.
    """
    pairs = [(one.left.id in settled, one) for one in _mappings(comparison)]
    left = [(done, one.left.id) for done, one in pairs]
    right = [(done, one.right.id) for done, one in pairs]
    return _whole(comparison.torch, left), _whole(comparison.keras, right)


def _whole(graph: CanonicalGraph, parts: Collection[tuple[bool, str]]) -> list[str]:
    owners = {
        key.removeprefix("parameter:"): source.value.removeprefix("parameter:")
        for key, source in graph.pieces.items()
        if key.startswith("parameter:")
    }
    names = {done: {owners.get(n, n) for d, n in parts if d == done} for done in (True, False)}
    return sorted(names[True] - names[False])
