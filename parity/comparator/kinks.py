"""Where a first batch lies on another side of a kink in float32 than in float64."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from parity.comparator.noise import Array
from parity.core import blockwise
from parity.recording.recording_file import Runs


def count_flips(runs: Runs) -> int:
    """How many activations of the first batch lie on another side of a kink in float32.

    Counted where an output is exactly 0 in one precision and not in the other, as behind ReLU,
    and where the largest of a window of ``(batch, h, w, channel)`` is another element and another
    layer's output is just the largest of every window: max pooling.

    Only the first batch's activations are recorded. A flip at any step makes a training depart;
    these say how common flips are in it.
    """
    if runs.float32 is None or runs.float64 is None:
        return 0
    keys = [k for k in runs.float64.keys() if k.startswith("activations/step0/")]  # noqa: SIM118
    both = [(runs.float32[k], runs.float64[k]) for k in keys if k in runs.float32]
    flips = sum(_flips(a, b) for a, b in both if a.shape == b.shape)
    images = [(a, b) for a, b in both if a.shape == b.shape and b.ndim == 4]
    # Which layer is a pooling no recording says. That every element of one output is the largest
    # of its window in another does not happen by chance.
    for (a, b), (_, pooled) in itertools.permutations(images, 2):
        if pooled.shape[1] < b.shape[1] and pooled.shape[::3] == b.shape[::3]:
            size = b.shape[1] // pooled.shape[1]
            if all(
                np.array_equal(_windows(b[some], size).max(axis=-1), pooled[some])
                for some in _samples(b, pooled)
            ):
                flips += sum(
                    int(
                        np.sum(
                            _windows(a[some], size).argmax(axis=-1)
                            != _windows(b[some], size).argmax(axis=-1)
                        )
                    )
                    for some in _samples(b, a)
                )
    return flips


def _flips(a: Array, b: Array) -> int:
    return sum(blockwise.over((a, b), lambda part: int(np.sum((part[0] == 0) != (part[1] == 0)))))


def _samples(images: Array, other: Array) -> Iterator[slice]:
    """A few samples of a batch at a time; there is at least one slice."""
    count = max(1, blockwise.BLOCK * len(images) // max(images.size, 1))
    for first in range(0, max(len(images), 1), count):
        yield slice(first, first + count)
        blockwise.give_back((images, other), count * (images.size // max(len(images), 1)))


def _windows(images: Array, size: int) -> Array:
    """``(batch, h, w, channel, size²)``: each window's elements; what is left over is dropped."""
    n, h, w, c = images.shape
    rows, columns = h // size, w // size
    cut = images[:, : rows * size, : columns * size]
    apart = cut.reshape(n, rows, size, columns, size, c).transpose(0, 1, 3, 5, 2, 4)
    return apart.reshape(n, rows, columns, c, -1)
