"""Medians and their ratios, with bootstrap intervals by SciPy."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

LEVEL = 0.95
RESAMPLES = 9_999
ENOUGH = 5
"""With fewer runs nothing is told apart: four lie on one side by chance one time in eight."""
_SEED = 5


@dataclass(frozen=True)
class MedianInterval:
    """A median and the interval around it.

    Attributes:
        median: of the runs.
        low, high: bounds of the 95 % bootstrap interval.
        runs: how many.
    """

    median: float
    low: float
    high: float
    runs: int

    @property
    def significant(self) -> bool:
        """Of a ratio: whether it is told apart from 1."""
        return self.runs >= ENOUGH and not self.low <= 1.0 <= self.high


def median(values: Sequence[float]) -> MedianInterval:
    """Median of the runs, at least two of them."""
    return _bootstrap((np.asarray(values),), _median)


def ratio(of: Sequence[float], to: Sequence[float]) -> MedianInterval:
    """Median of one over median of the other; the runs of one round stay together."""
    return _bootstrap((np.asarray(of), np.asarray(to)), _ratio)


def _median(values: NDArray[Any], axis: int = -1) -> NDArray[Any]:
    return np.asarray(np.median(values, axis=axis))


def _ratio(of: NDArray[Any], to: NDArray[Any], axis: int = -1) -> NDArray[Any]:
    return np.asarray(np.median(of, axis=axis) / np.median(to, axis=axis))


def _bootstrap(samples: tuple[NDArray[Any], ...], statistic: Any) -> MedianInterval:
    with warnings.catch_warnings():
        # Runs that are equal to the last digit have an interval of no width, which is right.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            samples,
            statistic,
            paired=len(samples) > 1,
            vectorized=True,
            confidence_level=LEVEL,
            n_resamples=RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(_SEED),
        ).confidence_interval
    return MedianInterval(
        float(statistic(*samples)), float(found.low), float(found.high), len(samples[0])
    )
