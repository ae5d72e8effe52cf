"""Weights that an operation takes as a source: which element of one is which of the other.

A position embedding, a class token, a table of relative positions have no role that says how they
lie. What is known is which of their elements both sides take, and where these come together. The
weights may be of other lengths (a table made for longer texts, one whose first rows are never
used) and of other ranks (1 × 4 × 6 is 1 × 2 × 2 × 6).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parity.checker.graph.arrangement import Arrangement, Indices, Shape

ELEMENTWISE = frozenset(
    {"add", "subtract", "multiply", "divide", "maximum", "minimum", "power", "where", "affine"}
)
"""What gives at each place what it takes there, so that its output says which goes with which."""
_RANK = 4
"""Of tables of more axes not every order is tried."""
UNKNOWN = -1
"""In an index: of this element nobody takes, the other side has none."""


@dataclass(frozen=True)
class Taken:
    """What one side takes of a weight: its shape, and of the flattened weight which places."""

    shape: Shape
    places: Indices


def index(
    mine: Taken,
    theirs: Taken,
    kinds: tuple[str, str],
    output: Arrangement | None,
    axes: tuple[int, ...] | None,
) -> Indices | None:
    """Which element of the flattened left stands where in the right; `UNKNOWN` where none does.

    Two weights of one shape are the same weight, element for element: a port that takes other rows
    of it, or takes them backwards, is to be seen, and not to be followed.

    Args:
        mine, theirs: what the two take.
        kinds: of the operations that take it.
        output: how what they yield goes across.
        axes: right axis → left axis, of whatever they take besides.

    Returns:
        Of the right's shape; None where the two cannot be the same weight.
    """
    pairs = _through_output(mine, theirs, kinds, output)
    if pairs is None:
        pairs = _through_axes(mine, theirs, axes)
    size = math.prod(theirs.shape)
    whole = math.prod(mine.shape) == size
    if pairs is None:
        return _order(mine.shape) if whole and mine.shape == theirs.shape else None
    left, right = pairs
    if whole:
        for order in _orders(mine.shape, theirs.shape):
            if np.array_equal(order.reshape(-1)[right], left):
                return order
        if mine.shape == theirs.shape:
            return _order(mine.shape)
    elif _rows(mine.shape) == _rows(theirs.shape):
        left = np.sort(left)  # in their own order, whatever a port makes of it
        right = np.sort(right)
    made = np.full(size, UNKNOWN, np.int64)
    made[right] = left
    if whole:
        # Of what is not taken nothing is known; it goes across in its own order.
        made[made == UNKNOWN] = np.setdiff1d(np.arange(size), left)
    return made.reshape(theirs.shape)


def _order(shape: Shape) -> Indices:
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def _rows(shape: Shape) -> Shape:
    """The shape of a row of a table."""
    return tuple(n for n in shape if n != 1)[1:]


def _orders(left: Shape, right: Shape) -> Iterator[Indices]:
    """Ways in which all of one may stand in the other: as it is, or with its axes in another order.

    As it is first: of numbers that are taken in just one way, as a square of which one row is
    taken, several fit.
    """
    every = _order(left)
    yield every.reshape(right)
    axes = [axis for axis, n in enumerate(left) if n != 1]
    if len(axes) > _RANK:
        return
    short = every.reshape([left[axis] for axis in axes])
    wanted = tuple(n for n in right if n != 1)
    for order in itertools.permutations(range(len(axes))):
        moved = short.transpose(order)
        if moved.shape == wanted:
            yield moved.reshape(right)


Pairs = tuple[Indices, Indices]


def _through_output(
    mine: Taken, theirs: Taken, kinds: Sequence[str], output: Arrangement | None
) -> Pairs | None:
    """By where the two elements come together in what is computed with them."""
    if output is None or not ELEMENTWISE.issuperset(kinds):
        return None
    try:
        left = np.broadcast_to(mine.places, output.left).reshape(-1)
        right = np.broadcast_to(theirs.places, output.right).reshape(-1)
    except ValueError:
        return None
    return _one_to_one(left[output.indices.reshape(-1)], right)


def _through_axes(mine: Taken, theirs: Taken, axes: tuple[int, ...] | None) -> Pairs | None:
    """By the axes of what they are taken with; one of a batch may be there on one side only."""
    left, right = mine.places, theirs.places
    if axes is not None and len(axes) >= max(left.ndim, right.ndim):
        left = left.reshape((1,) * (len(axes) - left.ndim) + left.shape).transpose(axes)
    if [n for n in left.shape if n != 1] != [n for n in right.shape if n != 1]:
        return None
    return _one_to_one(left.reshape(-1), right.reshape(-1))


def _one_to_one(left: Indices, right: Indices) -> Pairs | None:
    """Each pair once, in the right's order; None where an element has two partners."""
    order = np.argsort(right, kind="stable")
    left, right = left[order], right[order]
    first = np.flatnonzero(np.diff(right, prepend=-1))
    partners = left[first]
    counts = np.diff(first, append=len(right))
    if not np.array_equal(np.repeat(partners, counts), left):
        return None
    if len(np.unique(partners)) != len(partners):
        return None
    return partners, right[first]
