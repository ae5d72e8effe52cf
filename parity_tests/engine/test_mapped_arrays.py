"""The file itself: the same bytes as the library's, read one array at a time."""

import gc
import json
import mmap
import os
import struct

import numpy as np
import pytest
from safetensors import numpy as library

from parity.recording import mapped_arrays

DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", ">f4", ">i8"]


def arrays():
    random = np.random.default_rng(0)
    made = {}
    for place, dtype in enumerate(DTYPES):
        array = (10 * random.normal(size=(3, 5))).astype(dtype)
        made |= {f"z{place}": array.T, f'a{place} ü"': array[0, 0], f"b{place}": array[:0]}
    return made


def test_what_is_written_is_what_the_library_writes(tmp_path):
    """Byte for byte, but for the order of the metadata, which the library leaves to chance."""
    ours, theirs, text = tmp_path / "ours", tmp_path / "theirs", {"b": 'x\n"ü\u2028', "a": "{}"}
    mapped_arrays.save_file(arrays(), str(ours), text)
    library.save_file({k: np.array(a, order="C") for k, a in arrays().items()}, theirs, text)
    ours, theirs = ours.read_bytes(), theirs.read_bytes()
    length = struct.unpack("<Q", ours[:8])[0] + 8
    assert ours[:8] == theirs[:8]
    headers = [json.loads(some[8:length]) for some in (ours, theirs)]
    assert headers[0] == headers[1]
    assert list(headers[0]) == list(headers[1])
    assert ours[length:] == theirs[length:]


def test_the_library_reads_what_was_written(tmp_path):
    mapped_arrays.save_file(arrays(), str(tmp_path / "a"), {})
    found = library.load_file(tmp_path / "a")
    assert found.keys() == arrays().keys()
    for key, array in arrays().items():
        np.testing.assert_array_equal(found[key], array, strict=array.dtype.isnative)


@pytest.mark.parametrize("mapped", [0, 1, 1 << 20])
def test_small_arrays_are_read_and_large_ones_mapped(tmp_path, mapped, monkeypatch):
    monkeypatch.setattr(mapped_arrays, "MAPPED", mapped)
    full = {key: array for key, array in arrays().items() if mapped or array.size}
    mapped_arrays.save_file(full, str(tmp_path / "a"), {})
    held = mapped_arrays.read_layout(tmp_path / "a")
    for key, array in full.items():
        found = held.load(key)
        np.testing.assert_array_equal(found, array, strict=array.dtype.isnative)
        assert found.flags.writeable == (array.nbytes < mapped or not array.nbytes)
        mapped_arrays.release(found)
        np.testing.assert_array_equal(found, array, strict=array.dtype.isnative)


def test_an_array_that_is_not_aligned(tmp_path):
    text = json.dumps(
        {
            "x": {"dtype": "F64", "shape": [20_000], "data_offsets": [1, 160_001]},
            "w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        }
    )
    data = np.arange(20_000.0)
    (tmp_path / "a").write_bytes(
        struct.pack("<Q", len(text)) + text.encode() + b"\1" + data.tobytes()
    )
    np.testing.assert_array_equal(mapped_arrays.read_layout(tmp_path / "a").load("x"), data)


def test_pages_are_given_back(tmp_path):
    if not hasattr(mmap.mmap, "madvise"):
        pytest.skip("this system cannot")
    mapped_arrays.save_file({"x": np.ones(4_000_000)}, str(tmp_path / "a"), {})
    array = mapped_arrays.read_layout(tmp_path / "a").load("x")
    assert array.sum() == 4e6
    before = resident()
    mapped_arrays.release(array[10:].reshape(2, -1))
    assert before - resident() > 25e6
    assert array.sum() == 4e6


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_no_file_stays_open(tmp_path):
    mapped_arrays.save_file({"x": np.ones(400_000)}, str(tmp_path / "a"), {})
    held = mapped_arrays.read_layout(tmp_path / "a")
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        held.load("x")
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_dtype_that_numpy_lacks(tmp_path):
    text = json.dumps({"x": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}})
    (tmp_path / "a").write_bytes(struct.pack("<Q", len(text)) + text.encode() + b"\0\0")
    with pytest.raises(TypeError, match="NumPy has no BF16"):
        mapped_arrays.read_layout(tmp_path / "a").load("x")


@pytest.mark.parametrize("size", [3, 400_000])
def test_the_file_that_took_its_place_is_read(tmp_path, size):
    mapped_arrays.save_file({"x": np.ones(size)}, str(tmp_path / "a"), {})
    held = mapped_arrays.read_layout(tmp_path / "a")
    mapped_arrays.save_file({"w": np.ones(5), "x": np.full(size, 7.0)}, str(tmp_path / "b"), {})
    os.replace(tmp_path / "b", tmp_path / "a")
    np.testing.assert_array_equal(held.load("x"), np.full(size, 7.0))
    mapped_arrays.save_file({"w": np.ones(5)}, str(tmp_path / "b"), {})
    os.replace(tmp_path / "b", tmp_path / "a")
    with pytest.raises(OSError, match="does not hold it any more"):
        held.load("x")
    (tmp_path / "a").write_bytes(b"garbage")
    with pytest.raises(OSError, match="header"):
        held.load("x")
