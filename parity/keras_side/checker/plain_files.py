"""Keras' own files as safetensors, and back: for a conversion by a map, which has no model.

Run as a script. Standard input is a JSON document: ``do``, ``read`` or ``write``; ``path`` of
Keras' file; ``plain`` of the other; ``datasets``: name → where Keras has it.
"""

import contextlib
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np

from parity.convert import tensor_files
from parity.convert.stored import StoredTensor
from parity.convert.tensor_files import TensorFile
from parity.core.errors import ParityError, UsageError

_WEIGHTS = "model.weights.h5"


def main():
    """Do what standard input asks; what is wrong goes to standard output, with exit code 1."""
    asked = json.loads(sys.stdin.read())
    try:
        (_read if asked["do"] == "read" else _write)(asked)
    except ParityError as error:
        print(error)
        sys.exit(1)


def _read(asked):
    with _opened(asked["path"]) as file:
        found = {name: path for name, path in asked["datasets"].items() if path in file}
        tensors = {n: StoredTensor(file[p].shape, _dtype(file[p]).name) for n, p in found.items()}
        tensor_files.write(Path(asked["plain"]), tensors, lambda name: _array(file[found[name]]))


def _write(asked):
    plain = TensorFile(Path(asked["plain"]))
    with h5py.File(asked["path"], "w") as file:
        for name, path in asked["datasets"].items():
            array = plain[name]
            dataset = file.create_dataset(path, data=array)
            if array.dtype == ml_dtypes.bfloat16:
                dataset.attrs["dtype"] = "bfloat16"


def _dtype(dataset):
    half = dataset.attrs.get("dtype") == "bfloat16"
    return np.dtype(ml_dtypes.bfloat16) if half else dataset.dtype


def _array(dataset):
    array = dataset[()]
    dtype = _dtype(dataset)
    if array.dtype == dtype:
        return np.asarray(array)
    return array.view(dtype) if array.dtype.kind == "V" else np.asarray(array, dtype)


@contextlib.contextmanager
def _opened(path):
    """An HDF5 file, also the one within a ``.keras``."""
    with contextlib.ExitStack() as stack:
        try:
            if zipfile.is_zipfile(path):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="parity-convert-"))
                with zipfile.ZipFile(path) as archive:
                    path = archive.extract(_WEIGHTS, folder)
            file = stack.enter_context(h5py.File(Path(path), "r"))
        except (OSError, KeyError) as error:
            raise UsageError(f"'{path}' cannot be read: {error}. Expected Keras' file.") from error
        yield file


if __name__ == "__main__":
    main()
