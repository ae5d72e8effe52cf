"""Faults that two outputs alone tell, and the tools for it: distances and a solver."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.result.causes import words
from parity.comparator.noise import FEW, U64

Array = NDArray[Any]

FLOOR = 256 * U64
"""The reference rounds in its own order; so much of the scale is never a difference."""


SMALLEST = 1e-6
"""A factor nearer to 1 is nothing that anybody writes."""


@dataclass(frozen=True)
class Guess:
    """A fault and what would come out.

    Attributes:
        kind: a key of `parity.checker.result.causes.KINDS`.
        base, target: what the value would be on the side of each.
        output: what the base yields with this fault.
    """

    kind: str
    base: str
    target: str
    output: Array | None


def apart(a: Array | None, b: Array | None) -> float:
    """‖a − b‖∞; infinite where one is missing, of another shape, or finite where the other is not.

    Equal infinities, as masks have them, and NaN at the same place are no distance.
    """
    if a is None or b is None or a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    a, b = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        away = np.abs(a - b)
    away = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, away)
    return float("inf") if np.any(np.isnan(away)) else float(np.max(away))


def values(out: Array, target: Array) -> Iterator[Guess]:
    """What the two outputs alone tell: a factor, a summand, dropout, or coarse numbers."""
    if out.shape != target.shape or out.size < 2 or target.dtype.kind != "f":
        return
    x, y = out.astype(np.float64).ravel(), target.astype(np.float64).ravel()
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        return
    size = float(np.max(np.abs(y)))
    factor = _tidy(float(x @ y / (x @ x))) if np.any(x) else 1.0
    if abs(factor - 1) > SMALLEST:
        yield Guess("scale", "1", words(factor), out * factor)
    summand = _tidy(float(np.mean(y - x)))
    if abs(summand) > SMALLEST * size:
        yield Guess("offset", "0", words(summand), out + summand)
    centred = x - x.mean()
    if np.ptp(x) > 0 and max(abs(factor - 1) * size, abs(summand)) > SMALLEST * size:
        slope = _tidy(float(centred @ (y - y.mean()) / (centred @ centred)))
        rest = _tidy(float(y.mean() - slope * x.mean()))
        yield Guess("scale", "1", f"{words(slope)}, and {words(rest)} added", out * slope + rest)
    yield from _by_channel(out, target)
    yield from _dropped(out, target)
    yield from _coarse(out, target)


def _by_channel(out: Array, target: Array) -> Iterator[Guess]:
    """A number for each place along one axis, where there is much more than that to explain."""
    for axis in dict.fromkeys((1, out.ndim - 1)):
        if out.ndim < 2 or out.size < FEW * out.shape[axis]:
            continue
        others = tuple(a for a in range(out.ndim) if a != axis)
        summands = np.mean(target - out, others, keepdims=True)
        yield Guess("offset", "0", f"one a channel (axis {axis})", out + summands)
        square = np.sum(out * out, others, keepdims=True)
        factors = np.sum(out * target, others, keepdims=True) / np.where(square > 0, square, 1)
        yield Guess("scale", "1", f"one a channel (axis {axis})", out * factors)


def _tidy(number: float) -> float:
    """A number that people write, where it is one to rounding."""
    short = float(f"{number:.6g}")
    return short if abs(short - number) <= 64 * U64 * abs(number) else number


def _dropped(out: Array, target: Array) -> Iterator[Guess]:
    kept = (target != 0) & (out != 0)
    gone = np.count_nonzero((target == 0) & (out != 0))
    if gone and np.any(kept):
        factor = float(np.median(target[kept] / out[kept]))
        if factor > 1 + 1e-6 and gone >= 2:
            rate = 1 - 1 / factor
            yield Guess(
                "dropout",
                "not active",
                f"active, rate {rate:.3g}",
                np.where(target == 0, 0.0, out * factor),
            )


def _coarse(out: Array, target: Array) -> Iterator[Guess]:
    """The target has no more digits than a lower precision holds, and is that near."""
    for name, bits in (("bfloat16", 8), ("float16", 11), ("float32", 24)):
        mantissa, _ = np.frexp(target)
        exact = np.ldexp(mantissa, bits)
        if np.array_equal(exact, np.rint(exact)):
            scale = float(np.max(np.abs(out), initial=0.0))
            if apart(out, target) <= 64 * 2.0**-bits * scale:
                yield Guess("precision", "float64", name, target)
            return


def solve(function: Callable[[float], Array | None], target: Array, start: float) -> float | None:
    """The number for which a function comes nearest to the target; None where it stays away."""
    at = float(start)
    for _ in range(30):
        step = max(abs(at) * 1e-6, 1e-9)
        here, there = function(at), function(at + step)
        if here is None or there is None or here.shape != target.shape:
            return None
        slope = ((there - here) / step).ravel()
        norm = float(slope @ slope)
        if not norm or not np.isfinite(norm):
            return None
        move = float(slope @ (target - here).ravel()) / norm
        at = max(at + move, 0.0)
        if abs(move) <= 1e-14 * max(abs(at), 1e-12):
            break
    return _tidy(at)
