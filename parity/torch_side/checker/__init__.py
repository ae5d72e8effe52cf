"""A user's PyTorch model, traced and recorded for ``parity check``."""

from parity.torch_side.checker.model import TorchModel

__all__ = ["TorchModel"]
