"""Inputs of one's own: arrays of a file, by the names that the models have for them."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from parity.checker.graph.model_inputs import Fed, of_arrays
from parity.checker.graph.model_interface import Array
from parity.core.errors import UsageError

_NUMBERED = re.compile(r"(?:arr_)?\d+")
"""How arrays are called that nobody has named; they go by position."""


def read(path: Path) -> Fed:
    """Inputs of a file, in PyTorch's layout: ``.npz`` or ``.safetensors``.

    Raises:
        UsageError: it cannot be read, or holds something else than inputs.
    """
    arrays = _arrays(path)
    if not arrays:
        raise UsageError(f"--inputs '{path}' is empty. Expected an array for each input.")
    numbered = all(_NUMBERED.fullmatch(name) for name in arrays)
    names: Sequence[str] = list(arrays)
    if numbered:
        names = sorted(arrays, key=lambda name: int(name.removeprefix("arr_")))
    try:
        return of_arrays([arrays[n] for n in names], [""] * len(names) if numbered else names)
    except UsageError as error:
        raise UsageError(f"--inputs '{path}': {error}") from error


def _arrays(path: Path) -> Mapping[str, Array]:
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, AttributeError, SafetensorError, zipfile.BadZipFile) as error:
        raise UsageError(
            f"--inputs '{path}' cannot be read: {error}. Expected arrays by the names of the "
            "inputs: numpy.savez('batch.npz', input_ids=…) or a safetensors file."
        ) from error
