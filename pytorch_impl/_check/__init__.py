"""A user's PyTorch model, traced and recorded for ``parity check``."""

from .model import TorchModel

__all__ = ["TorchModel"]
