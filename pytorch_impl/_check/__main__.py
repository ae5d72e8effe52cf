"""``python -m pytorch_impl._check``: the process in which a user's PyTorch model is checked."""

from shared.check.serve import main


def _kind():
    from torch import nn

    return nn.Module


def _make():
    from . import TorchModel

    return TorchModel


if __name__ == "__main__":
    main("torch", _kind, "an nn.Module", _make)
