"""The sides of a comparison, and the precisions that each is run in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from parity.core.errors import UsageError

Side = Literal["torch", "keras", "keras-torch", "keras-jax"]
SIDES: tuple[Side, Side] = ("torch", "keras")
"""Those of every lesson; ``keras`` is Keras on TensorFlow."""
BACKENDS: dict[str, Side] = {"jax": "keras-jax", "torch": "keras-torch"}
"""Another backend of Keras → the side that runs the same Keras program on it."""
LESSON_PACKAGES: dict[Side, str] = {
    "torch": "pytorch_impl",
    "keras": "keras_impl",
    "keras-torch": "keras_impl",
    "keras-jax": "keras_impl",
}
"""Of the lessons. They belong to the repository."""
SIDE_PACKAGES: dict[Side, str] = {
    "torch": "parity.torch_side",
    "keras": "parity.keras_side",
    "keras-torch": "parity.keras_side",
    "keras-jax": "parity.keras_side",
}
"""Of all that the tool has in a framework."""
PACKAGES: dict[Side, tuple[str, ...]] = {
    "torch": ("torch", "torchvision"),
    "keras": ("keras", "tensorflow"),
    "keras-torch": ("keras", "torch"),
    "keras-jax": ("keras", "jax"),
}
"""What is installed for a side; its releases are part of a recording."""
TITLES: dict[Side, str] = {
    "torch": "PyTorch",
    "keras": "Keras / TensorFlow",
    "keras-torch": "Keras / PyTorch",
    "keras-jax": "Keras / JAX",
}
ENVIRONMENTS: dict[Side, Mapping[str, str]] = {
    "torch": {},
    "keras": {"KERAS_BACKEND": "tensorflow"},
    "keras-torch": {"KERAS_BACKEND": "torch"},
    # Without x64 a float64 array becomes float32 in JAX without a word.
    "keras-jax": {"KERAS_BACKEND": "jax", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"},
}
"""Environment variables of a process that records a side, whatever the user has set."""
PYTHON_OPTIONS: dict[Side, str] = {
    "torch": "--torch-python",
    "keras": "--keras-python",
    "keras-torch": "--keras-python",
    "keras-jax": "--keras-python",
}
"""The option that names a side's interpreter."""
_LONG_NAMES: dict[str, Side] = {"keras-tensorflow": "keras"}

Precision = Literal["float32", "float64"]


def side_named(name: str) -> Side:
    """A side by its name.

    Raises:
        UsageError: there is none.
    """
    side = _LONG_NAMES.get(name, name)
    if side not in SIDES:
        raise UsageError(f"No side named '{name}': expected torch or keras.")
    return side


def on_backend(backend: str) -> Side:
    """The side that runs Keras on a backend.

    Raises:
        UsageError: there is none.
    """
    if backend not in BACKENDS:
        raise UsageError(
            f"No other backend of Keras named '{backend}': expected {' or '.join(BACKENDS)}; "
            "without --keras-backend it is TensorFlow."
        )
    return BACKENDS[backend]
