"""``python -m parity.torch_side.checker``: the process of a user's PyTorch model."""

from parity.checker.workers.serve import main


def _kind():
    from torch import nn

    from parity.torch_side.checker.naming import remember_lines

    remember_lines()
    return nn.Module


def _make():
    from parity.torch_side.checker import TorchModel

    return TorchModel


if __name__ == "__main__":
    main("torch", _kind, "an nn.Module", _make)
