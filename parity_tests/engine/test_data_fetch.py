"""`shared.data.fetching` against a server on loopback that cuts, lies, refuses or forgets."""

import contextlib
import dataclasses
import errno
import gzip
import hashlib
import http.server
import importlib
import io
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from parity.core.errors import DataError
from parity_tests.waiting import PATIENCE
from shared.data.fetching import fetch
from shared.data.idx import write_idx
from shared.data.sources import Dataset, DebianPackage, Mirror, SourceFile

fetch_module = importlib.import_module("shared.data.fetching")

IMAGES, LABELS = "pairs-images", "pairs-labels"


class Server(http.server.ThreadingHTTPServer):
    """Serves `files`; every request is noted as (path, Range header, bytes sent)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}
        self.honours_range = True
        self.says_length = True
        self.shifts_range = 0
        self.answered: list[tuple[str, str | None, int]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ranges(self, name: str) -> list[str | None]:
        return [header for path, header, _ in self.answered if path == f"/{name}"]

    def sent(self, name: str) -> list[int]:
        return [size for path, _, size in self.answered if path == f"/{name}"]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        wanted = self.headers.get("Range")
        content = self.server.files.get(name)
        if content is None:
            self.server.answered.append((self.path, wanted, 0))
            self.send_error(404)
            return
        start = 0
        if wanted and self.server.honours_range:
            start = int(wanted.removeprefix("bytes=").removesuffix("-")) - self.server.shifts_range
            if start >= len(content):
                self.server.answered.append((self.path, wanted, 0))
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.end_headers()
                return
        rest = content[start:]
        cuts = self.server.cuts.get(name, [])
        body = rest[: cuts.pop(0)] if cuts else rest
        # Noted before a byte leaves: a client that hangs up asks again at once, on another thread.
        self.server.answered.append((self.path, wanted, len(body)))
        if wanted and self.server.honours_range:
            self.send_response(206)
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self.send_header("Content-Range", span)
        else:
            self.send_response(200)
        if self.server.says_length:
            self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def raw_contents() -> dict[str, bytes]:
    generator = np.random.default_rng(3)
    return {
        # Noise, so that the compressed file is larger than one chunk of the network.
        IMAGES: write_idx(generator.integers(0, 256, (700, 17, 13), dtype=np.uint8)),
        LABELS: write_idx(generator.integers(0, 10, (700,), dtype=np.uint8)),
    }


RAW = raw_contents()
PACKED = {f"{name}.gz": gzip.compress(raw, 1, mtime=0) for name, raw in RAW.items()}


def source_file(name: str, shape: tuple[int, ...]) -> SourceFile:
    raw = RAW[name]
    return SourceFile(name, hashlib.md5(raw).hexdigest(), len(raw), shape, f"train_{name[6:]}")


PAIRS = Dataset(
    name="pairs",
    title="Pairs",
    files=(source_file(IMAGES, (700, 17, 13)), source_file(LABELS, (700,))),
    sizes=(700, 0),
    class_names=tuple("abcdefghij"),
    licence="none",
)


def pairs(*bases: str, package: Path | None = None) -> Dataset:
    mirrors = tuple(Mirror(base) for base in bases)
    copies = ()
    if package:
        copies = (DebianPackage("dataset-pairs", str(package), (IMAGES, LABELS)),)
    return dataclasses.replace(PAIRS, mirrors=mirrors, package_copies=copies)


def make_package(folder: Path) -> Path:
    folder.mkdir()
    for name, content in PACKED.items():
        (folder / name).write_bytes(content)
    return folder


def dead_url() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def assert_complete(cache: Path) -> None:
    """Both files are right, and nothing half done lies beside them."""
    folder = cache / "pairs"
    assert {path.name: path.read_bytes() for path in visible(folder)} == RAW
    assert not list(folder.glob(".*.tmp"))


def visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def test_downloads_and_reports_progress(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    seen: list[tuple[str, int, int | None]] = []
    done = fetch(pairs(server.url), on_progress=lambda *step: seen.append(step), cache=tmp_path)
    assert_complete(tmp_path)
    assert [(f.file, f.action, f.bytes) for f in done] == [
        (IMAGES, "downloaded", len(RAW[IMAGES])),
        (LABELS, "downloaded", len(RAW[LABELS])),
    ]
    assert done[0].source == f"{server.url}/{IMAGES}.gz"
    size = len(PACKED[f"{IMAGES}.gz"])
    images = [step[1:] for step in seen if step[0] == IMAGES]
    assert len(images) > 1
    assert images == sorted(images)
    assert images[-1] == (size, size)


def test_good_files_need_no_source(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    fetch(pairs(server.url), cache=tmp_path)
    before = [path.stat().st_mtime_ns for path in visible(tmp_path / "pairs")]
    done = fetch(pairs(), cache=tmp_path)
    assert [f.action for f in done] == ["kept", "kept"]
    assert [path.stat().st_mtime_ns for path in visible(tmp_path / "pairs")] == before


def test_good_files_need_no_writable_cache(tmp_path: Path) -> None:
    """Nothing is written, not even a lock: the cache may be shared and read-only."""
    folder = tmp_path / "pairs"
    folder.mkdir()
    for name, raw in RAW.items():
        (folder / name).write_bytes(raw)
    fetch(pairs(), cache=tmp_path)
    assert {path.name for path in folder.iterdir()} == {IMAGES, LABELS}


def test_only_what_is_missing_or_damaged_is_fetched(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    fetch(pairs(server.url), cache=tmp_path)
    (tmp_path / "pairs" / LABELS).write_bytes(RAW[LABELS][:-1] + b"\xff")
    server.answered.clear()
    done = fetch(pairs(server.url), cache=tmp_path)
    assert [f.action for f in done] == ["kept", "downloaded"]
    assert [path for path, _, _ in server.answered] == [f"/{LABELS}.gz"]
    assert_complete(tmp_path)


def test_unknown_length(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    server.says_length = False
    totals: list[int | None] = []
    fetch(pairs(server.url), on_progress=lambda *step: totals.append(step[2]), cache=tmp_path)
    assert set(totals) == {None}
    assert_complete(tmp_path)


# --- cut connections -------------------------------------------------------------------------


def test_cut_connection_is_resumed_at_once(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    name, cut = f"{IMAGES}.gz", 70_001
    server.cuts[name] = [cut]
    done = fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(name) == [None, f"bytes={cut}-"]
    assert server.sent(name) == [cut, len(PACKED[name]) - cut]
    assert [f.action for f in done] == ["resumed", "downloaded"]
    assert_complete(tmp_path)


def test_later_call_resumes(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    name, cut = f"{IMAGES}.gz", 80_003
    server.cuts[name] = [cut, 0]
    with pytest.raises(DataError, match="connection was cut"):
        fetch(pairs(server.url), cache=tmp_path)
    part = tmp_path / "pairs" / f"{name}.part"
    assert part.read_bytes() == PACKED[name][:cut]
    assert not (tmp_path / "pairs" / IMAGES).exists()
    server.answered.clear()
    done = fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(name) == [f"bytes={cut}-"]
    assert server.sent(name) == [len(PACKED[name]) - cut]
    assert [f.action for f in done] == ["resumed", "kept"]
    assert_complete(tmp_path)


def test_gives_up_when_nothing_more_comes(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    server.cuts[f"{IMAGES}.gz"] = [5] * 100
    with pytest.raises(DataError, match="connection was cut"):
        fetch(pairs(server.url), cache=tmp_path)
    assert len(server.ranges(f"{IMAGES}.gz")) == 5


def test_package_serves_when_the_connection_is_cut(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    server.cuts[f"{IMAGES}.gz"] = [11, 0]
    dataset = pairs(server.url, package=make_package(tmp_path / "package"))
    done = fetch(dataset, cache=tmp_path)
    assert [f.action for f in done] == ["copied", "downloaded"]
    assert_complete(tmp_path)


def begin(cache: Path, content: bytes) -> Path:
    part = cache / "pairs" / f"{IMAGES}.gz.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    return part


def test_server_that_ignores_ranges(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    server.honours_range = False
    begin(tmp_path, PACKED[f"{IMAGES}.gz"][:99])
    done = fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(f"{IMAGES}.gz") == ["bytes=99-"]
    assert done[0].action == "downloaded"
    assert_complete(tmp_path)


def test_partial_download_that_is_too_long(server: Server, tmp_path: Path) -> None:
    """The server answers 416; the next request asks for the whole."""
    server.files = dict(PACKED)
    size = len(PACKED[f"{IMAGES}.gz"])
    begin(tmp_path, bytes(size + 1))
    done = fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(f"{IMAGES}.gz") == [f"bytes={size + 1}-", None]
    assert done[0].action == "downloaded"
    assert_complete(tmp_path)


def test_partial_download_of_something_else(server: Server, tmp_path: Path) -> None:
    """It is continued, the checksum refuses the result, and the whole is asked for."""
    server.files = dict(PACKED)
    begin(tmp_path, b"x" * 99)
    done = fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(f"{IMAGES}.gz") == ["bytes=99-", None]
    assert done[0].action == "downloaded"
    assert_complete(tmp_path)


def test_wrong_content_that_is_always_cut(server: Server, tmp_path: Path) -> None:
    """Starting over ends, too."""
    server.files = PACKED | {f"{IMAGES}.gz": gzip.compress(flipped(RAW[IMAGES]))}
    server.cuts[f"{IMAGES}.gz"] = [90_001, 90_001] * 50
    with pytest.raises(DataError, match="corrupted: MD5"):
        fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(f"{IMAGES}.gz") == [None, "bytes=90001-"] * 2


def test_server_that_sends_another_range(server: Server, tmp_path: Path) -> None:
    """The answer's Content-Range is believed, not that it is what was asked for."""
    server.files = dict(PACKED)
    server.shifts_range = 9
    begin(tmp_path, PACKED[f"{IMAGES}.gz"][:99])
    seen: list[int] = []
    done = fetch(
        pairs(server.url), on_progress=lambda _, so_far, total: seen.append(so_far), cache=tmp_path
    )
    assert server.ranges(f"{IMAGES}.gz") == ["bytes=99-", None]
    assert max(seen) == len(PACKED[f"{IMAGES}.gz"])
    assert done[0].action == "downloaded"
    assert_complete(tmp_path)


def test_cut_that_the_http_library_does_not_notice(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """urllib3 before 2 ends a short body without an error."""

    def silently(response: Any) -> Iterator[bytes]:
        with contextlib.suppress(fetch_module._CutError):
            yield from received(response)

    received = fetch_module._received
    monkeypatch.setattr(fetch_module, "_received", silently)
    server.files = dict(PACKED)
    server.cuts[f"{IMAGES}.gz"] = [70_001]
    fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(f"{IMAGES}.gz") == [None, "bytes=70001-"]
    assert_complete(tmp_path)


def test_interrupt_passes_through_and_can_be_resumed(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)

    def interrupt(name: str, so_far: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(pairs(server.url), on_progress=interrupt, cache=tmp_path)
    (part,) = visible(tmp_path / "pairs")
    came = part.stat().st_size
    assert part.name == f"{IMAGES}.gz.part"
    assert 0 < came < len(PACKED[f"{IMAGES}.gz"])
    server.answered.clear()
    fetch(pairs(server.url), cache=tmp_path)
    assert server.ranges(f"{IMAGES}.gz") == [f"bytes={came}-"]
    assert_complete(tmp_path)


def test_interrupt_while_storing_leaves_the_old_file(tmp_path: Path) -> None:
    def interrupt(name: str, so_far: int, total: int | None) -> None:
        raise KeyboardInterrupt

    dataset = pairs(package=make_package(tmp_path / "package"))
    old = tmp_path / "pairs" / IMAGES
    old.parent.mkdir()
    old.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        fetch(dataset, on_progress=interrupt, cache=tmp_path)
    assert visible(old.parent) == [old]
    assert old.read_bytes() == b"old"
    assert not list(old.parent.glob(".*.tmp"))


# --- content that is not the file ------------------------------------------------------------


def flipped(raw: bytes) -> bytes:
    return raw[:500] + bytes([raw[500] ^ 1]) + raw[501:]


WRONG = {
    "corrupted": (gzip.compress(flipped(RAW[IMAGES])), "corrupted: MD5 is "),
    "truncated raw": (gzip.compress(RAW[IMAGES][:-1]), "truncated: 154,715 bytes, expected"),
    "truncated gzip": (PACKED[f"{IMAGES}.gz"][:-20], "truncated: the compressed data end"),
    "broken gzip": (flipped(PACKED[f"{IMAGES}.gz"]), ""),
    "longer": (gzip.compress(RAW[IMAGES] + b"x" * 400_000), "too long: "),
    "swapped": (PACKED[f"{LABELS}.gz"], f"holds the content of {LABELS}: MD5 is"),
    "no deflate": (PACKED[f"{IMAGES}.gz"][:10] + b"\xff" * 99, "cannot be read: Error -3"),
    "a web page": (b"<html>Please log in</html>", "cannot be read: Not a gzipped file"),
    "empty": (b"", ""),
}


@pytest.mark.parametrize("kind", WRONG)
def test_wrong_content_is_refused(kind: str, server: Server, tmp_path: Path) -> None:
    content, reason = WRONG[kind]
    server.files = PACKED | {f"{IMAGES}.gz": content}
    old = tmp_path / "pairs" / IMAGES
    old.parent.mkdir()
    old.write_bytes(b"what was there before")
    with pytest.raises(DataError) as caught:
        fetch(pairs(server.url), cache=tmp_path)
    assert f"no source gave {IMAGES}:" in str(caught.value)
    assert f"{server.url}: {reason}" in str(caught.value)
    assert old.read_bytes() == b"what was there before"
    # What was right is kept, and of what was wrong nothing.
    assert visible(old.parent) == [old, old.parent / LABELS]
    assert not list(old.parent.glob(".*.tmp"))


@pytest.mark.parametrize("kind", WRONG)
def test_next_mirror_serves_after_wrong_content(kind: str, server: Server, tmp_path: Path) -> None:
    bad = {f"bad/{name}": content for name, content in PACKED.items()}
    bad[f"bad/{IMAGES}.gz"] = WRONG[kind][0]
    server.files = PACKED | bad
    done = fetch(pairs(f"{server.url}/bad/", server.url), cache=tmp_path)
    assert [f.source for f in done] == [
        f"{server.url}/{IMAGES}.gz",
        f"{server.url}/bad/{LABELS}.gz",
    ]
    assert_complete(tmp_path)


# --- sources that fail -----------------------------------------------------------------------


def test_package_serves_when_no_mirror_does(server: Server, tmp_path: Path) -> None:
    dataset = pairs(dead_url(), server.url, package=make_package(tmp_path / "package"))
    done = fetch(dataset, cache=tmp_path)
    assert [f.action for f in done] == ["copied", "copied"]
    assert "Debian package dataset-pairs" in done[0].source
    assert_complete(tmp_path)


def test_damaged_package_is_refused(tmp_path: Path) -> None:
    package = make_package(tmp_path / "package")
    (package / f"{LABELS}.gz").write_bytes(PACKED[f"{LABELS}.gz"][:-9])
    with pytest.raises(DataError, match=r"dataset-pairs .*: truncated"):
        fetch(pairs(package=package), cache=tmp_path)
    assert visible(tmp_path / "pairs") == [tmp_path / "pairs" / IMAGES]


def test_endless_content_is_not_read_to_its_end(tmp_path: Path) -> None:
    package = make_package(tmp_path / "package")
    (package / f"{LABELS}.gz").write_bytes(gzip.compress(bytes(10_000_000)))
    read = {}
    with pytest.raises(DataError, match="too long"):
        fetch(
            pairs(package=package),
            on_progress=lambda name, so_far, total: read.update({name: so_far}),
            cache=tmp_path,
        )
    assert len(RAW[LABELS]) < read[LABELS] < 100_000


def test_failure_lists_every_source_and_what_to_do(server: Server, tmp_path: Path) -> None:
    dead = dead_url()
    with pytest.raises(DataError) as caught:
        fetch(pairs(dead, server.url, package=tmp_path / "none"), cache=tmp_path)
    text = str(caught.value)
    assert f"pairs: no source gave {IMAGES} and 1 more" in text
    assert f"- {dead}: no answer: " in text
    assert "Connection refused" in text
    assert f"- {server.url}: HTTP 404 Not Found [{IMAGES} and 1 more]" in text
    assert f"Debian package dataset-pairs ({tmp_path / 'none'}): not installed" in text
    assert "apt-get install dataset-pairs, then: parity data fetch pairs" in text
    assert f"into {tmp_path / 'pairs'}, then: parity data fetch pairs" in text
    assert "object at 0x" not in text


def test_silent_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the connection and says nothing: asked once, and not waited for forever."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch_module, "_READ_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DataError, match=rf"- {url}: no answer: timed out \["):
            fetch(pairs(url), cache=tmp_path)


def test_dead_server_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = fetch_module._answer
    monkeypatch.setattr(
        fetch_module, "_answer", lambda run, *rest: (asked.append(rest), real(run, *rest))[1]
    )
    with pytest.raises(DataError):
        fetch(pairs(dead_url()), cache=tmp_path)
    assert len(asked) == 1


def test_files_put_there_by_hand_are_used(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / IMAGES).write_bytes(RAW[IMAGES])
    (folder / f"{LABELS}.gz").write_bytes(PACKED[f"{LABELS}.gz"])
    done = fetch(pairs(), cache=tmp_path)
    assert [f.action for f in done] == ["kept", "copied"]
    assert (folder / LABELS).read_bytes() == RAW[LABELS]


# --- one archive with all files ----------------------------------------------------------------


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


ARCHIVE = packed({"inside/readme": b"x" * 999} | {f"inside/{n}": RAW[n] for n in (LABELS, IMAGES)})


def archived(*bases: str) -> Dataset:
    mirrors = tuple(Mirror(base, archive="pairs.tar.gz", folder="inside") for base in bases)
    return dataclasses.replace(PAIRS, mirrors=mirrors)


def test_files_of_an_archive_share_a_download(server: Server, tmp_path: Path) -> None:
    server.files = {"pairs.tar.gz": ARCHIVE}
    done = fetch(archived(server.url), cache=tmp_path)
    assert {f.source for f in done} == {f"{server.url}/pairs.tar.gz"}
    assert_complete(tmp_path)
    assert server.sent("pairs.tar.gz") == [len(ARCHIVE)]


def test_cut_archive_is_resumed(server: Server, tmp_path: Path) -> None:
    server.files = {"pairs.tar.gz": ARCHIVE}
    server.cuts["pairs.tar.gz"] = [70_001]
    done = fetch(archived(server.url), cache=tmp_path)
    assert [f.action for f in done] == ["resumed", "downloaded"]
    assert server.sent("pairs.tar.gz") == [70_001, len(ARCHIVE) - 70_001]
    assert_complete(tmp_path)


def test_archive_that_came_whole_is_not_asked_for_again(server: Server, tmp_path: Path) -> None:
    """The call before was interrupted between the download and the storing."""
    server.files = {"pairs.tar.gz": ARCHIVE}
    part = tmp_path / "pairs" / "pairs.tar.gz.part"
    part.parent.mkdir()
    part.write_bytes(ARCHIVE)
    fetch(archived(server.url), cache=tmp_path)
    assert server.ranges("pairs.tar.gz") == [f"bytes={len(ARCHIVE)}-"]
    assert server.sent("pairs.tar.gz") == [0]
    assert_complete(tmp_path)


def test_one_wrong_file_of_an_archive(server: Server, tmp_path: Path) -> None:
    """The others are taken from it, and it is downloaded once."""
    wrong = packed({f"inside/{IMAGES}": flipped(RAW[IMAGES]), f"inside/{LABELS}": RAW[LABELS]})
    server.files = {"pairs.tar.gz": wrong}
    with pytest.raises(DataError, match=rf"corrupted: MD5 is .* \[{IMAGES}\]"):
        fetch(archived(server.url), cache=tmp_path)
    assert server.sent("pairs.tar.gz") == [len(wrong)]
    assert visible(tmp_path / "pairs") == [tmp_path / "pairs" / LABELS]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (ARCHIVE[:-5_000], "truncated: the compressed data end too early"),
        (ARCHIVE[:600], "truncated: the compressed data end too early"),
        (b"<html>Please log in</html>", "cannot be read: pairs.tar.gz.part is no whole .tar.gz"),
        (flipped(ARCHIVE)[:1] + ARCHIVE[1:90_000] + b"x" * 90_000, ""),
        (b"", "cannot be read: pairs.tar.gz.part is no whole .tar.gz"),
        (packed({f"other/{IMAGES}": RAW[IMAGES]}), f"has no inside/{IMAGES}, or ends before it"),
        (packed({f"inside/{IMAGES}": b""}), "truncated: 0 bytes, expected"),
    ],
    ids=["truncated", "only its beginning", "a web page", "broken", "empty", "other", "no content"],
)
def test_wrong_archive(content: bytes, reason: str, server: Server, tmp_path: Path) -> None:
    server.files = {"bad/pairs.tar.gz": content, "pairs.tar.gz": ARCHIVE}
    bad = f"{server.url}/bad"
    with pytest.raises(DataError) as caught:
        fetch(archived(bad), cache=tmp_path)
    assert f"- {bad}: " in str(caught.value)
    assert reason in str(caught.value)
    assert f"or pairs.tar.gz, into {tmp_path / 'pairs'}, then" in str(caught.value)
    assert not (tmp_path / "pairs" / IMAGES).exists()
    assert not list((tmp_path / "pairs").glob("*.part"))
    fetch(archived(bad, server.url), cache=tmp_path)
    assert_complete(tmp_path)


def test_archive_put_there_by_hand_is_used(tmp_path: Path) -> None:
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / "pairs.tar.gz").write_bytes(ARCHIVE)
    done = fetch(archived(dead_url()), cache=tmp_path)
    assert [f.source for f in done] == [str(folder / "pairs.tar.gz")] * 2
    assert {name: (folder / name).read_bytes() for name in RAW} == RAW


# --- the cache -------------------------------------------------------------------------------


class Full:
    """A file on a disk that is full after `room` bytes."""

    def __init__(self, handle: Any, room: int) -> None:
        self.handle, self.room = handle, room

    def write(self, content: bytes) -> int:
        if len(content) > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(content)
        return int(self.handle.write(content))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.handle, name)

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *_: object) -> None:
        self.handle.close()


def fill_disk(monkeypatch: pytest.MonkeyPatch, suffix: str) -> None:
    def full(path: Path, mode: str) -> Any:
        handle = path.open(mode)
        return Full(handle, 100_000) if path.name.endswith(suffix) else handle

    monkeypatch.setattr(fetch_module, "open", full, raising=False)


@pytest.mark.parametrize("suffix", [".part", ".tmp"])
def test_full_disk(
    suffix: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files = dict(PACKED)
    old = tmp_path / "pairs" / IMAGES
    old.parent.mkdir()
    old.write_bytes(b"old")
    with monkeypatch.context() as patch:
        fill_disk(patch, suffix)
        with pytest.raises(DataError) as caught:
            fetch(pairs(server.url), cache=tmp_path)
    assert suffix in str(caught.value)
    assert "No space left on device; expected a writable folder with room" in str(caught.value)
    assert "PARITY_DATA_DIR" in str(caught.value)
    assert old.read_bytes() == b"old"
    assert not list(old.parent.glob(".*.tmp"))
    assert visible(old.parent) == [old, old.parent / f"{IMAGES}.gz.part"]
    fetch(pairs(server.url), cache=tmp_path)  # with room again
    assert_complete(tmp_path)


def test_unwritable_cache(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match=r"pairs: cannot write .*/file/pairs: Not a directory;"):
        fetch(pairs(server.url), cache=tmp_path / "file")
    assert server.answered == []


def test_folder_in_place_of_a_file(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    (tmp_path / "pairs" / IMAGES).mkdir(parents=True)
    with pytest.raises(DataError, match=f"cannot write .*{IMAGES}: Is a directory"):
        fetch(pairs(server.url), cache=tmp_path)


def test_leftovers_of_a_killed_fetch_are_removed(server: Server, tmp_path: Path) -> None:
    server.files = dict(PACKED)
    folder = tmp_path / "pairs"
    folder.mkdir()
    (folder / f".{IMAGES}.123-abc.tmp").write_bytes(b"half")
    (folder / ".abc.tmp").mkdir()
    (folder / ".abc.tmp" / "package.tgz").write_bytes(b"half")
    fetch(pairs(server.url), cache=tmp_path)
    assert_complete(tmp_path)


def test_two_fetches_at_once(server: Server, tmp_path: Path) -> None:
    """The second waits for the first and finds the files there."""
    server.files = dict(PACKED)
    first_is_under_way, second_has_begun = threading.Event(), threading.Event()
    done: dict[str, list[str]] = {}
    failed: list[BaseException] = []

    def hold(name: str, so_far: int, total: int | None) -> None:
        first_is_under_way.set()
        second_has_begun.wait(PATIENCE)

    def run(name: str, prepare: Callable[[], object], progress: Any) -> None:
        try:
            prepare()
            result = fetch(pairs(server.url), on_progress=progress, cache=tmp_path)
            done[name] = [f.action for f in result]
        except BaseException as error:
            failed.append(error)

    def after_first() -> None:
        first_is_under_way.wait(PATIENCE)
        # The first still holds the lock when the second comes to it, half a second from now.
        threading.Timer(0.5, second_has_begun.set).start()

    threads = [
        threading.Thread(target=run, args=("first", lambda: None, hold)),
        threading.Thread(target=run, args=("second", after_first, None)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert failed == []
    assert done == {"first": ["downloaded", "downloaded"], "second": ["kept", "kept"]}
    assert len(server.answered) == 2
    assert_complete(tmp_path)
