"""What a suite of examples is: all that the tool is handed of them, and nothing that it imports."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import UsageError
from parity.spec.difference import Difference, DifferenceSection
from parity.spec.example import ExampleSpec, ParameterSpec


class Dataset(Protocol):
    """A labelled dataset, in memory."""

    @property
    def train_images(self) -> NDArray[Any]:
        """``(n, …)``, images or other inputs."""

    @property
    def train_labels(self) -> NDArray[np.int64]:
        """``(n,)``."""

    @property
    def test_images(self) -> NDArray[Any]:
        """As for training, ``(m, …)``."""

    @property
    def test_labels(self) -> NDArray[np.int64]:
        """``(m,)``."""

    @property
    def class_names(self) -> tuple[str, ...]:
        """One per label."""

    @property
    def checksum(self) -> str:
        """Of all four arrays."""

    def of_classes(self, classes: Sequence[int]) -> Dataset:
        """The samples of these classes, labels renumbered from 0 in this order; () leaves all."""

    def first(self, samples: int) -> Dataset:
        """The first so many training samples, the whole test set; 0 leaves all."""

    def describe(self) -> str:
        """One line for people."""


class Load(Protocol):
    """Reads a dataset by name and verifies it."""

    def __call__(
        self,
        name: str,
        part: str = "embedded",
        *,
        train: int | None = None,
        test: int | None = None,
    ) -> Dataset:
        """Read it.

        Args:
            name: of the dataset.
            part: ``embedded`` or ``full``.
            train, test: only the first so many samples; None for all.

        Raises:
            DataError: it is missing or damaged, or has fewer samples.
            UsageError: no such dataset or part.
        """

    def __hash__(self) -> int: ...


Draw = Callable[[Sequence[ParameterSpec], int], dict[str, NDArray[np.float64]]]
"""Parameters and seed → initial weights by name, in canonical layout."""


@dataclass(frozen=True)
class DataFiles:
    """Where a dataset comes from.

    Attributes:
        content: the files that are there of it.
        sources: the source files that read them.
    """

    content: tuple[Path, ...]
    sources: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class Suite:
    """The examples and all that they share.

    Attributes:
        examples: in teaching order.
        differences: the known differences, as one example of values.
        sections: their rows.
        load: reads a dataset.
        data_files: name of a dataset → the files that it is read from, and what reads them.
        draw: draws initial weights.
    """

    examples: tuple[ExampleSpec, ...]
    differences: ExampleSpec
    sections: tuple[DifferenceSection, ...]
    load: Load
    data_files: Callable[[str], DataFiles]
    draw: Draw

    @property
    def rows(self) -> tuple[Difference, ...]:
        """The known differences, of all sections."""
        return tuple(row for section in self.sections for row in section.rows)

    def find(self, name: str) -> ExampleSpec:
        """The example of this name; the known differences are one, though not in the list.

        Raises:
            UsageError: there is none; the message names the nearest.
        """
        known = (*self.examples, self.differences)
        names = [example.name for example in known]
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
            hint = f"Did you mean '{near[0]}'?" if near else "parity list shows all of them."
            raise UsageError(f"No example named '{name}'. {hint}")
        return known[names.index(name)]
