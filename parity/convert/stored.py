"""What a model's weights file holds, and how that stands to the weights that a check knows.

A check has weights in one layout for both sides (`parity.checker.graph.graph`); a file has them as
the framework does. `described` asks a side's own functions, with places in place of numbers, so
that what is said here is what they do.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from parity.convert import expressions
from parity.convert.expressions import Add, Array, Expression, Shape
from parity.convert.places import KEPT, Places, terms_of


@dataclass(frozen=True)
class StoredTensor:
    """What a file says of a weight before it is read; `dtype` by NumPy's name."""

    shape: Shape
    dtype: str


@dataclass(frozen=True)
class Bound:
    """A weight of the check, and what stands behind it in a file.

    Attributes:
        id: of the check's weight.
        shape: of it.
        names: of the file's weights.
        read: makes it of these.
        write: makes these of it, and of what they are now.
    """

    id: str
    shape: Shape
    names: tuple[str, ...]
    read: Callable[[Sequence[Array]], Array]
    write: Callable[[Array, Sequence[Array]], Sequence[Array]]


@dataclass(frozen=True)
class Stored:
    """A model's weights as a file has them.

    Attributes:
        tensors: name in the file → shape and type as the model has it.
        read: id of the check's weight → what it is, said of the file's.
        written: name in the file → what it is, said of the check's; only what is written at all.
        alike: name in the file → the other name of the same weight.
        types: name → type in the file that was loaded, where one was.
        datasets: name → where a ``.weights.h5`` has it; empty in PyTorch.
    """

    tensors: Mapping[str, StoredTensor]
    read: Mapping[str, Expression]
    written: Mapping[str, Expression]
    alike: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For the way between processes."""
        return {
            "tensors": {n: [list(t.shape), t.dtype] for n, t in self.tensors.items()},
            "read": {n: expressions.to_json(e) for n, e in self.read.items()},
            "written": {n: expressions.to_json(e) for n, e in self.written.items()},
            "alike": dict(self.alike),
            "types": dict(self.types),
            "datasets": dict(self.datasets),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Stored:
        """Read what `to_json` wrote."""
        return cls(
            {n: StoredTensor(tuple(shape), dtype) for n, (shape, dtype) in raw["tensors"].items()},
            {n: expressions.from_json(e) for n, e in raw["read"].items()},
            {n: expressions.from_json(e) for n, e in raw["written"].items()},
            raw["alike"],
            raw["types"],
            raw["datasets"],
        )


def described(
    tensors: Mapping[str, StoredTensor],
    bounds: Sequence[Bound],
    wanted: Collection[str],
    **more: Any,
) -> Stored:
    """What a side's weights are, said both ways.

    Args:
        tensors: of a file.
        bounds: all weights of the check.
        wanted: ids of those that are to be written.
        **more: fields of `Stored`.
    """
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    bounds = [bound for bound in bounds if all(name in tensors for name in bound.names)]
    read = {bound.id: _read(bound, shapes) for bound in bounds}
    writers: dict[str, list[Bound]] = {}
    for bound in bounds:
        if bound.id in wanted:
            for name in bound.names:
                writers.setdefault(name, []).append(bound)
    written = {n: _written(n, tensors[n].dtype, own, shapes) for n, own in writers.items()}
    return Stored(tensors, read, written, **more)


def _read(bound: Bound, shapes: Mapping[str, Shape]) -> Expression:
    places = Places({name: shapes[name] for name in bound.names})
    terms = terms_of(places, bound.names, lambda own: bound.read([own[n] for n in bound.names]))
    parts = tuple(places.expression(term) for term in terms)
    return parts[0] if len(parts) == 1 else Add(parts)


def _written(
    name: str, dtype: str, bounds: Sequence[Bound], shapes: Mapping[str, Shape]
) -> Expression:
    places = Places({bound.id: bound.shape for bound in bounds})
    now = {n: np.full(shapes[n], KEPT + 1, np.int64) for b in bounds for n in b.names}
    for bound in bounds:
        # One more than the place: a zero that a side writes is none of them.
        parts = bound.write(places.of(bound.id) + 1, [now[n] for n in bound.names])
        now |= {n: np.asarray(p, np.int64) for n, p in zip(bound.names, parts, strict=True)}
    return places.expression(now[name] - 1, dtype, kept=name)
