"""Why two arrays differ, tested: a hypothesis is a repair that makes the difference vanish.

A *rule* looks at what came out and at the target, and proposes repairs that may turn the one into
the other, cheap and telling ones first. The rules stand in two ordered lists:

- `RECORDED`: any two recorded arrays, also far larger than memory. A rule takes a number or two
  from single elements, and its repair is applied a piece at a time (`find_hypothesis`).
- `COMPUTED`: two outputs of one layer in float64, in memory. A rule fits its numbers to all of
  the elements, and its repair is applied to the whole (`values`).

Nothing here speaks: `parity.verdict.wording` and `parity.checker.result.wording` do.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import FEW, U32, U64, C
from parity.core import blockwise
from parity.core.blockwise import finite
from parity.diagnosis import permutations
from parity.recording.mapped_arrays import release
from parity.reference.activations import softmax

Array = NDArray[Any]
Index = tuple[slice, ...]
Place = Literal["left", "right"]

FLOOR = 256 * U64
"""The reference rounds in its own order; so much of the scale is never a difference."""
SMALLEST = 1e-6
"""A factor nearer to 1 is nothing that anybody writes."""
_SHOWN = 4
"""Numbers of a list that are written out."""
_KEPT = 8
"""Pieces after which mapped pages are given back."""
_FORMATS = (("bfloat16", 8), ("float16", 11))
"""Name → bits of its significand. Not float32: nobody but the check itself runs in float64."""


@dataclass(frozen=True)
class Affine:
    """A factor, and a summand after it."""

    factor: float
    summand: float

    def __str__(self) -> str:
        return f"{self.factor:.6g}, and {self.summand:.6g} added"


@dataclass(frozen=True)
class PerChannel:
    """Another number for each place along one axis."""

    axis: int
    numbers: tuple[float, ...] = ()

    def __str__(self) -> str:
        shown = ", ".join(f"{n:.6g}" for n in self.numbers[:_SHOWN])
        more = ", …" if len(self.numbers) > _SHOWN else ""
        return f"[{shown}{more}], one for each channel"


@dataclass(frozen=True)
class ActiveDropout:
    """Elements are dropped, and the others made larger by as much."""

    rate: float

    def __str__(self) -> str:
        return f"active, rate {self.rate:.3g}"


@dataclass(frozen=True)
class LowPrecision:
    """How far float32 is from float64, relative, and whose unit of rounding that is."""

    error: float
    format: str


@dataclass(frozen=True)
class Hypothesis:
    """A repair that explains a difference.

    Attributes:
        kind: a key of `parity.diagnosis.causes.KINDS`.
        left, right: what the repaired thing is on each side: a factor, an order of axes, a name.
        ratio: distance left after the repair, over the bound; at most 1.
        side: which side has done what the kind says, where it is one of the two.
        where: index of the element, or the axis.
    """

    kind: str
    left: Any = None
    right: Any = None
    ratio: float = 0.0
    side: Place | None = None
    where: tuple[int, ...] = ()


@dataclass(frozen=True)
class Repair:
    """Something that may turn what came out into the target.

    Attributes:
        kind: a key of `parity.diagnosis.causes.KINDS`.
        base, target: what the repaired thing is in what came out, and in the target.
        take: index of a piece → what came out there, from wherever it stands.
        mend: the target's and the taken elements → what these become.
        rows: pieces must hold whole rows.
        of: which of the two has done what the kind says, where it is one of them.
        where: index of the element, or the axis.
    """

    kind: str
    base: Any
    target: Any
    take: Callable[[Any], Array]
    mend: Callable[[Array, Array], Array] = field(default=lambda target, out: out)
    rows: bool = False
    of: Literal["out", "target"] | None = None
    where: tuple[int, ...] = ()

    def whole(self, target: Array) -> Array:
        """What came out, repaired, all of it."""
        return self.mend(target, self.take(...))


Rule = Callable[[Array, Array], Iterator[Repair]]
"""(what came out, target) → repairs worth trying."""


def find_hypothesis(left: Array, right: Array, *, copied: bool = False) -> Hypothesis | None:
    """The first repair of right that makes it left, to rounding; None if there is none.

    Args:
        left, right: of any shapes; may be mapped from disk.
        copied: inputs or initial weights, which are exact in float32 and no finer, so a repair
            by arithmetic can only be as exact.
    """
    if not left.size or not right.size:
        return None
    fine = left.dtype == np.float64 and not copied
    scale = max(blockwise.largest(left), float(np.finfo(float).tiny))
    # Repairs use a number or two taken from the arrays themselves, hence a little more room.
    bound = 4 * (C * (U64 if fine else U32) * scale)
    for rule in RECORDED:
        for repair in rule(right, left):
            ratio = _ratio(left, right, repair, bound)
            if ratio <= 1:
                side: Place | None = (
                    None if repair.of is None else "right" if repair.of == "out" else "left"
                )
                return Hypothesis(
                    repair.kind, repair.target, repair.base, ratio, side, repair.where
                )
    return None


def find_low_precision(arrays: KeyArrays) -> Hypothesis | None:
    """Which side's float32 is coarse, and the unit of rounding that would explain it."""
    if not arrays.four:
        return None
    (left32, right32), (left64, right64) = arrays.pairs
    scale = max(blockwise.largest(left64), blockwise.largest(right64))
    left, right = (blockwise.apart(a, b) / scale for a, b in ((left32, left64), (right32, right64)))
    bits = -np.log2(max(left, right))
    name = "bfloat16 (8 bits)" if bits < 10 else "TF32 or float16 (11 bits)" if bits < 14 else ""
    coarse = LowPrecision(max(left, right), name)
    if left > right:
        return Hypothesis("precision", coarse, "float32", side="left")
    return Hypothesis("precision", "float32", coarse, side="right")


def values(out: Array, target: Array) -> Iterator[tuple[Repair, Array]]:
    """What two outputs of a layer alone tell, and what comes out with each repair."""
    real = target.dtype.kind == "f" and out.dtype.kind != "c"
    if out.shape != target.shape or out.size < 2 or not real:
        return
    if not (np.all(np.isfinite(out)) and np.all(np.isfinite(target))):
        return
    for rule in COMPUTED:
        for repair in rule(out, target):
            yield repair, repair.whole(target)


def apart(a: Array | None, b: Array | None) -> float:
    """‖a − b‖∞; infinite where one is missing, of another shape, or finite where the other is not.

    Equal infinities, as masks have them, and NaN at the same place are no distance.
    """
    if a is None or b is None or a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    exact = np.result_type(a, b, np.float64)  # complex where one of the two is
    a, b = a.astype(exact), b.astype(exact)
    with np.errstate(invalid="ignore"):
        away = np.abs(a - b)
    away = np.where((a == b) | (np.isnan(a) & np.isnan(b)), 0.0, away)
    return float("inf") if np.any(np.isnan(away)) else float(np.max(away))


def _ratio(left: Array, right: Array, repair: Repair, bound: float) -> float:
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


# --- Rules for recorded arrays --------------------------------------------------------------------


def _zero(out: Array, target: Array) -> Iterator[Repair]:
    """One of the two is zero everywhere: nothing else needs to be tried."""
    if not blockwise.largest(out):
        yield Repair("zero", 0.0, None, target.__getitem__, of="out")
    elif not blockwise.largest(target):
        yield Repair("zero", None, 0.0, target.__getitem__, of="target")


def _transposed(out: Array, target: Array) -> Iterator[Repair]:
    plain = tuple(range(out.ndim))
    for axes, moved in permutations.transposes(out, target.shape):
        yield Repair("transposed", axes, plain, moved.__getitem__)


def _element(out: Array, target: Array) -> Iterator[Repair]:
    """Just one element is another."""
    if out.shape != target.shape or target.size < 2:
        return
    where = _only_unequal(target, out)
    if where is not None:
        base, wanted = float(out[where]), float(target[where])
        yield Repair("element", base, wanted, target.__getitem__, where=where)


def _factor(out: Array, target: Array) -> Iterator[Repair]:
    """A factor, taken from the largest element."""
    if out.shape != target.shape:
        return
    peak = tuple(int(i) for i in np.unravel_index(_peak(target), target.shape))
    top, other = _number(target, peak), _number(out, peak)
    # For a single number any factor would do; it proves something only where it names a cause.
    if top != 0 and other != 0 and (target.size > 1 or _telling(other / top)):
        factor = top / other
        if abs(factor - 1) > SMALLEST:
            yield Repair("scale", 1 / factor, 1.0, out.__getitem__, lambda _, there: there * factor)


def _offset(out: Array, target: Array) -> Iterator[Repair]:
    """A summand, taken from the first element."""
    if out.shape != target.shape or target.size < 2:
        return
    start = (0,) * target.ndim
    offset = _number(target, start) - _number(out, start)
    yield Repair("offset", -offset, 0.0, out.__getitem__, lambda _, there: there + offset)


def _softmax(out: Array, target: Array) -> Iterator[Repair]:
    """Softmax was applied once more to one of the two."""
    if out.shape != target.shape or target.ndim != 2:
        return
    take = out.__getitem__
    yield Repair("activation", None, "softmax", take, _once_more, rows=True, of="target")
    yield Repair("activation", "softmax", None, take, _if_softmax, rows=True, of="out")


def _rolled(out: Array, target: Array) -> Iterator[Repair]:
    if out.shape != target.shape:
        return
    for shift, axis in itertools.product((1, -1), range(target.ndim)):
        take = permutations.rolled(out, shift, axis)
        yield Repair("shift", -shift, 0, take, where=(axis,))


def _reordered(out: Array, target: Array) -> Iterator[Repair]:
    if out.shape == target.shape:
        for moved in permutations.sorted_alike(out, target):
            yield Repair("reordered", None, None, moved.__getitem__)


RECORDED: tuple[Rule, ...] = (
    _zero,
    _transposed,
    _element,
    _factor,
    _offset,
    _softmax,
    _rolled,
    _reordered,
)


def _number(array: Array, at: tuple[int, ...]) -> float:
    return float(finite(np.asarray(array[at])))


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


def _peak(array: Array) -> int:
    """Place of the largest element in the flat array."""
    at, most, begin = 0, -1.0, 0
    for part in blockwise.over((array,), lambda part: np.abs(finite(part[0]))):
        place = int(np.argmax(part))
        if part[place] > most:
            at, most = begin + place, float(part[place])
        begin += blockwise.BLOCK
    return at


def _telling(factor: float) -> bool:
    """A whole number or one over it: a sum for a mean, bytes for fractions, a sign."""
    size = max(abs(factor), 1 / abs(factor))
    return abs(size - round(size)) < C * U64 * size


def _once_more(_: Array, logits: Array) -> Array:
    return softmax(logits)


def _if_softmax(logits: Array, soft: Array) -> Array:
    """The logits themselves where the other side has their softmax, so that nothing is left."""
    same: Callable[[Array, Array], bool] = np.allclose
    return logits if same(softmax(logits), soft) else np.full_like(logits, np.inf)


# --- Rules for the outputs of a layer -------------------------------------------------------------


def _fitted_factor(out: Array, target: Array) -> Iterator[Repair]:
    factor = _best_factor(out, target)
    if abs(factor - 1) > SMALLEST:
        yield _computed("scale", 1.0, factor, out, lambda x: x * factor)


def _fitted_offset(out: Array, target: Array) -> Iterator[Repair]:
    summand = _mean_offset(out, target)
    if abs(summand) > SMALLEST * float(np.max(np.abs(target))):
        yield _computed("offset", 0.0, summand, out, lambda x: x + summand)


def _fitted_line(out: Array, target: Array) -> Iterator[Repair]:
    """A factor and a summand, where it is worth it."""
    x, y = _flat(out), _flat(target)
    size = float(np.max(np.abs(y)))
    away = max(abs(_best_factor(out, target) - 1) * size, abs(_mean_offset(out, target)))
    if np.ptp(x) > 0 and away > SMALLEST * size:
        centred = x - x.mean()
        slope = tidy(float(centred @ (y - y.mean()) / (centred @ centred)))
        rest = tidy(float(y.mean() - slope * x.mean()))
        yield _computed("scale", 1.0, Affine(slope, rest), out, lambda x: x * slope + rest)


def _each(axis: int, numbers: Array) -> PerChannel:
    return PerChannel(axis, tuple(float(n) for n in numbers.reshape(-1)))


def _by_channel(out: Array, target: Array) -> Iterator[Repair]:
    """A number for each place along one axis, where there is much more than that to explain."""
    for axis in dict.fromkeys((1, out.ndim - 1)):
        if out.ndim < 2 or out.size < FEW * out.shape[axis]:
            continue
        others = tuple(a for a in range(out.ndim) if a != axis)
        summands = np.mean(target - out, others, keepdims=True)
        yield _computed("offset", 0.0, _each(axis, summands), out, partial(np.add, summands))
        square = np.sum(out * out, others, keepdims=True)
        factors = np.sum(out * target, others, keepdims=True) / np.where(square > 0, square, 1)
        yield _computed("scale", 1.0, _each(axis, factors), out, partial(np.multiply, factors))


def _dropped(out: Array, target: Array) -> Iterator[Repair]:
    kept = (target != 0) & (out != 0)
    gone = np.count_nonzero((target == 0) & (out != 0))
    if gone >= 2 and np.any(kept):
        factor = float(np.median(target[kept] / out[kept]))
        if factor > 1 + SMALLEST:
            rate = ActiveDropout(1 - 1 / factor)
            yield _computed(
                "dropout", "not active", rate, out, lambda x: np.where(target == 0, 0.0, x * factor)
            )


def _coarse(out: Array, target: Array) -> Iterator[Repair]:
    """The target has no more digits than a lower precision holds, and is that near."""
    for name, bits in _FORMATS:
        mantissa, _ = np.frexp(target)
        exact = np.ldexp(mantissa, bits)
        if np.array_equal(exact, np.rint(exact)):
            scale = float(np.max(np.abs(out), initial=0.0))
            if apart(out, target) <= 64 * 2.0**-bits * scale:
                yield _computed("precision", "float32", name, out, lambda _: target)
            return


COMPUTED: tuple[Rule, ...] = (
    _fitted_factor,
    _fitted_offset,
    _fitted_line,
    _by_channel,
    _dropped,
    _coarse,
)


def _computed(
    kind: str, base: Any, target: Any, out: Array, change: Callable[[Array], Array]
) -> Repair:
    return Repair(kind, base, target, out.__getitem__, lambda _, there: change(there))


def _flat(array: Array) -> Array:
    return array.astype(np.float64).ravel()


def _best_factor(out: Array, target: Array) -> float:
    x, y = _flat(out), _flat(target)
    return tidy(float(x @ y / (x @ x))) if np.any(x) else 1.0


def _mean_offset(out: Array, target: Array) -> float:
    return tidy(float(np.mean(_flat(target) - _flat(out))))


def tidy(number: float) -> float:
    """A number that people write, where it is one to rounding."""
    short = float(f"{number:.6g}")
    return short if abs(short - number) <= 64 * U64 * abs(number) else number


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
    return tidy(at)
