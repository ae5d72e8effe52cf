"""The environment of every process that runs a framework."""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**25),
    "MALLOC_TRIM_THRESHOLD_": str(2**29),
    "MALLOC_TOP_PAD_": str(2**26),
}
"""Freed memory stays with the worker. A step allocates the same buffers again and again; glibc
would hand each back to the kernel and fault its pages in anew. Only buffers up to 32 MB: larger
ones on the heap leave holes, and a worker grew to 16 GB."""


def environment() -> dict[str, str]:
    """Environment variables of a worker.

    Before the user's own ``PYTHONPATH`` only the project itself is put on the path, and not the
    working directory: a file there called random.py must not shadow a library.
    """
    theirs = os.environ.get("PYTHONPATH")
    path = [own_code(), theirs] if theirs else [own_code()]
    return KEPT_MEMORY | os.environ | {"PYTHONPATH": os.pathsep.join(path), "PYTHONSAFEPATH": "1"}


@functools.cache
def own_code() -> str:
    """A folder with this project's packages and no others, for an interpreter that lacks them.

    Where the project is installed they lie among all other libraries of this interpreter, which
    would come before those of the other: then it is a folder of links.
    """
    if (ROOT / "pyproject.toml").is_file():
        return str(ROOT)
    folder = tempfile.mkdtemp(prefix="parity-code-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (Path(folder) / "parity").symlink_to(ROOT / "parity", target_is_directory=True)
    return folder
