"""What the verdict asks of whole arrays, found block by block in one pass.

A block fits into the processor's cache, so that every number is fetched from memory once, however
much is asked of it; nothing as large as an array is ever made, and a mapped array's pages are
given back on the way. The results are those of the plain formulas, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from parity.recording.mapped_arrays import release

Array = NDArray[Any]
Part = TypeVar("Part")
BLOCK = 1 << 16
"""Elements looked at together: half a megabyte of float64.

Six arrays' blocks fit into a processor's cache. Measured (docs/recording.md): blocks of 32,768 are
0.93 times as fast, of 16,384 0.8 times.
"""
STEP = 8 * BLOCK
"""Elements after which pages are given back: 4 MB of each float64 array.

A pair of 5.2 GB with keys of 1 GB is compared in 116 MB this way; whole arrays took 581 MB for a
pair of 0.4 GB (docs/recording.md).
"""
_SINGLE, _DOUBLE = np.dtype(np.float32), np.dtype(np.float64)


def finite(array: Array | None) -> Array:
    """The array in float64 with NaN and infinities as 0."""
    assert array is not None
    return np.where(np.isfinite(array), array, 0).astype(np.float64)


def largest(array: Array) -> float:
    """The largest finite size of an element, 0 where there is none."""
    return max(over((array,), lambda part: _largest(*part)), default=0.0)


def _largest(block: Array) -> float:
    low, high = _ends(block)
    if math.isfinite(low) and math.isfinite(high):
        return max(high, -low)
    return float(np.max(np.abs(finite(block))))


def apart(a: Array, b: Array) -> float:
    """‖a − b‖∞ of two arrays of one shape, in float64, with NaN and infinities as 0."""
    return max(over((a, b), lambda part: _distance(*part)), default=0.0)


def _distance(a: Array, b: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        low, high = _ends(np.subtract(a, b, dtype=np.float64))
    if math.isfinite(low) and math.isfinite(high):
        return max(high, -low)
    return float(np.max(np.abs(finite(a) - finite(b))))


def identical(a: Array, b: Array, *, equal_nan: bool = True) -> bool:
    """Whether two arrays hold the same numbers; NaN is like NaN unless told otherwise."""
    alike = equal_nan and a.dtype.kind == "f"
    return a.shape == b.shape and all(
        over((a, b), lambda part: bool(np.array_equal(part[0], part[1], equal_nan=alike)))
    )


def alike(a: Array, b: Array) -> tuple[bool, bool]:
    """Whether two arrays of one shape hold the same numbers, and whether all are finite."""
    same = whole = True
    for both, good in over((a, b), lambda part: (_same(*part), all(map(_good, part)))):
        same, whole = same and both, whole and good
    return same, whole


def _good(block: Array) -> bool:
    return block.dtype.kind != "f" or all(map(math.isfinite, _ends(block)))


def first(a: Array, b: Array, test: Callable[[Array, Array], Array]) -> int | None:
    """Place in the flat arrays of the first pair of elements that passes a test."""
    begin = 0
    for part in over((a, b), lambda part: np.flatnonzero(test(*part))):
        if len(part):
            return begin + int(part[0])
        begin += BLOCK
    return None


def peak(a: Array, b: Array) -> tuple[int, float]:
    """Place and size of the largest difference in float64; the first NaN counts as the largest."""
    at, most, begin = 0, 0.0, 0
    for place, size in over((a, b), lambda part: _peak(*part)):
        if math.isnan(size):
            return begin + place, size
        if size > most:
            at, most = begin + place, size
        begin += BLOCK
    return at, most


def _peak(a: Array, b: Array) -> tuple[int, float]:
    difference = np.abs(a.astype(np.float64) - b.astype(np.float64))
    place = int(np.argmax(difference))
    return place, float(difference[place])


def over(arrays: Sequence[Array], function: Callable[[list[Array]], Part]) -> Iterator[Part]:
    """A function of every block of arrays of one shape, in order."""
    size = arrays[0].size
    flat = [a.reshape(-1) for a in arrays]
    for step in _steps(arrays, 0, size):
        for at in range(step, min(step + STEP, size), BLOCK):
            yield function([a[at : at + BLOCK] for a in flat])


def _steps(arrays: Sequence[Array], begin: int, end: int) -> Iterator[int]:
    for step in range(begin, end, STEP):
        yield step
        give_back(arrays, end - begin)


def give_back(arrays: Sequence[Array], looked_at: int) -> None:
    """Let go of mapped pages, unless there are few of them."""
    if looked_at > STEP:
        for array in arrays:
            release(array)


@dataclass
class Extent:
    """What is known of two sides in two precisions, of the elements looked at so far.

    Attributes:
        same32, same64: the sides are equal, NaN being like NaN.
        finite: no NaN and no infinity among them.
        distance32, distance64: ‖left − right‖∞ in each precision.
        own_left, own_right: ‖float32 − float64‖∞ of each side.
        moved_left, moved_right: how far the nudged runs are from float64; None where not recorded.
        size_left, size_right: largest element of each side in float64.
        peak: place of the largest difference in float64, in the flat array.
    """

    same32: bool = True
    same64: bool = True
    finite: bool = True
    distance32: float = 0.0
    distance64: float = 0.0
    own_left: float = 0.0
    own_right: float = 0.0
    moved_left: float | None = None
    moved_right: float | None = None
    size_left: float = 0.0
    size_right: float = 0.0
    peak: int = 0

    def join(self, later: Extent) -> None:
        """Take in what was found of elements that follow."""
        if later.distance64 > self.distance64:
            self.peak = later.peak
        self.same32 &= later.same32
        self.same64 &= later.same64
        self.finite &= later.finite
        for name in (
            "distance32",
            "distance64",
            "own_left",
            "own_right",
            "size_left",
            "size_right",
        ):
            setattr(self, name, max(getattr(self, name), getattr(later, name)))
        for name in ("moved_left", "moved_right"):
            mine, other = getattr(self, name), getattr(later, name)
            setattr(self, name, other if mine is None else max(mine, other or 0.0))


def measure(four: Sequence[Array], nudged: Sequence[Array | None]) -> Extent:
    """One pass over both sides in both precisions, and over the nudged runs where there are any.

    Args:
        four: left and right in float32, left and right in float64, of one shape.
        nudged: of left and right.
    """
    flat = [None if a is None else a.reshape(-1) for a in (*four, *nudged)]
    held = [a for a in (*four, *nudged) if a is not None]
    expected = (_SINGLE, _SINGLE, _DOUBLE, _DOUBLE, _DOUBLE, _DOUBLE)
    plain = all(a is None or a.dtype == d for a, d in zip(flat, expected, strict=True))

    meter, size = _Meter(flat, plain=plain), four[0].size
    for step in _steps(held, 0, size):
        for at in range(step, min(step + STEP, size), BLOCK):
            meter.look(at, min(at + BLOCK, size))
    return meter.extent


@dataclass
class _Meter:
    """Running maxima, and the little memory that they are found in."""

    flat: Sequence[Array | None]
    plain: bool
    extent: Extent = field(default_factory=Extent)

    def __post_init__(self) -> None:
        length = min(BLOCK, 0 if self.flat[0] is None else self.flat[0].size)
        self.difference, self.wide = np.empty(length), np.empty(length)
        self.narrow = np.empty(length, np.float32)
        for name, nudged in zip(("moved_left", "moved_right"), self.flat[4:], strict=True):
            setattr(self.extent, name, None if nudged is None else 0.0)

    def look(self, begin: int, end: int) -> None:
        """Take in one block; by the plain formulas where something is not finite.

        A NaN makes every reduction of its block NaN. That is noticed once, at the end, instead of
        asked of each of six arrays before (`_quick`).
        """
        blocks = [None if a is None else a[begin:end] for a in self.flat]
        if not self.plain or not self._quick(blocks, begin):
            self.extent.join(_plainly(blocks, begin))

    def _quick(self, blocks: Sequence[Any], begin: int) -> bool:
        """Whether the block was finite; if it was not, nothing has been changed."""
        l32, r32, l64, r64, left_nudged, right_nudged = blocks
        now, length = self.extent, len(l32)
        difference, wide = self.difference[:length], self.wide[:length]
        with np.errstate(invalid="ignore", over="ignore"):
            np.subtract(l64, r64, out=difference)
            low, high = _ends(difference)
            apart64 = max(high, -low)
            peak = 0
            if apart64 > now.distance64:
                places = [int(np.argmax(difference))] if high == apart64 else []
                places += [int(np.argmin(difference))] if -low == apart64 else []
                peak = begin + min(places, default=0)
            apart32 = self._apart32(l32, r32)
            own_left = _apart(l32, l64, wide, difference)
            alike = apart32 == 0 == apart64
            # Equal sides have equal noise, which is then measured once.
            own_right = own_left if alike else _apart(r32, r64, wide, difference)
            moved = [
                None if nudged is None else _apart(nudged, x, None, difference)
                for nudged, x in ((left_nudged, l64), (right_nudged, r64))
            ]
            low, high = _ends(l32)
            # What is not finite makes every distance from it so, too.
            found = (apart64, apart32, own_left, own_right, high, low, *moved)
            if not all(x is None or math.isfinite(x) for x in found):
                return False
            # Largest elements are sought only in blocks that could hold one: bounds come free.
            bound = max(high, -low) + own_left
            left = _size(l64, bound, now.size_left)
            right = _size(r64, bound + apart64, now.size_right)
        now.join(
            Extent(
                apart32 == 0,
                apart64 == 0,
                True,
                apart32,
                apart64,
                own_left,
                own_right,
                moved[0],
                moved[1],
                left,
                right,
                peak,
            )
        )
        return True

    def _apart32(self, a: Array, b: Array) -> float:
        """‖a − b‖∞ of two float32 arrays, in float64.

        Rounding keeps order, so the largest difference is among those whose float32 is largest.
        """
        narrow = self.narrow[: len(a)]
        np.subtract(a, b, out=narrow)
        low, high = _ends(narrow)
        most = max(high, -low)
        if most == 0 or not math.isfinite(most):
            return most
        # The subtraction rounds by 2⁻²⁴ of its result, so 2⁻²² is a bound with room.
        if most * (1 + 2.0**-22) <= self.extent.distance32:
            return most  # less than what is known by more than rounding
        at = np.flatnonzero((narrow == most) | (narrow == -most))
        return float(np.max(np.abs(a[at].astype(np.float64) - b[at].astype(np.float64))))


def _plainly(blocks: Sequence[Any], begin: int) -> Extent:
    """The plain formulas, with NaN and infinities as 0."""
    raw32, raw64 = (blocks[0], blocks[1]), (blocks[2], blocks[3])
    l32, r32, l64, r64 = (finite(a) for a in blocks[:4])
    moved = [
        None if nudged is None else float(np.max(np.abs(finite(nudged) - x), initial=0.0))
        for nudged, x in zip(blocks[4:], (l64, r64), strict=True)
    ]
    difference = np.abs(l64 - r64)
    return Extent(
        same32=_same(*raw32),
        same64=_same(*raw64),
        finite=all(bool(np.isfinite(a).all()) for a in blocks[:4]),
        distance32=float(np.max(np.abs(l32 - r32), initial=0.0)),
        distance64=float(np.max(difference, initial=0.0)),
        own_left=float(np.max(np.abs(l32 - l64), initial=0.0)),
        own_right=float(np.max(np.abs(r32 - r64), initial=0.0)),
        moved_left=moved[0],
        moved_right=moved[1],
        size_left=float(np.max(np.abs(l64), initial=0.0)),
        size_right=float(np.max(np.abs(r64), initial=0.0)),
        peak=begin + int(np.argmax(difference)) if difference.size else 0,
    )


def _same(a: Array, b: Array) -> bool:
    return bool(np.array_equal(a, b, equal_nan=a.dtype.kind == "f"))


def _ends(array: Array) -> tuple[float, float]:
    return float(np.minimum.reduce(array)), float(np.maximum.reduce(array))


def _apart(a: Array, b: Array, wide: Array | None, difference: Array) -> float:
    if wide is not None:  # casting on its own is quicker than a subtraction of mixed dtypes
        np.copyto(wide, a)
        a = wide
    np.subtract(a, b, out=difference)
    low, high = _ends(difference)
    return max(high, -low)


def _size(array: Array, bound: float, known: float) -> float:
    """The largest element, or what is known where none can be larger.

    The bound is a sum of two or three float64 numbers, each rounded by 2⁻⁵³; 2⁻⁴⁰ covers that.
    """
    if bound * (1 + 2.0**-40) <= known:
        return known
    low, high = _ends(array)
    return max(high, -low)
