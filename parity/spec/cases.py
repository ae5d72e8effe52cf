"""The values-only part of a spec: experiments, their inputs, and the numbers they must give."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Numbers = float | int | bool | str | tuple["Numbers", ...]
"""A scalar, or nested tuples of scalars. Text stands for a decimal given to so many digits:
``"2.0404"`` means 2.0404 ± 0.00005; ``"nan"`` and ``"inf"`` mean themselves."""


@dataclass(frozen=True)
class Curves:
    """A pane of the page's plot: results of a case over one of its inputs.

    Attributes:
        x: name of the input along the axis.
        values, slopes: names of the results, one number for each of `x`.
    """

    x: str
    values: str
    slopes: str = ""


@dataclass(frozen=True)
class Samples:
    """Real data for a case: the first so many training samples of a dataset's embedded part.

    The function takes them as NumPy arrays, ``images`` and ``labels``, as they come from a file:
    making tensors of them is what such a case is about.
    """

    dataset: str
    count: int


@dataclass(frozen=True)
class Case:
    """One values-only experiment: a function of the same name on both sides.

    Attributes:
        name: the function's name.
        inputs: name → numbers; each becomes a floating tensor of the run's precision.
        expected: name → the number that both sides must give. Names that the function returns
            and that are neither here nor in the reference are compared between the sides, but
            have no outside witness.
        integers: name → whole numbers; each becomes an int64 tensor (labels, indices).
        roles: name of an input or a result → its role in `axis_layouts.LAYOUTS`. The spec and
            the recording have it in canonical layout; the function sees its framework's own.
        reference: the same in NumPy, from the same arguments as float64 (int64) arrays in
            canonical layout; what it returns is expected of both sides, to rounding.
        witness: functions that `reference` is made from, where they say more on the page than it
            does by itself.
        curves: what of it is drawn on the page, if anything.
        samples: real data, given before everything else.
    """

    name: str
    inputs: dict[str, Numbers]
    expected: dict[str, Numbers] = field(default_factory=dict)
    integers: dict[str, Numbers] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    reference: Callable[..., Mapping[str, Any]] | None = None
    witness: tuple[Callable[..., Any], ...] = ()
    curves: Curves | None = None
    samples: Samples | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the function, in order."""
        return (*(("images", "labels") if self.samples else ()), *self.inputs, *self.integers)

    @property
    def question(self) -> list[Any]:
        """What decides the answer: its part of the spec's digest."""
        samples = [dataclasses.astuple(self.samples)] if self.samples else []
        return [self.name, self.inputs, self.integers, self.roles, *samples]


@dataclass(frozen=True)
class Known:
    """A listed difference between the frameworks, strict both ways.

    The finding is ``known`` only while each side gives exactly what is listed; when a release
    changes either side, the row fails with these words.
    """

    key: str
    torch: Numbers
    keras: Numbers
    reason: str
    link: str
