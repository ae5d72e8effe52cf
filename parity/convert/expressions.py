"""The language of a map: what a weight is, said over the weights of the other side.

In JSON a text is a weight of the other side by its name; everything else is an object whose first
key is what is done, and to what (shapes, axes and numbers as NumPy has them)::

    "fc.weight"
    {"transpose": A, "axes": [1, 0]}                 axes of A in the order of the result's
    {"reshape": A, "shape": [7, 7, 64, 10]}          row by row, last axis first
    {"slice": A, "axis": 0, "start": 0, "stop": 64}
    {"concatenate": [A, B], "axis": 0}
    {"flip": A, "axes": [0, 1]}
    {"take": A, "axis": 0, "indices": [2, 0, 1]}
    {"broadcast": A, "shape": [14, 14, 64]}
    {"add": [A, B]}                                  exact, then rounded once, to float32
    {"constant": 0, "shape": [], "dtype": "int64"}   one number everywhere
    {"kept": "table"}                                not of the other side: as the model built it

Everything but ``add`` moves numbers and leaves them as they are, in whatever type they have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import UsageError

Array = NDArray[Any]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Weight:
    """A weight of the other side."""

    name: str


@dataclass(frozen=True)
class Kept:
    """A weight that the model built itself, and no other side has."""

    name: str


@dataclass(frozen=True)
class Constant:
    """One number everywhere."""

    value: float | int | bool
    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Transpose:
    """Axes in another order: `axes` has one of the operand for each of the result."""

    of: Expression
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Reshape:
    """The same numbers, row by row, in another shape."""

    of: Expression
    shape: Shape


@dataclass(frozen=True)
class Slice:
    """From `start` up to before `stop` along an axis."""

    of: Expression
    axis: int
    start: int
    stop: int


@dataclass(frozen=True)
class Flip:
    """Backwards along some axes."""

    of: Expression
    axes: tuple[int, ...]


@dataclass(frozen=True)
class Take:
    """Rows, columns … in another order, or some of them, or some more than once."""

    of: Expression
    axis: int
    indices: tuple[int, ...]


@dataclass(frozen=True)
class Broadcast:
    """The same numbers again along axes of one."""

    of: Expression
    shape: Shape


@dataclass(frozen=True)
class Concatenate:
    """One behind the other along an axis."""

    of: tuple[Expression, ...]
    axis: int


@dataclass(frozen=True)
class Add:
    """The sum, rounded once to float32; to float64 where one of them is."""

    of: tuple[Expression, ...]


Expression: TypeAlias = (
    Weight
    | Kept
    | Constant
    | Transpose
    | Reshape
    | Slice
    | Flip
    | Take
    | Broadcast
    | Concatenate
    | Add
)


def evaluated(
    expression: Expression, weight: Callable[[str], Array], kept: Callable[[str], Array]
) -> Array:
    """The array that an expression stands for; a view of a weight where that will do.

    Args:
        expression: over weights of the other side.
        weight: gives one of those by its name.
        kept: gives a weight that the model built itself.

    Raises:
        ValueError: a weight has not the shape that the expression is for.
    """

    def of(one: Expression) -> Array:
        return evaluated(one, weight, kept)

    match expression:
        case Weight(name):
            return weight(name)
        case Kept(name):
            return kept(name)
        case Constant(value, shape, dtype):
            return np.full(shape, value, np.dtype(dtype))
        case Transpose(one, axes):
            return of(one).transpose(axes)
        case Reshape(one, shape):
            return of(one).reshape(shape)
        case Slice(one, axis, start, stop):
            return of(one)[(slice(None),) * axis + (slice(start, stop),)]
        case Flip(one, axes):
            return np.flip(of(one), axes)
        case Take(one, axis, indices):
            return of(one).take(np.array(indices, np.int64), axis)
        case Broadcast(one, shape):
            return np.broadcast_to(of(one), shape)
        case Concatenate(parts, axis):
            return np.concatenate([of(one) for one in parts], axis)
        case Add(parts):
            return added([of(one) for one in parts])


def added(terms: Sequence[Array]) -> Array:
    """A sum of weights, as `Add` has it."""
    total = np.asarray(sum(np.asarray(term, np.float64) for term in terms))
    wide = any(term.dtype == np.float64 for term in terms)
    return total if wide else total.astype(np.float32)


def weights_of(expression: Expression) -> Iterator[str]:
    """Names of the other side's weights that go into it, some more than once."""
    if isinstance(expression, Weight):
        yield expression.name
    for one in operands(expression):
        yield from weights_of(one)


def operands(expression: Expression) -> tuple[Expression, ...]:
    """What it is made of."""
    if isinstance(expression, Weight | Kept | Constant):
        return ()
    of = expression.of
    return of if isinstance(of, tuple) else (of,)


def with_weights(expression: Expression, known: Mapping[str, Expression]) -> Expression:
    """The expression with others in the place of the weights."""
    match expression:
        case Weight(name):
            return known[name]
        case Kept() | Constant():
            return expression
        case Concatenate(parts, axis):
            return Concatenate(tuple(with_weights(part, known) for part in parts), axis)
        case Add(parts):
            return Add(tuple(with_weights(part, known) for part in parts))
        case _:
            return replace(expression, of=with_weights(expression.of, known))


# As JSON

_OPERATIONS: dict[str, tuple[type, tuple[str, ...]]] = {
    "transpose": (Transpose, ("axes",)),
    "reshape": (Reshape, ("shape",)),
    "slice": (Slice, ("axis", "start", "stop")),
    "flip": (Flip, ("axes",)),
    "take": (Take, ("axis", "indices")),
    "broadcast": (Broadcast, ("shape",)),
    "concatenate": (Concatenate, ("axis",)),
    "add": (Add, ()),
}
"""Word → class, and what it needs besides its operand."""


def to_json(expression: Expression) -> Any:
    """As a map has it."""
    match expression:
        case Weight(name):
            return name
        case Kept(name):
            return {"kept": name}
        case Constant(value, shape, dtype):
            return {"constant": value, "shape": list(shape), "dtype": dtype}
        case _:
            word = type(expression).__name__.lower()
            of = expression.of
            operand = [to_json(one) for one in of] if isinstance(of, tuple) else to_json(of)
            settings = {name: getattr(expression, name) for name in _OPERATIONS[word][1]}
            return {word: operand} | {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in settings.items()
            }


def from_json(raw: Any) -> Expression:
    """Read what `to_json` wrote.

    Raises:
        UsageError: it is no such expression.
    """
    if isinstance(raw, str):
        return Weight(raw)
    try:
        word = next(iter(raw))
        if word == "kept":
            return Kept(str(raw[word]))
        if word == "constant":
            return Constant(raw[word], tuple(map(int, raw["shape"])), str(np.dtype(raw["dtype"])))
        kind, fields = _OPERATIONS[word]
        settings = {
            name: tuple(map(int, raw[name])) if isinstance(raw[name], list) else int(raw[name])
            for name in fields
        }
        of = raw[word]
        made: Expression = kind(
            of=tuple(map(from_json, of)) if kind in (Concatenate, Add) else from_json(of),
            **settings,
        )
    except (TypeError, KeyError, ValueError, StopIteration, AttributeError) as error:
        raise UsageError(
            f"The map has an expression that is none: {str(raw)[:120]}. Expected the name of a "
            f"weight, or one of {', '.join((*_OPERATIONS, 'constant', 'kept'))} with what it needs."
        ) from error
    return made
