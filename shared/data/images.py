"""Read datasets of images: the subset in the repository, or the full set in the cache."""

import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from shared.data.cache import cache_folder, damage, md5
from shared.data.idx import read_idx
from shared.data.sources import Dataset, EmbeddedFile, SourceFile
from shared.errors import DataError, UsageError

EMBEDDED_FOLDER = Path(__file__).parent / "embedded"

Part = Literal["embedded", "full"]


@dataclass(frozen=True, eq=False)
class ImageData:
    """A dataset of labelled images, in memory. Every load gives arrays of its own.

    Attributes:
        name: The dataset's name.
        part: `embedded` (the subset in the repository) or `full`.
        train_images: uint8, (n, height, width), e.g. (60000, 28, 28).
        train_labels: int64, (n,).
        test_images: uint8, (m, height, width).
        test_labels: int64, (m,).
        class_names: One per label.
        checksum: SHA-256 (hex) over dtypes, shapes and values of the four arrays.
        title: The name people read; empty stands for `name`.
        available: Images for training and testing in the part, of which these are the first;
            None if these are all.
    """

    name: str
    part: Part
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    checksum: str
    title: str = ""
    available: tuple[int, int] | None = None

    def describe(self) -> str:
        """Return one line for tables: "Fashion-MNIST, embedded subset (12,000 + 2,000)"."""
        part = "embedded subset" if self.part == "embedded" else "full set"
        train, test = len(self.train_labels), len(self.test_labels)
        sizes = f"{train:,} + {test:,}"
        if self.available and self.available != (train, test):
            sizes = f"first {sizes} of {self.available[0]:,} + {self.available[1]:,}"
        return f"{self.title or self.name}, {part} ({sizes})"


@dataclass(frozen=True)
class _Arrays:
    """Images and labels as read, labels not yet widened."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load_dataset(
    dataset: Dataset,
    part: str = "embedded",
    *,
    train: int | None = None,
    test: int | None = None,
    cache: Path | None = None,
    embedded_folder: Path = EMBEDDED_FOLDER,
) -> ImageData:
    """Read a dataset and verify it.

    Args:
        dataset: Which one.
        part: `embedded` or `full`.
        train: Keep only the first so many training images.
        test: Keep only the first so many test images.
        cache: As in `cache_folder`.
        embedded_folder: The folder above the embedded subsets.

    Raises:
        DataError: The part is missing or damaged, or has fewer images than asked for.
        UsageError: There is no such part, or `train` or `test` is below 1.
    """
    if part == "embedded":
        arrays = _read_embedded(dataset, embedded_folder)
        chosen: Part = "embedded"
    elif part == "full":
        arrays = _read_full(dataset, cache_folder(dataset, cache))
        chosen = "full"
    else:
        raise UsageError(f"{dataset.name}: no part named {part!r}, expected 'embedded' or 'full'")
    available = (len(arrays.train_labels), len(arrays.test_labels))
    n = _first(dataset, chosen, "train", train, available[0])
    m = _first(dataset, chosen, "test", test, available[1])
    kept = (
        arrays.train_images[:n],
        arrays.train_labels[:n].astype(np.int64),
        arrays.test_images[:m],
        arrays.test_labels[:m].astype(np.int64),
    )
    return ImageData(
        dataset.name,
        chosen,
        *kept,
        class_names=dataset.class_names,
        checksum=_checksum(*kept),
        title=dataset.title,
        available=available,
    )


def _first(dataset: Dataset, part: Part, which: str, wanted: int | None, available: int) -> int:
    if wanted is None:
        return available
    if wanted < 1:
        raise UsageError(f"{dataset.name}: {which} is {wanted}, expected 1 or more")
    if wanted > available:
        larger = part == "embedded" and wanted <= dataset.sizes[which == "test"]
        hint = f"; the full set has them: parity data fetch {dataset.name}" if larger else ""
        raise DataError(
            f"{dataset.name}: {which} is {wanted:,}, expected at most {available:,}, "
            f"the {which} images of part {part!r}{hint}"
        )
    return wanted


def _checksum(*arrays: NDArray[np.uint8] | NDArray[np.int64]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{array.dtype.name}{array.shape}".encode())
        digest.update(little_endian.data)
    return digest.hexdigest()


def _read_embedded(dataset: Dataset, above: Path) -> _Arrays:
    if dataset.embedded is None:
        raise DataError(
            f"{dataset.name}: has no embedded subset, expected part='full'. "
            f"Fetch it: parity data fetch {dataset.name}"
        )
    folder = above / dataset.name
    return _Arrays(
        **{
            file.role: _read_embedded_file(dataset, file, folder / file.name)
            for file in dataset.embedded.files
        }
    )


def _read_embedded_file(dataset: Dataset, file: EmbeddedFile, path: Path) -> NDArray[np.uint8]:
    restore = f"Install the project anew, or: python -m shared.data.embed {dataset.name}"
    try:
        raw = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(
            f"{path}: cannot be read: {error}; expected the embedded subset. {restore}"
        ) from error
    found = hashlib.sha256(raw).hexdigest()
    if found != file.sha256:
        raise DataError(f"{path}: SHA-256 is {found}, expected {file.sha256}. {restore}")
    return read_idx(raw, str(path), file.shape)


def _read_full(dataset: Dataset, folder: Path) -> _Arrays:
    fetch = f"Fetch it: parity data fetch {dataset.name}"
    missing = [file.name for file in dataset.files if not (folder / file.name).exists()]
    if missing:
        raise DataError(
            f"{dataset.name}: the full set is not in {folder}: no {', '.join(missing)}; "
            f"expected {len(dataset.files)} files. {fetch}"
        )
    contents = {}
    for file in dataset.files:
        path = folder / file.name
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise DataError(
                f"{path}: cannot be read: {error.strerror}; expected {file.bytes_raw:,} bytes. "
                f"{fetch}"
            ) from error
        bad = damage(file, dataset, len(raw), md5(raw).hexdigest())
        if bad:
            raise DataError(f"{path}: {bad}. {fetch}")
        contents[file] = raw
    return _READERS[dataset.format](contents)


def _read_idx_files(contents: Mapping[SourceFile, bytes]) -> _Arrays:
    return _Arrays(
        **{file.role: read_idx(raw, file.name, file.shape) for file, raw in contents.items()}
    )


_READERS: Mapping[str, Callable[[Mapping[SourceFile, bytes]], _Arrays]] = {"idx": _read_idx_files}
