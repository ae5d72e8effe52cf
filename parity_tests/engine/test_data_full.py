"""What needs the whole of Fashion-MNIST: fetched before, or installed as a package."""

import dataclasses
import gzip
import os
import zlib
from pathlib import Path

import numpy as np
import pytest

from shared.data.cache import cache_folder, status
from shared.data.embed import write_subset
from shared.data.fetch import fetch
from shared.data.images import EMBEDDED_FOLDER, load_dataset
from shared.data.sources import FASHION_MNIST

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def full_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with the full set: the user's, or a new one filled from the package."""
    (state,) = status([FASHION_MNIST])
    if state.full == "present":
        return cache_folder(FASHION_MNIST).parent
    if state.packages:
        cache = tmp_path_factory.mktemp("cache")
        fetch(dataclasses.replace(FASHION_MNIST, mirrors=()), cache=cache)
        return cache
    reason = f"Fashion-MNIST is {state.full}: {state.detail}"
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (never skipped where CI is set)")
    pytest.skip(reason)


def test_full_set(full_cache: Path) -> None:
    full = load_dataset(FASHION_MNIST, "full", cache=full_cache)
    assert full.train_images.shape == (60_000, 28, 28)
    assert full.test_images.shape == (10_000, 28, 28)
    assert np.bincount(full.train_labels).tolist() == [6_000] * 10
    assert np.bincount(full.test_labels).tolist() == [1_000] * 10
    assert full.describe() == "Fashion-MNIST, full set (60,000 + 10,000)"
    assert full.checksum == "5f78405ae675fa4394c73f779352c9025d0f382cc410614231df27acb13026b5"


def test_committed_subset_is_what_its_maker_makes(full_cache: Path, tmp_path: Path) -> None:
    write_subset(FASHION_MNIST, cache=full_cache, folder=tmp_path)
    committed = EMBEDDED_FOLDER / "fashion_mnist"
    names = {path.name for path in committed.glob("*.gz")}
    assert {path.name for path in (tmp_path / "fashion_mnist").iterdir()} == names
    for name in names:
        ours, made = ((f / name).read_bytes() for f in (committed, tmp_path / "fashion_mnist"))
        assert gzip.decompress(made) == gzip.decompress(ours)
        # Another deflate, as zlib-ng, packs the same content into other bytes.
        if "ng" not in zlib.ZLIB_RUNTIME_VERSION:
            assert made == ours


def test_subset_is_part_of_the_full_set(full_cache: Path) -> None:
    """Every embedded image is, in order, one of the full set with the same label."""
    full = load_dataset(FASHION_MNIST, "full", cache=full_cache)
    few = load_dataset(FASHION_MNIST)
    for part in ("train", "test"):
        images = iter(
            zip(*(getattr(full, f"{part}_{x}") for x in ("images", "labels")), strict=True)
        )
        rows = zip(*(getattr(few, f"{part}_{x}") for x in ("images", "labels")), strict=True)
        for image, label in rows:
            assert any(label == other and (image == full).all() for full, other in images)
