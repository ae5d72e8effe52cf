"""What a check holds in memory and in files: weights at half their size, a layer while looked at.

A file has no complex numbers in double precision: they lie there as pairs, and say so in their key.
Arrays go into a file one at a time, as they come; what they are follows behind the last.
"""

from __future__ import annotations

import contextlib
import json
import math
import mmap
import os
import shutil
import struct
import tempfile
import weakref
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import numpy as np

from parity.checker.graph.model_interface import Array
from parity.core import blockwise
from parity.recording.mapped_arrays import Entry, FileLayout

PAIRS = "\N{MULTIPLICATION SIGN}i"
"""At the end of the key of complex numbers that lie in a file as pairs."""
LARGE = 1 << 20
"""Weights of so many bytes or more lie in files, and are mapped into memory while looked at."""
ALIGNED = 64
"""Bytes to whose multiples arrays are aligned in a file, as frameworks align them in memory."""
RESIDENT = 1 << 26
"""Bytes of weights after which a side gives back the pages of all."""
_SMALL = 1 << 16
_TYPES = {
    np.dtype(code): name
    for name, code in (
        *(("F64", "f8"), ("F32", "f4"), ("F16", "f2"), ("BOOL", "?")),
        *((f"{kind.upper()}{8 * n}", f"{kind}{n}") for kind in "iu" for n in (1, 2, 4, 8)),
    )
}


class ArrayWriter:
    """Arrays on their way into a file, one after the other; none is held.

    Use it in a `with`: the file can be read once that has ended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: dict[str, tuple[str, tuple[int, ...], int, int]] = {}

    def __enter__(self) -> ArrayWriter:
        self._file = open(self._path, "wb")
        return self

    def __exit__(self, *exception: object) -> None:
        with self._file as file:
            index = json.dumps(self._entries).encode()
            file.write(index + struct.pack("<Q", len(index)))

    def __setitem__(self, key: str, array: Array) -> None:
        """Write an array; of a key that is there already the last one counts."""
        whole = pairs(array)
        flat: Any = np.ascontiguousarray(whole).reshape(-1)
        file = self._file
        file.write(b"\0" * (-file.tell() % ALIGNED))
        name = key + PAIRS if np.iscomplexobj(array) else key
        self._entries[name] = (_TYPES[whole.dtype], whole.shape, file.tell(), whole.nbytes)
        file.write(memoryview(flat.view(np.uint8)))


class StoredArrays(Mapping[str, Array]):
    """Arrays of a file, each read when asked for: a large one is mapped, and cannot be changed."""

    def __init__(self, path: Path) -> None:
        with open(path, "rb") as file:
            size = file.seek(-8, os.SEEK_END)
            (length,) = struct.unpack("<Q", file.read())
            file.seek(size - length)
            index = json.loads(file.read(length))
            state = os.fstat(file.fileno())
        entries = {key: Entry(kind, tuple(shape), *at) for key, (kind, shape, *at) in index.items()}
        stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
        self._layout = FileLayout(path, {}, entries, stamp)
        self._keys = {key.removesuffix(PAIRS): key for key in index}

    def __getitem__(self, key: str) -> Array:
        return unpaired(self._keys[key], self._layout.load(self._keys[key]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: object) -> bool:
        return key in self._keys


def save(arrays: Mapping[str, Array], path: Path) -> None:
    """Write arrays into a file, one at a time, as they are read and not as they lie in memory."""
    with ArrayWriter(path) as writer:
        for key, array in arrays.items():
            writer[key] = array


def load(path: Path) -> dict[str, Array]:
    """What `save` wrote, in memory."""
    return {key: np.array(array) for key, array in StoredArrays(path).items()}


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


def compact(array: Array) -> Array:
    """The same numbers, in float32 where float32 holds all of them."""
    array = np.asarray(array)
    if array.dtype != np.float64:
        return array
    with np.errstate(over="ignore"):
        single = array.astype(np.float32)
    return single if blockwise.identical(single, array) else array


class CompactArrays(MutableMapping[str, Array]):
    """Weights, given out as float64, kept as float32 where they are float32 numbers: nearly all.

    Attributes:
        arrays: as they are kept: large ones on disk, by a function that maps them.
    """

    def __init__(self, arrays: Mapping[str, Array] | None = None) -> None:
        self.arrays: dict[str, Array | Callable[[], Array]] = {}
        if isinstance(arrays, CompactArrays):
            self.arrays |= arrays.arrays
        elif arrays is not None:
            self.update(arrays)

    def __getitem__(self, name: str) -> Array:
        array = self.kept(name)
        return array.astype(np.float64) if array.dtype == np.float32 else array

    def __setitem__(self, name: str, array: Array) -> None:
        array = compact(array)
        self.arrays[name] = _SPILL.put(array) if array.nbytes >= LARGE else array

    def kept(self, name: str) -> Array:
        """As it is kept: float32 where that holds all; large ones cannot be changed."""
        array = self.arrays[name]
        return array() if callable(array) else array

    def __delitem__(self, name: str) -> None:
        del self.arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def __contains__(self, name: object) -> bool:
        return name in self.arrays


def kept(weights: Mapping[str, Array], name: str) -> Array:
    """A weight as it is kept, in float32 or not."""
    return weights.kept(name) if isinstance(weights, CompactArrays) else weights[name]


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
        array: Array = np.load(self._path, mmap_mode="r", allow_pickle=False)
        return array


def _gone(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


_SPILL = DiskSpill()
"""Weights of the comparing process; each is gone with the last that keeps it."""


class PagedWeights:
    """A model's large weights, in a file: in memory are those that are being looked at.

    A run in float64 has each layer's weights in memory while that layer computes, forwards and
    backwards. What is not looked at is written to the file, if need be, by the operating system.

    Args:
        folder: of the file, which nobody else sees, and which is gone with the process.
        size: bytes in all; see `room`.
    """

    def __init__(self, folder: str, size: int) -> None:
        with tempfile.TemporaryFile(prefix="weights-", dir=folder) as file:
            file.truncate(max(size, mmap.PAGESIZE))
            self._pages = mmap.mmap(file.fileno(), max(size, mmap.PAGESIZE))
        self._end = self._looked_at = 0
        _PAGED.add(self)

    @property
    def is_used(self) -> bool:
        """Whether any array lies in the file."""
        return bool(self._end)

    @staticmethod
    def room(size: int) -> int:
        """Bytes that an array of so many bytes takes: whole pages."""
        return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE

    def take(self, shape: tuple[int, ...], dtype: str) -> Array:
        """An array of zeros, to be written to."""
        kind = np.dtype(dtype)
        count = math.prod(shape)
        array: Array = np.frombuffer(self._pages, kind, count, self._end).reshape(shape)
        self._end += self.room(count * kind.itemsize)
        return array

    def touch(self, size: int) -> None:
        """So many bytes were looked at; every `RESIDENT` bytes, all pages are given back."""
        self._looked_at += size
        if self._looked_at >= RESIDENT:
            self.give_back()

    def give_back(self) -> None:
        """Have none in memory."""
        self._looked_at = 0
        if hasattr(self._pages, "madvise"):
            self._pages.madvise(mmap.MADV_DONTNEED)


_PAGED: weakref.WeakSet[PagedWeights] = weakref.WeakSet()


def give_back() -> bool:
    """Between two requests no weights need be in memory; whether there are any in files."""
    for weights in _PAGED:
        weights.give_back()
    return any(weights.is_used for weights in _PAGED)
