"""What is kept, and what is said when it cannot be."""

import json
import os
import sqlite3
from types import SimpleNamespace

import pytest

from parity.spec.example import Size
from parity.sweep import store
from parity.sweep.job import SweepJob, Task
from parity.sweep.store import FILE, Store, StoreError


def task(seed=1, **changed):
    fields = {"example": "fashion_mlp", "pair": "matched", "side": "torch", "setting": "native"}
    return Task(
        SweepJob(**fields, seed=seed, size=Size("embedded", 2)), "c0de", {"torch": "2"} | changed
    )


def filled(folder, seeds=40):
    with Store(folder) as kept:
        for seed in range(seeds):
            kept.put(task(seed), {"seconds": 1.0, "seed": seed, "padding": "x" * 500})
    return folder / FILE


def test_what_was_put_is_there(tmp_path):
    filled(tmp_path)
    with Store(tmp_path) as kept:
        assert len(kept) == 40
        assert kept.get(task(3))["seed"] == 3
        assert kept.get(task(99)) is None


def test_another_version_or_source_is_another_job(tmp_path):
    filled(tmp_path)
    with Store(tmp_path) as kept:
        assert kept.get(task(3, torch="3")) is None
        assert kept.get(Task(task(3).job, "0ther", task(3).versions)) is None


def test_a_task_survives_the_channel():
    assert Task.from_dict(json.loads(json.dumps(task().to_dict()))).digest == task().digest


def test_it_is_on_disk_when_put_returns(tmp_path):
    """A copy of the files, taken without closing anything: what a killed process leaves."""
    kept = Store(tmp_path / "a")
    kept.put(task(1), {"seed": 1})
    (tmp_path / "b").mkdir()
    for file in (tmp_path / "a").glob("results*"):
        (tmp_path / "b" / file.name).write_bytes(file.read_bytes())
    with Store(tmp_path / "b") as other:
        assert other.get(task(1)) == {"seed": 1}
    kept.close()


def test_two_at_once_are_refused(tmp_path):
    words = f"another sweep, process {os.getpid()}, works here"
    with Store(tmp_path), pytest.raises(StoreError, match=words):
        Store(tmp_path)
    Store(tmp_path).close()


def fill(kept):
    for seed in range(100, 200):
        kept.put(task(seed), {"padding": "x" * 2000})


def test_a_full_disk_keeps_the_rest(tmp_path):
    filled(tmp_path)
    with Store(tmp_path) as kept:
        pages = kept._db.execute("PRAGMA page_count").fetchone()[0]
        kept._db.execute(f"PRAGMA max_page_count = {pages + 2}")
        with pytest.raises(StoreError, match=r"the disk is full.*is kept"):
            fill(kept)
        assert kept.get(task(3))["seed"] == 3
    with Store(tmp_path) as kept:
        assert len(kept) >= 40


@pytest.mark.parametrize(("free", "words"), [(0, "the disk is full"), (1 << 30, "disk I/O error")])
def test_an_io_error_where_no_room_is_left_is_a_full_disk(tmp_path, monkeypatch, free, words):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR | 15 << 8  # of the shared memory
    monkeypatch.setattr(store.shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    assert words in str(store._told(tmp_path / FILE, error))


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"cannot be written.*--out FOLDER"):
        Store(tmp_path)
    tmp_path.chmod(0o700)


def test_a_folder_that_is_none(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written.*--out FOLDER"):
        Store(tmp_path / "file")


def test_a_file_that_may_not_be_written(tmp_path, monkeypatch):
    filled(tmp_path)
    connect = sqlite3.connect
    uri = (tmp_path / FILE).as_uri() + "?mode=ro"
    monkeypatch.setattr(store.sqlite3, "connect", lambda path, **more: connect(uri, uri=True))
    with pytest.raises(StoreError, match=r"readonly.*--out FOLDER"):
        Store(tmp_path)


def hurt(path, how):
    content = bytearray(path.read_bytes())
    if how == "header":
        content[:100] = b"\xff" * 100
    elif how == "middle":
        page = 4096
        content[5 * page : 7 * page] = b"\xa5" * (2 * page)
    elif how == "cut":
        del content[len(content) // 2 :]
    elif how == "digit":  # still a whole database, but one result is another
        at = content.index(b'"seed": 7, "padding"')
        content[at : at + 9] = b'"seed": 8'
    path.write_bytes(bytes(content))


def read_all(folder):
    with Store(folder) as kept:
        return [kept.get(task(seed)) for seed in range(40)]


@pytest.mark.parametrize(
    ("how", "kept_least"), [("header", 0), ("middle", 20), ("cut", 1), ("digit", 39)]
)
def test_a_damaged_file_is_said_and_what_is_whole_is_kept(tmp_path, how, kept_least):
    path = filled(tmp_path)
    hurt(path, how)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"is damaged.*Nothing was changed.*--repair"):
        Store(tmp_path).close() if how != "digit" else read_all(tmp_path)  # before any training
    assert path.read_bytes() == before or how == "digit"
    with Store(tmp_path, repair=True) as kept:
        whole = [kept.get(task(seed)) for seed in range(40)]
        assert [w["seed"] for w in whole if w] == [s for s, w in enumerate(whole) if w]
        assert 40 > sum(w is not None for w in whole) >= kept_least
        assert "results were whole and are kept" in kept.repaired
        assert not (how == "digit" and whole[7])
        kept.put(task(7), {"seed": 7})
    assert len(list(tmp_path.glob("results.damaged-*.sqlite"))) == 1


def test_a_repair_that_cannot_end_changes_nothing(tmp_path, monkeypatch):
    """Killed or without room at any step: the damaged file stays, and the next repair ends it."""
    path = filled(tmp_path)
    hurt(path, "middle")
    before = path.read_bytes()
    for step in ("_write", "_link"):
        monkeypatch.setattr(store, step, lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            Store(tmp_path, repair=True)
        monkeypatch.undo()
        assert path.read_bytes() == before
    real = os.replace
    monkeypatch.setattr(store.os, "replace", lambda a, b: real(a, b) if b != path else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Store(tmp_path, repair=True)
    monkeypatch.undo()
    with Store(tmp_path) as kept:  # what was whole at that moment is there, without --repair
        assert 20 <= len(kept) < 40
    assert not list(tmp_path.glob("results.rep*"))


def test_what_passes_is_not_repaired(tmp_path):
    """A file that another program holds, or that another release wrote, is not damaged."""
    path = filled(tmp_path)
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreError, match="locked"):
        store._repair(path)
    db.execute("COMMIT")
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path, repair=True)
    assert [p.name for p in tmp_path.glob("results*")] == [FILE]


def test_repairing_what_is_whole_changes_nothing(tmp_path):
    path = filled(tmp_path)
    before = path.read_bytes()
    with Store(tmp_path, repair=True) as kept:
        assert kept.repaired == ""
        assert len(kept) == 40
    assert path.read_bytes() == before
    with Store(tmp_path / "new", repair=True) as kept:
        assert len(kept) == 0


def test_another_release_is_refused(tmp_path):
    path = filled(tmp_path)
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match="version 99"):
        Store(tmp_path)
