"""Over-fitting and what is done against it: what the recordings show beyond their agreement."""

import numpy as np
import pytest

from parity.training.batch_order import held_out
from shared.examples.regularisation import REGULARISATION as SPEC

SIDES = ("torch", "keras")


@pytest.fixture(scope="module")
def runs(uncut):
    return uncut(SPEC)


def test_5000_of_60000_are_held_out_and_trained_on_by_nobody():
    kept, held = held_out(60_000, SPEC.training.held(SPEC.training.full), SPEC.seed)
    assert (len(kept), len(held)) == (55_000, 5_000)
    assert not set(kept.tolist()) & set(held.tolist())
    assert set(kept.tolist()) | set(held.tolist()) == set(range(60_000))


@pytest.mark.parametrize("way", [way.id for way in SPEC.ways])
def test_the_same_samples_are_held_out_everywhere(runs, way):
    size = SPEC.training.default
    _, held = held_out(size.train, size.validation, SPEC.seed)
    for recording in runs[way].present:
        np.testing.assert_array_equal(recording["inputs/validation"], held)


@pytest.mark.parametrize("side", SIDES)
def test_the_plain_model_overfits_and_dropout_does_less(runs, side):
    def gap(way):
        recording = runs[f"{side}/{way}"].float64
        return recording["metrics/watched_loss"][-1] - recording["loss/curve"][-10:].mean()

    assert gap("plain") > 0.25
    assert gap("dropout") < gap("plain") - 0.1


@pytest.mark.parametrize("side", SIDES)
def test_dropout_is_a_product_with_the_recorded_mask(runs, side):
    for recording in runs[f"{side}/dropout"].present:
        mask, before = recording["inputs/masks/dropout"], recording["activations/step0/relu"]
        assert set(np.unique(mask)) == {0.0, 2.0}
        assert abs(np.mean(mask) - 1) < 0.05
        np.testing.assert_array_equal(recording["activations/step0/dropout"], before * mask)


@pytest.mark.parametrize("side", SIDES)
def test_running_variances_differ_by_n_over_n_minus_1(runs, side):
    batch = SPEC.training.batch_size
    key = "weights/step1/norm/moving_variance"
    biased, unbiased = (runs[f"{side}/{way}"].float64[key] for way in ("biased", "unbiased"))
    np.testing.assert_allclose((unbiased - 0.1) * (batch - 1), (biased - 0.1) * batch, rtol=1e-12)


@pytest.mark.parametrize("side", SIDES)
def test_early_stopping_stops_and_goes_back(runs, side):
    size = SPEC.training.default
    for recording in runs[f"{side}/stopped"].present:
        stopped, best = recording["metrics/stopped_epoch"], recording["metrics/best_epoch"]
        accuracies = recording["metrics/watched_accuracy"]
        assert best < stopped < size.epochs
        assert len(recording["loss/curve"]) == stopped * 10
        assert recording["metrics/validation_accuracy"] == max(accuracies) == accuracies[best - 1]
        assert recording["metrics/validation_loss"] == recording["metrics/watched_loss"][best - 1]
        assert recording["metrics/validation_accuracy"] > accuracies[-1]


def test_both_sides_stop_after_the_same_epoch(runs):
    told = {
        (int(recording["metrics/stopped_epoch"]), int(recording["metrics/best_epoch"]))
        for side in SIDES
        for recording in (*runs[f"{side}/stopped"].present, runs[f"{side}/stopped"].nudged)
    }
    assert len(told) == 1
