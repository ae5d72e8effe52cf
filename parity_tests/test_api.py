"""`import parity`: the names that it offers, and recordings through them."""

import importlib
import inspect

import numpy as np
import pytest

import parity
from parity import Header, ParityError, compare, read_recording, write_recording
from parity.core.errors import RecordingError, UsageError

KEYS = "inputs/images", "activations/step0/hidden", "loss/step0"


@pytest.fixture
def write(tmp_path):
    """Writes one recording; another equation where `factor` is not 1."""

    def write(side, precision, factor=1.0, nudged=False):
        x = np.random.default_rng(0).normal(size=(4, 5)).astype(precision)
        values = (x, x * 3 * x.dtype.type(factor), (x**2).sum() * x.dtype.type(factor))
        path = tmp_path / f"{side}-{precision}{factor}{nudged}.safetensors"
        arrays = dict(zip(KEYS, map(np.asarray, values), strict=True))
        write_recording(str(path), arrays, Header("mine", side, precision, nudged=nudged))
        return path

    return write


def test_every_name_is_there_under_its_own():
    for name in parity.__all__:
        found = getattr(parity, name)
        assert found is getattr(importlib.import_module(found.__module__), name)
        assert inspect.getdoc(found)
    assert set(parity.__all__) <= set(dir(parity))
    with pytest.raises(AttributeError, match="no attribute 'assert_parties'"):
        parity.assert_parties  # noqa: B018


def test_a_recording_is_read_as_it_was_written(write):
    found = read_recording(str(write("torch", "float64")))
    assert (found.header.example, found.header.side) == ("mine", "torch")
    assert found.keys() == KEYS
    np.testing.assert_array_equal(found["activations/step0/hidden"], found["inputs/images"] * 3)


def test_recordings_of_one_program_agree(write):
    left, right = ([write(s, p) for p in ("float32", "float64")] for s in ("torch", "jax"))
    found = compare(left, right)
    assert found.verdict == "agree"
    assert found.precisions == ("float32", "float64")
    assert (found.left, found.right) == ("torch", "jax")


def test_one_file_a_side_will_do(write):
    found = compare(write("torch", "float32"), str(write("jax", "float32", factor=1.5)))
    assert found.verdict == "differ"
    assert found.first.key == "activations/step0/hidden"


def test_what_is_no_side_is_told(write):
    one = write("torch", "float32")
    with pytest.raises(UsageError, match="both the float32 recording"):
        compare([one, one], one)
    with pytest.raises(UsageError, match="0 recordings: none"):
        compare(one, [])
    with pytest.raises(UsageError, match=r"1 recordings: nudged\. Expected its float32"):
        compare(one, write("torch", "float64", nudged=True))
    with pytest.raises(RecordingError, match="No recording at"):
        compare(one, "nowhere.safetensors")
    assert issubclass(RecordingError, ParityError)
