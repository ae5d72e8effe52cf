"""Why two arrays differ, tested: a clue is a repair that was tried and made the difference vanish.

Pure, NumPy only. A clue holds its kind, its numbers, and the ratio to the bound that is left when
the repair is applied; `parity.verdict.wording` turns it into words.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import U32, U64, C
from parity.core import blockwise
from parity.core.blockwise import finite
from parity.recording.mapped_arrays import release

Array = NDArray[Any]
Index = tuple[slice, ...]
_MAX_SORTED = 4_000_000
_KEPT = 8
"""Pieces after which mapped pages are given back."""


@dataclass(frozen=True)
class Hypothesis:
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


@dataclass(frozen=True)
class _Repair:
    """Something that may make right equal to left, for a piece of the arrays at a time.

    Attributes:
        kind, value: of the clue.
        take: index of a piece → right's elements there, from wherever they stand.
        mend: left's and right's elements → what right's become.
        rows: pieces must hold whole rows.
    """

    kind: str
    value: str
    take: Callable[[Index], Array]
    mend: Callable[[Array, Array], Array] = lambda left, right: right
    rows: bool = False


def find_hypotheses(quad: KeyArrays, *, copied: bool = False) -> Hypothesis | None:
    """The first repair of right that makes it left, to rounding; None if there is none.

    Args:
        quad: the arrays.
        copied: inputs or initial weights, which are exact in float32 and no finer, so a repair
            by arithmetic can only be as exact.
    """
    left, right = quad.best
    if not left.size or not right.size:
        return None
    fine = left.dtype == np.float64 and not copied
    scale = max(blockwise.largest(left), float(np.finfo(float).tiny))
    # Repairs use a number or two taken from the arrays themselves, hence a little more room.
    bound = 4 * (C * (U64 if fine else U32) * scale)
    for repair in _repairs(left, right):
        residual = _residual(left, right, repair, bound)
        if residual <= 1:
            return Hypothesis(repair.kind, repair.value, residual)
    return None


def coarse(quad: KeyArrays) -> Hypothesis | None:
    """Which side's float32 is coarse, and the unit of rounding that would explain it."""
    if not quad.four:
        return None
    (left32, right32), (left64, right64) = quad.pairs
    scale = max(blockwise.largest(left64), blockwise.largest(right64))
    errors = [blockwise.apart(a, b) / scale for a, b in ((left32, left64), (right32, right64))]
    bits = -np.log2(max(errors))
    name = "bfloat16 (8 bits)" if bits < 10 else "TF32 or float16 (11 bits)" if bits < 14 else ""
    side = "left" if errors[0] > errors[1] else "right"
    return Hypothesis("coarse", f"{side}|{max(errors):.1e}|{name}")


def _residual(left: Array, right: Array, repair: _Repair, bound: float) -> float:
    """What is left over the bound; infinite as soon as it is known to be too much."""
    most = 0.0
    for count, index in enumerate(_pieces(left.shape, rows=repair.rows)):
        if count % _KEPT == 0:
            release(left)
            release(right)
        here = finite(left[index])
        there = repair.mend(here, finite(repair.take(index)))
        most = max(most, float(np.max(np.abs(here - there))))
        if not most / bound <= 1:
            return np.inf
    return most / bound


def _pieces(shape: tuple[int, ...], *, rows: bool = False) -> Iterator[Index]:
    """Indices of tiles that cover an array, small and compact, so that a transpose is one, too."""
    tile = list(shape)
    free = range(len(shape) - 1 if rows else len(shape))
    while math.prod(tile) > blockwise.BLOCK and any(tile[axis] > 1 for axis in free):
        widest = max(free, key=lambda axis: tile[axis])
        tile[widest] = -(-tile[widest] // 2)
    starts = (range(0, size, step) for size, step in zip(shape, tile, strict=True))
    for corner in itertools.product(*starts):
        yield tuple(slice(at, at + step) for at, step in zip(corner, tile, strict=True))


def _repairs(left: Array, right: Array) -> Iterator[_Repair]:
    """Candidates, cheap and telling first."""

    def same(left: Array, _right: Array) -> Array:
        return left

    if not blockwise.largest(right) or not blockwise.largest(left):
        side = "right" if not blockwise.largest(right) else "left"
        yield _Repair("zero", side, left.__getitem__, same)
        return
    yield from _transposes(left, right)
    if left.shape != right.shape:
        return
    unequal = _only_unequal(left, right)
    if unequal is not None and left.size > 1:
        yield _Repair("element", str(unequal), right.__getitem__, same)
    yield from _arithmetic(left, right)
    if left.ndim == 2:
        yield _Repair("softmax", "left", right.__getitem__, lambda _, there: _softmax(there), True)
        yield _Repair("softmax", "right", right.__getitem__, _if_softmax, True)
    for shift, axis in itertools.product((1, -1), range(left.ndim)):
        yield _Repair("rolled", f"{shift}|{axis}", _rolled(right, shift, axis))
    if 1 < left.size <= _MAX_SORTED:
        order = np.empty(left.size, np.intp)
        order[np.argsort(finite(left), axis=None)] = np.argsort(finite(right), axis=None)
        yield _Repair("reordered", "", right.ravel()[order].reshape(left.shape).__getitem__)


def _only_unequal(left: Array, right: Array) -> tuple[int, ...] | None:
    """Index of the only element that differs; None where there are more, or none."""
    found: list[int] = []
    begin = 0
    for part in blockwise.over(
        (left, right), lambda p: np.flatnonzero(finite(p[0]) != finite(p[1]))
    ):
        found += [begin + int(at) for at in part[:2]]
        begin += blockwise.BLOCK
        if len(found) > 1:
            return None
    return tuple(int(i) for i in np.unravel_index(found[0], left.shape)) if found else None


def _arithmetic(left: Array, right: Array) -> Iterator[_Repair]:
    """A factor or an offset, taken from one element."""
    peak = np.unravel_index(_peak(left), left.shape)
    top, other = (float(finite(np.asarray(a[peak]))) for a in (left, right))
    # For a single number any factor would do; it proves something only where it names a cause.
    if other != 0 and (left.size > 1 or _telling(other / top)):
        factor = top / other
        if abs(factor - 1) > 1e-6:  # nearer than that, it is not a factor that people make
            yield _Repair(
                "factor", f"{1 / factor:.7g}", right.__getitem__, lambda _, there: there * factor
            )
    if left.size > 1:
        start = (0,) * left.ndim
        one, two = (float(finite(np.asarray(a[start]))) for a in (left, right))
        offset = one - two
        yield _Repair(
            "offset", f"{-offset:.7g}", right.__getitem__, lambda _, there: there + offset
        )


def _peak(array: Array) -> int:
    """Place of the largest element in the flat array."""
    at, most, begin = 0, -1.0, 0
    for part in blockwise.over((array,), lambda part: np.abs(finite(part[0]))):
        place = int(np.argmax(part))
        if part[place] > most:
            at, most = begin + place, float(part[place])
        begin += blockwise.BLOCK
    return at


def _rolled(right: Array, shift: int, axis: int) -> Callable[[Index], Array]:
    """A piece of what `np.roll` would give."""

    def take(index: Index) -> Array:
        whole = range(right.shape[axis])[index[axis]]
        from_ = (np.arange(whole.start, whole.stop) - shift) % right.shape[axis]
        piece: Array = right[(*index[:axis], from_, *index[axis + 1 :])]
        return piece

    return take


def _telling(factor: float) -> bool:
    """A whole number or one over it: a sum for a mean, bytes for fractions, a sign."""
    size = max(abs(factor), 1 / abs(factor))
    return abs(size - round(size)) < C * U64 * size


def _transposes(left: Array, right: Array) -> Iterator[_Repair]:
    for axes in itertools.permutations(range(right.ndim)):
        if axes != tuple(range(right.ndim)) and right.transpose(axes).shape == left.shape:
            yield _Repair("transposed", str(axes), right.transpose(axes).__getitem__)


def _if_softmax(logits: Array, soft: Array) -> Array:
    """The logits themselves where the other side has their softmax, so that nothing is left."""
    same: Callable[[Array, Array], bool] = np.allclose
    return logits if same(_softmax(logits), soft) else np.full_like(logits, np.inf)


def _softmax(logits: Array) -> Array:
    powers: Array = np.exp(logits - logits.max(axis=-1, keepdims=True))
    soft: Array = powers / powers.sum(axis=-1, keepdims=True)
    return soft
