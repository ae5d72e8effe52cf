"""How one table of numbers became another: said as people would say it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparator.noise import U32
from parity.diagnosis.array_hypotheses import apart
from parity.diagnosis.permutations import transposes

Array = NDArray[Any]

ROUNDED = 4 * U32
"""Relative to the largest number: tables are made in float32, each side's in its own steps."""


def relation(mine: Array, theirs: Array) -> str | None:
    """What a table is, told from another: ``the same numbers reversed along axis 0``.

    Args:
        mine: the one that is right.
        theirs: the one to be described.

    Returns:
        None where the two are the same but for float32's rounding.
    """
    if _alike(mine, theirs):
        return None
    for rule in RULES:
        for words, made in rule(mine, theirs):
            if _alike(made, theirs):
                return words
    if mine.shape != theirs.shape:
        return f"other numbers, {_size(theirs)} instead of {_size(mine)}"
    return f"other numbers, up to {apart(mine, theirs):.3g} apart"


def _alike(mine: Array, theirs: Array) -> bool:
    return apart(mine, theirs) <= ROUNDED * float(np.max(np.abs(theirs), initial=0.0))


def _size(array: Array) -> str:
    return " × ".join(map(str, array.shape)) or "one number"


Rule = Callable[[Array, Array], Iterator[tuple[str, Array]]]
"""(the right table, the other) → what may have been done to it, and what comes out."""


def _reversed(mine: Array, theirs: Array) -> Iterator[tuple[str, Array]]:
    for axis in range(mine.ndim):
        yield f"the same numbers reversed along axis {axis}", np.flip(mine, axis)


def _transposed(mine: Array, theirs: Array) -> Iterator[tuple[str, Array]]:
    for axes, moved in transposes(mine, theirs.shape):
        yield f"the same numbers, axes in the order {list(axes)}", moved


def _shifted(mine: Array, theirs: Array) -> Iterator[tuple[str, Array]]:
    """By a few places along an axis; what comes in at the end is not compared."""
    if mine.shape != theirs.shape:
        return
    for axis in range(mine.ndim):
        for by in (1, -1, 2, -2):
            if 2 * abs(by) < mine.shape[axis]:  # most of it must be there
                moved = np.roll(mine, by, axis)
                new = [slice(None)] * mine.ndim
                new[axis] = slice(0, by) if by > 0 else slice(by, None)
                moved[tuple(new)] = theirs[tuple(new)]
                yield f"the same numbers shifted by {by} along axis {axis}", moved


def _permuted(mine: Array, theirs: Array) -> Iterator[tuple[str, Array]]:
    if mine.size == theirs.size and np.array_equal(
        np.sort(mine, axis=None), np.sort(theirs, axis=None)
    ):
        yield "the same numbers in another order", theirs


def _factor(mine: Array, theirs: Array) -> Iterator[tuple[str, Array]]:
    if mine.shape == theirs.shape and mine.size > 1 and np.any(mine):
        factor = float(mine.ravel() @ theirs.ravel() / (mine.ravel() @ mine.ravel()))
        yield f"{factor:.6g} times these numbers", mine * factor


def _summand(mine: Array, theirs: Array) -> Iterator[tuple[str, Array]]:
    if mine.shape == theirs.shape and mine.size > 1:
        summand = float(np.mean(theirs - mine))
        yield f"these numbers with {summand:.6g} added", mine + summand


RULES: tuple[Rule, ...] = (_reversed, _transposed, _factor, _summand, _shifted, _permuted)
"""The telling ones first. A factor fits a constant table just as a summand does: the factor."""
