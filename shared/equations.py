"""Which optimizer took this step? Told from the numbers alone: gradient in, change of weight out.

The equations are written once more, in NumPy float64, as a witness that belongs to neither side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_MOST = 1e-3
"""A change that is all rounding fits everything and says nothing."""
_F1, _F2 = float(np.float32(0.9)), float(np.float32(0.999))


@dataclass(frozen=True)
class Step:
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


def recognise(before: Array, after: Array, gradient: Array) -> Step | None:
    """The one equation that took `before` to `after`; None if it is none known, or several.

    Args:
        before: weights, float64, any shape.
        after: weights one step later.
        gradient: of the loss for these weights.
    """
    change = (after - before).astype(np.float64)
    largest = float(np.max(np.abs(change), initial=0.0))
    if largest == 0:
        return None
    # The change is a small difference of larger numbers: its own rounding is theirs.
    resolution = 2.0**-52 * float(np.max(np.abs(before), initial=0.0)) / largest + 2.0**-50
    enough = min(64 * resolution, _MOST)
    fits = [_fit(name, direction, change, largest) for name, direction in _candidates(gradient)]
    fitting = [step for step in fits if step.error <= enough]
    # Of one weight, or of gradients all of one size, several equations make the same step.
    return fitting[0] if len(fitting) == 1 else None


def _fit(name: str, direction: Array, change: Array, largest: float) -> Step:
    power = float(np.vdot(direction, direction))
    rate = float(np.vdot(direction, change)) / power if power else 0.0
    error = float(np.max(np.abs(change - rate * direction))) / largest
    return Step(name, rate, error)
