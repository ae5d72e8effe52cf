"""The two sides of a comparison, and the precisions that each is run in."""

from __future__ import annotations

from typing import Literal

from parity.core.errors import UsageError

Side = Literal["torch", "keras"]
SIDES: tuple[Side, Side] = ("torch", "keras")
LESSON_PACKAGES: dict[Side, str] = {"torch": "pytorch_impl", "keras": "keras_impl"}
"""Of the lessons. They belong to the repository."""
SIDE_PACKAGES: dict[Side, str] = {"torch": "parity.torch_side", "keras": "parity.keras_side"}
"""Of all that the tool has in a framework."""
TITLES: dict[Side, str] = {"torch": "PyTorch", "keras": "Keras / TensorFlow"}

Precision = Literal["float32", "float64"]


def side_named(name: str) -> Side:
    """A side by its name.

    Raises:
        UsageError: there is none.
    """
    if name not in SIDES:
        raise UsageError(f"No side named '{name}': expected torch or keras.")
    return name
