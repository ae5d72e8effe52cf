"""Datasets: fetch, verify, load. Knows no framework.

    data = load("fashion_mnist")               the subset in the repository, no network needed
    fetch("fashion_mnist")                     the full set, into the cache
    data = load("fashion_mnist", "full")
    lay("fashion_mnist")                       also where torchvision and Keras look for it

In: names of datasets, and their files. Out: `images.ImageData`, arrays with a checksum. Read
`sources` (what a dataset is made of) and `datasets` (which there are), `cache` (where they lie, in
what state), `fetching` with `folders` and `archives` (how they come there), `images` with `idx`,
`npz`, `cifar` and `iris` (how they are read), `places` (where torchvision and Keras look for them,
and how they are laid there), `embed` (how the subsets in the repository were made).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shared.data import places
from shared.data.cache import DatasetStatus, cache_folder, status
from shared.data.datasets import DATASETS, find
from shared.data.images import ImageData, load_dataset
from shared.data.places import PlaceStatus, torchvision_root
from shared.data.sources import Dataset

if TYPE_CHECKING:
    from shared.data.fetching import Fetched, Progress

__all__ = [
    "DATASETS",
    "Dataset",
    "DatasetStatus",
    "ImageData",
    "PlaceStatus",
    "fetch",
    "find",
    "lay",
    "load",
    "place_status",
    "status",
    "torchvision_root",
]


def load(
    name: str, part: str = "embedded", *, train: int | None = None, test: int | None = None
) -> ImageData:
    """Read a dataset by name and verify it.

    Args:
        name: E.g. `fashion_mnist`.
        part: `embedded` (the subset in the repository), `full` (must have been fetched), or
            `available` (full if it has been fetched, else embedded). Iris has no parts and is
            whole under all names.
        train: Keep only the first so many training samples.
        test: Keep only the first so many test samples.

    Raises:
        DataError: The part is missing or damaged, or has fewer samples than asked for.
        UsageError: No such dataset or part.
    """
    dataset = find(name)
    if part == "available":
        there = all((cache_folder(dataset) / file.name).exists() for file in dataset.files)
        part = "full" if there else "embedded"
    return load_dataset(dataset, part, train=train, test=test)


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
    from shared.data.fetching import fetch as _fetch  # noqa: PLC0415  # lessons need no network

    return _fetch(find(name), on_progress=on_progress, cache=cache)


def lay(
    name: str, *, torchvision: Path | None = None, on_progress: Progress | None = None
) -> tuple[PlaceStatus, ...]:
    """Lay a fetched dataset where torchvision's and Keras' own loaders look for it.

    Args:
        name: E.g. `fashion_mnist`.
        torchvision: The folder that programs name as `root`; None takes `torchvision_root`.
        on_progress: As in `fetch`; told where an archive has to be downloaded for it.

    Returns:
        What each framework then finds; empty for a dataset that neither of them brings.

    Raises:
        DataError: A file of the cache is damaged, or a place cannot be written.
        UsageError: No such dataset.
    """
    return places.lay(find(name), torchvision=torchvision, on_progress=on_progress)


def place_status(name: str, *, torchvision: Path | None = None) -> tuple[PlaceStatus, ...]:
    """Return what torchvision's and Keras' own loaders find of a dataset; changes nothing.

    Args:
        name: E.g. `fashion_mnist`.
        torchvision: As in `lay`.

    Raises:
        UsageError: No such dataset.
    """
    return places.status(find(name), torchvision=torchvision)
