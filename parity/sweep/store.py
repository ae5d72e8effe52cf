"""Finished jobs on disk: one SQLite file, a row a job, durable as soon as its result has come.

Of the write-ahead log every transaction is on disk when `put` returns; a process killed at any
moment leaves the rows of all jobs that it had put there, whole.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import platformdirs

from parity.core.errors import ParityError
from parity.sweep.job import Task

FILE = "results.sqlite"
_WHOLE = "results.repaired.sqlite"
"""A repaired file that is whole, for the moment until it stands in the place of the damaged one."""
_LOGS = ("-wal", "-shm")
_ROOM = 1 << 16
"""Bytes; SQLite asks for 32 KiB at a time."""
_PASSING = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOMEM,
)
"""Troubles that are not the file's own."""
VARIABLE = "PARITY_SWEEPS_DIR"
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    task TEXT NOT NULL,
    summary TEXT NOT NULL,
    seconds REAL NOT NULL,
    checksum TEXT NOT NULL
)
"""
_ROW = "digest, task, summary, seconds, checksum"
Row = tuple[str, str, str, float, str]


class StoreError(ParityError):
    """The results cannot be read or written; says what is kept."""


def default_folder() -> Path:
    """``$PARITY_SWEEPS_DIR``, or in the user's cache."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).expanduser()
    return Path(platformdirs.user_cache_dir("parity", appauthor=False)) / "sweeps"


class DamagedError(StoreError):
    """The file is no longer what was written; `--repair` saves what is whole."""


class Store:
    """The results in one folder, for one sweep at a time. Close it, or use it in a `with`.

    Args:
        folder: where they lie.
        repair: take what is whole out of a damaged file first.
        reading: write nothing and lock nothing; also while a sweep writes.

    Raises:
        StoreError: another sweep works here; the folder cannot be written; the file is damaged.
    """

    def __init__(self, folder: Path, *, repair: bool = False, reading: bool = False) -> None:
        self.path = folder / FILE
        self.repaired = ""
        self._lock: int | None = None
        if reading:
            self._db = _read_only(self.path)
            return
        self._lock = _locked(folder)
        try:
            _put_in_place(self.path)
            if repair:
                self.repaired = _repair(self.path)
            self._db = _opened(self.path)
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let others in."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        if self._lock is not None:
            os.close(self._lock)

    def get(self, task: Task) -> dict[str, Any] | None:
        """The summary of a finished job.

        Raises:
            StoreError: it is there, but damaged.
        """
        with self._speaking():
            query = f"SELECT {_ROW} FROM jobs WHERE digest = ?"
            row = self._db.execute(query, (task.digest,)).fetchone()
        if row is None:
            return None
        if not _sound(row):
            raise _damaged(self.path, f"the result of {task.job.words} is not whole")
        summary: dict[str, Any] = json.loads(row[2])
        return summary

    def put(self, task: Task, summary: dict[str, Any]) -> None:
        """Keep a finished job; on disk when this returns.

        Raises:
            StoreError: the disk is full, or the file cannot be written.
        """
        texts = (task.digest, json.dumps(task.to_dict()), json.dumps(summary, allow_nan=False))
        seconds = float(summary.get("seconds") or 0.0)
        row: Row = (*texts, seconds, _checksum(*texts))
        with self._speaking(), self._db:
            self._db.execute(f"INSERT OR REPLACE INTO jobs ({_ROW}) VALUES (?, ?, ?, ?, ?)", row)

    def __len__(self) -> int:
        with self._speaking():
            return int(self._db.execute("SELECT count(*) FROM jobs").fetchone()[0])

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise _told(self.path, error) from error


def _locked(folder: Path) -> int:
    """A lock that the system lets go of when this process ends, however it ends."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise StoreError(
            f"{folder}: cannot be written ({error.strerror}), and finished jobs have to be kept "
            "somewhere. Expected a folder of your own: --out FOLDER"
        ) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(handle, 32, 0).decode(errors="replace").strip()
        os.close(handle)
        if not isinstance(error, BlockingIOError):
            raise StoreError(
                f"{folder}: its file system has no locks ({error.strerror}). Expected a local "
                "folder: --out FOLDER"
            ) from error
        raise StoreError(
            f"{folder}: another sweep{f', process {owner},' if owner else ''} works here. Wait "
            "for it, then repeat this command, which takes over what it has finished; or work "
            "elsewhere: --out FOLDER"
        ) from None
    with contextlib.suppress(OSError):  # on a full disk: nobody will know who, but it is locked
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
    return handle


def _opened(path: Path) -> sqlite3.Connection:
    try:
        # Another process only reads; threads of this one take turns.
        db = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
    except sqlite3.Error as error:
        raise _told(path, error) from error
    try:
        if (found := db.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise _damaged(path, str(found).splitlines()[-1])
        version = db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, _VERSION):
            raise StoreError(
                f"{path}: version {version} of the file, expected {_VERSION}. It was written by "
                "another release; work elsewhere: --out FOLDER"
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        if version == 0:
            with db:
                db.execute(_SCHEMA)
                db.execute(f"PRAGMA user_version = {_VERSION}")
        db.execute("BEGIN IMMEDIATE")  # a file that cannot be written is better known now
        db.execute(f"PRAGMA user_version = {_VERSION}")
        db.rollback()
    except sqlite3.Error as error:
        db.close()
        raise _told(path, error) from error
    except StoreError:
        db.close()
        raise
    return db


def _read_only(path: Path) -> sqlite3.Connection:
    """The file for reading alone; an empty one where there is none."""
    if not path.is_file():
        db = sqlite3.connect(":memory:")
        db.execute(_SCHEMA)
        return db
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=30.0)
        db.execute("SELECT count(*) FROM jobs").fetchone()
    except sqlite3.Error as error:
        raise _told(path, error) from error
    return db


def _code(error: sqlite3.Error) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _told(path: Path, error: sqlite3.Error) -> StoreError:
    code = _code(error)
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(path, str(error))
    kept = "What is in it is kept; the same command goes on from there"
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _no_room(path)):
        return StoreError(f"{path}: the disk is full. {kept} once there is room.")
    return StoreError(
        f"{path}: cannot be written or read ({error}). {kept} once it can, or work elsewhere: "
        "--out FOLDER"
    )


def _no_room(path: Path) -> bool:
    """Whether the disk is what an I/O error is about: the logs' memory map says no more."""
    try:
        return shutil.disk_usage(path.parent).free < _ROOM
    except OSError:
        return False


def _damaged(path: Path, how: str) -> DamagedError:
    return DamagedError(
        f"{path}: the file of results is damaged ({how}). Nothing was changed. --repair takes the "
        "results that are whole into a new file, keeps the damaged one beside it, and goes on."
    )


def _checksum(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _sound(row: Row) -> bool:
    try:
        return _checksum(*row[:3]) == row[4]
    except TypeError:
        return False


def _repair(path: Path) -> str:
    """Take every row that is whole into a new file; what was done, empty where nothing was.

    The damaged file stays in its place until the new one is whole and on disk.
    """
    if not path.exists():
        return ""
    rows, lost = _readable(path)
    if not lost:
        try:
            _opened(path).close()
        except DamagedError:
            lost = True
    if not lost:
        return ""
    fresh = path.with_name("results.repairing.sqlite")
    aside = path.with_name(f"results.damaged-{time.strftime('%Y%m%d-%H%M%S')}.sqlite")
    try:
        _remove(fresh)
        _write(fresh, rows)
        for end in ("", *_LOGS):
            if (old := path.with_name(path.name + end)).exists():
                _link(old, aside.with_name(aside.name + end))
        os.replace(fresh, path.with_name(_WHOLE))
    except OSError as error:
        raise StoreError(
            f"{path}: cannot be repaired ({error.strerror}). Nothing was changed in it; make room, "
            "or free the folder, and repeat this command."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            _remove(fresh)
    _put_in_place(path)
    return f"{len(rows)} results were whole and are kept; the damaged file is now {aside.name}"


def _write(path: Path, rows: list[Row]) -> None:
    db = _opened(path)
    try:
        with db:
            query = f"INSERT OR REPLACE INTO jobs ({_ROW}) VALUES (?, ?, ?, ?, ?)"
            db.executemany(query, rows)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise _told(path, error) from error
    finally:
        db.close()


def _link(old: Path, new: Path) -> None:
    """A second name of a file, or where there are no such, a copy."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copy2(old, new)


def _remove(path: Path) -> None:
    for end in ("", *_LOGS):
        path.with_name(path.name + end).unlink(missing_ok=True)


def _put_in_place(path: Path) -> None:
    """End a repair, also one that a killed process has left here."""
    whole = path.with_name(_WHOLE)
    try:
        if not whole.exists():
            return
        for end in _LOGS:  # before SQLite takes them for the new file's
            path.with_name(path.name + end).unlink(missing_ok=True)
        os.replace(whole, path)
    except OSError as error:
        raise StoreError(
            f"{whole}: cannot be put in the place of {path.name} ({error.strerror}). Both are "
            "kept; free the folder and repeat this command."
        ) from error


def _readable(path: Path) -> tuple[list[Row], bool]:
    """Rows that are whole, one by one past what is damaged; and whether anything was."""
    rows: list[Row] = []
    lost = False
    try:
        db = sqlite3.connect(path)
        db.execute("PRAGMA writable_schema = ON")  # else nothing of a file cut off is read
        last = _last_id(db)
    except sqlite3.Error as error:
        _refuse_passing(path, error)
        return [], True
    with contextlib.closing(db):
        for number in range(1, last + 1):
            try:
                query = f"SELECT {_ROW} FROM jobs NOT INDEXED WHERE id = ?"
                row = db.execute(query, (number,)).fetchone()
            except sqlite3.Error as error:
                _refuse_passing(path, error)
                lost = True
                continue
            if row is not None and _sound(row):
                rows.append(row)
            elif row is not None:
                lost = True
    return rows, lost


def _refuse_passing(path: Path, error: sqlite3.Error) -> None:
    """What will pass is no damage.

    Raises:
        StoreError: says what it is.
    """
    if _code(error) in _PASSING:
        raise _told(path, error) from error


def _last_id(db: sqlite3.Connection) -> int:
    """The highest id, or where that cannot be read, more than anyone has."""
    try:
        return int(db.execute("SELECT max(id) FROM jobs NOT INDEXED").fetchone()[0] or 0)
    except sqlite3.OperationalError as error:
        if _code(error) in _PASSING:
            raise
        return 0  # no table
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_NOTADB:
            raise
        return 100_000
