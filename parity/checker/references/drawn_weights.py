"""Weights that are drawn like a model's own, so that a reference holds how, and not the numbers.

A check takes one side's weights to the other: any will do that are like the model's. They are
drawn between the model's own quantiles, so that what is positive stays so, and zeros stay zeros.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from parity.checker.graph.model_interface import Array

LEAST = 64
"""Weights of fewer numbers are kept: their quantiles are no smaller."""
_BITS, _INTERVALS = 16, 8


@dataclass(frozen=True)
class Recipe:
    """How a weight is drawn.

    Attributes:
        shape: canonical.
        quantiles: numbers of float32, ascending: its least, those between eighths, its largest.
    """

    shape: tuple[int, ...]
    quantiles: tuple[float, ...]

    @classmethod
    def like(cls, array: Array) -> Recipe:
        """One that gives numbers like those of an array."""
        every = np.quantile(array, np.linspace(0, 1, _INTERVALS + 1))
        return cls(array.shape, tuple(float(f"{number:.5g}") for number in every))

    def drawn(self, name: str, seed: int) -> Array:
        """The numbers, float32, bit for bit the same everywhere.

        A number of 16 bits says the place between the quantiles. Their products with its parts are
        exact in float64, so that no machine rounds them otherwise.

        Args:
            name: of the weight.
            seed: of all.
        """
        bits = np.random.PCG64([seed, *name.encode()]).random_raw(math.prod(self.shape))
        place = bits >> np.uint64(64 - _BITS)
        size = (1 << _BITS) // _INTERVALS
        at, part = np.divmod(place.astype(np.int64), size)
        ends = np.asarray(self.quantiles, np.float32).astype(np.float64)
        between = part / size
        numbers: Array = ends[at] * (1 - between) + ends[at + 1] * between
        return numbers.astype(np.float32).reshape(self.shape)


class DrawnWeights(Mapping[str, Array]):
    """A model's weights, of which some are drawn when they are asked for.

    Args:
        kept: those that are not drawn.
        recipes: id → how a weight is drawn.
        seed: of the draws.
    """

    def __init__(self, kept: Mapping[str, Array], recipes: Mapping[str, Recipe], seed: int) -> None:
        self.kept, self.recipes, self.seed = kept, recipes, seed

    def __getitem__(self, name: str) -> Array:
        recipe = self.recipes.get(name)
        if recipe is None:
            return np.asarray(self.kept[name])
        return recipe.drawn(name, self.seed).astype(np.float64)

    def __iter__(self) -> Iterator[str]:
        yield from self.kept
        yield from self.recipes

    def __len__(self) -> int:
        return len(self.kept) + len(self.recipes)
