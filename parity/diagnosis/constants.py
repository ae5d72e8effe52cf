"""How one table of numbers became another: said as people would say it, and undone as code."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.comparator.noise import U32
from parity.diagnosis.array_hypotheses import apart
from parity.diagnosis.permutations import transposes

Array = NDArray[Any]

ROUNDED = 4 * U32
"""Relative to the largest number: tables are made in float32, each side's in its own steps."""
_WRITTEN = 8
"""So many numbers are written out where nothing shorter says them."""
_ENDS = 3
"""Of a longer row so many are shown, and the last."""
_WAVES = 3
"""Of fewer rows or columns a table of waves is not known for one."""


@dataclass(frozen=True)
class Change:
    """What may have been done to a table.

    Attributes:
        words: what it is then.
        made: the table then.
        undone: Keras code that takes it back, with ``{}`` for the table; '' where none does.
    """

    words: str
    made: Array
    undone: str = ""


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
    change = _change(mine, theirs)
    if change is not None:
        return change.words
    if mine.shape != theirs.shape:
        return f"other numbers, {_size(theirs)} instead of {_size(mine)}"
    return f"other numbers, up to {apart(mine, theirs):.3g} apart"


def undone(mine: Array, theirs: Array) -> str:
    """Keras code for the right table, with ``{}`` for the other: ``ops.flip({}, axis=0)``.

    Args:
        mine: the one that is right.
        theirs: the other.

    Returns:
        The numbers themselves where they are few; '' where no short code says it.
    """
    change = _change(mine, theirs)
    if change is not None and change.undone:
        return change.undone
    if mine.size == 1:
        return numbers(mine.reshape(()))
    return f"ops.array({numbers(mine)})" if mine.size <= _WRITTEN else ""


def numbers(table: Array) -> str:
    """All numbers of a table as a list, each with the fewest digits that float32 needs."""
    if table.ndim:
        return f"[{', '.join(numbers(part) for part in table)}]"
    return repr(float(str(np.float32(table))))


def contrast(mine: Array, theirs: Array) -> tuple[str, str] | None:
    """What a table must be and what it is, where it is neither of `RULES` nor a few numbers.

    Sines and cosines by their frequencies; any other by the first row or column that differs.

    Args:
        mine: the one that is right.
        theirs: the other.
    """
    waves = [_waves(table) for table in (mine, theirs)]
    if all(waves) and waves[0] != waves[1]:
        return waves[0], waves[1]
    if mine.shape != theirs.shape or not mine.ndim:
        return None
    differ = np.abs(mine - theirs) > ROUNDED * float(np.max(np.abs(theirs), initial=0.0))
    if not differ.any():
        return None
    first = tuple(int(i) for i in np.argwhere(differ)[0])
    rows: list[tuple[int | slice, ...]] = [
        (*first[:axis], slice(None), *first[axis + 1 :]) for axis in range(mine.ndim)
    ]
    telling = [r for r in rows if _is_even(mine[r]) and _is_even(theirs[r])] or rows
    row = max(telling, key=lambda r: int(differ[r].sum()))
    place = ", ".join(":" if isinstance(at, slice) else str(at) for at in row)
    if _shown(mine[row]) == _shown(theirs[row]):
        row, place = first, ", ".join(map(str, first))
    return f"[{place}] = {_shown(mine[row])}", _shown(theirs[row])


def _change(mine: Array, theirs: Array) -> Change | None:
    return next(
        (c for rule in RULES for c in rule(mine, theirs) if _alike(c.made, theirs)),
        None,
    )


def _shown(row: Array) -> str:
    """The first numbers of a row, and the last."""
    texts = [f"{x:.4g}" for x in row.reshape(-1).tolist()]
    return ", ".join(texts if len(texts) <= _ENDS + 2 else [*texts[:_ENDS], "…", texts[-1]])


def _is_even(row: Array) -> bool:
    """Whether the numbers go up, or down, by one step."""
    steps = np.diff(row)
    size = float(np.max(np.abs(row), initial=0.0))
    return len(steps) > 1 and steps[0] != 0 and bool(np.ptp(steps) <= ROUNDED * size)


def _waves(table: Array) -> str:
    """Which frequencies a table of sines and cosines of ``n · f`` has, if they are a geometric row.

    Column c has the frequency f₁ⁱ, where i counts anew in the second half, or goes up with every
    second column, or is c.
    """
    flat = table.squeeze()
    if flat.ndim != 2 or min(flat.shape) < _WAVES:
        return ""
    places, columns = np.arange(len(flat))[:, None], np.arange(flat.shape[1])
    sines = np.abs(flat[0]) < ROUNDED
    for words, row in (
        ("sines and cosines in halves", columns % max(len(columns) // 2, 1)),
        ("sines and cosines in turn", columns // 2),
        ("sines and cosines", columns),
    ):
        second = int(np.argmax(row == 1))
        turned = float(np.clip(flat[1, second], -1, 1))
        frequency = math.asin(turned) if sines[second] else math.acos(turned)
        angles = places * frequency**row
        if (
            0 < frequency < 1
            and apart(np.where(sines, np.sin(angles), np.cos(angles)), flat) < 1e-3
        ):
            only = "sines" if sines.all() else "cosines" if not sines.any() else words
            return f"{only} of the frequencies {_power(frequency, int(row[-1]) + 1)}"
    return ""


def _power(frequency: float, count: int) -> str:
    """The second of so many frequencies as people write it: ``10000 ** (-i / 8)``."""
    for steps in (count, count - 1, count + 1, 2 * count):
        base = frequency**-steps
        if math.isclose(base, float(f"{base:.1g}"), rel_tol=1e-3):
            return f"{float(f'{base:.1g}'):.0f} ** (-i / {steps})"
    return f"{frequency**-count:.4g} ** (-i / {count})"


def _alike(mine: Array, theirs: Array) -> bool:
    return apart(mine, theirs) <= ROUNDED * float(np.max(np.abs(theirs), initial=0.0))


def _size(array: Array) -> str:
    return " × ".join(map(str, array.shape)) or "one number"


Rule = Callable[[Array, Array], Iterator[Change]]
"""(the right table, the other) → what may have been done to it."""


def _reversed(mine: Array, theirs: Array) -> Iterator[Change]:
    for axis in range(mine.ndim):
        words = f"the same numbers reversed along axis {axis}"
        yield Change(words, np.flip(mine, axis), f"ops.flip({{}}, axis={axis})")


def _transposed(mine: Array, theirs: Array) -> Iterator[Change]:
    for axes, moved in transposes(mine, theirs.shape):
        words = f"the same numbers, axes in the order {list(axes)}"
        back = [list(axes).index(axis) for axis in range(len(axes))]
        yield Change(words, moved, f"ops.transpose({{}}, {tuple(back)})")


def _shifted(mine: Array, theirs: Array) -> Iterator[Change]:
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
                yield Change(f"the same numbers shifted by {by} along axis {axis}", moved)


def _permuted(mine: Array, theirs: Array) -> Iterator[Change]:
    if mine.size == theirs.size and np.array_equal(
        np.sort(mine, axis=None), np.sort(theirs, axis=None)
    ):
        yield Change("the same numbers in another order", theirs)


def _factor(mine: Array, theirs: Array) -> Iterator[Change]:
    if mine.shape == theirs.shape and mine.size > 1 and np.any(mine):
        factor = float(mine.ravel() @ theirs.ravel() / (mine.ravel() @ mine.ravel()))
        words = f"{factor:.6g} times these numbers"
        yield Change(words, mine * factor, f"{{}} / {factor:.6g}" if factor else "")


def _summand(mine: Array, theirs: Array) -> Iterator[Change]:
    if mine.shape == theirs.shape and mine.size > 1:
        summand = float(np.mean(theirs - mine))
        words = f"these numbers with {summand:.6g} added"
        back = f"{{}} {'+' if summand < 0 else '-'} {abs(summand):.6g}"
        yield Change(words, mine + summand, back)


def _of_each(mine: Array, theirs: Array) -> Iterator[Change]:
    """A function of every number, which is undone by another."""
    if mine.shape != theirs.shape or mine.size < 2:
        return
    with np.errstate(all="ignore"):
        for words, made, back in (
            ("the squares of these numbers", np.square(mine), "ops.sqrt({})"),
            ("the square roots of these numbers", np.sqrt(mine), "ops.square({})"),
            ("1 over these numbers", 1 / mine, "1 / {}"),
            ("1 minus these numbers", 1 - mine, "1 - {}"),
            ("the exponentials of these numbers", np.exp(mine), "ops.log({})"),
            ("the logarithms of these numbers", np.log(mine), "ops.exp({})"),
        ):
            if np.all(np.isfinite(made)):
                yield Change(words, made, back)


RULES: tuple[Rule, ...] = (
    _reversed,
    _transposed,
    _factor,
    _summand,
    _of_each,
    _shifted,
    _permuted,
)
"""The telling ones first. A factor fits a constant table just as a summand does: the factor."""
