"""Which element of one side's array is which of the other's.

PyTorch has images channels first and Keras channels last; behind a flatten the same features stand
in another order; a mean over the spatial axes may keep them or not. All of that is one question:
given an array of the left side, how does it become an array of the right?
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Indices = NDArray[np.int64]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Arrangement:
    """How a left array becomes a right one.

    Attributes:
        left, right: the shapes.
        axes: right axis → left axis, where the axes are only permuted.
        places: of the right's shape: which element of the flattened left stands there; only where
            that is no permutation of axes.
    """

    left: Shape
    right: Shape
    axes: tuple[int, ...] | None
    places: Indices | None = None

    def __call__(self, array: Array) -> Array:
        """A left array, arranged as the right's."""
        if self.axes is not None:
            return array.transpose(self.axes)
        assert self.places is not None
        taken: Array = array.reshape(-1)[self.places]
        return taken

    def back(self, array: Array) -> Array:
        """A right array, arranged as the left's; what does not go across is zero."""
        if self.axes is not None:
            return array.transpose(np.argsort(self.axes))
        flat = np.zeros(int(np.prod(self.left)), array.dtype)
        flat[self.indices] = array
        return flat.reshape(self.left)

    @property
    def indices(self) -> Indices:
        """`places`, whichever way it is said."""
        if self.places is not None:
            return self.places
        return self(np.arange(int(np.prod(self.left)), dtype=np.int64).reshape(self.left))

    @property
    def is_in_order(self) -> bool:
        """Whether every number stands where it stood in memory, in whatever shape."""
        places = self.indices.reshape(-1)
        return bool(np.array_equal(places, np.arange(len(places))))

    @property
    def is_identity(self) -> bool:
        """Nothing moves."""
        return self.axes == tuple(range(len(self.left)))

    def first_sample(self) -> Arrangement | None:
        """The same for a batch of one; None where samples are mixed."""
        if not self.left or not self.right:
            return None
        left, right = ((1, *shape[1:]) for shape in (self.left, self.right))
        places = self.indices[:1]
        size = int(np.prod(left))
        if places.size != size or places.max(initial=0) >= size:
            return None
        return simplest(left, right, places)

    def columns(self) -> Indices | None:
        """Right feature → left feature along the last axis, or None where they are mixed."""
        if not self.left or not self.right:
            return None
        width = self.right[-1]
        if self.axes is not None and self.axes[-1] == len(self.left) - 1:
            return np.arange(width, dtype=np.int64)
        places = self.indices.reshape(-1, width) % self.left[-1]
        same = self.left[-1] == width and bool(np.all(places == places[0]))
        return places[0] if same else None


def permuted(left: Shape, axes: Sequence[int]) -> Arrangement:
    """The axes in another order."""
    return Arrangement(left, tuple(left[a] for a in axes), tuple(axes))


def identity(shape: Shape) -> Arrangement:
    """Both sides alike."""
    return permuted(shape, range(len(shape)))


def channels_moved(left: Shape) -> Arrangement:
    """``(batch, channel, …)`` to ``(batch, …, channel)``; samples alone stay as they are."""
    return permuted(left, (0, *range(2, len(left)), 1)) if len(left) > 1 else identity(left)


def channels_back(left: Shape) -> Arrangement:
    """``(batch, …, channel)`` to ``(batch, channel, …)``; samples alone stay as they are."""
    axes = (0, len(left) - 1, *range(1, len(left) - 1))
    return permuted(left, axes) if len(left) > 1 else identity(left)


def is_layout(arrangement: Arrangement) -> bool:
    """Whether no axes change places but as those of images do, channels first or last."""
    return arrangement.axes in [
        layout.axes for layout in layouts(arrangement.left, arrangement.right)
    ]


def is_reshaped(arrangement: Arrangement) -> bool:
    """Whether only the shape is another, behind a layout of images or without one."""
    left = arrangement.left
    moves = [identity(left), channels_moved(left), channels_back(left)]
    every = np.arange(math.prod(left), dtype=np.int64).reshape(left)
    return any(np.array_equal(m(every).ravel(), arrangement.indices.ravel()) for m in moves)


def layouts(left: Shape, right: Shape) -> list[Arrangement]:
    """The same order, and channels moved to the end or to the front, as far as the shapes fit."""
    every = (identity(left), channels_moved(left), channels_back(left))
    return [layout for layout in every if layout.right == right]


def by_channels(left: Shape, right: Shape, first: str, other: str) -> Arrangement | None:
    """From where each side says that it has its channels; None where the shapes deny it."""
    if len(left) < 3 or first == other:
        moved = identity(left)
    else:
        moved = channels_moved(left) if first == "first" else channels_back(left)
    return moved if moved.right == right else None


def in_order(left: Shape, right: Shape) -> Arrangement | None:
    """Every number where it stands in memory: 8 × 11 × 8 is 2 × 4 × 11 × 8; None of other sizes."""
    size = math.prod(left)
    if size != math.prod(right):
        return None
    return simplest(left, right, np.arange(size, dtype=np.int64).reshape(right))


def candidates(left: Shape, right: Shape) -> list[Arrangement]:
    """Permutations of axes that the shapes allow, the usual ones first; axes of one are dropped."""
    usual = [identity(left)]
    if len(left) > 2:
        usual += [channels_moved(left), channels_back(left)]
    if 1 < len(left) <= 5:
        usual += [permuted(left, axes) for axes in itertools.permutations(range(len(left)))]
    unique = {a.axes: a for a in reversed(usual)}
    fitting = [unique[a.axes] for a in usual if a.right == right]
    ordered = list({a.axes: a for a in fitting}.values())
    if ordered or np.prod(left) != np.prod(right):
        return ordered
    short_left, short_right = (tuple(n for n in s if n != 1) for s in (left, right))
    if len(short_left) == len(left) and len(short_right) == len(right):
        return []
    return [widened(a, left, right) for a in candidates(short_left, short_right)]


def widened(arrangement: Arrangement, left: Shape, right: Shape) -> Arrangement:
    """The same, where the arrays have axes of one besides."""
    return simplest(left, right, arrangement.indices.reshape(right))


def simplest(left: Shape, right: Shape, places: Indices) -> Arrangement:
    """As a permutation of axes if that is what it is."""
    if len(left) == len(right) <= 5:
        every = np.arange(int(np.prod(left)), dtype=np.int64).reshape(left)
        for axes in _permutations(len(left)):
            moved = every.transpose(axes)
            if moved.shape == right and np.array_equal(moved, places):
                return permuted(left, axes)
    return Arrangement(left, right, None, places)


def _permutations(rank: int) -> list[tuple[int, ...]]:
    usual = [tuple(range(rank))]
    if rank > 2:
        usual += [(0, *range(2, rank), 1), (0, rank - 1, *range(1, rank - 1))]
    return list(dict.fromkeys([*usual, *itertools.permutations(range(rank))]))


def of_sources(
    root: Arrangement,
    left_shape: Shape,
    right_shape: Shape,
    left_ids: Indices | None,
    right_ids: Indices | None,
) -> Arrangement | None:
    """How what two nodes take from one root value goes across.

    Args:
        root: of the root value itself.
        left_shape, right_shape: as the two nodes see it.
        left_ids, right_ids: which element of the flattened root stands where; None: the root.

    Returns:
        None where one side takes elements that the other does not: no mere rearrangement.
    """
    if left_ids is None and right_ids is None:
        return root
    if left_ids is None:
        left_ids = np.arange(int(np.prod(root.left)), dtype=np.int64).reshape(root.left)
    if right_ids is None:
        right_ids = np.arange(int(np.prod(root.right)), dtype=np.int64).reshape(root.right)
    wanted = root.indices.reshape(-1)[right_ids]  # in terms of the left root
    if len(left_shape) == len(right_shape) <= 5:
        for axes in _permutations(len(left_shape)):
            moved = left_ids.transpose(axes)
            if moved.shape == right_shape and np.array_equal(moved, wanted):
                return permuted(left_shape, axes)
    if left_ids.size != right_ids.size:
        return None
    order = np.argsort(left_ids, axis=None, kind="stable")
    ascending = left_ids.reshape(-1)[order]
    at = np.searchsorted(ascending, wanted.reshape(-1))
    if np.any(at >= len(ascending)) or not np.array_equal(
        ascending[np.minimum(at, len(ascending) - 1)], wanted.reshape(-1)
    ):
        return None
    if not np.array_equal(np.sort(wanted, axis=None), ascending):
        return None
    return Arrangement(left_shape, right_shape, None, order[at].reshape(right_shape))
