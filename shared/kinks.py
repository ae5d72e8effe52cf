"""Where a first batch lies on another side of a kink in float32 than in float64."""

from __future__ import annotations

import itertools

import numpy as np

from shared.noise import Array
from shared.recording import Runs


def flipped(runs: Runs) -> int:
    """How many activations of the first batch lie on another side of a kink in float32.

    Counted where an output is exactly 0 in one precision and not in the other, as behind ReLU,
    and where the largest of a window of ``(batch, h, w, channel)`` is another element and another
    layer's output is just the largest of every window: max pooling.
    """
    if runs.float32 is None or runs.float64 is None:
        return 0
    keys = [k for k in runs.float64.keys() if k.startswith("activations/step0/")]  # noqa: SIM118
    both = [(runs.float32[k], runs.float64[k]) for k in keys if k in runs.float32]
    flips = sum(int(np.sum((a == 0) != (b == 0))) for a, b in both if a.shape == b.shape)
    images = [(a, b) for a, b in both if a.shape == b.shape and b.ndim == 4]
    for (a, b), (_, pooled) in itertools.permutations(images, 2):
        if pooled.shape[1] < b.shape[1] and pooled.shape[::3] == b.shape[::3]:
            size = b.shape[1] // pooled.shape[1]
            one, other = _windows(a, size), _windows(b, size)
            if np.array_equal(other.max(axis=-1), pooled):
                flips += int(np.sum(one.argmax(axis=-1) != other.argmax(axis=-1)))
    return flips


def _windows(images: Array, size: int) -> Array:
    """``(batch, h, w, channel, size²)``: each window's elements; what is left over is dropped."""
    n, h, w, c = images.shape
    rows, columns = h // size, w // size
    cut = images[:, : rows * size, : columns * size]
    apart = cut.reshape(n, rows, size, columns, size, c).transpose(0, 1, 3, 5, 2, 4)
    return apart.reshape(n, rows, columns, c, -1)
