"""Are two frameworks equally good? Answers from paired runs, by SciPy and statsmodels.

Numbers are accuracies in points, hundredths of the test set, one of each side for every seed.
Nothing is called equal because no difference was seen: equal needs a proof of its own, two
one-sided tests (TOST) against a margin that is fixed beforehand.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial import distance
from statsmodels.stats.contingency_tables import mcnemar as mcnemar_test
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

Answer = Literal["equal", "different", "undecided"]

ALPHA = 0.05
"""How often a verdict may be wrong: 'equal' of sides that are the margin apart, and, over all
examples together, 'different' of sides that are not."""
MARGIN = 0.5
POWER = 0.8
MOST = 100_000
FEWEST = 3
"""Of fewer seeds nothing is said: two runs can be equally far apart by chance."""
_RESAMPLES = 9_999
_SEED = 6
RESOLUTION = 0.01
"""Points that one of 10,000 test samples is worth."""


@dataclass(frozen=True)
class Interval:
    """A mean and the interval around it."""

    mean: float
    low: float
    high: float
    level: float


@dataclass(frozen=True)
class PairedComparison:
    """Two sides over some seeds, left minus right, in points.

    Attributes:
        gaps: one a seed.
        margin: within which sides count as equal.
        interval: by Student's t; None of fewer than two seeds. It lies within the margin just
            when TOST holds.
        bootstrap: of the same mean and level, resampled; None likewise, and where a spread below
            the resolution leaves nothing to resample.
        equal_p: of TOST; small means equal within the margin.
        different_p: of the paired t-test, for this example alone; small means different.
        looks: planned looks at the data; both p-values are multiplied by it (Bonferroni).
        spread: standard deviation of the gaps, at least that of rounding to whole samples.
    """

    gaps: tuple[float, ...]
    margin: float
    interval: Interval | None
    bootstrap: Interval | None
    equal_p: float
    different_p: float
    looks: int = 1
    spread: float = 0.0

    @property
    def mean(self) -> float | None:
        """Mean gap; None without any seed."""
        return float(np.mean(self.gaps)) if self.gaps else None


@dataclass(frozen=True)
class Verdict:
    """The answer for one example.

    Attributes:
        answer: ``equal`` within the margin, ``different``, or ``undecided``.
        significant: the paired t-test rejects equal means, after Holm over the examples.
        adjusted_p: its p-value after Holm.
        words: for people.
        needed: of an undecided one, seeds in all that would probably decide it; None where more
            than `MOST`, or where too few seeds say anything.
    """

    answer: Answer
    significant: bool
    adjusted_p: float
    words: str
    needed: int | None = None


@dataclass(frozen=True)
class Churn:
    """Share of test samples on which two runs predict different classes; None without two runs.

    Attributes:
        left, right: between the seeds of one side.
        across: between a seed of one side and another seed of the other: what to set beside
            `left` and `right`.
        paired: between the sides at the same seed.
    """

    left: float | None
    right: float | None
    across: float | None
    paired: float | None


@dataclass(frozen=True)
class McNemar:
    """Two single runs on one test set.

    Attributes:
        only_left, only_right: samples that one run alone has right.
        p: small means that the two *runs* differ; of the frameworks it says nothing.
        exact: by the binomial distribution, not by χ².
    """

    only_left: int
    only_right: int
    p: float
    exact: bool


def compare(
    left: Sequence[float] | NDArray[Any],
    right: Sequence[float] | NDArray[Any],
    margin: float = MARGIN,
    *,
    looks: int = 1,
    resolution: float = RESOLUTION,
) -> PairedComparison:
    """Compare two sides, paired by seed.

    Accuracies are shares of whole samples, so a few seeds can all have the same gap by chance, and
    no test could tell that from certainty. A spread below that of rounding to whole samples is
    therefore taken to be that, see `rounding`.

    Args:
        left, right: accuracies in points, in the same order of seeds.
        margin: in points, above 0.
        looks: how many looks at the data are planned.
        resolution: what one test sample is worth, in points, above 0.
    """
    one, other = np.asarray(left, np.float64), np.asarray(right, np.float64)
    gaps = one - other
    told = tuple(float(gap) for gap in gaps)
    if len(gaps) < 2:
        return PairedComparison(told, margin, None, None, 1.0, 1.0, looks)
    level = 1 - 2 * ALPHA / looks
    spread, least = float(np.std(gaps, ddof=1)), rounding(resolution)
    if spread < least:
        return _steady(told, margin, level, looks, least)
    equal = float(ttost_paired(one, other, -margin, margin)[0])
    found = stats.ttest_rel(one, other)
    return PairedComparison(
        told,
        margin,
        mean_interval(gaps, level),
        bootstrap(told, level),
        min(1.0, equal * looks),
        min(1.0, float(found.pvalue) * looks),
        looks,
        spread,
    )


def _steady(
    gaps: tuple[float, ...], margin: float, level: float, looks: int, spread: float
) -> PairedComparison:
    """The same tests with a spread that is given."""
    gap, error = float(np.mean(gaps)), spread / math.sqrt(len(gaps))
    t = stats.t(len(gaps) - 1)
    equal = max(float(t.sf((margin + gap) / error)), float(t.sf((margin - gap) / error)))
    different = 2 * float(t.sf(abs(gap) / error))
    interval = mean_interval(gaps, level, spread)
    return PairedComparison(
        gaps,
        margin,
        interval,
        None,
        min(1.0, equal * looks),
        min(1.0, different * looks),
        looks,
        spread,
    )


def rounding(resolution: float) -> float:
    """Standard deviation of rounding to whole samples (Sheppard, 1897).

    Args:
        resolution: what one sample is worth.
    """
    return resolution / math.sqrt(12)


def mean_interval(
    values: Sequence[float] | NDArray[Any], level: float, least: float = 0.0
) -> Interval:
    """Student's t interval of the mean of at least two values.

    Args:
        values: one a seed.
        level: of the interval, such as 0.9.
        least: the spread that is assumed where that of the values is smaller.
    """
    some = np.asarray(values, np.float64)
    mean, spread = float(some.mean()), max(float(np.std(some, ddof=1)), least)
    if spread == 0.0:
        return Interval(mean, mean, mean, level)
    error = spread / math.sqrt(len(some))
    low, high = stats.t.interval(level, len(some) - 1, loc=mean, scale=error)
    return Interval(mean, float(low), float(high), level)


def bootstrap(gaps: Sequence[float], level: float = 1 - 2 * ALPHA) -> Interval:
    """Bootstrap interval (BCa) of the mean, always the same for the same numbers."""
    some = np.asarray(gaps, np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (some,),
            np.mean,
            confidence_level=level,
            n_resamples=_RESAMPLES,
            method="BCa" if len(some) > 2 else "percentile",
            rng=np.random.default_rng(_SEED),
        ).confidence_interval
    return Interval(float(some.mean()), float(found.low), float(found.high), level)


def judge_equivalence(comparisons: Sequence[PairedComparison]) -> list[Verdict]:
    """The answers for several examples, with Holm's correction for being different."""
    if not comparisons:
        return []
    p_values = [c.different_p for c in comparisons]
    adjusted = multipletests(p_values, alpha=ALPHA, method="holm")[1]
    return [
        _judge(c, float(p), len(comparisons)) for c, p in zip(comparisons, adjusted, strict=True)
    ]


def _judge(comparison: PairedComparison, adjusted: float, examples: int) -> Verdict:
    seeds, margin = len(comparison.gaps), comparison.margin
    if seeds < FEWEST or comparison.interval is None:
        return Verdict("undecided", False, adjusted, f"undecided: fewer than {FEWEST} seeds")
    equal, significant = comparison.equal_p <= ALPHA, adjusted <= ALPHA
    if equal and significant:
        words = f"different, but within the margin of {margin:g}"
        return Verdict("equal", True, adjusted, words)
    if equal:
        return Verdict("equal", False, adjusted, f"equal within the margin of {margin:g}")
    if significant:
        low, high = comparison.interval.low, comparison.interval.high
        beyond = low >= margin or high <= -margin
        words = f"different, {'by more than' if beyond else 'whether by more than'} {margin:g}"
        return Verdict("different", True, adjusted, words + ("" if beyond else " is open"))
    needed = seeds_needed(comparison, examples)
    more = f"not even {MOST:,} seeds would"
    if needed:
        more = f"{needed:,} seeds in all would probably decide"
    return Verdict("undecided", False, adjusted, f"undecided: {more}", needed)


def seeds_needed(
    comparison: PairedComparison, examples: int = 1, power: float = POWER
) -> int | None:
    """Seeds in all with which an undecided question is decided with this probability.

    Assumes that the gaps are normal and that their mean and spread are those seen so far; the
    spread of few seeds is itself uncertain, so the number is a rough one.

    Args:
        comparison: of the seeds so far.
        examples: over which the t-test is corrected; its p-value has to pass Holm's first step.
        power: the probability.

    Returns:
        The smaller of the numbers that TOST and the paired t-test need; None above `MOST`.
    """
    spread = comparison.spread
    if spread == 0.0:
        return None
    mean, alpha = float(np.mean(comparison.gaps)), ALPHA / comparison.looks

    def probability(seeds: int) -> float:
        equal = tost_power(mean, spread, comparison.margin, seeds, alpha)
        return max(equal, float(TTestPower().power(mean / spread, seeds, alpha / examples)))

    low, high = len(comparison.gaps), len(comparison.gaps) + 1
    while probability(high) < power:
        if high >= MOST:
            return None
        low, high = high, min(2 * high, MOST)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if probability(middle) >= power else (middle, high)
    return high


def tost_power(
    mean: float, spread: float, margin: float, seeds: int, alpha: float = ALPHA
) -> float:
    """Probability that TOST holds, from the power of its two one-sided tests (noncentral t).

    That both hold has at least the probability 1 - (1 - p₁) - (1 - p₂).
    """
    if abs(mean) >= margin:
        return 0.0
    lower, upper = (
        float(TTestPower().power(distance / spread, seeds, alpha, alternative="larger"))
        for distance in (margin + mean, margin - mean)
    )
    return max(0.0, lower + upper - 1.0)


def mcnemar(left: NDArray[Any], right: NDArray[Any], labels: NDArray[Any]) -> McNemar:
    """Compare the predicted classes of two single runs."""
    one, other = left == labels, right == labels
    only_left, only_right = int((one & ~other).sum()), int((~one & other).sum())
    if only_left + only_right == 0:
        return McNemar(0, 0, 1.0, True)
    both, neither = int((one & other).sum()), int((~one & ~other).sum())
    exact = only_left + only_right < 25  # below, χ² is a poor approximation
    found = mcnemar_test([[both, only_left], [only_right, neither]], exact=exact)
    return McNemar(only_left, only_right, float(found.pvalue), exact)


def churn(left: Sequence[NDArray[Any]], right: Sequence[NDArray[Any]]) -> Churn:
    """How far runs disagree within each side and across; runs of one seed at the same place."""
    one, other = np.atleast_2d(np.array(left)), np.atleast_2d(np.array(right))
    if not len(left) or not len(right):
        return Churn(_within(one), _within(other), None, None)
    table = distance.cdist(one, other, "hamming")
    same: NDArray[np.bool_] = np.eye(*table.shape) > 0
    return Churn(_within(one), _within(other), _mean(table[~same]), _mean(table[same]))


def _within(runs: NDArray[Any]) -> float | None:
    return _mean(distance.pdist(runs, "hamming")) if len(runs) > 1 else None


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if values.size else None


def class_gaps(
    left: Sequence[Sequence[float]],
    right: Sequence[Sequence[float]],
    samples: Mapping[int, int],
    margin: float = MARGIN,
) -> dict[int, PairedComparison]:
    """A comparison for each class that has test samples.

    Args:
        left, right: run by run, share of each class's samples that are right.
        samples: class → how many test samples it has.
        margin: in points.
    """
    one, other = 100 * np.array(left, np.float64), 100 * np.array(right, np.float64)
    return {
        c: compare(one[:, c], other[:, c], margin, resolution=100 / count)
        for c, count in samples.items()
    }
