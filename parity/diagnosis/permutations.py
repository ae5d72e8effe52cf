"""The orders in which the elements of an array, or of a layer's weight, are left by mistake."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core.blockwise import finite
from parity.diagnosis.causes import value_text
from parity.operations.function import Function

Array = NDArray[Any]
_MOST_SORTED = 4_000_000


def transposes(array: Array, shape: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], Array]]:
    """(axes, array transposed so) for every order of axes that gives a shape, but the given one."""
    for axes in itertools.permutations(range(array.ndim)):
        moved = array.transpose(axes)
        if axes != tuple(range(array.ndim)) and moved.shape == shape:
            yield axes, moved


def rolled(array: Array, shift: int, axis: int) -> Callable[[tuple[slice, ...]], Array]:
    """A function that gives a piece of what `np.roll` would, without making the whole."""

    def take(index: tuple[slice, ...]) -> Array:
        whole = range(array.shape[axis])[index[axis]]
        from_ = (np.arange(whole.start, whole.stop) - shift) % array.shape[axis]
        piece: Array = array[(*index[:axis], from_, *index[axis + 1 :])]
        return piece

    return take


def sorted_alike(array: Array, like: Array) -> Iterator[Array]:
    """The array in the order of sizes of another; nothing where they are too large to sort."""
    if 1 < array.size <= _MOST_SORTED:
        order = np.empty(array.size, np.intp)
        order[np.argsort(finite(like), axis=None)] = np.argsort(finite(array), axis=None)
        yield array.ravel()[order].reshape(like.shape)


def permuted(
    base: Function, role: str, array: Array, spatial: Sequence[int] = ()
) -> Iterator[tuple[str, str, Array]]:
    """(kind, how, array) for every order in which people leave a weight by mistake."""
    plain = role.removeprefix("forward_").removeprefix("backward_")
    if base.kind == "recurrent" and plain in ("kernel", "recurrent_kernel", "bias"):
        yield from _gates(base, array)
    if plain != "kernel" or base.kind == "recurrent":
        return
    rank = array.ndim - 2
    if rank > 0:
        for axes in _subsets(range(rank)):
            name = "flipped" if len(axes) == rank else f"flipped along {value_text(axes)}"
            yield "kernel_order", name, np.flip(array, axes)
        for order in list(itertools.permutations(range(rank)))[1:]:
            yield "kernel_order", "height and width swapped", array.transpose(*order, -2, -1)
        if array.shape[-1] == array.shape[-2]:
            yield "kernel_order", "in and out swapped", array.swapaxes(-1, -2)
        for groups in divisors(array.shape[-1]):
            yield "kernel_order", f"channels interleaved by {groups}", _interleaved(array, groups)
    else:
        if array.shape[0] == array.shape[1]:
            yield "kernel_order", "in and out swapped", array.T
        for h, w, c in images(array.shape[0], spatial):
            first = array.reshape(c, h, w, -1).transpose(1, 2, 0, 3).reshape(array.shape)
            last = array.reshape(h, w, c, -1).transpose(2, 0, 1, 3).reshape(array.shape)
            yield "flatten_order", f"({h}, {w}, {c}) channels last", first
            yield "flatten_order", f"({h}, {w}, {c}) channels first", last
        for heads in divisors(array.shape[1]):
            yield "kernel_order", f"{heads} heads interleaved", _interleaved(array, heads)


def _gates(base: Function, array: Array) -> Iterator[tuple[str, str, Array]]:
    names = {"lstm": "ifco", "gru": "zrh"}.get(base.settings["cell"], "")
    parts = np.split(array, len(names), -1) if names else []
    for order in list(itertools.permutations(range(len(names))))[1:]:
        how = " ".join(names[i] for i in order)
        yield "gate_order", how, np.concatenate([parts[i] for i in order], -1)


def _subsets(items: Sequence[int]) -> list[tuple[int, ...]]:
    many = range(len(items), 0, -1)
    return [s for size in many for s in itertools.combinations(items, size)]


def divisors(n: int) -> list[int]:
    """Into how many parts n may be divided."""
    return [d for d in range(2, min(n, 65)) if n % d == 0]


def _interleaved(array: Array, parts: int) -> Array:
    split = array.reshape(*array.shape[:-1], parts, -1)
    return split.swapaxes(-1, -2).reshape(array.shape)


def images(n: int, spatial: Sequence[int]) -> list[tuple[int, int, int]]:
    """What an n of flattened pixels may have been."""
    if len(spatial) == 3:
        return [(spatial[0], spatial[1], spatial[2])]
    sides = [s for s in range(2, 65) if n % (s * s) == 0 and n > s * s]
    return [(s, s, n // (s * s)) for s in sides]
