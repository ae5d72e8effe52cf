"""Write the pretrained backbone out of a recording: ``python -m shared.pretrain FILE``.

FILE is the float64 recording of PyTorch's pretraining; `pretrained/README.md` says how to make it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from parity.recording import recording_file
from shared.initial_weights import PRETRAINED

PART = "backbone_"
FILE = "fashion_backbone.safetensors"


def main(origin: Path, folder: Path = PRETRAINED) -> Path:
    """Final weights of the backbone, rounded to float32, with the question that they answer."""
    made = recording_file.read(origin)
    prefix = f"weights/final/{PART}"
    weights = {
        key.removeprefix("weights/final/"): made[key].astype(np.float32)
        for key in made.keys()  # noqa: SIM118
        if key.startswith(prefix)
    }
    header = made.header
    said = {"example": header.example, "way": header.way, "digest": header.digest}
    save_file(weights, folder / FILE, said | {"precision": header.precision})
    return folder / FILE


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
