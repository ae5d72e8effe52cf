"""`shared.data.places`: datasets laid where the frameworks look, without any framework.

`parity_tests/lessons/test_places.py` has what the frameworks themselves make of it.
"""

import dataclasses
import gzip
import hashlib
import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from parity.core.errors import DataError
from parity_tests.engine.test_data_cifar import LABELS, NAMES, PIXELS, TINY, packed
from parity_tests.engine.test_data_cifar import RAW as BATCHES
from parity_tests.engine.test_data_fetch import Server, dead_url, server, visible  # noqa: F401
from shared.data import places
from shared.data.cifar import CifarPythonMirror
from shared.data.fetching import fetch
from shared.data.idx import write_idx
from shared.data.npz import NpzMirror
from shared.data.sources import Dataset, Original, Place, PlacedFile, SourceFile

GENERATOR = np.random.default_rng(11)
ARRAYS = {
    "x_train": GENERATOR.integers(0, 256, (40, 28, 28), dtype=np.uint8),
    "y_train": GENERATOR.integers(0, 10, 40, dtype=np.uint8),
    "x_test": GENERATOR.integers(0, 256, (10, 28, 28), dtype=np.uint8),
    "y_test": GENERATOR.integers(0, 10, 10, dtype=np.uint8),
}
ROLES = {
    "x_train": "train_images",
    "y_train": "train_labels",
    "x_test": "test_images",
    "y_test": "test_labels",
}
RAW = {ROLES[name]: write_idx(array) for name, array in ARRAYS.items()}


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **ARRAYS)
    return buffer.getvalue()


NPZ = npz()
ORIGINAL = Original("tiny.npz", hashlib.sha256(NPZ).hexdigest(), len(NPZ))


def md5(content: bytes) -> str:
    return hashlib.md5(content).hexdigest()


def digits(*bases: str) -> Dataset:
    """A dataset whose archive Keras takes as it is; torchvision takes the files, a third gzip."""
    files = tuple(
        SourceFile(role, md5(raw), len(raw), ARRAYS[name].shape, role)
        for (role, raw), name in zip(RAW.items(), ARRAYS, strict=True)
    )
    raw = tuple(PlacedFile(f"Digits/raw/{file.name}", file.name, file.md5) for file in files)
    packed = tuple(PlacedFile(f"gz/{f.name}.gz", f.name, f.md5, "gzip") for f in files)
    npz = PlacedFile("datasets/tiny.npz", ORIGINAL.name, ORIGINAL.sha256)
    return Dataset(
        name="digits",
        title="Digits",
        files=files,
        sizes=(40, 10),
        class_names=tuple("0123456789"),
        licence="none",
        mirrors=tuple(NpzMirror(base, archive=ORIGINAL.name) for base in bases),
        original=ORIGINAL,
        places=(
            Place("torchvision", 'Digits("{root}")', raw + packed),
            Place("keras", "digits.load_data()", (npz,)),
        ),
    )


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


def filled(cache: Path) -> Path:
    """The cache as another source has left it: the files, and no archive."""
    folder = cache / "digits"
    folder.mkdir()
    for role, raw in RAW.items():
        (folder / role).write_bytes(raw)
    return folder


def states(found: tuple[places.PlaceStatus, ...]) -> dict[str, str]:
    return {place.framework: place.state for place in found}


BOTH = {"torchvision": "present", "keras": "present"}


def assert_tidy(folder: Path) -> None:
    assert not [path for path in folder.rglob(".*") if path.name != ".lock"]
    assert not list(folder.rglob("*.part"))


# --- one download ----------------------------------------------------------------------------


def test_one_download_serves_the_cache_and_both_frameworks(
    server: Server,  # noqa: F811
    tmp_path: Path,
    home: Path,
) -> None:
    server.files = {ORIGINAL.name: NPZ}
    dataset = digits(server.url)
    done = fetch(dataset, cache=tmp_path)
    assert [file.action for file in done] == ["downloaded"] * 4
    assert {role: (tmp_path / "digits" / role).read_bytes() for role in RAW} == RAW
    assert states(places.lay(dataset, cache=tmp_path)) == BOTH
    assert server.sent(ORIGINAL.name) == [len(NPZ)]
    assert (home / "datasets" / ORIGINAL.name).read_bytes() == NPZ
    root = places.torchvision_root(tmp_path)
    assert root == tmp_path / "torchvision"
    for role, raw in RAW.items():
        assert (root / "Digits" / "raw" / role).samefile(tmp_path / "digits" / role)
        assert gzip.decompress((root / "gz" / f"{role}.gz").read_bytes()) == raw
    assert_tidy(tmp_path)


def pickles(old: bool = False) -> dict[str, bytes]:
    """The "Python version" of `TINY`; as NumPy 1 wrote it, if that is asked for."""
    made = {}
    for name in NAMES:
        data = PIXELS[name].transpose(0, 2, 1).reshape(len(PIXELS[name]), -1)
        batch = {b"labels": [int(label) for label in LABELS[name]], b"data": data}
        content = pickle.dumps(batch, protocol=3)
        made[name] = content.replace(b"numpy._core", b"numpy.core") if old else content
    return {f"batches-py/{name}": content for name, content in made.items()}


def pickled(*bases: str, content: dict[str, bytes]) -> tuple[Dataset, bytes]:
    archive = packed(content)
    original = Original("tiny-python.tar.gz", hashlib.sha256(archive).hexdigest(), len(archive))
    mirrors = tuple(
        CifarPythonMirror(base, archive=original.name, folder="batches-py") for base in bases
    )
    members = tuple(
        PlacedFile(name, original.name, md5(raw), "member", name) for name, raw in content.items()
    )
    archived = PlacedFile("datasets/tiny_archive", original.name, original.sha256)
    where = (Place("torchvision", "", members), Place("keras", "", (archived,)))
    dataset = dataclasses.replace(
        TINY, mirrors=mirrors, package_copies=(), original=original, places=where
    )
    return dataset, archive


@pytest.mark.parametrize("old", [False, True])
def test_pickles_become_batches_and_are_laid(
    old: bool,
    server: Server,  # noqa: F811
    tmp_path: Path,
) -> None:
    dataset, archive = pickled(server.url, content=pickles(old))
    server.files = {"tiny-python.tar.gz": archive}
    fetch(dataset, cache=tmp_path)
    assert {name: (tmp_path / TINY.name / name).read_bytes() for name in BATCHES} == BATCHES
    assert states(places.lay(dataset, cache=tmp_path)) == BOTH
    assert len(server.answered) == 1
    for name, content in pickles(old).items():
        assert (tmp_path / "torchvision" / name).read_bytes() == content
    assert_tidy(tmp_path)


class Evil:
    def __reduce__(self):
        return os.system, ("echo run",)


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (Evil(), "system is not expected in it"),
        ({b"labels": [1], b"data": np.zeros((2, 3072), np.uint8)}, "holds no batch of images"),
        ([], "holds no batch of images"),
    ],
    ids=["code", "labels", "list"],
)
def test_pickles_of_something_else_are_refused(batch: object, words: str, tmp_path: Path) -> None:
    content = {name: pickle.dumps(batch, protocol=3) for name in pickles()}
    dataset, archive = pickled(dead_url(), content=content)
    (tmp_path / TINY.name).mkdir()
    (tmp_path / TINY.name / "tiny-python.tar.gz").write_bytes(archive)
    with pytest.raises(DataError, match=words):
        fetch(dataset, cache=tmp_path)


@pytest.mark.parametrize("content", [b"no zip", NPZ[:-200], npz()[:500]], ids=len)
def test_broken_npz_is_refused(content: bytes, server: Server, tmp_path: Path) -> None:  # noqa: F811
    server.files = {ORIGINAL.name: content}
    with pytest.raises(DataError, match=r"tiny.npz is no whole .npz file"):
        fetch(digits(server.url), cache=tmp_path)
    assert not visible(tmp_path / "digits")


# --- where the archive comes from ------------------------------------------------------------


def test_an_archive_that_cannot_be_had(tmp_path: Path, home: Path) -> None:
    folder = filled(tmp_path)
    url = dead_url()
    torchvision, keras = places.lay(digits(url), cache=tmp_path)
    assert torchvision.state == "present"
    assert torchvision.call == f'Digits("{tmp_path / "torchvision"}")'
    assert keras.state == "missing"
    assert "taken only as it was published" in keras.detail
    assert f"Tried {url}: no answer" in keras.detail
    assert f"Put that file into {folder}, then: parity data fetch digits" in keras.detail
    assert not (home / "datasets").exists()
    (folder / ORIGINAL.name).write_bytes(NPZ)  # as it says
    assert states(places.lay(digits(url), cache=tmp_path)) == BOTH
    assert_tidy(tmp_path)


def test_an_archive_that_is_another(server: Server, tmp_path: Path) -> None:  # noqa: F811
    folder = filled(tmp_path)
    server.files = {ORIGINAL.name: NPZ[:-1] + b"!"}
    keras = places.lay(digits(server.url), cache=tmp_path)[1]
    assert (keras.state, "has another checksum" in keras.detail) == ("missing", True)
    assert {path.name for path in visible(folder)} == set(RAW)


def test_an_archive_is_asked_for_once(server: Server, tmp_path: Path) -> None:  # noqa: F811
    dataset, _ = pickled(server.url, content=pickles())
    found = places.lay(dataset, cache=tmp_path)
    assert states(found) == dict.fromkeys(BOTH, "missing")
    assert all("HTTP 404" in place.detail for place in found)
    assert len(server.answered) == 1


def test_only_the_archive_is_downloaded_where_the_files_are_there(
    server: Server,  # noqa: F811
    tmp_path: Path,
) -> None:
    filled(tmp_path)
    server.files = {ORIGINAL.name: NPZ}
    for _ in range(2):
        assert states(places.lay(digits(server.url), cache=tmp_path)) == BOTH
    assert len(server.answered) == 1


def test_what_keras_has_downloaded_is_not_downloaded_again(tmp_path: Path, home: Path) -> None:
    dataset, archive = pickled(dead_url(), content=pickles())
    (home / "datasets").mkdir(parents=True)
    (home / "datasets" / "tiny_archive").write_bytes(archive)
    assert states(places.lay(dataset, cache=tmp_path)) == BOTH


# --- what is there already, and what goes wrong ----------------------------------------------


def laid(cache: Path) -> Dataset:
    dataset = digits(dead_url())
    (filled(cache) / ORIGINAL.name).write_bytes(NPZ)
    assert states(places.lay(dataset, cache=cache)) == BOTH
    return dataset


def test_good_files_are_left_alone(tmp_path: Path) -> None:
    dataset = laid(tmp_path)
    seen = [path.stat().st_ino for path in sorted((tmp_path / "torchvision").rglob("*"))]
    assert states(places.lay(dataset, cache=tmp_path)) == BOTH
    assert seen == [path.stat().st_ino for path in sorted((tmp_path / "torchvision").rglob("*"))]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("torchvision/Digits/raw/train_images", "corrupted: MD5 is"),
        ("torchvision/gz/train_images.gz", "corrupted:"),
        ("keras/datasets/tiny.npz", "corrupted: SHA256 is"),
    ],
)
@pytest.mark.parametrize("cut", [False, True], ids=["flipped", "cut"])
def test_a_corrupt_file_is_said_and_laid_anew(
    path: str, words: str, cut: bool, tmp_path: Path
) -> None:
    dataset = laid(tmp_path)
    content = bytearray((tmp_path / path).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / path).unlink()  # a link: what is in the cache stays as it is
    (tmp_path / path).write_bytes(content[:-9] if cut else content)
    (bad,) = (p for p in places.status(dataset, cache=tmp_path) if p.state != "present")
    assert bad.state == "damaged"
    assert words in bad.detail
    assert Path(path).name in bad.detail
    assert "Lay it: parity data fetch digits" in bad.detail
    assert states(places.lay(dataset, cache=tmp_path)) == BOTH


def test_a_damaged_cache_lays_nothing(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    (folder / "train_images").write_bytes(RAW["train_images"][:-1])
    with pytest.raises(DataError, match="train_images: corrupted: MD5 is"):
        places.lay(digits(dead_url()), cache=tmp_path)
    assert not list((tmp_path / "torchvision").rglob("train_images*"))
    assert_tidy(tmp_path)


def test_copies_where_links_are_impossible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("another file system")

    monkeypatch.setattr(os, "link", refuse)
    laid(tmp_path)
    copy = tmp_path / "torchvision" / "Digits" / "raw" / "train_images"
    assert copy.read_bytes() == RAW["train_images"]
    assert copy.stat().st_nlink == 1


def test_an_interrupt_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = laid(tmp_path)
    old = tmp_path / "torchvision" / "Digits" / "raw" / "train_images"
    old.unlink()
    old.write_bytes(b"before")

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        places.lay(dataset, cache=tmp_path)
    assert old.read_bytes() == b"before"
    assert_tidy(tmp_path)


@pytest.mark.parametrize(
    ("blocked", "words"),
    [("torchvision", "name another with --torchvision"), ("keras", "set KERAS_HOME to another")],
)
def test_a_place_that_cannot_be_written(blocked: str, words: str, tmp_path: Path) -> None:
    (filled(tmp_path) / ORIGINAL.name).write_bytes(NPZ)
    (tmp_path / blocked).write_text("a file")
    with pytest.raises(DataError, match=words) as caught:
        places.lay(digits(dead_url()), cache=tmp_path)
    assert "parity data fetch digits" in str(caught.value)


def test_keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert places.keras_home() == tmp_path / "keras"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert places.keras_home() == tmp_path / ".keras"
