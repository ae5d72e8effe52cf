"""What a random number is while two models are compared: the same on both sides, in any layout.

A draw cannot be repeated in the other framework, and an array of draws would lie differently in
channels first and channels last. So every number of a draw is its distribution's upper quartile
where it is centred on zero, so that what it is multiplied with still shows (the deviation of a
variational autoencoder), and its median where it is not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NORMAL = 0.6744897501960817
"""Of a standard normal distribution, half of all draws are nearer to zero."""
UNIFORM = 0.5
EXPONENTIAL = math.log(2.0)

CHANCE = 5.0
"""Standard errors that a share may be off: one of a million measurements is."""
_ZERO, _ALIKE = 1e-6, 1e-4


@dataclass(frozen=True)
class Noise:
    """What a layer does to its input at random.

    Attributes:
        noise: dropout (zeros, and the rest by a factor), gaussian (added), gaussian_dropout
            (multiplied).
        rate: share of zeros; standard deviation of what is added; of what is multiplied the rate
            of the dropout that varies as much.
        factor: that is left of its input on average.
        shared: axes along which one draw serves all.
    """

    noise: str
    rate: float
    factor: float = 1.0
    shared: tuple[int, ...] = ()


def measured(
    inputs: Sequence[NDArray[Any]],
    outputs: Sequence[NDArray[Any]],
    still: NDArray[Any],
    stated: Sequence[float],
) -> Noise | None:
    """Which noise makes of the inputs the outputs; None where it is none that is known here.

    Args:
        inputs: two arrays of one shape without zeros.
        outputs: what the layer makes of them with the same draws.
        still: what it makes of the first with every draw as it is while models are compared.
        stated: numbers that the layer holds; a rate that fits one of them is that one.
    """
    if any(y.shape != x.shape for x, y in zip(inputs, outputs, strict=True)):
        return None
    factors = [y / x for x, y in zip(inputs, outputs, strict=True)]
    if np.allclose(factors[0], factors[1], rtol=_ALIKE, atol=_ZERO):
        return _multiplied(factors[0], still / inputs[0], stated)
    added = [y - x for x, y in zip(inputs, outputs, strict=True)]
    if np.allclose(added[0], added[1], rtol=_ALIKE, atol=_ALIKE) and np.ptp(added[0]) > _ALIKE:
        deviation = float(np.mean(still - inputs[0])) / NORMAL
        return Noise("gaussian", _written(deviation), 1.0, _shared(added[0]))
    return None


def _multiplied(
    factors: NDArray[Any], still: NDArray[Any], stated: Sequence[float]
) -> Noise | None:
    if np.ptp(factors) <= _ALIKE:
        return None
    shared = _shared(factors)
    zeros = np.abs(factors) < _ZERO
    kept = factors[~zeros]
    if not zeros.any() or np.ptp(kept) > _ALIKE * abs(float(np.mean(kept))):
        variance = ((float(np.mean(still)) - 1.0) / NORMAL) ** 2
        return Noise("gaussian_dropout", _written(variance / (1.0 + variance)), 1.0, shared)
    draws = math.prod(n for k, n in enumerate(zeros.shape) if k not in shared)
    share, factor = float(np.mean(zeros)), float(np.mean(kept))
    error = CHANCE * math.sqrt(share * (1.0 - share) / draws)
    if abs((1.0 - share) * factor - 1.0) <= error * factor:  # on average nothing is changed
        return Noise("dropout", _written(1.0 - 1.0 / factor), 1.0, shared)
    near = [x for x in stated if abs(x - share) <= error]
    rate = min(near, key=lambda x: abs(x - share), default=round(share, 2))
    return Noise("dropout", rate, (1.0 - rate) * _written(factor), shared)


def _written(number: float) -> float:
    """A number that went through float32, as it was probably written."""
    return float(f"{number:.5g}")


def _shared(drawn: NDArray[Any]) -> tuple[int, ...]:
    """Axes along which nothing varies."""
    return tuple(
        k
        for k, n in enumerate(drawn.shape)
        if n > 1 and float(np.max(np.ptp(drawn, axis=k))) <= _ALIKE
    )


def probe(shape: Sequence[int], seed: int, *, whole: bool = False) -> NDArray[np.float32]:
    """An input to measure noise with: many samples, small otherwise, no number near zero.

    Args:
        shape: of the layer's input.
        seed: of the numbers.
        whole: keep the shape, for a layer that takes no other.
    """
    size = tuple(shape) if whole else (_SAMPLES, *(min(n, _SIDE) for n in shape[1:]))
    drawn = np.random.default_rng(seed).uniform(0.5, 1.5, (2, *size))
    signed: NDArray[np.float32] = np.where(drawn[1] < 1.0, drawn[0], -drawn[0]).astype(np.float32)
    return signed


_SAMPLES, _SIDE = 2048, 2
"""Of a rate of 0.005 no zero is seen once in 30,000 times."""
