"""What the comparing process holds: exact numbers in half the memory, nothing left on disk."""

import gc

import numpy as np
import pytest

from parity.checker.graph import nudge, storage
from parity.checker.graph.storage import CompactArrays, DiskSpill


def test_weights_come_back_as_they_were():
    single = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    double = np.array([1 / 3, np.nan, np.inf])
    held = CompactArrays(
        {"single": single.astype(np.float64), "double": double, "ids": np.arange(3)}
    )
    assert held.arrays["single"].dtype == np.float32
    assert held["single"].dtype == np.float64
    assert np.array_equal(held["single"], single)
    assert np.array_equal(held["double"], double, equal_nan=True)
    assert held["ids"].dtype == np.int64


def test_a_number_too_large_for_float32_stays():
    assert CompactArrays({"a": np.array([1e300])})["a"][0] == 1e300


def test_a_copy_shares_what_it_does_not_replace():
    one = CompactArrays({"a": np.ones(2), "b": np.ones(2)})
    other = CompactArrays(one)
    other["b"] = np.zeros(2)
    assert one.arrays["a"] is other.arrays["a"]
    assert one["b"][0] == 1


def test_a_shelf_gives_back_and_cleans_up():
    shelf = DiskSpill()
    large, small = np.random.default_rng(1).normal(size=20_000), np.arange(3.0)
    given = [shelf.put(large), shelf.put(small)]
    folder = shelf._folder
    assert np.array_equal(given[0](), large)
    assert np.array_equal(given[1](), small)
    assert len(list(folder.iterdir())) == 1
    given.clear()
    gc.collect()
    assert not list(folder.iterdir())
    del shelf
    gc.collect()
    assert not folder.exists()


@pytest.mark.parametrize("kind", [np.float64, np.complex64, np.complex128])
def test_a_file_gives_back_what_was_written(tmp_path, kind):
    array = np.array([[1.5, np.inf], [-2.0, 0.25], [3.0, 4.0]]).astype(kind).T
    array = array + kind(2j) if array.dtype.kind == "c" else array
    storage.save({"values/n1:0": array}, tmp_path / "a")
    found = storage.load(tmp_path / "a")["values/n1:0"]
    assert found.dtype == array.dtype
    assert np.array_equal(found, array, equal_nan=True)


def test_a_nudge_moves_what_was_rounded_by_half_a_unit_and_nothing_else():
    exact = np.array([0.0, 0.5, -3.0, 1024.0, np.inf])
    assert np.array_equal(nudge.nudged(exact), exact)
    table = np.float32(np.arange(1, 8) / 7.3)
    moved = np.abs(nudge.nudged(table) / table.astype(np.float64) - 1)
    assert np.allclose(moved, 2.0**-24, rtol=1e-6)
    assert np.array_equal(nudge.nudged(table), nudge.nudged(table))


@pytest.mark.parametrize("number", [0.1, np.float32(0.1), 0.1 + 0.3j])
def test_one_number_is_nudged_as_an_array(number):
    moved = nudge.nudged(np.asarray(number))
    assert isinstance(moved, np.ndarray)
    assert moved.shape == ()
    assert moved != np.asarray(number)
