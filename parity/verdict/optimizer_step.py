"""Which optimizer took this step? Told from the numbers alone: gradient in, change of weight out.

The equations are written once more, in NumPy float64, as a witness that belongs to neither side.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core import blockwise

Array = NDArray[Any]
_PART = 1 << 20
"""Elements looked at together."""
_MOST = 1e-3
"""A change that is all rounding fits everything and says nothing."""
_F1, _F2 = float(np.float32(0.9)), float(np.float32(0.999))


@dataclass(frozen=True)
class OptimizerStep:
    """An equation that reproduces a first step.

    Attributes:
        name: in words, ``Adam, ε = 1e-08 after the bias correction``.
        learning_rate: the rate that fits.
        error: what the equation misses, relative to the largest change.
    """

    name: str
    learning_rate: float
    error: float


def _candidates(g: Array) -> list[tuple[str, Array]]:
    """Name and direction of the first step, at learning rate 1.

    Source: `torch.optim.adam._single_tensor_adam`; `keras.optimizers.Adam.update_step`.
    """
    size = np.abs(g)
    correction = np.sqrt(1 - _F2) / (1 - _F1)
    # Without epsilon the first step of Adam is a sign; where the gradient is 0 it must stay 0.
    return [
        ("SGD", -g),
        *(
            (f"Adam, ε = {e:g} after the bias correction (PyTorch's equation)", -g / (size + e))
            for e in (1e-8, 1e-7)
        ),
        *(
            (
                f"Adam, ε = {e:g} before the bias correction (Keras' equation)",
                -correction * 0.1 * g / (np.sqrt(0.001) * size + e),
            )
            for e in (1e-7, 1e-8)
        ),
    ]


def recognise_step(before: Array, after: Array, gradient: Array) -> OptimizerStep | None:
    """The one equation that took `before` to `after`; None if it is none known, or several.

    Args:
        before: weights, any shape; computed with in float64.
        after: weights one step later.
        gradient: of the loss for these weights.
    """
    largest = max(float(np.max(np.abs(c), initial=0.0)) for _, c in _parts(before, after, gradient))
    if largest == 0:
        return None
    # The change is a small difference of larger numbers: its own rounding is theirs.
    resolution = 2.0**-52 * blockwise.largest(before) / largest + 2.0**-50
    enough = min(64 * resolution, _MOST)
    fits = _fits(before, after, gradient, largest)
    fitting = [step for step in fits if step.error <= enough]
    # Of one weight, or of gradients all of one size, several equations make the same step.
    return fitting[0] if len(fitting) == 1 else None


def _parts(before: Array, after: Array, gradient: Array) -> Iterator[tuple[Array, Array]]:
    """(gradient, change of weight), a part of a large parameter at a time."""
    flat = [a.reshape(-1) for a in (before, after, gradient)]
    for at in range(0, max(before.size, 1), _PART):
        b, a, g = (x[at : at + _PART].astype(np.float64) for x in flat)
        blockwise.give_back((before, after, gradient), before.size)
        yield g, a - b


def _fits(before: Array, after: Array, gradient: Array, largest: float) -> list[OptimizerStep]:
    """Every equation with the rate that fits best, and what it then misses."""
    sums: dict[str, tuple[float, float]] = {}
    for g, change in _parts(before, after, gradient):
        for name, direction in _candidates(g):
            power, along = sums.get(name, (0.0, 0.0))
            sums[name] = (
                power + float(np.vdot(direction, direction)),
                along + float(np.vdot(direction, change)),
            )
    rates = {name: along / power if power else 0.0 for name, (power, along) in sums.items()}
    missed = dict.fromkeys(rates, 0.0)
    for g, change in _parts(before, after, gradient):
        for name, direction in _candidates(g):
            off = float(np.max(np.abs(change - rates[name] * direction), initial=0.0))
            missed[name] = max(missed[name], off)
    return [OptimizerStep(name, rate, missed[name] / largest) for name, rate in rates.items()]
