"""``python -m pytorch_impl fashion_mlp`` runs an example alone; the tool starts it as a worker."""

from parity.cli.side import main
from shared.suite import SUITE


def _framework(threads):
    from parity.torch_side.adapter import PyTorch

    return PyTorch(threads)


if __name__ == "__main__":
    main(SUITE, "pytorch_impl", _framework)
