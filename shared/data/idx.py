"""The IDX format of MNIST and its kin: strict reading and writing.

A file is two zero bytes, a type byte (8: unsigned byte), the number of axes, one big-endian
32-bit size per axis, and the values, last axis fastest. Nothing follows the values.

Source: http://yann.lecun.com/exdb/mnist/ ("The IDX file format").
"""

import math
import struct

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import DataError

_UNSIGNED_BYTE = 0x08
_TYPES = {
    _UNSIGNED_BYTE: "unsigned bytes",
    0x09: "signed bytes",
    0x0B: "16-bit integers",
    0x0C: "32-bit integers",
    0x0D: "32-bit floats",
    0x0E: "64-bit floats",
}
_MAX_AXES = 255
_MAX_SIZE = 2**32 - 1


def read_idx(raw: bytes, place: str, shape: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """Read an array of unsigned bytes.

    Args:
        raw: The whole content of the file, not compressed.
        place: What to call it in an error.
        shape: The shape it must have; None allows any.

    Returns:
        A new writable array of the shape in the header.

    Raises:
        DataError: It is not IDX, holds other values than unsigned bytes, is shorter or longer
            than its header says, or has another shape than `shape`.
    """
    found = _read_header(raw, place)
    start = _header_bytes(len(found))
    values = math.prod(found)
    present = len(raw) - start
    if present != values:
        what = "truncated" if present < values else "too long"
        raise DataError(
            f"{place}: {what}: {present:,} bytes of values, "
            f"expected {values:,} for the shape {found} in its header"
        )
    if shape is not None and found != shape:
        raise DataError(f"{place}: holds an array of shape {found}, expected {shape}")
    return np.frombuffer(raw, dtype=np.uint8, offset=start).reshape(found).copy()


def write_idx(array: NDArray[np.uint8]) -> bytes:
    """Return `array` as the content of an IDX file.

    Raises:
        DataError: It is not of dtype uint8, or has no axis, or more or longer ones than fit.
    """
    if array.dtype != np.uint8:
        raise DataError(f"write_idx: the array is of dtype {array.dtype}, expected uint8")
    if not 1 <= array.ndim <= _MAX_AXES or max(array.shape) > _MAX_SIZE:
        raise DataError(
            f"write_idx: the array has shape {array.shape}, expected 1 to {_MAX_AXES} axes "
            f"of at most {_MAX_SIZE} each"
        )
    header = struct.pack(f">HBB{array.ndim}I", 0, _UNSIGNED_BYTE, array.ndim, *array.shape)
    return header + array.tobytes()


def _header_bytes(axes: int) -> int:
    return 4 + 4 * axes


def _read_header(raw: bytes, place: str) -> tuple[int, ...]:
    if len(raw) < 4:
        raise DataError(
            f"{place}: truncated: {len(raw)} bytes, expected an IDX header of 4 or more"
        )
    zeros, kind, axes = struct.unpack_from(">HBB", raw)
    if zeros != 0 or kind not in _TYPES or axes == 0:
        raise DataError(
            f"{place}: not an IDX file: it starts with 0x{raw[:4].hex()}, "
            f"expected 0x000008 and the number of axes"
        )
    if kind != _UNSIGNED_BYTE:
        raise DataError(
            f"{place}: holds {_TYPES[kind]} (type 0x{kind:02x}), expected "
            f"{_TYPES[_UNSIGNED_BYTE]} (type 0x{_UNSIGNED_BYTE:02x})"
        )
    if len(raw) < _header_bytes(axes):
        raise DataError(
            f"{place}: truncated: {len(raw)} bytes, expected a header of "
            f"{_header_bytes(axes)} for {axes} axes"
        )
    shape: tuple[int, ...] = struct.unpack_from(f">{axes}I", raw, 4)
    return shape
