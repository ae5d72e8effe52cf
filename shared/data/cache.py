"""Where fetched datasets lie, and in what state they are. Reads only; `fetch` alone writes."""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.data.datasets import DATASETS
from shared.data.sources import Dataset, Library, Original, SourceFile

FOLDER_VARIABLE = "PARITY_DATA_DIR"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class DatasetStatus:
    """What of a dataset is at hand. `dataclasses.asdict` of it can be written as JSON.

    Attributes:
        name: The name people type.
        title: The name people read.
        embedded: Images for training and testing in the repository; None without a subset.
        sizes: Images for training and testing in the full set.
        full: Whether the full set is in the cache, whole and verified; or in its library.
        detail: One sentence on `full`: which files, and what to do.
        cache: The folder of the full set.
        bytes: Size of the full set, raw, in bytes: what the cache takes once fetched.
        packages: The installed packages that bring the full set.
        licence: Whose it is and on what terms.
    """

    name: str
    title: str
    embedded: tuple[int, int] | None
    sizes: tuple[int, int]
    full: Literal["present", "missing", "damaged"]
    detail: str
    cache: str
    bytes: int
    packages: tuple[str, ...]
    licence: str


def cache_folder(dataset: Dataset, cache: Path | None = None) -> Path:
    """Return the folder of the dataset's full set; it need not exist.

    Args:
        dataset: The dataset.
        cache: The folder above it. None takes `PARITY_DATA_DIR`, or if that is not set
            `parity/data` in the user's cache folder.
    """
    if cache is None:
        chosen = os.environ.get(FOLDER_VARIABLE)
        cache = Path(chosen).expanduser() if chosen else _users_cache() / "data"
    return cache / dataset.name


def _users_cache() -> Path:
    try:
        import platformdirs  # noqa: PLC0415
    except ImportError:  # a lesson is run where only its framework is installed
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "parity"
    return Path(platformdirs.user_cache_dir("parity", appauthor=False))


def damage(file: SourceFile, dataset: Dataset, size: int, md5: str) -> str | None:
    """Say how content differs from what `file` must hold; None if it does not.

    Args:
        file: What was expected.
        dataset: Its dataset, to recognise one file in place of another.
        size: Size of the content in bytes.
        md5: MD5 (hex) of the content.
    """
    if md5 == file.md5:
        return None
    sums = f"MD5 is {md5}, expected {file.md5}"
    for other in dataset.files:
        if md5 == other.md5:
            return f"holds the content of {other.name}: {sums}"
    if size != file.bytes_raw:
        how = "truncated" if size < file.bytes_raw else "too long"
        return f"{how}: {size:,} bytes, expected {file.bytes_raw:,}; {sums}"
    return f"corrupted: {sums}"


def is_original(original: Original, path: Path) -> bool:
    """Say whether the file at `path` is that archive, byte for byte."""
    try:
        if path.stat().st_size != original.bytes:
            return False
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest() == original.sha256
    except OSError:
        return False


def md5(content: bytes = b"") -> "hashlib._Hash":
    """Return an MD5 hash begun with `content`. It finds damage and is no defence."""
    return hashlib.md5(content, usedforsecurity=False)


def file_damage(file: SourceFile, dataset: Dataset, path: Path) -> str | None:
    """Say how the file at `path` differs from what `file` must hold; None if it does not.

    Raises:
        FileNotFoundError: There is no such file.
    """
    digest, size = md5(), 0
    try:
        with path.open("rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except FileNotFoundError:
        raise
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return damage(file, dataset, size, digest.hexdigest())


def status(
    datasets: Iterable[Dataset] = DATASETS, *, cache: Path | None = None
) -> tuple[DatasetStatus, ...]:
    """Return the state of each dataset. Reads every cached file to check it; changes nothing.

    Args:
        datasets: Which ones; by default all.
        cache: As in `cache_folder`.
    """
    return tuple(_status(dataset, cache) for dataset in datasets)


def _status(dataset: Dataset, cache: Path | None) -> DatasetStatus:
    folder = cache_folder(dataset, cache)
    packages = tuple(copy.label for copy in dataset.package_copies if copy.available())
    full, detail = _full_state(dataset, folder)
    if dataset.library:
        folder, full, detail = _library_state(dataset.library, folder)
    elif full != "present":
        there = f"; installed: {', '.join(packages)}" if packages else ""
        detail = f"{detail}{there}. Fetch it: parity data fetch {dataset.name}"
    return DatasetStatus(
        name=dataset.name,
        title=dataset.title,
        embedded=dataset.embedded.sizes if dataset.embedded else None,
        sizes=dataset.sizes,
        full=full,
        detail=detail,
        cache=str(folder),
        bytes=sum(file.bytes_raw for file in dataset.files),
        packages=packages,
        licence=dataset.licence,
    )


def missing_library(library: Library) -> str:
    """Say that it is not there, and what to do."""
    name = library.distribution
    return f"{name}, which brings it, is not installed. Install it: pip install {name}"


def _library_state(
    library: Library, folder: Path
) -> tuple[Path, Literal["present", "missing"], str]:
    path = library.path()
    if path is None:
        return folder, "missing", missing_library(library)
    return path.parent, "present", f"comes with {library.label}, nothing to fetch"


def _full_state(
    dataset: Dataset, folder: Path
) -> tuple[Literal["present", "missing", "damaged"], str]:
    missing, damaged = [], []
    for file in dataset.files:
        try:
            reason = file_damage(file, dataset, folder / file.name)
        except FileNotFoundError:
            missing.append(file.name)
            continue
        if reason:
            damaged.append(f"{file.name}: {reason}")
    if damaged:
        absent = f"; not there: {', '.join(missing)}" if missing else ""
        return "damaged", f"{'; '.join(damaged)}{absent}"
    if missing:
        return "missing", f"{len(missing)} of {len(dataset.files)} files are not in the cache"
    return "present", f"all {len(dataset.files)} files verified"
