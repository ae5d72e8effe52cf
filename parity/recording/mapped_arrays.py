"""Arrays in a safetensors file, read and written one at a time and never copied as a whole.

The safetensors library checks a file and its header; its own functions would hold every array of
a file in memory at once to write it, and one whole array to look at a part of it. Where the header
has `checksums`, an array is held against its own before it is given out for the first time.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xxhash
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

Array = NDArray[Any]
_DTYPES = {
    "F64": "<f8",
    "F32": "<f4",
    "F16": "<f2",
    "I64": "<i8",
    "I32": "<i4",
    "I16": "<i2",
    "I8": "<i1",
    "U64": "<u8",
    "U32": "<u4",
    "U16": "<u2",
    "U8": "<u1",
    "BOOL": "?",
}
_NAMES = {np.dtype(code): name for name, code in _DTYPES.items()}
_FIRST = ("U64", "I64", "F64", "F32", "U32", "I32", "F16", "U16", "I16", "I8", "U8", "BOOL")
MAPPED = 1 << 16
"""Arrays of so many bytes or more are mapped into memory, page by page as they are looked at."""
CHECKSUMS = "checksums"
"""Field of the header: a JSON object, key → `checksum` of the array."""
_READ = 1 << 22
"""Bytes after which the pages of a mapped array that were read to be checked are given back."""


@dataclass(frozen=True)
class Entry:
    """Where an array lies in a file.

    Attributes:
        dtype: as the format names it.
        shape: of the array.
        begin: of its first byte in the file.
        size: in bytes.
    """

    dtype: str
    shape: tuple[int, ...]
    begin: int
    size: int


@dataclass(frozen=True)
class FileLayout:
    """What a file holds, and which file it was.

    Attributes:
        path: of the file.
        metadata: text to text.
        entries: key → where it lies.
        stamp: of the file that was opened; where another has taken its place, that one is read.
        checksums: key → what `checksum` gave when it was written; files by others have none.
        sound: keys whose arrays have been found to be what was written.
    """

    path: Path
    metadata: Mapping[str, str]
    entries: Mapping[str, Entry]
    stamp: tuple[int, int, int]
    checksums: Mapping[str, str] = field(default_factory=dict)
    sound: set[str] = field(default_factory=set)

    def load(self, key: str) -> Array:
        """One array; a large one is mapped and cannot be written to.

        Raises:
            OSError: the file is gone or was cut short, one without this array took its place, or
                the array is not what was written.
            TypeError: a dtype that NumPy does not have.
        """
        entry = self.entries[key]
        if entry.dtype not in _DTYPES:
            raise TypeError(f"NumPy has no {entry.dtype}")
        dtype = np.dtype(_DTYPES[entry.dtype])
        with open(self.path, "rb") as file:
            if _stamp(file.fileno()) != self.stamp:
                return self._again(key)
            if entry.size >= MAPPED:
                array = _mapped(file.fileno(), entry, dtype)
            else:
                file.seek(entry.begin)
                array = np.empty(entry.shape, dtype)
                if entry.size and file.readinto(_bytes(array.reshape(-1))) != entry.size:
                    raise OSError("the file was cut short")
        if key in self.checksums and key not in self.sound:
            if checksum(array) != self.checksums[key]:
                raise OSError("its bytes are not those that were written")
            self.sound.add(key)
        return array

    def _again(self, key: str) -> Array:
        """From the file that has taken the place of the one that was opened."""
        try:
            new = read_layout(self.path)
        except SafetensorError as error:
            raise OSError(str(error)) from error
        if key not in new.entries:
            raise OSError("the file has changed, and does not hold it any more")
        return new.load(key)


def checksum(array: Array) -> str:
    """XXH3 of 128 bits, in hexadecimal, of dtype, shape and bytes in little-endian order.

    At the speed of memory, and not by more than `_READ` bytes of a mapped array held at once.
    """
    little = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    found = xxhash.xxh3_128(f"{little.dtype.str}{list(array.shape)}".encode())
    content = _bytes(little.reshape(-1))
    for at in range(0, len(content), _READ):
        found.update(content[at : at + _READ])
        if len(content) > _READ:
            release(array)
    return found.hexdigest()


def _bytes(flat: Array) -> memoryview:
    held: Any = flat.view(np.uint8)
    return memoryview(held)


def _mapped(handle: int, entry: Entry, dtype: np.dtype[Any]) -> Array:
    first = entry.begin - entry.begin % mmap.ALLOCATIONGRANULARITY
    shift = entry.begin - first
    pages = mmap.mmap(handle, entry.size + shift, access=mmap.ACCESS_READ, offset=first)
    flat: Array = np.frombuffer(pages, dtype, entry.size // dtype.itemsize, shift)
    return flat.reshape(entry.shape)


def release(array: Array) -> None:
    """Give back the pages of a mapped array; they are read again if they are looked at again."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    base = base.obj if isinstance(base, memoryview) else base
    if isinstance(base, mmap.mmap) and hasattr(base, "madvise"):
        base.madvise(mmap.MADV_DONTNEED)


def _stamp(handle: int) -> tuple[int, int, int]:
    state = os.fstat(handle)
    return state.st_ino, state.st_size, state.st_mtime_ns


def read_layout(path: Path) -> FileLayout:
    """Check a file and say what it holds.

    Raises:
        SafetensorError: not a safetensors file, or not a whole one.
        OSError: it cannot be read.
    """
    with safe_open(path, framework="numpy") as checked:
        metadata = checked.metadata() or {}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        stamp = _stamp(file.fileno())
    header.pop("__metadata__", None)
    entries = {key: _entry(value, 8 + length) for key, value in header.items()}
    try:
        checksums = dict(json.loads(metadata.get(CHECKSUMS, "{}")))
    except (ValueError, TypeError) as error:
        raise SafetensorError(f"its checksums cannot be read: {error}") from error
    return FileLayout(path, metadata, entries, stamp, checksums)


def _entry(value: Mapping[str, Any], start: int) -> Entry:
    begin, end = value["data_offsets"]
    return Entry(value["dtype"], tuple(value["shape"]), start + begin, end - begin)


def save_file(arrays: Mapping[str, Array], path: str, metadata: Mapping[str, str]) -> None:
    """Write a safetensors file, the same bytes as the library's function of this name.

    Raises:
        SafetensorError: a dtype that the format lacks.
        OSError: the file cannot be written.
    """
    names = {key: _named(key, array) for key, array in arrays.items()}
    # Large items first, so that every array is aligned: the library's order, and its padding.
    order = sorted(arrays, key=lambda key: (_FIRST.index(names[key]), key))
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    end = 0
    for key in order:
        begin, end = end, end + arrays[key].nbytes
        header[key] = {
            "dtype": names[key],
            "shape": list(arrays[key].shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for key in order:
            little = arrays[key].dtype.newbyteorder("<")
            flat = np.ascontiguousarray(arrays[key], little).reshape(-1)
            file.write(_bytes(flat))


def _named(key: str, array: Array) -> str:
    name = _NAMES.get(array.dtype.newbyteorder("<"))
    if name is None:
        raise SafetensorError(f"'{key}' has dtype {array.dtype}, which the format lacks")
    return name
