"""safetensors files, one tensor at a time: read by the library, written as the library writes them.

The library writes what lies in memory whole. A file that is larger than that is written here from
its beginning to its end: the header first, whose sizes are known, and then each tensor as it is
made; byte for byte the same file.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from safetensors import SafetensorError, safe_open

from parity.convert.expressions import Array
from parity.convert.stored import StoredTensor
from parity.core.errors import UsageError

with contextlib.suppress(ImportError):  # an environment of a side's own may lack it
    import ml_dtypes  # noqa: F401  # from here on NumPy knows bfloat16 and the like

TYPES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "F8_E5M2": "float8_e5m2",
    "F8_E4M3": "float8_e4m3fn",
    "I16": "int16",
    "U16": "uint16",
    "F16": "float16",
    "BF16": "bfloat16",
    "I32": "int32",
    "U32": "uint32",
    "F32": "float32",
    "C64": "complex64",
    "F64": "float64",
    "I64": "int64",
    "U64": "uint64",
}
"""safetensors' word → NumPy's. Tensors lie in a file by type, the last of these first, by name."""
_WORDS = {name: word for word, name in TYPES.items()}
_BLOCK = 1 << 24
"""Bytes of a rearranged tensor that are copied before they are written."""
_TILE = 64
"""Elements along the axis that is slow in the file and fast in memory."""


class TensorFile(Mapping[str, Array]):
    """A safetensors file, or several by their index; a tensor is read when it is asked for.

    Args:
        path: ``….safetensors`` or ``….safetensors.index.json``.

    Attributes:
        tensors: name → shape and type.

    Raises:
        UsageError: it is no such file, or a part of it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._files: dict[str, Path] = {}
        self.tensors: dict[str, StoredTensor] = {}
        for file in shards(path):
            with _opened(file) as opened:
                for name in opened.keys():  # noqa: SIM118  # no mapping
                    part = opened.get_slice(name)
                    word = part.get_dtype()
                    if word not in TYPES:
                        raise UsageError(f"'{file}': {name} is of type {word}, which is not read.")
                    self.tensors[name] = StoredTensor(tuple(part.get_shape()), TYPES[word])
                    self._files[name] = file

    def __getitem__(self, name: str) -> Array:
        # Opened anew for each: what is mapped counts as memory until it is closed.
        with _opened(self._files[name]) as opened:
            array: Array = opened.get_tensor(name)
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="np") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise UsageError(f"'{path}' cannot be read: {error}. Expected safetensors.") from error


def shards(path: Path) -> list[Path]:
    """The files that a safetensors file, or an index of several, stands for.

    Raises:
        UsageError: it is no index, or names a file that is not there.
    """
    if path.suffix != ".json":
        return [path]
    try:
        index = json.loads(path.read_text("utf-8"))["weight_map"]
        files = [path.parent / str(file) for file in dict.fromkeys(index.values())]
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise UsageError(
            f"'{path}' is no index of safetensors files. Expected JSON with a 'weight_map'."
        ) from error
    lacking = [file for file in files if not file.is_file()]
    if lacking:
        raise UsageError(f"'{path}' names {lacking[0].name}, which is not beside it.")
    return files


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside it, put in its place when all went well, and removed if not."""
    handle, name = tempfile.mkstemp(suffix="".join(path.suffixes), prefix=".", dir=path.parent)
    os.close(handle)
    try:
        yield Path(name)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


def write(
    path: Path,
    tensors: Mapping[str, StoredTensor],
    make: Callable[[str], Array],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a file whole, of tensors that are made one after the other.

    Args:
        path: of the file; what is there is written over.
        tensors: name → shape and type.
        make: gives a tensor of that shape and type.
        metadata: of the file.
    """
    order = sorted(
        tensors, key=lambda name: (-list(_WORDS).index(tensors[name].dtype), name.encode())
    )
    header: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
    end = 0
    for name in order:
        tensor = tensors[name]
        begin, end = end, end + math.prod(tensor.shape) * np.dtype(tensor.dtype).itemsize
        header[name] = {
            "dtype": _WORDS[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in order:
            array = make(name)
            if (array.shape, array.dtype.name) != (tensors[name].shape, tensors[name].dtype):
                raise AssertionError(f"{name}: {array.dtype} {array.shape}, not {tensors[name]}")
            _put(file, array)
            del array  # before the next is made


def _put(file: BinaryIO, array: Array) -> None:
    """All of an array's bytes, in order; what lies otherwise is copied a part at a time."""
    if array.flags.c_contiguous or array.nbytes <= _BLOCK:
        file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
        return
    rows = max(1, _BLOCK * len(array) // array.nbytes)
    for first in range(0, len(array), rows):
        part = array[first : first + rows]
        _put(file, _in_order(part) if rows > 1 else part[0])


def _in_order(array: Array) -> Array:
    """A copy whose elements lie in order, made in tiles.

    Row by row a transposed weight would be read a number a cache line: that takes twice as long.
    """
    far = min(range(array.ndim), key=lambda axis: abs(array.strides[axis]) or math.inf)
    made = np.empty(array.shape, array.dtype)
    for i in range(0, array.shape[far], _TILE):
        for j in range(0, array.shape[-1], 8 * _TILE):
            tile = [slice(None)] * array.ndim
            tile[-1] = slice(j, j + 8 * _TILE)
            tile[far] = slice(i, i + _TILE) if far != array.ndim - 1 else tile[-1]
            made[tuple(tile)] = array[tuple(tile)]
        if far == array.ndim - 1:
            break
    return made
