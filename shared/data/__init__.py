"""Datasets: fetch, verify, load. Knows no framework.

    data = load("fashion_mnist")               the subset in the repository, no network needed
    fetch("fashion_mnist")                     the full set, into the cache
    data = load("fashion_mnist", "full")

In: names of datasets, and their files. Out: `images.ImageData`, arrays with a checksum. Read
`sources` (what a dataset is made of) and `datasets` (which there are), `cache` (where they lie, in
what state), `fetch` with `folders` and `archives` (how they come there), `images` with `idx`,
`cifar` and `iris` (how they are read), `embed` (how the subsets in the repository were made).
"""

from pathlib import Path

from shared.data.cache import DatasetStatus, status
from shared.data.datasets import DATASETS, find
from shared.data.fetch import Fetched, Progress
from shared.data.fetch import fetch as _fetch
from shared.data.images import ImageData, load_dataset
from shared.data.sources import Dataset

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetStatus",
    "Fetched",
    "ImageData",
    "Progress",
    "fetch",
    "find",
    "load",
    "status",
]


def load(
    name: str, part: str = "embedded", *, train: int | None = None, test: int | None = None
) -> ImageData:
    """Read a dataset by name and verify it.

    Args:
        name: E.g. `fashion_mnist`.
        part: `embedded` (the subset in the repository) or `full` (must have been fetched). Iris
            has no parts and is whole under both names.
        train: Keep only the first so many training samples.
        test: Keep only the first so many test samples.

    Raises:
        DataError: The part is missing or damaged, or has fewer samples than asked for.
        UsageError: No such dataset or part.
    """
    return load_dataset(find(name), part, train=train, test=test)


def fetch(
    name: str, *, on_progress: Progress | None = None, cache: Path | None = None
) -> list[Fetched]:
    """Bring a dataset's full set into the cache and verify it; good files are left alone.

    Args:
        name: E.g. `fashion_mnist`.
        on_progress: Called with file name, bytes so far, and bytes in all (None: not known).
        cache: Folder for all datasets. None takes `PARITY_DATA_DIR`, or if that is not set
            `parity/data` in the user's cache folder.

    Returns:
        What was done, one entry per file.

    Raises:
        DataError: No source gave a file, or the cache cannot be written.
        UsageError: No such dataset.
    """
    return _fetch(find(name), on_progress=on_progress, cache=cache)
