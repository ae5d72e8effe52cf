"""Make the embedded subset of a dataset anew from its full set.

    python -m shared.data.embed fashion_mnist

The same full set gives the same files. Prints their SHA-256 for `shared/data/datasets.py`.
"""

import argparse
import gzip
import hashlib
import io
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from parity.core.errors import DataError, ParityError
from shared.data.datasets import find
from shared.data.idx import write_idx
from shared.data.images import EMBEDDED_FOLDER, ImageData, load_dataset
from shared.data.sources import Dataset, Embedded


def chosen_indices(
    labels: NDArray[np.int64], classes: Sequence[int], per_class: int | None
) -> NDArray[np.int64]:
    """Return, in file order, the first `per_class` of each class.

    Args:
        labels: Labels of the full set, (n,).
        classes: The labels to keep.
        per_class: How many of each; None keeps all.

    Returns:
        Ascending indices, int64, (at most per_class × classes,).

    Raises:
        DataError: A class has fewer.
    """
    chosen = []
    for label in classes:
        first = np.flatnonzero(labels == label)[:per_class]
        if per_class is not None and len(first) < per_class:
            raise DataError(f"class {label} has {len(first)} images, expected {per_class}")
        chosen.append(first)
    return np.sort(np.concatenate(chosen)).astype(np.int64)


def subset(full: ImageData, embedded: Embedded) -> dict[str, NDArray[np.uint8]]:
    """Return the arrays of the embedded subset by role, uint8."""
    train = chosen_indices(full.train_labels, embedded.classes, embedded.per_class[0])
    test = chosen_indices(full.test_labels, embedded.classes, embedded.per_class[1])
    return {
        "train_images": full.train_images[train],
        "train_labels": full.train_labels[train].astype(np.uint8),
        "test_images": full.test_images[test],
        "test_labels": full.test_labels[test].astype(np.uint8),
    }


def compressed(raw: bytes) -> bytes:
    """Return `raw` as gzip, the same bytes every time: no name, no time, level 9."""
    buffer = io.BytesIO()
    # Not gzip.compress: its header differs between versions of Python.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as out:
        out.write(raw)
    return buffer.getvalue()


def write_subset(
    dataset: Dataset, *, cache: Path | None = None, folder: Path = EMBEDDED_FOLDER
) -> dict[str, str]:
    """Write the embedded subset.

    Args:
        dataset: Whose.
        cache: Where the full set is, as in `shared.data.cache.cache_folder`.
        folder: The folder above it.

    Returns:
        SHA-256 (hex) of the raw content of each file, by file name.

    Raises:
        DataError: The dataset has no embedded subset, or its full set is missing or damaged.
    """
    if dataset.embedded is None:
        raise DataError(f"{dataset.name}: has no embedded subset in shared/data/datasets.py")
    arrays = subset(load_dataset(dataset, "full", cache=cache), dataset.embedded)
    target = folder / dataset.name
    target.mkdir(parents=True, exist_ok=True)
    sums = {}
    for file in dataset.embedded.files:
        raw = write_idx(arrays[file.role])
        (target / file.name).write_bytes(compressed(raw))
        sums[file.name] = hashlib.sha256(raw).hexdigest()
    return sums


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m shared.data.embed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", help="its name, e.g. fashion_mnist")
    name = parser.parse_args(arguments).dataset
    try:
        dataset = find(name)
        sums = write_subset(dataset)
    except ParityError as error:
        print(error, file=sys.stderr)
        return 2
    for file, checksum in sums.items():
        print(f"{checksum}  {EMBEDDED_FOLDER / dataset.name / file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
