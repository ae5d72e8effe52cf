"""Read datasets: the subset in the repository, the full set in the cache, or a library's."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import DataError, UsageError
from shared.data.cache import cache_folder, damage, md5, missing_library
from shared.data.cifar import read_batches
from shared.data.idx import read_idx
from shared.data.iris import read_iris
from shared.data.sources import Dataset, EmbeddedFile, Library, SourceFile

EMBEDDED_FOLDER = Path(__file__).parent / "embedded"

Part = Literal["embedded", "full"]


@dataclass(frozen=True, eq=False)
class ImageData:
    """A labelled dataset, in memory. Every load gives arrays of its own.

    Attributes:
        name: The dataset's name.
        part: `embedded` (the subset in the repository) or `full`.
        train_images: Grey: uint8, (n, height, width), e.g. (60000, 28, 28). In colour: uint8,
            (n, height, width, 3), e.g. (50000, 32, 32, 3). Where there are no images but numbers:
            float64, exact in float32, (n, features), e.g. (112, 4).
        train_labels: int64, (n,).
        test_images: As for training, (m, …).
        test_labels: int64, (m,).
        class_names: One per label.
        checksum: SHA-256 (hex) over dtypes, shapes and values of the four arrays.
        title: The name people read; empty stands for `name`.
        available: Samples for training and testing in the part, of which these are the first;
            None if these are all.
        of: What the embedded subset is a subset of, where that is less than everything.
    """

    name: str
    part: Part
    train_images: NDArray[Any]
    train_labels: NDArray[np.int64]
    test_images: NDArray[Any]
    test_labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    checksum: str
    title: str = ""
    available: tuple[int, int] | None = None
    of: str = ""

    def of_classes(self, classes: Sequence[int]) -> ImageData:
        """The samples of these classes, labels renumbered from 0 in this order; () leaves all."""
        if not classes:
            return self
        new = np.full(len(self.class_names), -1, np.int64)
        new[list(classes)] = np.arange(len(classes))
        train, test = (np.isin(labels, classes) for labels in (self.train_labels, self.test_labels))
        return dataclasses.replace(
            self,
            train_images=self.train_images[train],
            train_labels=new[self.train_labels[train]],
            test_images=self.test_images[test],
            test_labels=new[self.test_labels[test]],
            class_names=tuple(self.class_names[c] for c in classes),
        )

    def first(self, samples: int) -> ImageData:
        """The first so many training samples, the whole test set; 0 leaves all.

        Raises:
            UsageError: there are fewer.
        """
        if samples > len(self.train_labels):
            raise UsageError(
                f"{self.name}: {samples:,} training samples are asked for, but only "
                f"{len(self.train_labels):,} are there; raise --train, or leave it out"
            )
        kept = slice(samples or None)
        return dataclasses.replace(
            self, train_images=self.train_images[kept], train_labels=self.train_labels[kept]
        )

    def describe(self) -> str:
        """Return one line for tables: "Fashion-MNIST, embedded subset (12,000 + 2,000)"."""
        part = "embedded subset" if self.part == "embedded" else "full set"
        part += f" of {self.of}" if self.of else ""
        train, test = len(self.train_labels), len(self.test_labels)
        sizes = f"{train:,} + {test:,}"
        if self.available and self.available != (train, test):
            sizes = f"first {sizes} of {self.available[0]:,} + {self.available[1]:,}"
        return f"{self.title or self.name}, {part} ({sizes})"


@dataclass(frozen=True)
class _Arrays:
    """Inputs and labels as read, labels not yet widened."""

    train_images: NDArray[Any]
    train_labels: NDArray[Any]
    test_images: NDArray[Any]
    test_labels: NDArray[Any]


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
        part: `embedded` or `full`; what a library brings is whole under both names.
        train: Keep only the first so many training samples.
        test: Keep only the first so many test samples.
        cache: As in `cache_folder`.
        embedded_folder: The folder above the embedded subsets.

    Raises:
        DataError: The part is missing or damaged, or has fewer samples than asked for.
        UsageError: There is no such part, or `train` or `test` is below 1.
    """
    chosen: Part = "full"
    if part not in ("embedded", "full"):
        raise UsageError(f"{dataset.name}: no part named {part!r}, expected 'embedded' or 'full'")
    if dataset.library:
        arrays = _read_library(dataset, dataset.library)
    elif part == "full":
        arrays = _read_full(dataset, cache_folder(dataset, cache))
    else:
        arrays = _read_embedded(dataset, embedded_folder)
        chosen = "embedded"
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
        of=dataset.embedded.of if dataset.embedded and chosen == "embedded" else "",
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
            f"the {which} samples of part {part!r}{hint}"
        )
    return wanted


def _checksum(*arrays: NDArray[Any]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        little_endian = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
        digest.update(f"{array.dtype.name}{array.shape}".encode())
        digest.update(little_endian.data)
    return digest.hexdigest()


def _read_library(dataset: Dataset, library: Library) -> _Arrays:
    if library.path() is None:
        raise DataError(f"{dataset.name}: {missing_library(library)}")
    return _Arrays(*_LIBRARY_READERS[dataset.format]())


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


def _read_cifar_files(contents: Mapping[SourceFile, bytes]) -> _Arrays:
    train, test = (
        read_batches([raw for file, raw in contents.items() if file.role == role])
        for role in ("train", "test")
    )
    return _Arrays(*train, *test)


_READERS: Mapping[str, Callable[[Mapping[SourceFile, bytes]], _Arrays]] = {
    "idx": _read_idx_files,
    "cifar": _read_cifar_files,
}
_LIBRARY_READERS: Mapping[str, Callable[[], tuple[NDArray[Any], ...]]] = {"iris": read_iris}
