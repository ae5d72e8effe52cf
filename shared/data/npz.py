"""MNIST as Keras publishes it, four arrays in one .npz file: its IDX files are made of it."""

import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from parity.core.errors import DataError
from shared.data.idx import write_idx
from shared.data.sources import Mirror, SourceFile

_ARRAYS = {
    "train_images": "x_train",
    "train_labels": "y_train",
    "test_images": "x_test",
    "test_labels": "y_test",
}


@dataclass(frozen=True)
class NpzMirror(Mirror):
    """A mirror whose archive is that .npz file."""

    def open_raw(self, download: Path, file: SourceFile) -> io.BufferedIOBase:
        """Make the IDX file of the array with the role of `file`."""
        try:
            # Opened here: where NumPy finds no .npz in it, it leaves it open.
            with download.open("rb") as content, np.load(content, allow_pickle=False) as arrays:
                return io.BytesIO(write_idx(arrays[_ARRAYS[file.role]]))
        except (ValueError, TypeError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise OSError(f"{self.archive} is no whole .npz file of MNIST: {error}") from error
        except DataError as error:
            raise OSError(f"{self.archive}: {error}") from error
