"""Iris: from scikit-learn, always there, split the same way every time."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris

from parity.core.errors import DataError, UsageError
from shared import data
from shared.data.cache import status
from shared.data.datasets import IRIS
from shared.data.fetching import fetch
from shared.data.images import load_dataset
from shared.data.sources import Library

ABSENT = dataclasses.replace(IRIS, library=Library("no-such-library", "no_such_module", "x.csv"))


def rows(inputs: np.ndarray, labels: np.ndarray) -> list[tuple[float, ...]]:
    return sorted(zip(*inputs.T.tolist(), labels.tolist(), strict=True))


def test_whole_under_both_names() -> None:
    full, embedded = data.load("iris", "full"), data.load("iris")
    assert full.part == embedded.part == "full"
    assert full.checksum == embedded.checksum
    assert embedded.describe() == "Iris, full set (112 + 38)"
    assert embedded.train_images.shape == (112, 4)
    assert embedded.test_images.shape == (38, 4)
    assert embedded.train_labels.dtype == embedded.test_labels.dtype == np.int64
    assert embedded.class_names == tuple(load_iris().target_names)


def test_every_row_is_in_one_part() -> None:
    iris = data.load("iris")
    inputs, labels = load_iris(return_X_y=True)
    ours = np.concatenate([iris.train_images, iris.test_images])
    our_labels = np.concatenate([iris.train_labels, iris.test_labels])
    assert rows(ours, our_labels) == rows(inputs.astype(np.float32).astype(float), labels)


def test_stratified_and_shuffled() -> None:
    iris = data.load("iris")
    assert np.bincount(iris.train_labels).tolist() == [37, 37, 38]
    assert np.bincount(iris.test_labels).tolist() == [13, 13, 12]
    assert len(set(iris.test_labels[:10].tolist())) > 1


def test_exact_in_float32() -> None:
    iris = data.load("iris")
    for inputs in (iris.train_images, iris.test_images):
        assert inputs.dtype == np.float64
        np.testing.assert_array_equal(inputs, inputs.astype(np.float32))


def test_checksum_is_of_the_content() -> None:
    """A constant: another split, by another release of scikit-learn, would be another dataset."""
    expected = "21bca32bd8d27da02fd13ebcb966395d3721d0211426d9dcf81a2087ea70f00b"
    assert data.load("iris").checksum == expected


def test_first_so_many() -> None:
    iris, few = data.load("iris"), data.load("iris", train=20, test=5)
    np.testing.assert_array_equal(few.train_images, iris.train_images[:20])
    assert few.describe() == "Iris, full set (first 20 + 5 of 112 + 38)"
    with pytest.raises(DataError, match=r"train is 113, expected at most 112.* 'full'$"):
        data.load("iris", train=113)
    with pytest.raises(UsageError, match="no part named 'half'"):
        data.load("iris", "half")


def test_always_present(tmp_path: Path) -> None:
    (state,) = status([IRIS], cache=tmp_path)
    assert (state.full, state.embedded, state.bytes) == ("present", None, 0)
    assert state.detail.startswith("comes with scikit-learn ")
    assert state.detail.endswith("nothing to fetch")
    assert (Path(state.cache) / "iris.csv").is_file()


def test_fetch_has_nothing_to_do(tmp_path: Path) -> None:
    (done,) = fetch(IRIS, cache=tmp_path)
    assert (done.file, done.action) == ("iris.csv", "kept")
    assert done.source.startswith("scikit-learn ")
    assert list(tmp_path.iterdir()) == []


def test_without_the_library(tmp_path: Path) -> None:
    words = "no-such-library, which brings it, is not installed. Install it: pip install no-such"
    with pytest.raises(DataError, match=f"^iris: {words}"):
        load_dataset(ABSENT)
    with pytest.raises(DataError, match=f"^iris: {words}"):
        fetch(ABSENT, cache=tmp_path)
    (state,) = status([ABSENT], cache=tmp_path)
    assert state.full == "missing"
    assert state.detail.startswith("no-such-library, which brings it, is not installed")
