"""The statistics against published numbers, against SciPy's own words, and by simulation."""

import dataclasses
import gc

import numpy as np
import pytest
from scipy import stats

from parity.core import statistics
from parity.core.statistics import compare, judge_equivalence

# Student's sleep data (1908), hours gained by ten patients with two drugs: t = -4.0621, df = 9,
# p = 0.002833, 95 % interval -2.4598858 … -0.7001142 (R's documentation of t.test).
FIRST = (0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0)
SECOND = (1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4)


def made(random, mean, spread, seeds=12):
    base = 85 + 0.5 * random.standard_normal(seeds)
    return base + mean + spread * random.standard_normal(seeds), base


def gaps_of(mean, spread, looks=1):
    """Eight gaps with just this mean and spread."""
    raw = np.array([-1.0, 1.0] * 4)
    return compare(mean + spread * raw / np.std(raw, ddof=1), np.zeros(8), looks=looks)


def holds(left, right, margin=0.5):
    """TOST alone: the bootstrap of `compare` is slow, and decides nothing."""
    return statistics.ttost_paired(left, right, -margin, margin)[0] <= 0.05


def test_the_sleep_data():
    found = compare(FIRST, SECOND, 0.5)
    assert found.different_p == pytest.approx(0.002833, abs=5e-7)
    assert found.mean == pytest.approx(-1.58)
    twice = compare(FIRST, SECOND, 0.5, looks=2)  # 1 - 2 · 5 % / 2 is 95 %
    assert (twice.interval.low, twice.interval.high) == pytest.approx((-2.4598858, -0.7001142))
    assert twice.different_p == pytest.approx(2 * found.different_p)
    assert twice.equal_p == pytest.approx(min(1.0, 2 * found.equal_p))


@pytest.mark.parametrize("margin", [0.5, 1.0, 2.0, 2.2, 2.3, 2.4])
def test_tost_is_two_one_sided_tests_and_the_interval_says_the_same(margin):
    found = compare(FIRST, SECOND, margin)
    sides = [
        stats.ttest_1samp(found.gaps, -margin, alternative="greater").pvalue,
        stats.ttest_1samp(found.gaps, margin, alternative="less").pvalue,
    ]
    assert found.equal_p == pytest.approx(max(sides))
    within = -margin < found.interval.low and found.interval.high < margin
    assert (found.equal_p <= 0.05) == within


def test_the_bootstrap_is_near_t_and_repeatable():
    gaps = np.random.default_rng(1).standard_normal(200)
    found = statistics.bootstrap(gaps)
    exact = compare(gaps, np.zeros(200)).interval
    assert found == statistics.bootstrap(gaps)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=0.02)


@pytest.mark.parametrize(
    ("mean", "spread", "answer", "words"),
    [
        (0.0, 0.1, "equal", "equal within the margin of 0.5"),
        (0.2, 0.05, "equal", "different, but within the margin of 0.5"),
        (2.0, 0.1, "different", "different, by more than 0.5"),
        (-2.0, 0.1, "different", "different, by more than 0.5"),
        (0.6, 0.3, "different", "different, whether by more than 0.5 is open"),
    ],
)
def test_answers(mean, spread, answer, words):
    (found,) = judge_equivalence([gaps_of(mean, spread)])
    assert (found.answer, found.words) == (answer, words)
    assert found.significant == words.startswith("different")


def test_no_difference_seen_is_not_equal():
    """What this suite never says: p > 0.05, so equal."""
    found = gaps_of(0.1, 1.5)
    assert found.different_p > 0.05
    (open_,) = judge_equivalence([found])
    assert open_.answer == "undecided"
    assert f"{open_.needed} seeds in all would probably decide" in open_.words


def test_few_seeds_and_none():
    for seeds in range(3):
        found = compare([80.0] * seeds, [80.0] * seeds)
        assert judge_equivalence([found])[0].words == "undecided: fewer than 3 seeds"
    assert compare([], []).mean is None
    assert judge_equivalence([]) == []


@pytest.mark.parametrize(("gap", "answer"), [(0.0, "equal"), (0.3, "equal"), (0.7, "different")])
def test_gaps_without_spread(gap, answer):
    # 0.1 is no binary fraction: the gaps differ in their last bits.
    found = compare(np.array([80.1, 80.2, 80.7]) + gap, [80.1, 80.2, 80.7])
    assert judge_equivalence([found])[0].answer == answer
    # 2.92, the 95 % quantile of t with two degrees of freedom, times 0.01 / √12 / √3.
    assert found.interval.high - gap == pytest.approx(gap - found.interval.low)
    assert found.interval.high - gap == pytest.approx(2.91999 * 0.01 / 6, rel=1e-5)


def test_equal_gaps_of_few_samples_can_be_chance():
    """Three seeds that are one sample apart: of ten examples one in four has such by chance."""
    found = compare([80.2] * 3, [80.1] * 3, resolution=0.1)
    nothing = compare([80.1, 80.3, 80.0], [80.2, 80.1, 80.1], resolution=0.1)
    assert 0.01 < found.different_p < 0.05
    assert not any(v.significant for v in judge_equivalence([found] + 9 * [nothing]))


def test_a_spread_above_rounding_is_what_it_is():
    gaps = np.array([-0.1, 0.0, 0.1, 0.1])
    found = compare(80 + gaps, [80.0] * 4, resolution=0.1)
    assert found.different_p == pytest.approx(stats.ttest_1samp(gaps, 0).pvalue)


def test_holm_over_examples():
    # 0.01 · 4, then 0.02 · 3, and none is smaller than the one before: Holm (1979).
    some = [dataclasses.replace(gaps_of(0.1, 1.5), different_p=p) for p in (0.01, 0.02, 0.03, 0.4)]
    assert [v.adjusted_p for v in judge_equivalence(some)] == pytest.approx([0.04, 0.06, 0.06, 0.4])
    assert [v.significant for v in judge_equivalence(some)] == [True, False, False, False]
    assert judge_equivalence([some[1]])[0].significant


@pytest.mark.parametrize("at", [0.5, -0.5])
def test_type_one_error_of_equal(at):
    """Sides that are just the margin apart are called equal one time in twenty."""
    random = np.random.default_rng(5)
    times = 2_000
    called = sum(holds(*made(random, at, 0.3)) for _ in range(times))
    assert stats.binomtest(called, times, 0.05).pvalue > 0.001


def test_type_one_error_of_different(monkeypatch):
    """Of four examples without a difference, one time in twenty some one is called different."""
    monkeypatch.setattr(statistics, "bootstrap", lambda *_: None)
    monkeypatch.setattr(gc, "collect", lambda: 0)  # multipletests does so at every call
    random = np.random.default_rng(6)
    times = 400
    wrong = sum(
        any(
            v.significant
            for v in judge_equivalence([compare(*made(random, 0.0, 0.3)) for _ in range(4)])
        )
        for _ in range(times)
    )
    assert stats.binomtest(wrong, times, 0.05, alternative="greater").pvalue > 0.001
    assert stats.binomtest(wrong, times, 0.03, alternative="less").pvalue > 0.001  # it does bite


def test_three_looks_keep_the_error(monkeypatch):
    """Sides the margin apart: looking three times gives chance no more than one time in twenty."""
    monkeypatch.setattr(statistics, "bootstrap", lambda *_: None)
    random = np.random.default_rng(9)
    times = 500
    called = 0
    for _ in range(times):
        left, right = made(random, 0.5, 0.3)
        looks = (compare(left[:n], right[:n], looks=3) for n in (4, 8, 12))
        called += any(look.equal_p <= 0.05 for look in looks)
    assert stats.binomtest(called, times, 0.05, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize("mean", [0.0, 0.2])
def test_power_is_what_simulation_gives(mean):
    random = np.random.default_rng(7)
    told = statistics.tost_power(mean, 0.5, 0.5, 12)
    found = np.mean([holds(*made(random, mean, 0.5)) for _ in range(2_000)])
    assert told == pytest.approx(found, abs=0.04)
    assert statistics.tost_power(0.6, 0.5, 0.5, 12) == 0.0


def test_seeds_needed_are_the_fewest():
    needed = statistics.seeds_needed(gaps_of(0.05, 0.9))
    powers = [statistics.tost_power(0.05, 0.9, 0.5, n) for n in (needed - 1, needed)]
    assert powers[0] < 0.8 <= powers[1]
    assert needed > statistics.seeds_needed(gaps_of(0.05, 0.7))
    assert statistics.seeds_needed(gaps_of(0.05, 0.9, looks=3)) > needed  # looks have their price
    # Beyond the margin it is the t-test that would decide: 34 for an effect of half a deviation,
    # Cohen (1988), table 2.4.1.
    assert statistics.seeds_needed(gaps_of(1.0, 2.0)) == 34
    assert statistics.seeds_needed(gaps_of(0.4999, 500.0)) is None
    # Of ten examples the smallest p-value has to be below 0.5 %: the same table, with α of 0.005.
    steady = compare([0.1] * 4, [0.0] * 4, 0.1, resolution=0.1)
    assert statistics.seeds_needed(steady, 10) < 10  # by the spread that is believed of it
    assert steady.bootstrap is None
    ten = statistics.seeds_needed(gaps_of(1.0, 2.0), 10)
    power = stats.nct.sf(
        stats.t.isf(0.0025, [ten - 2, ten - 1]), [ten - 2, ten - 1], 0.5 * np.sqrt([ten - 1, ten])
    )
    assert power[0] < 0.8 <= power[1]
    assert (
        f"{ten} seeds" in judge_equivalence([gaps_of(1.0, 2.0)] + 9 * [gaps_of(0.0, 1.0)])[0].words
    )


def test_mcnemar():
    """Above 25 runs that part, χ² with its correction; below, the binomial distribution."""
    labels = np.zeros(1600, int)
    left, right = np.zeros(1600, int), np.zeros(1600, int)
    left[:86], right[86:236] = 1, 1
    found = statistics.mcnemar(left, right, labels)
    assert (found.only_left, found.only_right, found.exact) == (150, 86, False)
    assert found.p == pytest.approx(stats.chi2.sf((150 - 86 - 1) ** 2 / 236, 1))
    left[10:86] = right[86 + 8 : 236] = 0
    few = statistics.mcnemar(left, right, labels)
    assert (few.only_left, few.only_right, few.exact) == (8, 10, True)
    assert few.p == pytest.approx(stats.binomtest(8, 18).pvalue)
    assert statistics.mcnemar(left, left, labels).p == 1.0


def test_churn():
    left = [np.array([0, 1, 2, 3]), np.array([0, 1, 2, 0])]
    right = [np.array([0, 1, 2, 3]), np.array([1, 0, 2, 0])]
    found = statistics.churn(left, right)
    assert (found.left, found.right) == (0.25, 0.75)
    assert found.paired == pytest.approx((0 + 0.5) / 2)
    assert found.across == pytest.approx((0.75 + 0.25) / 2)
    assert statistics.churn([], []) == statistics.Churn(None, None, None, None)


def test_class_gaps():
    left, right = [(0.5, 0.9), (0.7, 0.9), (0.6, 0.9)], [(0.5, 0.8), (0.7, 0.8), (0.6, 0.8)]
    found = statistics.class_gaps(left, right, {0: 10, 1: 10})
    assert found[0].mean == pytest.approx(0)
    assert found[1].mean == pytest.approx(10)
    assert found[1].different_p == pytest.approx(
        statistics.compare([90.0] * 3, [80.0] * 3, resolution=10.0).different_p
    )
    assert statistics.class_gaps(left, right, {1: 10}).keys() == {1}
