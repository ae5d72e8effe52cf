"""Where torchvision and Keras look for the datasets: laid there, so that both load them offline.

torchvision's classes take a folder, `root`, and have no default: here it is `torchvision` in the
cache of the datasets. `keras.datasets` look in `KERAS_HOME`, or if that is not set in `~/.keras`.
Files come from the cache: as hard links where that is possible, else as copies. The one thing that
may have to be downloaded is a dataset's `original`.
"""

import contextlib
import dataclasses
import gzip
import hashlib
import os
import secrets
import shutil
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from parity.core.errors import DataError
from shared.data.archives import read_members
from shared.data.cache import cache_folder, is_original
from shared.data.sources import Dataset, Place, PlacedFile

if TYPE_CHECKING:
    from shared.data.fetching import Progress

_CHUNK = 1 << 20


@dataclass(frozen=True)
class PlaceStatus:
    """What a framework's own loader finds of a dataset.

    Attributes:
        framework: Whose loader.
        folder: Where it looks.
        state: Whether it finds all it reads, verified.
        detail: One sentence on `state`, and what to do.
        call: What a program writes to load it.
    """

    framework: Literal["torchvision", "keras"]
    folder: str
    state: Literal["present", "missing", "damaged"]
    detail: str
    call: str


def torchvision_root(cache: Path | None = None) -> Path:
    """Return the folder to name as `root`: `torchvision` in the cache of the datasets.

    Args:
        cache: As in `shared.data.cache.cache_folder`.
    """
    return _datasets_folder(cache) / "torchvision"


def keras_home() -> Path:
    """Return the folder that Keras takes, `datasets` of which holds the datasets."""
    chosen = os.environ.get("KERAS_HOME")
    if chosen:
        return Path(chosen).expanduser()
    home = Path.home()
    return (home if os.access(home, os.W_OK) else _tmp()) / ".keras"


def status(
    dataset: Dataset, *, torchvision: Path | None = None, cache: Path | None = None
) -> tuple[PlaceStatus, ...]:
    """Return what each framework finds. Reads every file to check it; changes nothing.

    Args:
        dataset: The dataset.
        torchvision: The folder to name as `root`; None takes `torchvision_root`.
        cache: As in `shared.data.cache.cache_folder`.
    """
    return tuple(
        _status(dataset, place, _root(place, torchvision, cache)) for place in dataset.places
    )


def lay(
    dataset: Dataset,
    *,
    torchvision: Path | None = None,
    cache: Path | None = None,
    on_progress: "Progress | None" = None,
) -> tuple[PlaceStatus, ...]:
    """Lay a fetched dataset where each framework looks. Good files are left alone.

    Every file is checked before it takes its place; an archive that cannot be had leaves its place
    as it was, and the answer says why.

    Args:
        dataset: The dataset; its full set is in the cache.
        torchvision: As in `status`.
        cache: As in `status`.
        on_progress: Told of a download.

    Returns:
        What each framework then finds.

    Raises:
        DataError: A file of the cache is damaged, or a place cannot be written.
    """
    found = []
    sources: dict[str, Path | str] = {}  # where each is, or why it is nowhere
    for place in dataset.places:
        root = _root(place, torchvision, cache)
        wanted = [file for file in place.files if _damage(file, root / file.path)]
        for name in {file.source for file in wanted} - sources.keys():
            sources[name] = _source(dataset, name, torchvision, cache, on_progress)
        paths = {file.source: sources[file.source] for file in wanted}
        nowhere = [reason for reason in paths.values() if isinstance(reason, str)]
        if nowhere:
            before = _status(dataset, place, root)
            found.append(dataclasses.replace(before, detail="; ".join(nowhere)))
            continue
        with _writing(dataset, place, root):
            _put_all(wanted, root, {name: Path(path) for name, path in paths.items()})
        found.append(_status(dataset, place, root))
    return tuple(found)


def _datasets_folder(cache: Path | None) -> Path:
    return cache_folder(Dataset("-", "", (), (0, 0), (), ""), cache).parent


def _tmp() -> Path:
    return Path("/tmp" if Path("/tmp").is_dir() else tempfile.gettempdir())


def _root(place: Place, torchvision: Path | None, cache: Path | None) -> Path:
    if place.framework == "keras":
        return keras_home()
    return torchvision_root(cache) if torchvision is None else torchvision


def _status(dataset: Dataset, place: Place, root: Path) -> PlaceStatus:
    damaged = {file.path: _damage(file, root / file.path) for file in place.files}
    absent = [path for path in damaged if not (root / path).exists()]
    wrong = [f"{path}: {bad}" for path, bad in damaged.items() if bad and path not in absent]
    state: Literal["present", "missing", "damaged"] = "present"
    again = f"Lay it: parity data fetch {dataset.name}"
    detail = f"all {len(damaged)} files verified" if len(damaged) > 1 else "verified"
    if wrong:
        state, detail = "damaged", f"{'; '.join(wrong)}. {again}"
    elif absent:
        state, detail = "missing", f"not laid. {again}"
    call = place.call.format(root=root)
    return PlaceStatus(place.framework, str(root), state, detail, call)


def _damage(file: PlacedFile, path: Path) -> str | None:
    """Say how the content differs from what it must be; None if it does not."""
    kind = "md5" if len(file.checksum) == 32 else "sha256"
    digest = hashlib.new(kind, usedforsecurity=False)
    try:
        opener = gzip.open if file.content == "gzip" else open
        with opener(path, "rb") as handle:
            while chunk := handle.read(_CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return "missing"
    except (OSError, EOFError, zlib.error) as error:
        return f"corrupted: {error}"
    if digest.hexdigest() == file.checksum:
        return None
    return f"corrupted: {kind.upper()} is {digest.hexdigest()}, expected {file.checksum}"


def _source(
    dataset: Dataset,
    name: str,
    torchvision: Path | None,
    cache: Path | None,
    on_progress: "Progress | None",
) -> Path | str:
    """Return the file of the cache, or the original, wherever it is; or why it is nowhere."""
    original = dataset.original
    if original is None or name != original.name:
        return cache_folder(dataset, cache) / name
    for place in dataset.places:  # Keras may have downloaded it itself
        for file in place.files:
            path = _root(place, torchvision, cache) / file.path
            if file.content == "same" and file.source == name and is_original(original, path):
                return path
    from shared.data.fetching import fetch_original  # noqa: PLC0415  # lessons need no network

    try:
        return fetch_original(dataset, original, on_progress=on_progress, cache=cache)
    except DataError as error:
        return str(error)


def _put_all(wanted: list[PlacedFile], root: Path, sources: dict[str, Path]) -> None:
    """Put files of a place there; an archive is read once for all its members."""
    members: dict[tuple[str, str], bytes] = {}
    for name, path in sources.items():
        names = [file.member for file in wanted if file.source == name and file.member]
        if names:
            members |= {(name, one): raw for one, raw in read_members(path, names).items()}
    for file in wanted:
        member = members.get((file.source, file.member))
        _put(file, root / file.path, sources[file.source], member)


def _put(file: PlacedFile, target: Path, source: Path, member: bytes | None) -> None:
    """Make the file beside its place, check it, and move it there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        if member is not None:
            made.write_bytes(member)
        elif file.content == "gzip":
            with source.open("rb") as raw, gzip.open(made, "wb", compresslevel=6) as packed:
                shutil.copyfileobj(raw, packed, _CHUNK)
        else:
            try:
                os.link(source, made)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, made)
        bad = _damage(file, made)
        if bad:
            raise DataError(f"{source}: {bad}. Nothing was laid at {target}")
        os.replace(made, target)
    finally:
        made.unlink(missing_ok=True)


@contextlib.contextmanager
def _writing(dataset: Dataset, place: Place, root: Path) -> Iterator[None]:
    """Turn an error of the file system into the one that says what to do."""
    try:
        yield
    except OSError as error:
        other = "name another with --torchvision"
        if place.framework == "keras":
            other = "set KERAS_HOME to another"
        raise DataError(
            f"{dataset.name}: cannot lay it for {place.framework} in {root}: "
            f"{error.strerror or error}; expected a writable folder with room. Make room, or "
            f"{other}; then: parity data fetch {dataset.name}"
        ) from error
