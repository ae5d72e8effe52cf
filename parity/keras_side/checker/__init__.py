"""The Keras side of ``parity check``: runs a user's model and says what it did."""

from parity.keras_side.checker.model import KerasModel

__all__ = ["KerasModel"]
