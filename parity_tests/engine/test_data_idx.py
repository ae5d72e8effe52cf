"""`shared.data.idx`: the round trip, and every way a file can be wrong."""

import struct

import hypothesis
import hypothesis.extra.numpy as hypothesis_numpy
import numpy as np
import pytest

from parity.core.errors import DataError
from shared.data.idx import read_idx, write_idx

SHAPES = hypothesis_numpy.array_shapes(min_dims=1, max_dims=5, min_side=0, max_side=6)


@hypothesis.given(hypothesis_numpy.arrays(np.uint8, SHAPES))
def test_round_trip(array: np.ndarray) -> None:
    read = read_idx(write_idx(array), "here", array.shape)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, array, strict=True)
    assert read.flags.writeable


@hypothesis.given(hypothesis_numpy.arrays(np.uint8, (3, 4, 2)))
def test_round_trip_of_a_transposed_array(array: np.ndarray) -> None:
    np.testing.assert_array_equal(read_idx(write_idx(array.T), "here"), array.T, strict=True)


def test_bytes_on_disk() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    expected = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 3, 4, 5])
    assert write_idx(array) == expected


@hypothesis.given(hypothesis.strategies.integers(0, 17))
def test_every_truncation_is_refused(length: int) -> None:
    raw = write_idx(np.arange(6, dtype=np.uint8).reshape(2, 3))
    with pytest.raises(DataError, match="here: truncated"):
        read_idx(raw[:length], "here")


GOOD = write_idx(np.arange(6, dtype=np.uint8).reshape(2, 3))


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\x1f\x8b\x08\x00" + GOOD, "not an IDX file: it starts with 0x1f8b0800"),
        (b"\0\1" + GOOD[2:], "not an IDX file"),
        (b"\0\0\x07" + GOOD[3:], "not an IDX file"),
        (b"\0\0\x08\0", "not an IDX file"),
        (b"\0\0\x0d" + GOOD[3:], r"holds 32-bit floats \(type 0x0d\), expected unsigned bytes"),
        (GOOD + b"\0", r"too long: 7 bytes of values, expected 6 for the shape \(2, 3\)"),
        (struct.pack(">HBB3I", 0, 8, 3, *[2**32 - 1] * 3), "truncated: 0 bytes of values"),
    ],
    ids=["gzip", "zeros", "type", "no axis", "floats", "longer", "huge"],
)
def test_wrong_files(raw: bytes, message: str) -> None:
    with pytest.raises(DataError, match=f"^here: {message}"):
        read_idx(raw, "here")


def test_other_shape_than_expected() -> None:
    with pytest.raises(DataError, match=r"here: .* shape \(2, 3\), expected \(3, 2\)"):
        read_idx(GOOD, "here", (3, 2))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((2, 3), np.int64), "dtype int64, expected uint8"),
        (np.array(3, np.uint8), r"shape \(\), expected 1 to 255 axes"),
        (np.broadcast_to(np.uint8(0), (2**32,)), "at most 4294967295 each"),
    ],
)
def test_arrays_that_do_not_fit(array: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        write_idx(array)
