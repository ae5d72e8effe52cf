"""A loss of the user's own in the words of `parity.reference.losses`, told from what it gives.

Its value and its gradient by the output are known. Where it is a weighted sum of known terms, one a
position, each position's weight is the ratio of two gradients. That these weights times the terms
are the loss's value, too, is the proof.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.reference import losses

_NEAR = 1e-6
"""Of a gradient by differences; a written weight is told from the next by more."""
_STEP = 1e-5
"""Its own error is a billionth of the terms', and so is that of rounding."""
_MOST = 512
"""Classes, each of which is two computations of all terms."""
_SMOOTHING = (0.1, 0.05, 0.2, 0.01, 0.02, 0.15, 0.25, 0.3)
_GAMMA = (2.0, 1.0, 0.5, 1.5, 3.0, 4.0, 5.0)
_SIGNIFICANT = 6
"""Digits of a number that somebody has written."""


def recognised(value: float, slope: Array, output: Array, target: Array) -> dict[str, Any] | None:
    """Settings with which a known loss has this value and this gradient.

    Args:
        value: of the loss.
        slope: its gradient by the output, float64.
        output: of the model, in any layout.
        target: in the same.

    Returns:
        The simplest; None where no known loss fits.
    """
    for base in _bases(output, target):
        weights = _weights(base, value, slope, output, target)
        if weights is None:
            continue
        classes = output.shape[base["axis"]] if "axis" in base else 0
        found = _reduced(weights, target, classes)
        if found is not None:
            return {**base, **found}
    return None


def _bases(output: Array, target: Array) -> Iterator[dict[str, Any]]:
    """Terms to be tried, the usual ones first."""
    if target.dtype.kind in "iub":
        axes = [a for a in (-1, 1) if target.shape == _without(output.shape, a)]
        plain = [{"smoothing": 0.0, "gamma": 0.0}]
        plain += [{"smoothing": s, "gamma": 0.0} for s in _SMOOTHING]
        plain += [{"smoothing": 0.0, "gamma": g} for g in _GAMMA]
        takes = ("logits", "log_probabilities", "probabilities")
        for more, axis, taken in itertools.product(plain, axes, takes):
            yield {"name": "cross_entropy", "takes": taken, "axis": axis, **more}
    if target.shape != output.shape and target.size != output.size:
        return
    for name in ("squared", "absolute", "huber", "log_cosh", "hinge", "squared_hinge", "kl"):
        yield {"name": name, "takes": "values"}
    for gamma, taken in itertools.product((0.0, *_GAMMA), ("logits", "probabilities")):
        yield {"name": "binary_cross_entropy", "takes": taken, "gamma": gamma}
    if target.shape == output.shape:
        for axis, taken in itertools.product((-1, 1), ("logits", "log_probabilities")):
            yield {"name": "cross_entropy", "takes": taken, "axis": axis}


def _without(shape: tuple[int, ...], axis: int) -> tuple[int, ...]:
    at = axis % len(shape)
    return (*shape[:at], *shape[at + 1 :])


def _weights(
    base: dict[str, Any], value: float, slope: Array, output: Array, target: Array
) -> Array | None:
    """What each position's term weighs in the loss; None where it is no such sum."""
    y, g = np.asarray(output, np.float64), np.asarray(slope, np.float64)
    if base["name"] == "cross_entropy":
        y, g = (np.moveaxis(x, base["axis"], -1) for x in (y, g))
        if target.shape == output.shape:
            target = np.moveaxis(target, base["axis"], -1)
        base = {**base, "axis": -1}
        if y.shape[-1] > _MOST:
            return None
        steps = list(_STEP * np.eye(y.shape[-1]))
    else:
        y, g, target = (np.reshape(x, output.shape) for x in (y, g, target))
        steps = [np.asarray(_STEP)]
    terms = losses.terms(base, y, target)
    if terms is None or not np.all(np.isfinite(terms)):
        return None
    ends = [[losses.terms(base, y + s, target) for s in (step, -step)] for step in steps]
    changes = [(a - b) / (2 * _STEP) for a, b in ends if a is not None and b is not None]
    d = np.stack(changes, -1)
    g = g.reshape(d.shape)
    power = np.sum(d * d, -1)
    felt = power > _NEAR**2 * float(np.max(power, initial=0.0))
    weights = np.where(felt, np.sum(g * d, -1) / np.where(felt, power, 1.0), 0.0)
    off = float(np.max(np.abs(g - weights[..., None] * d), initial=0.0))
    if not np.any(felt) or off > _NEAR * float(np.max(np.abs(g), initial=0.0)):
        return None
    scale = max(abs(value), float(np.sum(np.abs(weights * terms))))
    return weights if abs(float(np.sum(weights * terms)) - value) <= _NEAR * scale else None


def _reduced(weights: Array, target: Array, classes: int) -> dict[str, Any] | None:
    """The weights as a reduction, an ignored class, weights of classes, a factor."""
    largest = float(np.max(np.abs(weights), initial=0.0))
    zero = np.abs(weights) <= _NEAR * largest
    found: dict[str, Any] = {}
    if zero.any() and target.shape == weights.shape:
        ignored = np.unique(target[zero])
        if ignored.size != 1 or np.any(target[~zero] == ignored[0]):
            return None
        found["ignore"] = ignored[0].item()
    elif zero.any():
        return None
    kept = weights[~zero]
    if np.ptp(kept) > _NEAR * largest:
        by_class = _of_classes(weights, target, classes)
        return None if by_class is None else {**found, **by_class}
    return {**found, **_divided(float(np.mean(kept)), kept.size, weights)}


def _divided(weight: float, count: int, weights: Array) -> dict[str, Any]:
    """One weight for all that counts: by what the sum was divided."""
    divisors = {
        "mean": count,
        "sum": 1,
        "batchmean": len(weights),
        "mean_by_count": weights.size,
    }
    for reduction, divisor in divisors.items():
        if abs(weight * divisor - 1) <= _NEAR:
            return {"reduction": reduction}
    return {"reduction": "mean", "factor": _written(weight * count)}


def _of_classes(weights: Array, target: Array, classes: int) -> dict[str, Any] | None:
    """A weight for each class, and by what their sum was divided; 1 for one that is not drawn."""
    if target.shape != weights.shape or target.dtype.kind not in "iu":
        return None
    own = {int(c): weights[target == c] for c in np.unique(target)}
    if min(own) < 0 or max(own) >= classes:
        return None
    if any(np.ptp(w) > _NEAR * np.max(np.abs(w), initial=1e-300) for w in own.values()):
        return None
    plain = np.full(classes, float(np.max(weights)))
    for c, w in own.items():
        plain[c] = float(np.mean(w))
    total = float(np.sum(weights))
    if abs(total - 1) <= _NEAR:
        return {"reduction": "mean", "weight": [_written(w / plain.max()) for w in plain]}
    divisors = {"mean_by_count": weights.size, "sum": 1, "batchmean": len(weights)}
    for reduction, divisor in divisors.items():
        wanted = [_written(w * divisor) for w in plain]
        short = all(len(f"{w:g}") < _SIGNIFICANT for w in wanted)
        if short or reduction == "batchmean":
            return {"reduction": reduction, "weight": wanted}
    return None


def _written(number: float) -> float:
    return float(f"{number:.{_SIGNIFICANT}g}")
