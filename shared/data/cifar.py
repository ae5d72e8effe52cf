"""CIFAR-10's binary batches: reading them, and making them of its pickles, and of PNGs.

A batch is one record an image: the label, a byte, then 1,024 red, 1,024 green and 1,024 blue
bytes, each a square of 32 × 32, row by row.

Source: https://www.cs.toronto.edu/~kriz/cifar.html ("Binary version").
"""

import io
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.data.archives import read_members
from shared.data.sources import Mirror, NpmPackage, SourceFile

SIDE, CHANNELS = 32, 3
PIXELS = SIDE * SIDE
RECORD = 1 + CHANNELS * PIXELS


def read_batches(batches: list[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return the images, (n, 32, 32, 3), and labels, (n,), of batches one after the other."""
    records = [np.frombuffer(raw, np.uint8).reshape(-1, RECORD) for raw in batches]
    images = np.empty((sum(map(len, records)), SIDE, SIDE, CHANNELS), np.uint8)
    planes = [some[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE) for some in records]
    np.concatenate([some.transpose(0, 2, 3, 1) for some in planes], out=images)
    return images, np.concatenate([some[:, 0] for some in records])


def write_batch(pixels: NDArray[np.uint8], labels: NDArray[np.uint8]) -> bytes:
    """Return a batch.

    Args:
        pixels: (n, 1024, 3), pixel after pixel.
        labels: (n,).
    """
    planes = pixels.transpose(0, 2, 1).reshape(len(pixels), CHANNELS * PIXELS)
    return np.concatenate([labels[:, np.newaxis], planes], axis=1).tobytes()


@dataclass(frozen=True)
class CifarPythonMirror(Mirror):
    """A mirror with the "Python version": pickles of a dictionary with data and labels."""

    def open_raw(self, download: Path, file: SourceFile) -> io.BufferedIOBase:
        """Make the batch `file` from its pickle."""
        name = f"{self.folder}/{file.name.removesuffix('.bin')}"
        content = read_members(download, (name,))[name]
        try:
            batch = _ArrayUnpickler(io.BytesIO(content), encoding="bytes").load()
            labels = np.array(batch[b"labels"], np.uint8)
            pixels = batch[b"data"].reshape(len(labels), CHANNELS, PIXELS).transpose(0, 2, 1)
            return io.BytesIO(write_batch(pixels, labels))
        except Exception as error:  # a pickle that is damaged can raise anything
            raise OSError(f"{name} holds no batch of images: {error}") from error


class _ArrayUnpickler(pickle.Unpickler):
    """Makes arrays and what Python has built in, and runs nothing else that a pickle names."""

    def find_class(self, module: str, name: str) -> Any:
        """The three names that an array needs; those of NumPy 1 are taken for today's."""
        module = module.replace("numpy.core", "numpy._core")
        if (module, name) not in {
            ("numpy._core.multiarray", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
        }:
            raise pickle.UnpicklingError(f"{module}.{name} is not expected in it")
        return super().find_class(module, name)


@dataclass(frozen=True)
class CifarNpmPackage(NpmPackage):
    """An npm package with a PNG a batch, one image a row, and two JSON lists of labels."""

    def open_raw(self, place: Path, file: SourceFile) -> io.BufferedIOBase:
        """Make the batch `file` from its picture and its stretch of the labels."""
        stem = file.name.removesuffix(".bin")
        test = file.role == "test"
        # Spelt like this in the package.
        picture, labels = (
            f"{self.folder}/{name}"
            for name in (f"{stem}.png", f"{'test' if test else 'train'}_lables.json")
        )
        count = file.shape[0]
        start = 0 if test else count * (int(stem.rpartition("_")[2]) - 1)
        content = read_members(place, (picture, labels))
        chosen = _read_labels(content[labels], labels)[start : start + count]
        if len(chosen) != count:
            raise OSError(f"{labels}: ends before label {start + count:,}")
        return io.BytesIO(write_batch(_read_picture(content[picture], picture, count), chosen))


def _read_picture(content: bytes, name: str, images: int) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415  # lessons read no pictures

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as picture:
            found = (picture.mode, *picture.size)
            if found != ("RGB", PIXELS, images):
                raise OSError(
                    f"holds {found[0]} pixels, {found[1]:,} × {found[2]:,}, "
                    f"expected RGB, {PIXELS:,} × {images:,}"
                )
            return np.array(picture, np.uint8)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        # Pillow's own text names an object in memory where it knows no format.
        known = "no PNG picture" if isinstance(error, UnidentifiedImageError) else error
        raise OSError(f"{name}: {known}") from error


def _read_labels(content: bytes, name: str) -> NDArray[np.uint8]:
    try:
        return np.array(json.loads(content), np.uint8).reshape(-1)
    except (ValueError, TypeError, OverflowError) as error:
        raise OSError(f"{name}: no list of labels: {error}") from error
