"""The order in which a training sees its samples. Drawn in NumPy, so that both sides share it."""

import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import UsageError


def steps_per_epoch(samples: int, batch_size: int, drop_last: bool = False) -> int:
    """Return the number of batches in one epoch.

    Args:
        samples: Size of the training set.
        batch_size: Samples in a batch.
        drop_last: Leave out the last batch if it is short.

    Raises:
        UsageError: A number is below 1, or `drop_last` would leave no batch at all.
    """
    _at_least(1, samples=samples, batch_size=batch_size)
    if not drop_last:
        return -(-samples // batch_size)
    if samples < batch_size:
        raise UsageError(
            f"batches: {samples} samples make no whole batch of {batch_size}, "
            f"and drop_last leaves out the short one; expected batch_size <= {samples}"
        )
    return samples // batch_size


def batch_indices(
    samples: int,
    batch_size: int,
    epochs: int,
    seed: int,
    *,
    drop_last: bool = False,
    shuffle: bool = True,
) -> Iterator[NDArray[np.int64]]:
    """Yield the sample indices of every batch, epoch after epoch.

    Each epoch is a permutation of its own, drawn from (seed, epoch) alone: the order of epoch 7
    does not depend on how many epochs are asked for.

    Args:
        samples: Size of the training set.
        batch_size: Samples in a batch.
        epochs: Number of passes; 0 yields nothing.
        seed: Seed of the whole order.
        drop_last: Leave out the last batch of an epoch if it is short.
        shuffle: False keeps the order of the set in every epoch.

    Yields:
        Indices, int64, shape (batch_size,); the last of an epoch may be shorter.

    Raises:
        UsageError: As in `steps_per_epoch`, or epochs or seed are below 0. Raised by the call,
            not by the first batch.
    """
    steps = steps_per_epoch(samples, batch_size, drop_last)
    _at_least(0, epochs=epochs, seed=seed)

    def batches() -> Iterator[NDArray[np.int64]]:
        for epoch in range(epochs):
            order = _epoch_order(samples, seed, epoch) if shuffle else np.arange(samples)
            for step in range(steps):
                yield order[step * batch_size : (step + 1) * batch_size]

    return batches()


def held_out(
    samples: int, validation: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split a training set in two that share no sample.

    Args:
        samples: Size of the training set.
        validation: How many of them are held out.
        seed: Seed of the choice.

    Returns:
        Indices of the samples to train on and of those held out, int64, each in rising order.

    Raises:
        UsageError: `validation` is below 0 or leaves nothing to train on.
    """
    _at_least(0, validation=validation)
    if validation >= samples:
        raise UsageError(
            f"batches: {validation} of {samples} samples held out leave none to train on; "
            f"expected fewer than {samples}"
        )
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, 0, validation])))
    order = generator.permutation(samples) if validation else np.arange(samples)
    return np.sort(order[validation:]), np.sort(order[:validation])


def dropout_mask(
    name: str, shape: Sequence[int], rate: float, *, seed: int, step: int
) -> NDArray[np.float32]:
    """Draw what dropout multiplies by: 0 with probability `rate`, else 1 / (1 - rate).

    Every step has a stream of its own, so masks do not depend on how many steps there are.

    Args:
        name: Of the mask; another name has another stream.
        shape: Of the mask, batch first.
        rate: Share of zeros, 0 or more and below 1.
        seed: Seed of the training.
        step: Number of the step, from 1.

    Raises:
        UsageError: `rate` is not in that range.
    """
    if not 0 <= rate < 1:
        raise UsageError(f"batches: the rate of '{name}' is {rate}, expected 0 or more, below 1")
    stream = np.random.SeedSequence([seed, zlib.crc32(name.encode()), 2, step])
    kept = np.random.Generator(np.random.PCG64(stream)).random(tuple(shape)) >= rate
    return np.where(kept, np.float32(1 / (1 - rate)), np.float32(0))


def _epoch_order(samples: int, seed: int, epoch: int) -> NDArray[np.int64]:
    # The bit generator is named, not default_rng's: NumPy may change what that stands for.
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, epoch])))
    return generator.permutation(samples)


def _at_least(least: int, **numbers: int) -> None:
    for name, number in numbers.items():
        if number < least:
            raise UsageError(f"batches: {name} is {number}, expected {least} or more")
