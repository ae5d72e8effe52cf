"""Inputs that a random draw hardly ever holds: ids that the code asks for, padding, empty masks.

One id of 50,000 is padding; drawn at random it never comes, and a port that forgot it would agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from parity.checker.graph import model_inputs
from parity.checker.graph.graph import Graph
from parity.checker.graph.model_inputs import Input
from parity.checker.graph.model_interface import Array

_FIRST = (0, 1, 2)
"""Padding, the start and the end of a text, an unknown word: one of these in most vocabularies."""
_PADDINGS = 2
"""So many ids are tried as padding, those first that a model compares with."""
_WHOLE = ("bool", "int", "uint")
_APART = 1000
"""Of the seeds from those of the ordinary draws."""


@dataclass(frozen=True)
class TellingIds:
    """Whole numbers that the code of a model knows.

    Attributes:
        padding: those that it asks for, or never learns.
        near: those around a bound that it compares with.
    """

    padding: tuple[int, ...] = ()
    near: tuple[int, ...] = ()


def telling_ids(graphs: Iterable[Graph]) -> TellingIds:
    """What either model compares a whole number with."""
    padding: list[int] = []
    near: list[int] = []
    for graph in graphs:
        whole = {v.id for v in graph.inputs if v.dtype.startswith(_WHOLE)}
        for node in graph.nodes:
            whole |= {v.id for v in node.values if v.dtype.startswith(_WHOLE)}
            zero = node.settings.get("zero_index")
            number = node.settings.get("scalar")
            if isinstance(zero, int):
                padding.append(zero)
            if not isinstance(number, int | float) or not float(number).is_integer():
                continue
            if node.kind == "compare" and all(s.value in whole for s in node.sources):
                equal = node.settings.get("name") in ("eq", "ne", "equal", "not_equal")
                (padding if equal else near).append(int(number))
            elif node.kind in ("maximum", "minimum") and node.values[0].id in whole:
                near.append(int(number))
    return TellingIds(tuple(dict.fromkeys(padding)), tuple(dict.fromkeys(near)))


def rows_reached(graphs: Iterable[Graph]) -> dict[int, int]:
    """Number of an input → rows of the smallest table that its whole numbers reach.

    A table of two segments or of sixteen positions, which other numbers look up, does not keep the
    ids of a text below its own rows.
    """
    rows: dict[int, int] = {}
    for graph in graphs:
        reach = {v.id: {i} for i, v in enumerate(graph.inputs) if v.dtype.startswith(_WHOLE)}
        for node in graph.nodes:
            inputs = set[int]().union(*(reach.get(s.value, ()) for s in node.sources))
            if node.kind == "embedding":
                for i in inputs:
                    rows[i] = min(
                        int(node.settings["rows"]), rows.get(i, int(node.settings["rows"]))
                    )
                continue
            for value in node.values:
                if inputs and value.dtype.startswith(_WHOLE):
                    reach[value.id] = inputs
    return rows


def draws(
    inputs: Sequence[Input], seed: int, vocabulary: int | None, ids: TellingIds
) -> list[list[Array]]:
    """Inputs in PyTorch's layout, one list a draw; none where all inputs are floats.

    The first holds every telling id; the next have padding at the end of a sample and at the start
    of another; the last a mask that keeps nothing of its first sample.

    Args:
        inputs: what is wanted.
        seed: of what is random besides.
        vocabulary: rows of the smallest embedding.
        ids: of both models.
    """
    inputs = [replace(one, high=_high(one, vocabulary)) for one in inputs]
    if not any(one.kind in ("int", "bool") for one in inputs):
        return []
    texts = [one.high or 0 for one in inputs if one.kind == "int" and not _is_mask(one)]
    likely = [n for n in ids.padding if n < max(texts, default=1)] or [0]
    changes: list[Callable[[Array, Input], Array]] = []
    if texts:
        changes.append(lambda array, one: _with_ids(array, one, ids, seed))
    changes += [partial(_padded, padding=padding) for padding in likely[:_PADDINGS]]
    if any(_is_mask(one) for one in inputs):
        changes.append(_emptied)
    made = []
    for number, change in enumerate(changes):
        random = model_inputs.draw(inputs, seed + _APART + number, vocabulary)
        made.append([change(array, one) for array, one in zip(random, inputs, strict=True)])
    return made


def _high(one: Input, vocabulary: int | None) -> int | None:
    return (one.high or vocabulary or 2) if one.kind == "int" else one.high


def _is_mask(one: Input) -> bool:
    """Whether it says of each place whether it counts."""
    return one.kind == "bool" or (one.kind == "int" and one.high == 2)


def _with_ids(array: Array, one: Input, ids: TellingIds, seed: int) -> Array:
    """Every telling id once, at a place of its own, where there is room for all."""
    if one.kind != "int" or _is_mask(one):
        return array
    high = one.high or 1
    around = [n + by for n in ids.near for by in (0, -1, 1)]
    every = [*ids.padding, high - 1, *_FIRST, *around]
    wanted = [n for n in dict.fromkeys(every) if 0 <= n < high][: array.size]
    places = np.random.default_rng([seed, 3]).permutation(array.size)[: len(wanted)]
    changed = array.copy().reshape(-1)
    changed[places] = wanted
    return changed.reshape(array.shape)


def _padded(array: Array, one: Input, padding: int) -> Array:
    """Padding at the end of every other sample, and at the start of those between."""
    if one.kind not in ("int", "bool") or array.ndim < 2 or array.shape[1] < 2:
        return array
    changed = array.copy()
    value = 0 if _is_mask(one) else min(padding, (one.high or 1) - 1)
    steps = array.shape[1]
    short = max(steps // 3, 1)
    if _is_mask(one):
        changed[:] = 1
    changed[0::2, steps - short :] = value
    changed[1::2, :short] = value
    return changed


def _emptied(array: Array, one: Input) -> Array:
    if not _is_mask(one):
        return array
    changed = array.copy()
    changed[0] = 0
    return changed
