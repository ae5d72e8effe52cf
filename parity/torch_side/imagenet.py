"""ImageNet's ResNet-18 as a file for both sides: ``python -m parity.torch_side.imagenet FILE``.

torchvision's checkpoint is a pickle, which only PyTorch opens; the file is safetensors with the
same names.
"""

import argparse
import sys
from pathlib import Path

import torch
from safetensors.numpy import save_file
from torchvision.models import ResNet18_Weights

from parity.core.errors import DataError, ParityError

URL = ResNet18_Weights.IMAGENET1K_V1.url


def fetch(file, url=URL, folder=None):
    """Fetch the checkpoint, or take it from PyTorch's cache, and write its arrays to `file`.

    Args:
        file: to write.
        url: of the checkpoint; its name ends in the first digits of its SHA-256, which is checked.
        folder: where the checkpoint is kept; None for PyTorch's own cache.

    Raises:
        DataError: it cannot be fetched, or is not what its name says.
    """
    try:
        state = torch.hub.load_state_dict_from_url(
            url, folder, map_location="cpu", progress=False, check_hash=True, weights_only=True
        )
    except (OSError, RuntimeError) as error:
        raise DataError(
            f"ResNet-18: could not fetch {url}: {error}. Where there is no network, put the file "
            f"into {folder or Path(torch.hub.get_dir(), 'checkpoints')} and run this again."
        ) from error
    arrays = {name: tensor.contiguous().numpy() for name, tensor in state.items()}
    save_file(arrays, file)
    return arrays


def main():
    """Entry point."""
    parser = argparse.ArgumentParser(
        prog="python -m parity.torch_side.imagenet", description=__doc__
    )
    parser.add_argument("file", type=Path, help="safetensors file to write")
    parser.add_argument("--url", default=URL, help="another place of the checkpoint")
    parser.add_argument("--cache", help="folder of checkpoints, instead of PyTorch's")
    chosen = parser.parse_args()
    try:
        arrays = fetch(chosen.file, chosen.url, chosen.cache)
    except ParityError as error:
        sys.exit(str(error))
    print(f"{chosen.file}: {len(arrays)} arrays")


if __name__ == "__main__":
    main()
