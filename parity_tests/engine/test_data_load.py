"""`shared.data`: loading, refusing to load, and saying what is there."""

import dataclasses
import gzip
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from parity.core.errors import DataError, UsageError
from shared import data
from shared.data.cache import cache_folder, status
from shared.data.datasets import FASHION_MNIST, MNIST, find
from shared.data.embed import chosen_indices, compressed, write_subset
from shared.data.fetching import fetch
from shared.data.idx import write_idx
from shared.data.images import EMBEDDED_FOLDER, ImageData, load_dataset
from shared.data.sources import Dataset, DebianPackage, Embedded, EmbeddedFile, SourceFile

GENERATOR = np.random.default_rng(11)
ARRAYS = {
    "train_images": GENERATOR.integers(0, 256, (30, 5, 4), dtype=np.uint8),
    "train_labels": np.arange(30, dtype=np.uint8) % 3,
    "test_images": GENERATOR.integers(0, 256, (12, 5, 4), dtype=np.uint8),
    "test_labels": np.arange(12, dtype=np.uint8) % 3,
}
RAW = {role: write_idx(array) for role, array in ARRAYS.items()}


def tiny(package: Path | None = None) -> Dataset:
    """A dataset with an embedded subset: of classes 0 and 2 the first four for training."""
    files = tuple(
        SourceFile(f"{role}.idx", hashlib.md5(raw).hexdigest(), len(raw), ARRAYS[role].shape, role)
        for role, raw in RAW.items()
    )
    rows = {"train": [0, 2, 3, 5, 6, 8, 9, 11], "test": [0, 2, 3, 5, 6, 8, 9, 11]}
    embedded = []
    for role, array in ARRAYS.items():
        part = array[rows[role.partition("_")[0]]]
        sha256 = hashlib.sha256(write_idx(part)).hexdigest()
        embedded.append(EmbeddedFile(f"{role}.idx.gz", sha256, part.shape, role))
    copies = (
        (DebianPackage("dataset-tiny", str(package), tuple(f.name for f in files), ""),)
        if package
        else ()
    )
    return Dataset(
        name="tiny",
        title="Tiny",
        files=files,
        sizes=(30, 12),
        class_names=("a", "b", "c"),
        licence="none",
        package_copies=copies,
        embedded=Embedded(tuple(embedded), (8, 8), classes=(0, 2), per_class=(4, None)),
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that holds the whole of `tiny`."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    for role, raw in RAW.items():
        (folder / f"{role}.idx").write_bytes(raw)
    return tmp_path


# --- the subset in the repository --------------------------------------------------------------


@pytest.fixture(scope="module")
def fashion() -> ImageData:
    return data.load("fashion_mnist")


def test_embedded_fashion_mnist(fashion: ImageData) -> None:
    assert fashion.train_images.shape == (12_000, 28, 28)
    assert fashion.test_images.shape == (2_000, 28, 28)
    assert fashion.train_images.dtype == fashion.test_images.dtype == np.uint8
    assert fashion.train_labels.dtype == fashion.test_labels.dtype == np.int64
    assert np.bincount(fashion.train_labels).tolist() == [1_200] * 10
    assert np.bincount(fashion.test_labels).tolist() == [200] * 10
    assert len(fashion.class_names) == 10
    # The well-known beginning of both files: nothing was reordered.
    assert fashion.train_labels[:6].tolist() == [9, 0, 0, 3, 0, 2]
    assert fashion.test_labels[:6].tolist() == [9, 2, 1, 1, 6, 1]
    assert fashion.class_names[9] == "Ankle boot"
    assert fashion.describe() == "Fashion-MNIST, embedded subset (12,000 + 2,000)"


def test_embedded_needs_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARITY_DATA_DIR", str(tmp_path / "none"))
    assert len(data.load("fashion_mnist", train=3, test=2).train_labels) == 3
    assert not (tmp_path / "none").exists()


def test_first_so_many(fashion: ImageData) -> None:
    few = data.load("fashion_mnist", train=512, test=100)
    np.testing.assert_array_equal(few.train_images, fashion.train_images[:512])
    np.testing.assert_array_equal(few.train_labels, fashion.train_labels[:512])
    np.testing.assert_array_equal(few.test_images, fashion.test_images[:100])
    np.testing.assert_array_equal(few.test_labels, fashion.test_labels[:100])
    text = "Fashion-MNIST, embedded subset (first 512 + 100 of 12,000 + 2,000)"
    assert few.describe() == text
    assert few.checksum != fashion.checksum


def test_checksum_is_of_the_content(fashion: ImageData) -> None:
    """A constant: it goes into recordings, so it may never change for the same content."""
    assert fashion.checksum == "174e8d1404ac5a9cdf922bc5a1772afd53238894fa9bf4c774208215f4b6dba8"


def test_loads_do_not_share_memory(fashion: ImageData) -> None:
    other = data.load("fashion_mnist", train=7, test=3)
    before = fashion.train_images[:7].copy()
    other.train_images[:] = 1
    np.testing.assert_array_equal(fashion.train_images[:7], before)


@pytest.mark.parametrize(
    ("sizes", "error", "message"),
    [
        ({"train": 12_001}, DataError, "train is 12,001, expected at most 12,000.*data fetch"),
        ({"test": 2_001}, DataError, "test is 2,001, expected at most 2,000.*data fetch"),
        ({"train": 60_001}, DataError, "at most 12,000, the train samples of part 'embedded'$"),
        ({"train": 0}, UsageError, "train is 0, expected 1 or more"),
        ({"test": -1}, UsageError, "test is -1, expected 1 or more"),
    ],
)
def test_sizes_that_cannot_be(sizes: dict[str, int], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        data.load("fashion_mnist", **sizes)


def test_licence_lies_beside_the_subset() -> None:
    text = (EMBEDDED_FOLDER / "fashion_mnist" / "LICENSE.txt").read_text(encoding="utf-8")
    assert "© 2017 Zalando SE" in text
    assert "The MIT License" in text
    text = (EMBEDDED_FOLDER / "mnist" / "LICENSE.txt").read_text(encoding="utf-8")
    assert "Yann LeCun" in text
    assert "CC BY-SA 3.0" in text


def test_subsets_stay_small() -> None:
    """They are in everyone's clone."""
    assert sum(path.stat().st_size for path in EMBEDDED_FOLDER.rglob("*")) < 8_500_000
    for dataset in data.DATASETS:
        assert (EMBEDDED_FOLDER / dataset.name).is_dir() == (dataset.embedded is not None)


def test_embedded_mnist() -> None:
    mnist = data.load("mnist")
    assert mnist.train_images.shape == (12_665, 28, 28)
    assert mnist.test_images.shape == (2_115, 28, 28)
    assert np.bincount(mnist.train_labels).tolist() == [5_923, 6_742]
    assert np.bincount(mnist.test_labels).tolist() == [980, 1_135]
    assert mnist.train_labels[:6].tolist() == [0, 1, 1, 1, 1, 0]
    assert mnist.test_labels[:6].tolist() == [1, 0, 1, 0, 0, 1]
    assert mnist.class_names == tuple("0123456789")
    assert mnist.describe() == "MNIST, embedded subset of zeros and ones (12,665 + 2,115)"
    assert mnist.checksum == "d5b955405cfd4477cbc8968e51cc690a163125890a40385597a3a4ad0cb31842"


def damaged_copy(tmp_path: Path) -> tuple[Path, Path]:
    shutil.copytree(EMBEDDED_FOLDER, tmp_path / "embedded")
    return tmp_path / "embedded", tmp_path / "embedded/fashion_mnist/t10k-labels-idx1-ubyte.gz"


@pytest.mark.parametrize("kind", ["corrupted", "truncated", "no gzip", "missing"])
def test_damaged_embedded_file(kind: str, tmp_path: Path) -> None:
    folder, path = damaged_copy(tmp_path)
    content = path.read_bytes()
    if kind == "missing":
        path.unlink()
    else:
        raw = bytearray(gzip.decompress(content))
        raw[99] ^= 1
        wrong = {"corrupted": gzip.compress(raw), "truncated": content[:-9], "no gzip": b"x"}
        path.write_bytes(wrong[kind])
    with pytest.raises(DataError) as caught:
        load_dataset(FASHION_MNIST, embedded_folder=folder)
    assert str(caught.value).startswith(f"{path}: ")
    assert ("SHA-256 is" if kind == "corrupted" else "cannot be read") in str(caught.value)
    assert "python -m shared.data.embed fashion_mnist" in str(caught.value)


def test_dataset_without_a_subset() -> None:
    dataset = dataclasses.replace(tiny(), embedded=None)
    with pytest.raises(DataError, match=r"tiny: has no embedded subset.*data fetch tiny"):
        load_dataset(dataset)


# --- the full set ----------------------------------------------------------------------------


def test_full_set(cache: Path) -> None:
    full = load_dataset(tiny(), "full", cache=cache)
    for role, array in ARRAYS.items():
        np.testing.assert_array_equal(getattr(full, role), array)
    assert full.train_labels.dtype == full.test_labels.dtype == np.int64
    assert full.describe() == "Tiny, full set (30 + 12)"


def test_full_set_that_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARITY_DATA_DIR", str(tmp_path))
    with pytest.raises(DataError) as caught:
        data.load("fashion_mnist", "full")
    assert f"the full set is not in {tmp_path / 'fashion_mnist'}" in str(caught.value)
    assert str(caught.value).endswith("Fetch it: parity data fetch fashion_mnist")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (RAW["train_labels"][:-3] + b"\7\7\7", "corrupted: MD5 is "),
        (RAW["train_labels"][:-3], "truncated: 35 bytes, expected 38; MD5 is "),
        (RAW["train_labels"] + b"\0", "too long: 39 bytes, expected 38; MD5 is "),
        (RAW["train_images"], "holds the content of train_images.idx: MD5 is "),
        (RAW["test_labels"], "holds the content of test_labels.idx: MD5 is "),
        (b"", "truncated: 0 bytes"),
    ],
    ids=["corrupted", "truncated", "longer", "images", "test labels", "empty"],
)
def test_damaged_full_set(content: bytes, reason: str, cache: Path) -> None:
    path = cache / "tiny" / "train_labels.idx"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load_dataset(tiny(), "full", cache=cache)
    assert str(caught.value).startswith(f"{path}: {reason}")
    expected, found = (hashlib.md5(x).hexdigest() for x in (RAW["train_labels"], content))
    assert f"MD5 is {found}, expected {expected}. Fetch it: parity data fetch tiny" in str(
        caught.value
    )
    (damaged,) = status([tiny()], cache=cache)
    assert damaged.full == "damaged"
    assert f"train_labels.idx: {reason}" in damaged.detail


def test_folder_in_place_of_a_file(cache: Path) -> None:
    (cache / "tiny" / "test_images.idx").unlink()
    (cache / "tiny" / "test_images.idx").mkdir()
    with pytest.raises(DataError, match=r"test_images.idx: cannot be read: Is a directory"):
        load_dataset(tiny(), "full", cache=cache)
    assert status([tiny()], cache=cache)[0].full == "damaged"


@pytest.mark.parametrize("sizes", [{"train": 31}, {"test": 13}])
def test_more_than_the_full_set_has(sizes: dict[str, int], cache: Path) -> None:
    with pytest.raises(DataError, match=r"samples of part 'full'$"):
        load_dataset(tiny(), "full", cache=cache, **sizes)


# --- names -----------------------------------------------------------------------------------


def test_unknown_dataset() -> None:
    with pytest.raises(UsageError, match=r"^No dataset named 'mnsit'. Did you mean 'mnist'\?$"):
        find("mnsit", (MNIST, FASHION_MNIST))
    with pytest.raises(UsageError, match="Did you mean 'fashion_mnist'"):
        data.load("fashion-mnist")
    with pytest.raises(UsageError, match=r"The datasets are: .*fashion_mnist.*parity data status"):
        data.fetch("xyz")
    with pytest.raises(UsageError, match=r"^No dataset named 'cifar'. Did you mean 'cifar10'\?$"):
        data.load("cifar")


def test_unknown_part() -> None:
    with pytest.raises(UsageError, match="no part named 'half', expected 'embedded' or 'full'"):
        data.load("fashion_mnist", "half")


# --- where, and in what state ----------------------------------------------------------------


def test_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARITY_DATA_DIR", str(tmp_path))
    assert cache_folder(tiny()) == tmp_path / "tiny"
    assert cache_folder(tiny(), tmp_path / "other") == tmp_path / "other" / "tiny"
    monkeypatch.setenv("PARITY_DATA_DIR", "~/data")
    assert cache_folder(tiny()) == Path.home() / "data" / "tiny"
    for unset in (
        lambda: monkeypatch.setenv("PARITY_DATA_DIR", ""),
        lambda: monkeypatch.delenv("PARITY_DATA_DIR"),
    ):
        unset()
        assert cache_folder(tiny()).parts[-3:] == ("parity", "data", "tiny")


def test_status_from_missing_to_present(tmp_path: Path) -> None:
    package = tmp_path / "package"
    package.mkdir()
    (before,) = status([tiny(package)], cache=tmp_path)
    assert (before.full, before.packages) == ("missing", ())
    assert before.detail == "4 of 4 files are not in the cache. Fetch it: parity data fetch tiny"
    assert not (tmp_path / "tiny").exists()
    for role, raw in RAW.items():
        (package / f"{role}.idx").write_bytes(raw)
    (installed,) = status([tiny(package)], cache=tmp_path)
    assert installed.full == "missing"
    assert "installed: Debian package dataset-tiny" in installed.detail
    fetch(tiny(package), cache=tmp_path)
    (after,) = status([tiny(package)], cache=tmp_path)
    assert (after.full, after.detail) == ("present", "all 4 files verified")
    assert after.embedded == (8, 8)
    assert after.bytes == sum(map(len, RAW.values()))
    assert after.cache == str(tmp_path / "tiny")


def test_status_is_json() -> None:
    rows = json.loads(json.dumps([dataclasses.asdict(row) for row in data.status()]))
    fashion = {row["name"]: row for row in rows}["fashion_mnist"]
    assert fashion["embedded"] == [12_000, 2_000]
    assert fashion["bytes"] == 54_950_048
    assert "MIT" in fashion["licence"]


def test_every_dataset_is_consistent() -> None:
    for dataset in data.DATASETS:
        files = (*dataset.files, *(dataset.embedded.files if dataset.embedded else ()))
        assert len({file.name for file in files}) == len(files)
        for file in dataset.files:
            assert len(file.md5) == 32
        if dataset.format == "cifar":
            for file in dataset.files:
                assert file.bytes_raw == np.prod(file.shape)
        if dataset.format == "idx":
            header = {file: 4 + 4 * len(file.shape) for file in dataset.files}
            for file in dataset.files:
                assert file.bytes_raw == header[file] + np.prod(file.shape)


# --- making a subset -------------------------------------------------------------------------


def test_subset_is_made_as_its_rule_says(cache: Path, tmp_path: Path) -> None:
    sums = write_subset(tiny(), cache=cache, folder=tmp_path / "made")
    assert tiny().embedded is not None
    assert sums == {file.name: file.sha256 for file in tiny().embedded.files}
    made = load_dataset(tiny(), embedded_folder=tmp_path / "made")
    assert made.train_labels.tolist() == [0, 2] * 4
    assert made.test_labels.tolist() == [0, 2] * 4
    np.testing.assert_array_equal(made.train_images[3], ARRAYS["train_images"][5])


def test_chosen_indices() -> None:
    labels = np.array([1, 0, 1, 2, 1, 0])
    assert chosen_indices(labels, (0, 1), 2).tolist() == [0, 1, 2, 5]
    assert chosen_indices(labels, (2, 1), None).tolist() == [0, 2, 3, 4]
    with pytest.raises(DataError, match="class 2 has 1 images, expected 2"):
        chosen_indices(labels, (0, 2), 2)


def test_compressed_has_neither_time_nor_name() -> None:
    content = compressed(b"abc" * 100)
    assert content[:10] == b"\x1f\x8b\x08\x00" + b"\0\0\0\0" + b"\x02\xff"
    assert gzip.decompress(content) == b"abc" * 100


def test_classes_are_kept_and_renumbered(cache: Path) -> None:
    whole = load_dataset(tiny(), "full", cache=cache)
    some = whole.of_classes((2, 0))
    assert some.class_names == ("c", "a")
    for part in ("train", "test"):
        labels, before = (getattr(d, f"{part}_labels") for d in (some, whole))
        kept = before != 1
        np.testing.assert_array_equal(labels, np.where(before[kept] == 2, 0, 1))
        np.testing.assert_array_equal(
            getattr(some, f"{part}_images"), getattr(whole, f"{part}_images")[kept]
        )
    assert whole.of_classes(()) is whole


def test_the_first_samples_of_some_classes(cache: Path) -> None:
    some = load_dataset(tiny(), "full", cache=cache).of_classes((2, 0))
    few = some.first(5)
    np.testing.assert_array_equal(few.train_labels, some.train_labels[:5])
    np.testing.assert_array_equal(few.train_images, some.train_images[:5])
    assert len(few.test_labels) == len(some.test_labels)
    assert len(some.first(0).train_labels) == len(some.first(20).train_labels) == 20
    with pytest.raises(UsageError, match=r"21 training samples are asked for, but only 20 are"):
        some.first(21)
