"""What a check holds in memory and in files: weights at half their size, a layer while looked at.

A file has no complex numbers in double precision: they lie there as pairs, and say so in their key.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from parity.checker.graph.model_interface import Array

PAIRS = "\N{MULTIPLICATION SIGN}i"
"""At the end of the key of complex numbers that lie in a file as pairs."""
_SMALL = 1 << 16


def save(arrays: Mapping[str, Array], path: Path) -> None:
    """Write arrays into a file, as they are read and not as they lie in memory."""
    filed = {}
    for key, array in arrays.items():
        whole = pairs(array)
        name = key + PAIRS if np.iscomplexobj(array) else key
        filed[name] = np.ascontiguousarray(whole).reshape(np.shape(whole))
    save_file(filed, path)


def load(path: Path) -> dict[str, Array]:
    """What `save` wrote."""
    return {key.removesuffix(PAIRS): unpaired(key, a) for key, a in load_file(path).items()}


def pairs(array: Array) -> Array:
    """Complex numbers as pairs, along an axis of their own at the end; any other as it is."""
    array = np.asarray(array)
    return np.stack([array.real, array.imag], -1) if array.dtype.kind == "c" else array


def unpaired(key: str, array: Array) -> Array:
    """The array of a key in a file, complex where the key says so."""
    if not key.endswith(PAIRS):
        return array
    whole: Array = array.view(np.result_type(array.dtype, np.complex64))[..., 0]
    return whole


class CompactArrays(MutableMapping[str, Array]):
    """Weights, given out as float64, kept as float32 where they are float32 numbers: nearly all.

    Attributes:
        arrays: as they are kept.
    """

    def __init__(self, arrays: Mapping[str, Array] | None = None) -> None:
        self.arrays: dict[str, Array] = {}
        if isinstance(arrays, CompactArrays):
            self.arrays |= arrays.arrays
        elif arrays is not None:
            self.update(arrays)

    def __getitem__(self, name: str) -> Array:
        array = self.arrays[name]
        return array.astype(np.float64) if array.dtype == np.float32 else array

    def __setitem__(self, name: str, array: Array) -> None:
        array = np.asarray(array)
        if array.dtype == np.float64:
            with np.errstate(over="ignore"):
                single = array.astype(np.float32)
            if np.array_equal(single, array, equal_nan=True):
                array = single
        self.arrays[name] = array

    def __delitem__(self, name: str) -> None:
        del self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __contains__(self, name: object) -> bool:
        return name in self.arrays


class LazyArrays(Mapping[str, Array]):
    """Arrays by name, each made when it is asked for."""

    def __init__(self, makers: Mapping[str, Callable[[], Array]]) -> None:
        self._makers = makers

    def __getitem__(self, name: str) -> Array:
        return self._makers[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._makers)

    def __len__(self) -> int:
        return len(self._makers)

    def __contains__(self, name: object) -> bool:
        return name in self._makers


class DiskSpill:
    """Arrays put on disk until they are asked for again; removed with the shelf."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._count = 0

    def put(self, array: Array) -> Callable[[], Array]:
        """A function that gives the array back."""
        if array.nbytes <= _SMALL:
            return lambda: array
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="parity-check-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        self._count += 1
        path = self._folder / f"{self._count}.npy"
        np.save(path, array, allow_pickle=False)
        stored = _StoredArray(path)
        weakref.finalize(stored, _gone, path)
        return stored


class _StoredArray:
    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self) -> Array:
        array: Array = np.load(self._path, allow_pickle=False)
        return array


def _gone(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)
