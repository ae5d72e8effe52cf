"""CIFAR-10's batches: read from the cache, and made from the pictures of an npm package."""

import dataclasses
import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from parity.core.errors import DataError
from shared import data
from shared.data.cifar import RECORD, CifarNpmPackage, read_batches, write_batch
from shared.data.datasets import CIFAR10
from shared.data.fetching import fetch
from shared.data.images import load_dataset
from shared.data.sources import Dataset, Mirror, SourceFile

ROWS = 6
GENERATOR = np.random.default_rng(9)
NAMES = ("data_batch_1", "data_batch_2", "test_batch")
PIXELS = {name: GENERATOR.integers(0, 256, (ROWS, 1024, 3), dtype=np.uint8) for name in NAMES}
LABELS = {name: GENERATOR.integers(0, 10, ROWS, dtype=np.uint8) for name in NAMES}
RAW = {f"{name}.bin": write_batch(PIXELS[name], LABELS[name]) for name in NAMES}
TARBALL = "tiny-cifar-1.0.0.tgz"

TINY = Dataset(
    name="tiny_cifar",
    title="Tiny CIFAR",
    files=tuple(
        SourceFile(
            name,
            hashlib.md5(raw).hexdigest(),
            len(raw),
            (ROWS, RECORD),
            "test" if name.startswith("test") else "train",
        )
        for name, raw in RAW.items()
    ),
    sizes=(2 * ROWS, ROWS),
    class_names=tuple("abcdefghij"),
    licence="none",
    package_copies=(CifarNpmPackage("tiny-cifar", "1.0.0"),),
    format="cifar",
)


def picture(pixels: np.ndarray, mode: str = "RGB", kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, kind)
    return buffer.getvalue()


def members() -> dict[str, bytes]:
    train = [int(label) for name in NAMES[:2] for label in LABELS[name]]
    test = [int(label) for label in LABELS["test_batch"]]
    return {f"package/{name}.png": picture(PIXELS[name]) for name in NAMES} | {
        "package/train_lables.json": json.dumps(train).encode(),
        "package/test_lables.json": json.dumps(test).encode(),
    }


def packed(content: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, body in content.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


def carried(cache: Path, content: dict[str, bytes]) -> Path:
    """Put the package's archive where a person without npm would."""
    folder = cache / TINY.name
    folder.mkdir(exist_ok=True)
    (folder / TARBALL).write_bytes(packed(content))
    return folder


@pytest.fixture(autouse=True)
def no_npm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


# --- the format ------------------------------------------------------------------------------


def test_channels_first_in_the_file_and_last_in_memory() -> None:
    pixels = np.zeros((2, 1024, 3), np.uint8)
    pixels[1, 32 * 5 + 7] = 10, 20, 30  # second image, row 5, column 7
    raw = write_batch(pixels, np.array([4, 9], np.uint8))
    assert len(raw) == 2 * 3073
    second = raw[3073:]
    at = 1 + 32 * 5 + 7
    assert (raw[0], second[0]) == (4, 9)
    assert (second[at], second[at + 1024], second[at + 2048]) == (10, 20, 30)
    images, labels = read_batches([raw])
    assert images.shape == (2, 32, 32, 3)
    assert images[1, 5, 7].tolist() == [10, 20, 30]
    assert np.count_nonzero(images) == 3
    assert labels.tolist() == [4, 9]


def test_batches_follow_each_other() -> None:
    images, labels = read_batches([RAW["data_batch_1.bin"], RAW["data_batch_2.bin"]])
    expected = np.concatenate([PIXELS["data_batch_1"], PIXELS["data_batch_2"]])
    np.testing.assert_array_equal(images, expected.reshape(-1, 32, 32, 3))
    np.testing.assert_array_equal(
        labels, np.concatenate([LABELS["data_batch_1"], LABELS["data_batch_2"]])
    )
    assert images.flags.c_contiguous
    assert images.flags.writeable


# --- from the package ------------------------------------------------------------------------


def test_pictures_become_batches(tmp_path: Path) -> None:
    folder = carried(tmp_path, members())
    done = fetch(TINY, cache=tmp_path)
    assert [f.action for f in done] == ["copied"] * 3
    assert {name: (folder / name).read_bytes() for name in RAW} == RAW
    full = load_dataset(TINY, "full", cache=tmp_path)
    assert full.train_images.shape == (2 * ROWS, 32, 32, 3)
    np.testing.assert_array_equal(full.test_images, PIXELS["test_batch"].reshape(ROWS, 32, 32, 3))
    np.testing.assert_array_equal(full.test_labels, LABELS["test_batch"])
    assert full.train_labels.dtype == np.int64
    assert full.describe() == "Tiny CIFAR, full set (12 + 6)"


def other_pixel() -> bytes:
    pixels = PIXELS["data_batch_1"].copy()
    pixels[3, 99, 1] ^= 1
    return picture(pixels)


def huge() -> bytes:
    """A picture that claims 60,000 × 60,000 pixels in its header."""
    good = picture(PIXELS["data_batch_1"])
    body = b"IHDR" + (60_000).to_bytes(4, "big") * 2 + good[24:29]
    crc = int.to_bytes(__import__("zlib").crc32(body), 4, "big")
    return good[:12] + body + crc + good[33:]


P1, TRAIN = "package/data_batch_1.png", "package/train_lables.json"
FIRST = PIXELS["data_batch_1"]
WRONG: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "too few rows": (
        P1,
        lambda: picture(FIRST[:-1]),
        f"{P1}: holds RGB pixels, 1,024 × 5, expected RGB, 1,024",
    ),
    "too narrow": (P1, lambda: picture(FIRST[:, :-1]), "RGB pixels, 1,023 × 6"),
    "grey": (P1, lambda: picture(FIRST, "L"), "holds L pixels"),
    "transparent": (P1, lambda: picture(FIRST, "RGBA"), "holds RGBA pixels"),
    "a JPEG": (P1, lambda: picture(FIRST, kind="JPEG"), f"{P1}: no PNG picture"),
    "a web page": (P1, lambda: b"<html>", f"{P1}: no PNG picture"),
    "empty": (P1, lambda: b"", f"{P1}: no PNG picture"),
    "truncated": (P1, lambda: picture(FIRST)[:-3_000], f"{P1}: "),
    "broken": (P1, lambda: picture(FIRST)[:60] + b"x" * 900, f"{P1}: "),
    "huge": (P1, huge, f"{P1}: "),
    "another pixel": (P1, other_pixel, "corrupted: MD5 is "),
    "swapped": (P1, lambda: picture(PIXELS["data_batch_2"]), "corrupted: MD5 is "),
    "no JSON": (TRAIN, lambda: b"6, 9", f"{TRAIN}: no list of labels"),
    "words": (TRAIN, lambda: b'["frog"]', f"{TRAIN}: no list of labels"),
    "no bytes": (TRAIN, lambda: b"[300]", f"{TRAIN}: no list of labels"),
    "ragged": (TRAIN, lambda: b"[[1], [1, 2]]", f"{TRAIN}: no list of labels"),
    "no text": (TRAIN, lambda: b"\xff\xfe\xfd", f"{TRAIN}: no list of labels"),
    "too short": (TRAIN, lambda: b"[6, 9, 9]", f"{TRAIN}: ends before label 6"),
    "other labels": (TRAIN, lambda: json.dumps([1] * 12).encode(), "corrupted: MD5 is "),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_content_is_refused(kind: str, tmp_path: Path) -> None:
    member, make, reason = WRONG[kind]
    folder = carried(tmp_path, members() | {member: make()})
    old = folder / "data_batch_1.bin"
    old.write_bytes(b"what was there before")
    with pytest.raises(DataError) as caught:
        fetch(TINY, cache=tmp_path)
    assert reason in str(caught.value)
    assert "data_batch_1.bin" in str(caught.value)
    assert "object at 0x" not in str(caught.value)
    assert old.read_bytes() == b"what was there before"
    assert (folder / "test_batch.bin").read_bytes() == RAW["test_batch.bin"]
    carried(tmp_path, members())
    fetch(TINY, cache=tmp_path)
    assert old.read_bytes() == RAW["data_batch_1.bin"]


def test_official_archive_put_there_by_hand(tmp_path: Path) -> None:
    mirror = Mirror("http://127.0.0.1:9", archive="tiny-binary.tar.gz", folder="batches-bin")
    dataset = dataclasses.replace(TINY, mirrors=(mirror,), package_copies=())
    folder = tmp_path / TINY.name
    folder.mkdir()
    content = packed({f"batches-bin/{name}": raw for name, raw in RAW.items()})
    (folder / "tiny-binary.tar.gz").write_bytes(content)
    fetch(dataset, cache=tmp_path)
    assert {name: (folder / name).read_bytes() for name in RAW} == RAW


# --- loading ---------------------------------------------------------------------------------


def test_swapped_batches_in_the_cache(tmp_path: Path) -> None:
    folder = carried(tmp_path, members())
    fetch(TINY, cache=tmp_path)
    (folder / "data_batch_1.bin").write_bytes(RAW["data_batch_2.bin"])
    with pytest.raises(DataError, match=r"batch_1.bin: holds the content of data_batch_2.bin"):
        load_dataset(TINY, "full", cache=tmp_path)


def test_no_embedded_part() -> None:
    with pytest.raises(DataError) as caught:
        data.load("cifar10")
    assert str(caught.value) == (
        "cifar10: has no embedded subset, expected part='full'. Fetch it: parity data fetch cifar10"
    )


def test_facts() -> None:
    assert CIFAR10.class_names[0] == "airplane"
    assert CIFAR10.class_names[-1] == "truck"
    assert sum(file.shape[0] for file in CIFAR10.files) == sum(CIFAR10.sizes)
    assert [{mirror.url(file) for file in CIFAR10.files} for mirror in CIFAR10.mirrors] == [
        {f"https://www.cs.toronto.edu/~kriz/cifar-10-{version}.tar.gz"}
        for version in ("python", "binary")
    ]
