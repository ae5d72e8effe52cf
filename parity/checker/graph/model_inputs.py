"""What the two models are fed: shapes as text, random numbers, and their layout on each side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement, Indices, Shape
from parity.checker.graph.graph import Graph
from parity.checker.graph.input_names import Signature
from parity.checker.graph.model_interface import Array, Traced
from parity.core.errors import UsageError

_GRAMMAR = re.compile(
    r"\s*(?:([A-Za-z_]\w*)\s*=\s*)?(\d+(?:\s*,\s*\d+)*)\s*(?::\s*(float|int|bool|prob)\s*(?:[<:]\s*(\d+))?)?\s*"
)
_BATCH = 4
_FREE = (40, 56, 48)
"""Sizes for axes that a model leaves free: not square, and divisible by what most models halve."""

InputLayout = Literal["auto", "same", "moved"]
Kind = Literal["float", "int", "bool", "prob"]
_KINDS: dict[str, Kind] = {"int": "int", "bool": "bool"}
"""Part of a type's name → what is drawn for it."""


@dataclass(frozen=True)
class Input:
    """One input of the models.

    Attributes:
        shape: batch first, in PyTorch's layout.
        kind: ``float``: normal(0, 1); ``int``: token ids below `high`; ``bool``: a mask, three
            quarters of it true; ``prob``: fractions that sum to 1 along the second axis.
        high: None: the rows of the smallest embedding that it reaches.
        name: of an argument of either model; empty: it goes by position.
    """

    shape: Shape
    kind: Kind = "float"
    high: int | None = None
    name: str = ""

    def __str__(self) -> str:
        kind = "" if self.kind == "float" else f" {self.kind}"
        return " × ".join(map(str, self.shape)) + kind


@dataclass(frozen=True)
class Fed:
    """What the models are fed.

    Attributes:
        inputs: what is wanted.
        given: arrays for these, in place of random numbers.
    """

    inputs: tuple[Input, ...]
    given: tuple[Array, ...] | None = None

    def __str__(self) -> str:
        return ", ".join(map(str, self.inputs))


def of_arrays(arrays: Sequence[Array], names: Sequence[str] = ()) -> Fed:
    """Arrays in PyTorch's layout as inputs.

    Args:
        arrays: batch first.
        names: of each; empty: by position.

    Raises:
        UsageError: one is no array of numbers with a batch.
    """
    kinds: dict[str, Kind] = {"f": "float", "i": "int", "u": "int", "b": "bool"}
    odd = next((a for a in arrays if a.dtype.kind not in kinds or a.ndim == 0), None)
    if odd is not None:
        raise UsageError(
            f"An input has dtype {odd.dtype} and shape {odd.shape}. Expected arrays of floats, "
            "whole numbers or booleans, batch first."
        )
    called = names or [""] * len(arrays)
    inputs = [
        Input(a.shape, kinds[a.dtype.kind], name=n) for a, n in zip(arrays, called, strict=True)
    ]
    return Fed(tuple(inputs), tuple(arrays))


def resized(inputs: Sequence[Input], texts: Sequence[str]) -> tuple[Fed, ...]:
    """The same inputs in other sizes, as ``--also`` has them: as many texts as inputs, or twice …

    Raises:
        UsageError: a text is no shape, or there are too few or too many.
    """
    found = [parse(text, "--also") for text in texts]
    if not inputs or len(found) % len(inputs):
        raise UsageError(
            f"--also was given {len(found)} times and there are {len(inputs)} inputs. Expected one "
            "for each --input, in their order."
        )
    rows = [found[k : k + len(inputs)] for k in range(0, len(found), len(inputs))]
    fed = []
    for row in rows:
        for one, other in zip(inputs, row, strict=True):
            if len(one.shape) != len(other.shape):
                raise UsageError(
                    f"--also {other} has {len(other.shape)} axes where the input {one} has "
                    f"{len(one.shape)}. Expected other sizes of the same axes."
                )
        fed.append(Fed(tuple(replace(a, shape=b.shape) for a, b in zip(inputs, row, strict=True))))
    return tuple(fed)


def parse(text: str, option: str = "--input") -> Input:
    """Read ``8,3,64,64``, ``2,11:int``, ``2,11:int<50`` (or ``:int:50``), ``mask=2,11:bool`` …

    Raises:
        UsageError: it is not of that form.
    """
    match = _GRAMMAR.fullmatch(text)
    name, sizes, word, bound = match.groups() if match else (None, "0", None, None)
    shape = tuple(int(n) for n in sizes.split(","))
    if match is None or 0 in shape or (bound and word != "int"):
        raise UsageError(
            f"{option} '{text}' is no shape. Expected sizes, batch first, in PyTorch's layout "
            "(8,3,64,64), with a type where they are not floats: 8,20:int or 8,20:int<1000 for "
            "token ids or classes, 8,20:bool for a mask, 8,10:prob for fractions that sum to 1; "
            "and a name where the order does not tell: attention_mask=8,20:bool."
        )
    high = int(bound) if bound else None
    if high == 0:
        raise UsageError(f"{option} '{text}': there is no whole number from 0 up to below 0.")
    kind: Kind = word or "float"  # type: ignore[assignment]
    return Input(shape, kind, high, name or "")


def stated(takes: Signature | None) -> tuple[Input, ...] | None:
    """Inputs for the shapes that a Keras model states itself; None if it states none."""
    if takes is None or any(argument.shape is None for argument in takes.arguments):
        return None
    inputs = []
    for argument in takes.arguments:
        free = iter(_FREE)
        sizes = [n if n is not None else next(free, 8) for n in (argument.shape or ())[1:]]
        kind: Kind = next((k for word, k in _KINDS.items() if word in argument.dtype), "float")
        if len(sizes) >= 3 and kind == "float":
            sizes = [sizes[-1], *sizes[:-1]]
        inputs.append(Input((_BATCH, *sizes), kind))
    return tuple(inputs) or None


def draw(
    inputs: Sequence[Input],
    seed: int,
    vocabulary: int | None,
    scale: float = 1.0,
    aside: float = 0.0,
) -> list[Array]:
    """Random inputs in PyTorch's layout.

    Floats are float32 numbers, so that both precisions start from the same.

    Args:
        inputs: what is wanted.
        seed: of the draw.
        vocabulary: rows of the smallest embedding.
        scale: standard deviation of floats.
        aside: their mean, in every other sample its negative, so that sums over a window or
            over features have one sign in all of a sample.
    """
    rng = np.random.default_rng(seed)
    drawn: list[Array] = []
    for wanted in inputs:
        if wanted.kind == "float":
            means = np.where((np.arange(wanted.shape[0]) + seed) % 2, aside, -aside)
            floats = scale * rng.standard_normal(wanted.shape)
            floats += means.reshape(-1, *[1] * (len(wanted.shape) - 1))
            floats = floats.astype(np.float32)
            drawn.append(floats.astype(np.float64))
        elif wanted.kind == "int":
            high = wanted.high or vocabulary or 2
            drawn.append(rng.integers(0, high, wanted.shape))
        elif wanted.kind == "prob":
            parts = np.exp(rng.standard_normal(wanted.shape)).astype(np.float32).astype(np.float64)
            drawn.append(parts / parts.sum(axis=min(1, parts.ndim - 1), keepdims=True))
        else:
            mask = rng.random(wanted.shape) < 0.75
            mask[..., 0] = True  # a row without any is a case of its own
            drawn.append(mask)
    return drawn


UNSEEN = Traced(Graph("torch", "", (), (), (), {}), {})
"""A model of PyTorch's of which nothing is known."""


def layouts(
    inputs: Sequence[Input],
    traced: Traced,
    declared: Sequence[Sequence[int | None]] | None,
    wish: InputLayout,
) -> list[list[Arrangement]]:
    """How each input goes to Keras' layout: what is to be tried, the likeliest first.

    Args:
        inputs: in PyTorch's layout.
        traced: PyTorch's model, on them.
        declared: what the Keras model says of its inputs.
        wish: the user's.
    """
    choices = []
    for i, wanted in enumerate(inputs):
        same = arrangement.identity(wanted.shape)
        if len(wanted.shape) < 3 or wanted.kind != "float":
            choices.append([same])
            continue
        moved = arrangement.channels_moved(wanted.shape)
        if wish != "auto":
            choices.append([same if wish == "same" else moved])
            continue
        options = [moved, same] if _as_image(traced, i, wanted) else [same, moved]
        if declared and i < len(declared):
            fitting = [o for o in options if _fits(o.right, declared[i])]
            options = fitting or options
        choices.append(options)
    return choices


def _fits(shape: Shape, declared: Sequence[int | None]) -> bool:
    return len(shape) == len(declared) and all(
        want in (None, have) for have, want in zip(shape[1:], declared[1:], strict=True)
    )


def _as_image(traced: Traced, index: int, wanted: Input) -> bool:
    """Whether PyTorch's model takes it channels first: what first has a say on channels tells."""
    reached, others, rank = {f"input:{index}": wanted.shape}, False, len(wanted.shape)
    for node in traced.graph.nodes:
        taken = [s for s in node.sources if s.value in reached]
        if not taken:
            continue
        if any(s.ids and not _in_place(traced.ids.get(s.ids), reached[s.value]) for s in taken):
            others = True
            continue
        if node.settings.get("channels") in ("first", "last"):
            return bool(node.settings["channels"] == "first")
        if any(len(s.shape) == rank for s in taken) and node.values:
            if node.kind in ("dense", "recurrent", "layer_norm", "embedding", "matmul"):
                return False
            shape = node.values[0].shape
            if shape == wanted.shape or (node.kind == "pad" and len(shape) == rank):
                reached[node.values[0].id] = shape
    return rank >= 4 and not others


def _in_place(ids: Indices | None, shape: Shape) -> bool:
    """Whether the second axis of what is seen is the second of the value: a slice, a roll."""
    if ids is None or ids.ndim != len(shape) or ids.ndim < 2 or not ids.size or ids.min() < 0:
        return False
    places = np.unravel_index(ids, shape)[1]
    rows = np.moveaxis(places, 1, 0).reshape(ids.shape[1], -1)
    return bool(np.all(rows == rows[:, :1]) and len(np.unique(rows[:, 0])) > 1)
