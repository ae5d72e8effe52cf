"""PyTorch's own files as safetensors, and back: for a conversion by a map, which has no model.

Run as a script. Standard input is a JSON document: ``do``, ``read`` or ``write``; ``path`` of
PyTorch's file; ``plain`` of the other; ``names`` that are wanted.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors import torch as safe

from parity.convert import tensor_files
from parity.convert.stored import StoredTensor
from parity.core.errors import ParityError
from parity.torch_side.checker import weight_files


def main():
    """Do what standard input asks; what is wrong goes to standard output, with exit code 1."""
    asked = json.loads(sys.stdin.read())
    try:
        if asked["do"] == "read":
            _read(asked)
        else:
            torch.save(safe.load_file(asked["plain"]), asked["path"])
    except ParityError as error:
        print(error)
        sys.exit(1)


def _read(asked):
    found = weight_files.weights(weight_files.read(asked["path"]), asked["names"], asked["path"])
    tensors = {n: StoredTensor(tuple(t.shape), weight_files.type_of(t)) for n, t in found.items()}
    tensor_files.write(Path(asked["plain"]), tensors, lambda name: _as_array(found[name]))


def _as_array(tensor):
    """As NumPy has it; what NumPy has no type for as the bytes that it is."""
    tensor = tensor.contiguous()
    try:
        return tensor.numpy()
    except TypeError:
        name = weight_files.type_of(tensor)
        return tensor.view(torch.uint8).numpy().view(name).reshape(tensor.shape)


if __name__ == "__main__":
    main()
