"""A dataset's folder in the cache while it is filled: locked, tidied, its errors explained."""

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from parity.core.errors import DataError
from shared.data.cache import FOLDER_VARIABLE
from shared.data.sources import Dataset

if sys.platform != "win32":
    import fcntl


@contextlib.contextmanager
def storing(dataset: Dataset, path: Path) -> Iterator[None]:
    """Turn an error of the file system into the one that says what to do."""
    try:
        yield
    except OSError as error:
        size = sum(file.bytes_raw for file in dataset.files)
        raise DataError(
            f"{dataset.name}: cannot write {path}: {error.strerror or error}; expected a "
            f"writable folder with room for about {2 * size / 1e6:.1f} MB. Make room, or set "
            f"{FOLDER_VARIABLE} to another folder; then: parity data fetch {dataset.name}"
        ) from error


@contextlib.contextmanager
def locked(dataset: Dataset, folder: Path) -> Iterator[None]:
    """Hold the folder for one fetch at a time, and clear up after one that was killed.

    Where there are no such locks, two fetches may spoil each other's partial download; the
    checksum then refuses it. The files of the cache are safe either way.
    """
    if sys.platform == "win32":
        yield
        return
    with contextlib.ExitStack() as stack:
        with storing(dataset, folder / ".lock"):
            handle = stack.enter_context(open(folder / ".lock", "wb"))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except OSError:
            pass  # some network file systems have no locks
        else:
            for leftover in folder.glob(".*.tmp"):
                if leftover.is_dir():
                    shutil.rmtree(leftover, ignore_errors=True)
                else:
                    leftover.unlink(missing_ok=True)
        yield


@contextlib.contextmanager
def temporary(dataset: Dataset, folder: Path) -> Iterator[Path]:
    """Make a folder beside the files, where there is room, and remove it in the end."""
    with storing(dataset, folder):
        made = Path(tempfile.mkdtemp(prefix=".", suffix=".tmp", dir=folder))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
