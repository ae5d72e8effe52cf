"""The Keras side of ``parity check``: runs a user's model and says what it did."""

from .model import KerasModel

__all__ = ["KerasModel"]
