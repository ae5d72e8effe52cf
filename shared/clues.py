"""Why two arrays differ, tested: a clue is a repair that was tried and made the difference vanish.

Pure, NumPy only. A clue holds its kind, its numbers, and the ratio to the bound that is left when
the repair is applied; `shared.explain` turns it into words.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.blocks import finite
from shared.noise import U32, U64, C
from shared.quads import Quad

Array = NDArray[Any]
_MAX_SORTED = 4_000_000


@dataclass(frozen=True)
class Clue:
    """A repair that explains a difference.

    Attributes:
        kind: ``transposed``, ``factor``, ``offset``, ``softmax``, ``rolled``, ``reordered``,
            ``element``, ``zero`` or ``coarse``.
        value: what the kind needs: axes, a factor, a place.
        residual: distance left after the repair, over the bound; at most 1.
    """

    kind: str
    value: str
    residual: float = 0.0


def find(quad: Quad, *, copied: bool = False) -> Clue | None:
    """The first repair of right that makes it left, to rounding; None if there is none.

    Args:
        quad: the arrays.
        copied: inputs or initial weights, which are exact in float32 and no finer, so a repair
            by arithmetic can only be as exact.
    """
    left, right = (finite(a) for a in quad.best)
    if not left.size or not right.size:
        return None
    fine = quad.best[0].dtype == np.float64 and not copied
    for kind, value, repaired in _repairs(left, right):
        residual = _residual(left, repaired, U64 if fine else U32)
        if residual <= 1:
            return Clue(kind, value, residual)
    return None


def coarse(quad: Quad) -> Clue | None:
    """Which side's float32 is coarse, and the unit of rounding that would explain it."""
    if not quad.four:
        return None
    (left32, right32), (left64, right64) = quad.pairs
    scale = max(float(np.max(np.abs(left64))), float(np.max(np.abs(right64))))
    errors = [float(np.max(np.abs(finite(a) - finite(b)))) / scale
              for a, b in ((left32, left64), (right32, right64))]  # fmt: skip
    bits = -np.log2(max(errors))
    name = "bfloat16 (8 bits)" if bits < 10 else "TF32 or float16 (11 bits)" if bits < 14 else ""
    side = "left" if errors[0] > errors[1] else "right"
    return Clue("coarse", f"{side}|{max(errors):.1e}|{name}")


def _residual(left: Array, repaired: Array, unit: float) -> float:
    if repaired.shape != left.shape:
        return np.inf
    bound = C * unit * float(max(np.max(np.abs(left)), np.finfo(float).tiny))
    # Repairs use a number or two taken from the arrays themselves, hence a little more room.
    return float(np.max(np.abs(left - repaired))) / (4 * bound)


def _repairs(left: Array, right: Array) -> Iterator[tuple[str, str, Array]]:
    """Candidates, cheap and telling first."""
    if not right.any() or not left.any():
        yield ("zero", "right" if not right.any() else "left", left)
        return
    yield from _transposes(left, right)
    if left.shape != right.shape:
        return
    unequal = np.argwhere(left != right)
    if len(unequal) == 1 and left.size > 1:
        yield "element", str(tuple(int(i) for i in unequal[0])), left
    peak = np.unravel_index(int(np.argmax(np.abs(left))), left.shape)
    # For a single number any factor would do; it proves something only where it names a cause.
    if right[peak] != 0 and (left.size > 1 or _telling(right[peak] / left[peak])):
        factor = float(left[peak] / right[peak])
        if abs(factor - 1) > 1e-6:  # nearer than that, it is not a factor that people make
            yield "factor", f"{1 / factor:.7g}", right * factor
    if left.size > 1:
        offset = float(left.flat[0] - right.flat[0])
        yield "offset", f"{-offset:.7g}", right + offset
    yield from _softmaxes(left, right)
    for shift, axis in itertools.product((1, -1), range(left.ndim)):
        yield "rolled", f"{shift}|{axis}", np.roll(right, shift, axis)
    if left.size <= _MAX_SORTED and left.size > 1:
        order = np.empty(left.size, np.intp)
        order[np.argsort(left, axis=None)] = np.argsort(right, axis=None)
        yield "reordered", "", right.ravel()[order].reshape(left.shape)


def _telling(factor: float) -> bool:
    """A whole number or one over it: a sum for a mean, bytes for fractions, a sign."""
    size = max(abs(factor), 1 / abs(factor))
    return abs(size - round(size)) < C * U64 * size


def _transposes(left: Array, right: Array) -> Iterator[tuple[str, str, Array]]:
    for axes in itertools.permutations(range(right.ndim)):
        if axes != tuple(range(right.ndim)) and right.transpose(axes).shape == left.shape:
            yield "transposed", str(axes), right.transpose(axes)


def _softmaxes(left: Array, right: Array) -> Iterator[tuple[str, str, Array]]:
    if left.ndim != 2:
        return
    yield "softmax", "left", _inverse_check(left, right)
    yield "softmax", "right", _inverse_check(right, left, left)


def _inverse_check(soft: Array, logits: Array, else_: Array | None = None) -> Array:
    """softmax(logits) if that is `soft`, arranged so that the caller's residual tells."""
    made = _softmax(logits)
    if else_ is None:
        return made
    same: Callable[[Array, Array], bool] = np.allclose
    return else_ if same(made, soft) else np.full_like(else_, np.inf)


def _softmax(logits: Array) -> Array:
    powers: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    soft: Array = powers / powers.sum(axis=-1, keepdims=True)
    return soft
