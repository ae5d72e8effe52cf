"""Other biases than the models' own: what is cut off or saturates is to be reached."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np

from parity.checker.canonical import split_layers
from parity.checker.graph.graph import Parameter
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import CompactArrays, LazyArrays
from parity.checker.transfer import mapping
from parity.checker.transfer.comparison import ModelComparison
from parity.core.sides import Side

_SHIFT = 4.0
"""Standard deviation of a second draw's biases: some channels saturate a sigmoid, pass 6, or are
negative throughout. On the first draw, of numbers near 1, ReLU for ReLU6 changes nothing."""
_FAR = (10.0, 4.0)
"""How far from zero at least, and how much further, where biases are to outweigh the rest.

Zeros around a maximum show only in a channel whose whole window is negative
(``test_a_channel_without_a_positive_number_is_reached``), which few normal biases make it.
"""
_SHIFTED = ("bias", "beta")
"""What is added. A gamma of this size would only scale a channel, and blow up the next layer."""


def perturb_biases(
    comparison: ModelComparison, weights_from: Side, seed: int, draw: int
) -> tuple[Mapping[str, Array], Mapping[str, Array]]:
    """Both sides' weights, with large numbers on all biases but those that a model computes."""
    source = 0 if weights_from == "torch" else 1
    graph = (comparison.torch, comparison.keras)[source]
    both = [CompactArrays(comparison.weights[0]), CompactArrays(comparison.weights[1])]
    # What a model computes of other weights cannot be set; the next call would compute it again.
    made = {
        parameter.id
        for one in comparison.axis_maps.weight_mappings
        for parameter in (one.left, one.right)
        if one.left.computed or one.right.computed
    }
    made |= {*graph.left_out}
    # Of whole weights, so that the numbers are the same whatever the other side splits them into.
    traced = comparison.graphs[source].parameters
    wholes = {n: partial(_shift, p, seed, draw) for n, p in {**graph.parameters, **traced}.items()}
    shifts = split_layers.spread_weights(graph, LazyArrays(wholes))
    changed = set[str]()
    for name, parameter in graph.parameters.items():
        if parameter.role in _SHIFTED and name in both[source] and name not in made:
            both[source][name] = both[source][name] + shifts[name]
            changed.add(name)
    for name in both[source]:
        if both[source].kept(name).dtype != np.float32:
            both[source][name] = both[source][name].astype(np.float32)
            changed.add(name)
    # Of large models the biases are a thousandth; the rest is there already.
    every = comparison.axis_maps.weight_mappings
    taken = [(one.right, one.left)[source].id for one in every]
    origins = [(one.left, one.right)[source].id for one in every]
    reached = {there for here, there in zip(origins, taken, strict=True) if here in changed}
    carried = mapping.transfer_weights(
        [one for one, there in zip(every, taken, strict=True) if there in reached],
        both[source],
        source=weights_from,
    )
    both[1 - source].update(carried)
    return both[0], both[1]


def _shift(parameter: Parameter, seed: int, draw: int) -> Array:
    rng = np.random.default_rng([seed, draw, *parameter.id.encode()])
    shift = _SHIFT * rng.standard_normal(parameter.shape)
    return (_far(rng, parameter.shape) if draw > 1 else shift).astype(np.float32)


def _far(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Half of them far below zero and half far above: whole channels have one sign."""
    size = int(np.prod(shape))
    signs = np.where((np.arange(size) + rng.integers(2)) % 2, 1.0, -1.0)
    far = _FAR[0] + _FAR[1] * np.abs(rng.standard_normal(size))
    return np.asarray((rng.permutation(signs) * far).reshape(shape))
