"""From an index array to the expression that moves numbers so.

What a check knows of a weight is which element of which weight of the other side stands at each of
its places. `Places` numbers all elements of several weights; from an array of such numbers
`Places.expression` reads how axes were split, ordered and joined, as one would write it.

An array whose places along each axis count in digits (a flattened image: row, column, channel) is a
reshape, a transpose and a reshape: the digits are found by their steps, and the weight is cut where
they are. What is no such array is cut in pieces along an axis, each of which is one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.convert.expressions import (
    Array,
    Broadcast,
    Concatenate,
    Constant,
    Expression,
    Flip,
    Kept,
    Reshape,
    Shape,
    Slice,
    Take,
    Transpose,
    Weight,
    operands,
    with_weights,
)
from parity.core.errors import ParityError

Indices = NDArray[np.int64]

ZERO, KEPT = -1, -2
"""In place of a number: a zero that nobody gives; what the model has built itself."""
_SLABS = 16
"""Along an axis of no more than this every slab may be a piece of its own."""
_PIECES = 512
_FEW = 8
"""Of more pieces than this of one weight a list of rows is shorter."""
_INDICES = 1 << 16


class InexpressibleError(ParityError):
    """An index array that no expression of reasonable length stands for."""


@dataclass(frozen=True)
class Digit:
    """Along one axis of the result: so many places, each so far from the last in the weight."""

    size: int
    step: int


class Places:
    """Every element of some weights by a number of its own.

    Args:
        shapes: of the weights, by name.
    """

    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self._shapes = dict(shapes)
        sizes = [math.prod(shape) for shape in shapes.values()]
        self._ends = np.cumsum(sizes, dtype=np.int64)
        self._names = tuple(shapes)

    def of(self, name: str) -> Indices:
        """Numbers of one weight's elements, in its shape."""
        end = int(self._ends[self._names.index(name)])
        shape = self._shapes[name]
        return np.arange(end - math.prod(shape), end, dtype=np.int64).reshape(shape)

    def expression(self, places: Indices, dtype: str = "float32", kept: str = "") -> Expression:
        """What an array of such numbers is, said of the weights.

        Args:
            places: numbers, `ZERO` and `KEPT`.
            dtype: of zeros.
            kept: name of what is kept.

        Raises:
            InexpressibleError: the order is none that can be said.
        """
        if not places.size or np.all(places == KEPT):
            return Kept(kept)
        if np.all(places == ZERO):
            return Constant(0, places.shape, dtype)
        if np.any(places == KEPT):  # its own elements, as if they were another weight's
            own = Places({**self._shapes, _KEPT_NAME: places.shape})
            whole = np.where(places == KEPT, own.of(_KEPT_NAME), places)
            names = {name: Weight(name) for name in self._names} | {_KEPT_NAME: Kept(kept)}
            return with_weights(own.expression(whole, dtype), names)
        made = self._moved(places) or self._joined(places, dtype)
        if made is None or len(operands(made)) > _FEW:
            made = self._taken(places) or made or self._nested(places, dtype)
        if made is None:
            raise InexpressibleError(
                f"An order of {places.shape} numbers that is neither an order of axes nor of rows."
            )
        return made

    def _owners(self, places: Indices) -> Indices:
        """Number of the weight that each element is of; `ZERO` stays."""
        owners = np.searchsorted(self._ends, places, side="right").astype(np.int64)
        return np.where(places == ZERO, ZERO, owners)

    def _one(self, places: Indices) -> tuple[str, Indices] | None:
        """The one weight that all are of, and which of its elements they are."""
        low, high = int(places.min()), int(places.max())
        number = int(np.searchsorted(self._ends, low, side="right"))
        if low < 0 or high >= self._ends[number]:
            return None
        name = self._names[number]
        return name, places - (self._ends[number] - math.prod(self._shapes[name]))

    def _moved(self, places: Indices) -> Expression | None:
        one = self._one(places)
        if one is None:
            return None
        name, own = one
        axes = _digits_of_axes(own)
        if axes is None:
            return None
        return _expression(Weight(name), self._shapes[name], own.shape, int(own.flat[0]), axes)

    def _joined(self, places: Indices, dtype: str) -> Expression | None:
        """In pieces along an axis: the one along which there are fewest."""
        best: Concatenate | None = None
        for axis in range(places.ndim):
            for cuts in self._cuts(places, axis):
                parts = np.split(places, cuts, axis)
                if best is not None and len(parts) >= len(best.of):
                    continue
                found = [
                    Constant(0, p.shape, dtype) if np.all(p == ZERO) else self._moved(p)
                    for p in parts
                ]
                if all(p is not None for p in found):
                    best = Concatenate(tuple(p for p in found if p is not None), axis)
        return best

    def _nested(self, places: Indices, dtype: str) -> Expression | None:
        """In pieces along an axis, of which some are in pieces along another."""
        for axis in range(places.ndim):
            for cuts in self._cuts(places, axis):
                if not cuts or places.shape[axis] == 1:
                    continue
                try:
                    parts = [self.expression(p, dtype) for p in np.split(places, cuts, axis)]
                except InexpressibleError:
                    continue
                return Concatenate(tuple(parts), axis)
        return None

    def _cuts(self, places: Indices, axis: int) -> Iterator[list[int]]:
        """Where to cut: where another weight begins or the step is not the usual one; or always."""
        slabs = np.moveaxis(places, axis, 0).reshape(places.shape[axis], -1)
        owners = self._owners(slabs)
        steps = np.diff(slabs, axis=0)
        if not len(steps):
            return
        values, counts = np.unique(steps[:, 0], return_counts=True)
        usual = values[np.argmax(counts)]
        other = np.any(np.diff(owners, axis=0) != 0, axis=1) | (
            np.any(steps != usual, axis=1) & np.any(slabs[1:] >= 0, axis=1)
        )
        # Behind a cut the step into the next slab is of the next piece.
        cuts = [int(at) + 1 for at in np.flatnonzero(other)]
        if len(cuts) < min(len(steps), _PIECES):
            yield cuts
        if len(steps) < _SLABS:
            yield list(range(1, len(slabs)))

    def _taken(self, places: Indices) -> Expression | None:
        """Rows in another order, along one axis; or all elements in any order."""
        one = self._one(places)
        if one is None:
            return None
        for axis in range(places.ndim):
            first = np.moveaxis(places, axis, 0).reshape(places.shape[axis], -1)[:, 0]
            rows, indices = np.unique(first, return_inverse=True)
            if len(rows) > _INDICES:
                continue
            ordered = places.take([int(np.argmax(first == row)) for row in rows], axis)
            if np.array_equal(ordered.take(indices, axis), places):
                moved = self._moved(ordered)
                if moved is not None:
                    return Take(moved, axis, tuple(map(int, indices)))
        name, own = one
        if own.size > _INDICES:
            return None
        flat = Reshape(Weight(name), (math.prod(self._shapes[name]),))
        return Reshape(Take(flat, 0, tuple(map(int, own.reshape(-1)))), own.shape)


_KEPT_NAME = "\0kept"


def _digits_of_axes(places: Indices) -> list[list[Digit]] | None:
    """For each axis the digits that its places count in; None where axes depend on each other."""
    first = places.flat[0]
    total = np.zeros((1,) * places.ndim, np.int64) + first
    axes: list[list[Digit]] = []
    for axis, size in enumerate(places.shape):
        line = places[(0,) * axis + (slice(None),) + (0,) * (places.ndim - axis - 1)] - first
        digits = _digits(line)
        if digits is None:
            return None
        axes.append(digits)
        total = total + line.reshape((size,) + (1,) * (places.ndim - axis - 1))
    return axes if np.array_equal(total, places) else None


def _digits(line: Indices) -> list[Digit] | None:
    """The digits of a row of numbers that begins with zero, the slowest first."""
    if len(line) == 1:
        return []
    step = int(line[1])
    breaks = np.flatnonzero(np.diff(line) != step)
    run = int(breaks[0]) + 1 if len(breaks) else len(line)
    if len(line) % run:
        return None
    blocks = line.reshape(-1, run)
    if not np.array_equal(blocks - blocks[:, :1], np.broadcast_to(blocks[0], blocks.shape)):
        return None
    above = _digits(blocks[:, 0])
    return None if above is None else [*above, Digit(run, step)]


@dataclass(frozen=True)
class _Cut:
    """The weight with its axes cut: sizes and steps, the slowest first, and where its digits start.

    Attributes:
        sizes, steps: of the axes it is cut in.
        starts: the first place along each.
    """

    sizes: tuple[int, ...]
    steps: tuple[int, ...]
    starts: tuple[int, ...]


def _expression(
    of: Expression, shape: Shape, wanted: Shape, first: int, axes: list[list[Digit]]
) -> Expression | None:
    """Reshape, slices, transpose, flip, reshape: as many of these as are needed.

    Args:
        of: the weight.
        shape: its shape.
        wanted: the shape of the result.
        first: which element of the weight stands first.
        axes: digits of each axis of the result.
    """
    flat = [digit for axis in axes for digit in axis]
    first += sum((d.size - 1) * d.step for d in flat if d.step < 0)
    cut = _cut(shape, flat, first)
    if cut is None:
        return None
    digits = [part for digit in flat for part in _split(digit, cut)]
    moving = [d for d in digits if d.step]
    places = [cut.steps.index(abs(d.step)) for d in moving if abs(d.step) in cut.steps]
    if len(places) != len(moving) or len(set(places)) != len(places):
        return None
    lengths = dict(zip(places, (d.size for d in moving), strict=True))
    made = of
    sizes = tuple(lengths.get(k, 1) for k in range(len(cut.sizes)))
    if any(start + n > whole for start, n, whole in zip(cut.starts, sizes, cut.sizes, strict=True)):
        return None
    made, now = _sliced(made, shape, cut, sizes)
    order = tuple(np.argsort(np.argsort(places)).tolist()) if places else ()
    kept = tuple(sizes[k] for k in sorted(places))
    made, now = _reshaped(made, now, kept) if order != tuple(range(len(order))) else (made, now)
    if order != tuple(range(len(order))):
        made, now = Transpose(made, order), tuple(kept[k] for k in order)
    backwards = tuple(k for k, d in enumerate(moving) if d.step < 0)
    if backwards:
        made, now = _reshaped(made, now, tuple(d.size for d in moving))
        made = Flip(made, backwards)
    if any(not d.step for d in digits):
        made, _ = _reshaped(made, now, tuple(d.size if d.step else 1 for d in digits))
        now = tuple(d.size for d in digits)
        made = Broadcast(made, now)
    made, _ = _reshaped(made, now, wanted)
    return made


def _reshaped(of: Expression, now: Shape, wanted: Shape) -> tuple[Expression, Shape]:
    return (of, now) if now == wanted else (Reshape(of, wanted), wanted)


def _cut(shape: Shape, digits: list[Digit], first: int) -> _Cut | None:
    """The weight's axes, cut wherever a digit steps; None where the steps do not divide."""
    ends = [math.prod(shape[k:]) for k in range(len(shape) + 1)]
    steps = sorted({*ends, *(abs(d.step) for d in digits if d.step)}, reverse=True)
    if any(large % small for large, small in itertools.pairwise(steps)):
        return None
    sizes = tuple(large // small for large, small in itertools.pairwise(steps))
    starts = tuple(first // step % size for step, size in zip(steps[1:], sizes, strict=True))
    return _Cut(sizes, tuple(steps[1:]), starts)


def _split(digit: Digit, cut: _Cut) -> Iterator[Digit]:
    """A digit that goes over several axes of the cut weight, as one for each."""
    size, step, parts = digit.size, digit.step, []
    while step and abs(step) in cut.steps:
        whole = cut.sizes[cut.steps.index(abs(step))]
        if size <= whole or size % whole:
            break
        parts.append(Digit(whole, step))
        size, step = size // whole, step * whole
    yield Digit(size, step)
    yield from reversed(parts)


def _sliced(of: Expression, shape: Shape, cut: _Cut, sizes: Shape) -> tuple[Expression, Shape]:
    """The weight with just the places that are taken: sliced as it is where that will do."""
    partial = [n < whole for n, whole in zip(sizes, cut.sizes, strict=True)]
    now = list(shape)
    ends = [math.prod(shape[k + 1 :]) for k in range(len(shape))]
    refined = False
    for k in np.flatnonzero(partial).tolist():
        axis = next(
            (a for a, n in enumerate(shape) if ends[a] == cut.steps[k] and n == cut.sizes[k]), None
        )
        if axis is None:
            refined = True
            continue
        of = Slice(of, axis, cut.starts[k], cut.starts[k] + sizes[k])
        now[axis] = sizes[k]
    if not refined:
        return of, tuple(now)
    whole = tuple(
        n if n < size and _is_axis(shape, ends, cut, k) else size
        for k, (n, size) in enumerate(zip(sizes, cut.sizes, strict=True))
    )
    of, found = _reshaped(of, tuple(now), whole)
    for k in np.flatnonzero(partial).tolist():
        if not _is_axis(shape, ends, cut, k):
            of = Slice(of, k, cut.starts[k], cut.starts[k] + sizes[k])
            found = (*found[:k], sizes[k], *found[k + 1 :])
    return of, found


def _is_axis(shape: Shape, ends: list[int], cut: _Cut, k: int) -> bool:
    return any(
        end == cut.steps[k] and n == cut.sizes[k] for n, end in zip(shape, ends, strict=True)
    )


def terms_of(
    places: Places, names: tuple[str, ...], read: Callable[[Mapping[str, Indices]], Array]
) -> list[Indices]:
    """Of an array that is made of several weights: which element of each stands where.

    Args:
        places: of these weights.
        names: theirs.
        read: what is made of them, by moving and adding.

    Returns:
        Numbers of `places`, `ZERO` where the weight has no part; one array where no two weights
        are added.
    """
    nothing = {name: np.zeros_like(places.of(name)) for name in names}
    terms = []
    for name in names:
        # One more than the place, so that a zero is none.
        made = read({**nothing, name: places.of(name) + 1})
        terms.append(np.asarray(made).astype(np.int64) - 1)
    return merged(terms)


def merged(terms: list[Indices]) -> list[Indices]:
    """Terms of a sum as one, where at each place all but one of them are zero."""
    count = sum((np.asarray(term != ZERO, np.int64) for term in terms), np.int64(0))
    if np.max(count, initial=0) > 1:
        return terms
    return [np.asarray(sum(term + 1 for term in terms), np.int64) - 1]
