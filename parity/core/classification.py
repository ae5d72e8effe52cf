"""Metrics, computed in NumPy for both sides from what they predicted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core import blockwise

Array = NDArray[Any]
_ROWS = 1 << 16
"""Samples looked at together: predictions may be larger than memory."""


def classes(predictions: Array) -> NDArray[np.int64]:
    """Predicted classes.

    Args:
        predictions: probabilities ``(samples, classes)``; or ``(samples,)`` or ``(samples, 1)``,
            the probability of class 1 of two.

    Returns:
        ``(samples,)`` int64; of equal probabilities the first class.
    """
    if predictions.ndim == 2 and predictions.shape[1] > 1:
        return np.asarray(np.argmax(predictions, axis=1), np.int64)
    return np.asarray(predictions.reshape(len(predictions)) > 0.5, np.int64)


def probabilities(predictions: Array) -> Array:
    """Predictions with a column a class: one probability of class 1 becomes two columns."""
    if predictions.ndim == 2 and predictions.shape[1] > 1:
        return predictions
    one = predictions.reshape(len(predictions), -1)
    return np.concatenate([1 - one, one], axis=1) if one.shape[1] == 1 else predictions


def accuracy(predictions: Array, labels: Array) -> float:
    """Fraction of samples whose predicted class is the label."""
    return float(np.mean(classes(predictions) == labels))


def agreement(left: Array, right: Array) -> tuple[int, int]:
    """(samples with the same predicted class, all samples)."""
    same = 0
    for at in range(0, len(left), _ROWS):
        one, other = (classes(side[at : at + _ROWS]) for side in (left, right))
        same += int(np.count_nonzero(one == other))
        blockwise.give_back((left, right), left.size)
    return same, len(left)
