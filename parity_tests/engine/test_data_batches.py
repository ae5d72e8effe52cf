"""`parity.training.batch_order`: every epoch is a permutation, and the same one every time."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.core.errors import UsageError
from parity.training.batch_order import batch_indices, dropout_mask, held_out, steps_per_epoch

SAMPLES, BATCH, EPOCHS = st.integers(1, 200), st.integers(1, 70), st.integers(0, 4)
SEEDS = st.integers(0, 2**64)
KNOWN_HELD = [2, 3, 5, 8]


def epochs_of(batches: list[np.ndarray], steps: int) -> list[np.ndarray]:
    return [np.concatenate(batches[i : i + steps]) for i in range(0, len(batches), steps)]


@hypothesis.given(SAMPLES, BATCH, EPOCHS, SEEDS)
def test_each_epoch_is_a_permutation(samples: int, batch: int, epochs: int, seed: int) -> None:
    batches = list(batch_indices(samples, batch, epochs, seed))
    steps = steps_per_epoch(samples, batch)
    assert len(batches) == steps * epochs
    assert all(b.dtype == np.int64 for b in batches)
    sizes = [batch] * (samples // batch) + ([samples % batch] if samples % batch else [])
    assert [len(b) for b in batches] == sizes * epochs
    for epoch in epochs_of(batches, steps):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(samples))


@hypothesis.given(SAMPLES, BATCH, EPOCHS, SEEDS)
def test_same_order_every_time(samples: int, batch: int, epochs: int, seed: int) -> None:
    once = list(batch_indices(samples, batch, epochs, seed))
    again = list(batch_indices(samples, batch, epochs, seed))
    longer = list(batch_indices(samples, batch, epochs + 1, seed))[: len(once)]
    for a, b, c in zip(once, again, longer, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


@hypothesis.given(st.integers(2, 200), BATCH, EPOCHS, SEEDS)
def test_drop_last_leaves_out_the_short_batch(
    samples: int, batch: int, epochs: int, seed: int
) -> None:
    hypothesis.assume(samples >= batch)
    kept = list(batch_indices(samples, batch, epochs, seed, drop_last=True))
    every = [b for b in batch_indices(samples, batch, epochs, seed) if len(b) == batch]
    assert len(kept) == epochs * steps_per_epoch(samples, batch, drop_last=True)
    for a, b in zip(kept, every, strict=True):
        np.testing.assert_array_equal(a, b)


def test_epochs_and_seeds_differ() -> None:
    first, second, third = batch_indices(500, 500, 3, seed=7)
    (other,) = batch_indices(500, 500, 1, seed=8)
    orders = {order.tobytes() for order in (first, second, third, other)}
    assert len(orders) == 4
    assert np.arange(500).tobytes() not in orders


def test_an_epoch_can_be_drawn_alone() -> None:
    sequence = np.random.SeedSequence([7, 2])
    alone = np.random.Generator(np.random.PCG64(sequence)).permutation(50)
    np.testing.assert_array_equal(list(batch_indices(50, 50, 3, seed=7))[2], alone)


def test_known_order() -> None:
    """Recordings made elsewhere are compared with ours: the order must never change."""
    batches = [batch.tolist() for batch in batch_indices(7, 3, 2, seed=0)]
    assert batches == [[2, 4, 3], [6, 5, 0], [1], [1, 3, 6], [0, 4, 2], [5]]


def test_without_shuffling() -> None:
    batches = [batch.tolist() for batch in batch_indices(5, 2, 2, seed=0, shuffle=False)]
    assert batches == [[0, 1], [2, 3], [4]] * 2


def test_batches_do_not_share_memory() -> None:
    first, second = batch_indices(4, 4, 2, seed=0, shuffle=False)
    first[:] = -1
    assert second.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3, 2, 5), "samples is 0, expected 1 or more"),
        ((9, 0, 2, 5), "batch_size is 0, expected 1 or more"),
        ((9, 3, -1, 5), "epochs is -1, expected 0 or more"),
        ((9, 3, 2, -5), "seed is -5, expected 0 or more"),
    ],
)
def test_bad_arguments(arguments: tuple[int, int, int, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        batch_indices(*arguments)  # by the call, before any batch is asked for


def test_drop_last_that_leaves_nothing() -> None:
    with pytest.raises(UsageError, match=r"9 samples make no whole batch of 10.*batch_size <= 9"):
        batch_indices(9, 10, 2, 5, drop_last=True)


@pytest.mark.parametrize(
    ("samples", "batch", "drop_last", "steps"),
    [(60_000, 32, False, 1875), (70, 32, False, 3), (70, 32, True, 2), (64, 32, False, 2)],
)
def test_steps_per_epoch(samples: int, batch: int, drop_last: bool, steps: int) -> None:
    assert steps_per_epoch(samples, batch, drop_last) == steps


# --- Held-out samples -----------------------------------------------------------------------------


@hypothesis.given(SAMPLES, st.data(), SEEDS)
def test_held_out_samples_and_the_others_are_all_samples_once(
    samples: int, data: st.DataObject, seed: int
) -> None:
    validation = data.draw(st.integers(0, samples - 1))
    kept, held = held_out(samples, validation, seed)
    assert (len(kept), len(held)) == (samples - validation, validation)
    assert not set(kept.tolist()) & set(held.tolist())
    np.testing.assert_array_equal(np.sort(np.concatenate([kept, held])), np.arange(samples))
    np.testing.assert_array_equal(kept, np.sort(kept))
    np.testing.assert_array_equal(held, np.sort(held))
    for once, again in zip((kept, held), held_out(samples, validation, seed), strict=True):
        assert once.dtype == np.int64
        np.testing.assert_array_equal(once, again)


def test_known_samples_are_held_out() -> None:
    """Recordings made elsewhere are compared with ours: the choice must never change."""
    assert held_out(10, 4, seed=0)[1].tolist() == KNOWN_HELD
    assert held_out(10, 4, seed=1)[1].tolist() != KNOWN_HELD
    assert held_out(10, 0, seed=0)[0].tolist() == list(range(10))


def test_5000_of_60000_are_held_out_from_all_over() -> None:
    kept, held = held_out(60_000, 5_000, seed=20)
    assert (len(kept), len(held)) == (55_000, 5_000)
    assert len(np.intersect1d(kept, held)) == 0
    assert len(np.union1d(kept, held)) == 60_000
    assert all(
        400 < len(part) < 600
        for part in np.split(held, np.searchsorted(held, np.arange(6_000, 60_000, 6_000)))
    )


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (-1, "validation is -1, expected 0 or more"),
        (9, r"9 of 9 samples held out leave none to train on; expected fewer than 9"),
        (10, "10 of 9 samples held out"),
    ],
)
def test_bad_splits(validation: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        held_out(9, validation, seed=0)


# --- Masks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_masks_are_zeros_and_scaled_ones(rate: float) -> None:
    mask = dropout_mask("dropout", (50, 80), rate, seed=3, step=7)
    assert mask.dtype == np.float32
    assert set(np.unique(mask)) <= {np.float32(0), np.float32(1 / (1 - rate))}
    assert abs(np.mean(mask == 0) - rate) < 0.03
    assert abs(np.mean(mask) - 1) < 0.15


def test_masks_depend_on_name_seed_and_step_alone() -> None:
    def drawn(name: str = "a", seed: int = 1, step: int = 1) -> bytes:
        return dropout_mask(name, (4, 16), 0.5, seed=seed, step=step).tobytes()

    assert drawn() == drawn()
    assert len({drawn(), drawn("b"), drawn(seed=2), drawn(step=2)}) == 4


@pytest.mark.parametrize("rate", [-0.1, 1.0])
def test_bad_rates(rate: float) -> None:
    with pytest.raises(UsageError, match=r"the rate of 'a' is .*expected 0 or more, below 1"):
        dropout_mask("a", (2, 2), rate, seed=0, step=1)
