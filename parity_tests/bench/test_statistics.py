"""Medians, intervals and ratios; what counts as warm-up; the order of the processes."""

import numpy as np
import pytest

from parity.bench import statistics
from parity.bench.job import BenchJob, steady
from parity.bench.plan import Kind, interleaved
from parity_tests.bench.synthetic import job

WAYS = ("tutorial", "idiomatic", "fast", "limit")
KINDS = [Kind(side, job(way)) for way in WAYS for side in ("torch", "keras")]


def test_the_median_lies_in_its_interval():
    found = statistics.median([1.0, 2.0, 3.0, 4.0, 100.0])
    assert found.median == 3.0
    assert 1.0 <= found.low < 3.0 < found.high <= 100.0


def test_the_interval_covers_as_often_as_it_says():
    """Of samples of nine from a known distribution, about 95 % of the intervals hold its median."""
    random = np.random.default_rng(1)
    draws = random.exponential(size=(150, 9))
    found = [statistics.median(list(draw)) for draw in draws]
    share = np.mean([f.low <= np.log(2) <= f.high for f in found])
    assert 0.88 <= share <= 1.0


def test_more_runs_make_a_narrower_interval():
    random = np.random.default_rng(2)
    few, many = (statistics.median(list(random.normal(10, 1, n))) for n in (5, 80))
    assert many.high - many.low < 0.6 * (few.high - few.low)


def test_the_same_runs_give_the_same_interval():
    values = [3.0, 1.0, 2.0, 5.0]
    assert statistics.median(values) == statistics.median(values)


def test_runs_of_one_round_stay_together():
    """A machine that slows down to a tenth moves both, and not their ratio."""
    slow = [1.0, 2.0, 4.0, 8.0, 10.0]
    found = statistics.ratio([2 * s for s in slow], slow)
    assert (found.low, found.median, found.high) == (2.0, 2.0, 2.0)
    mixed = statistics.ratio([2 * s for s in slow], [slow[i] for i in (3, 0, 4, 1, 2)])
    assert mixed.high - mixed.low > 1.0


def test_equal_things_are_not_told_apart():
    random = np.random.default_rng(3)
    one, other = random.normal(1, 0.1, 7), random.normal(1, 0.1, 7)
    assert not statistics.ratio(list(one), list(other)).significant
    assert statistics.ratio(list(3 * one), list(other)).significant


def test_few_runs_tell_nothing_apart():
    four = statistics.ratio([3.0, 3.1, 3.2, 3.3], [1.0, 1.0, 1.0, 1.0])
    assert four.low > 1
    assert not four.significant
    assert statistics.ratio([3.0, 3.1, 3.2, 3.3, 3.4], [1.0] * 5).significant


def test_every_round_has_every_kind_and_turns_the_order_around():
    turns = interleaved(KINDS, 4)
    rounds = [[t.kind for t in turns if t.round == r] for r in range(4)]
    assert [t.round for t in turns] == sorted(t.round for t in turns)
    assert rounds[0] == KINDS
    assert rounds[1] == KINDS[::-1]
    assert rounds[2:] == rounds[:2]


@pytest.mark.parametrize("runs", [2, 4, 6])
def test_a_drift_cancels(runs):
    """What grows with time adds as much to every kind."""
    turns = interleaved(KINDS, runs)
    places = {kind: [at for at, t in enumerate(turns) if t.kind == kind] for kind in KINDS}
    assert len({sum(at) for at in places.values()}) == 1


def test_the_first_epoch_warms_up():
    marks = [(0.0, 0), (5.0, 1), (6.0, 2), (7.0, 3), (8.0, 4), (9.5, 5), (10.0, 6)]
    epochs, steps = steady(marks, steps=2)
    assert epochs == [2.0, 2.0]
    assert steps == [1.0, 1.0, 1.5, 0.5]


def test_a_way_that_tells_only_of_epochs_has_the_mean_step():
    epochs, steps = steady([(0.0, 0), (9.0, 10), (12.0, 20)], steps=10)
    assert epochs == [3.0]
    assert steps == [pytest.approx(0.3)] * 10


def test_a_single_slow_step_behind_many_is_no_typical_step():
    marks = [(0.0, 0), (1.0, 11), (2.0, 21), (5.0, 22)]
    _, steps = steady(marks, steps=11)
    assert np.median(steps) == pytest.approx(0.1)


def test_a_job_survives_its_way_to_the_process():
    asked = job("limit", batch_size=8)
    assert BenchJob.from_json(asked.to_json()) == asked
