"""What recordings take in the user's cache, which of them a run holds, and a limit to them all.

The unit is a set: the recordings of one example at one size from one seed. Whoever writes or reads
one holds a shared lock on its file ``.seedN.lock``; whoever removes one needs that lock alone, and
passes over a set that it does not get. When the lock was last held is when the set was last used:
the recordings keep their own times, by which `parity.run.cache` knows that none has changed.
Nothing is counted or removed but what `parity.run.pipeline` has named.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from parity.core.text import parse_bytes
from parity.run.cache import PAGES, VERDICTS

if sys.platform != "win32":
    import fcntl

VARIABLE = "PARITY_CACHE_LIMIT"
DEFAULT = 4_000_000_000
"""Bytes."""
_RECORDING = re.compile(r"\.?(?:torch|keras)-[\w-]+-seed(\d+)(?:\.safetensors|-\w{8})")
"""A recording, or with a dot before it one that is being written or whose writer was killed."""
_DATA = re.compile(r"data-[0-9a-f]{12}\.json")


@dataclass(frozen=True)
class StoredFile:
    """A file of a set. What has two names is one file: `id` is its device and inode.

    Attributes:
        path: where it lies.
        id: what it is, whatever its name.
        bytes: its length.
        written: seconds since the epoch.
    """

    path: Path
    id: tuple[int, int]
    bytes: int
    written: float


@dataclass(frozen=True)
class RecordingSet:
    """The recordings of one example at one size from one seed.

    Attributes:
        example: its name.
        folder: where they lie.
        seed: of weights and batches.
        files: every recording, unfinished ones too.
        used: when a run last wrote or read them, in seconds since the epoch.
    """

    example: str
    folder: Path
    seed: int
    files: tuple[StoredFile, ...]
    used: float


def limit_from_environment() -> int:
    """The limit in bytes: ``$PARITY_CACHE_LIMIT``, or 4 GB; 0 for none.

    Raises:
        UsageError: the variable is no size.
    """
    text = os.environ.get(VARIABLE, "")
    return parse_bytes(text, VARIABLE) if text else DEFAULT


def recording_sets(folder: Path) -> tuple[RecordingSet, ...]:
    """Every set in a folder of recordings, least recently used first."""
    found: dict[tuple[Path, int], list[StoredFile]] = {}
    for place, below, names in os.walk(folder):  # past links
        home = Path(place)
        depth = len(home.relative_to(folder).parts)
        if depth == 2:
            below.clear()
        for name in names if depth else ():
            match = _RECORDING.fullmatch(name)
            with contextlib.suppress(FileNotFoundError):  # renamed or removed by another process
                if match and not (home / name).is_symlink():
                    found.setdefault((home, int(match[1])), []).append(_stored(home / name))
    sets = (_set(folder, *key, files) for key, files in found.items())
    return tuple(sorted(sets, key=lambda one: (one.used, one.folder, one.seed)))


def _stored(path: Path) -> StoredFile:
    state = path.stat()
    return StoredFile(path, (state.st_dev, state.st_ino), state.st_size, state.st_mtime)


def _set(root: Path, folder: Path, seed: int, files: list[StoredFile]) -> RecordingSet:
    used = max(file.written for file in files)
    with contextlib.suppress(OSError):  # of an earlier version, which held no locks
        used = max(used, _lock_file(folder, seed).stat().st_mtime)
    return RecordingSet(folder.relative_to(root).parts[0], folder, seed, tuple(files), used)


def total_bytes(sets: Iterable[RecordingSet]) -> int:
    """What sets take, each file once however many names it has."""
    return sum({file.id: file.bytes for one in sets for file in one.files}.values())


@contextlib.contextmanager
def in_use(sets: Iterable[tuple[Path, int]]) -> Iterator[None]:
    """Hold sets, by folder and seed, that are written or read: nobody removes them meanwhile.

    Where no lock can be had, in a folder that cannot be written, nothing is held.
    """
    with contextlib.ExitStack() as stack:
        for folder, seed in sets:
            with contextlib.suppress(OSError):
                stack.enter_context(_locked(_lock_file(folder, seed), shared=True))
        yield


def prune(folder: Path, limit: int) -> int:
    """Remove sets that nobody holds, least recently used first, down to a limit in bytes.

    Returns:
        How many bytes were removed; none where no lock can be had.
    """
    if not folder.is_dir():
        return 0
    try:
        # One at a time: two that counted together would remove twice as much as was needed.
        with _locked(folder / ".prune.lock", wait=True):
            left = list(recording_sets(folder))
            before = total_bytes(left)
            for one in tuple(left):
                if total_bytes(left) <= limit:
                    break
                if _removed(one):
                    left.remove(one)
            return before - total_bytes(left)
    except OSError:
        return 0


def clear(folder: Path) -> int:
    """Remove every set that nobody holds, and what was kept of data; says how many bytes."""
    removed = prune(folder, -1)
    for path in folder.glob("data-*.json"):
        if _DATA.fullmatch(path.name):
            path.unlink(missing_ok=True)
    return removed


def _removed(one: RecordingSet) -> bool:
    """Remove a set, and its folder when it was the last there; whether nobody held it."""
    lock = _lock_file(one.folder, one.seed)
    try:
        with _locked(lock):
            for file in one.files:
                file.path.unlink(missing_ok=True)
            lock.unlink()
    except OSError:
        return False
    with contextlib.suppress(OSError):  # something else lies there
        if _without_recordings(one.folder):
            for kept in (*one.folder.glob(VERDICTS), one.folder / PAGES):
                kept.unlink(missing_ok=True)
        one.folder.rmdir()
        one.folder.parent.rmdir()
    return True


def _without_recordings(folder: Path) -> bool:
    return not any(_RECORDING.fullmatch(path.name) for path in folder.iterdir())


def _lock_file(folder: Path, seed: int) -> Path:
    return folder / f".seed{seed}.lock"


@contextlib.contextmanager
def _locked(path: Path, *, shared: bool = False, wait: bool = False) -> Iterator[None]:
    """Hold the lock of a file; the system lets go of it when this process ends, however it ends.

    Raises:
        OSError: another process holds it and none of both shares or waits; or there are no locks.
    """
    if sys.platform == "win32":
        raise OSError("there is no flock")
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
    while True:
        handle = _opened(path)
        try:
            fcntl.flock(handle, how)
        except OSError:
            os.close(handle)
            raise
        if _is_at(handle, path):
            break
        os.close(handle)  # another process removed it between opening and locking
    try:
        os.utime(handle)
        yield
        os.utime(handle)
    finally:
        os.close(handle)


def _opened(path: Path) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # the folder was removed in between
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False
