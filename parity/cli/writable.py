"""Whether what is asked for can be written: known before the work, which may take hours."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from parity.core.errors import UsageError


def expect_folder(folder: Path, option: str, typed: Path | None = None) -> None:
    """That a folder is there or can be made, and that files can be written in it.

    Args:
        folder: the folder.
        option: which asks for it, and `typed` with what, where that is not the folder itself.

    Raises:
        UsageError: a file is in its way, or nobody may write there.
    """
    there = next(one for one in (folder, *folder.absolute().parents) if os.path.lexists(one))
    typed = typed or folder
    if not there.is_dir():
        raise UsageError(
            f"{option} '{typed}': {there} is a file, so that nothing can lie in it. Expected a "
            "folder."
        )
    try:
        tempfile.TemporaryFile(dir=there).close()  # a permission is not all that it takes
    except OSError as error:
        raise UsageError(
            f"{option} '{typed}': nothing can be written in {there} ({error.strerror}). Expected a "
            "place in a folder of your own."
        ) from error


def expect_file(path: Path, option: str) -> None:
    """That a file can be written, and the folders above it.

    Raises:
        UsageError: a folder has its name, or nobody may write it.
    """
    if path.is_dir():
        raise UsageError(f"{option} '{path}' is a folder. Expected the name of a file.")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"{option} '{path}' must not be written by you. Expected another name.")
    if path.is_file() or not path.exists():  # /dev/stdout needs no room beside it
        expect_folder(path.parent, option, path)
