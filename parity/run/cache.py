"""What was found before, kept beside the recordings and taken only while all it came from is equal.

Two things are kept of an example: its verdict, and which pages were drawn from it. Each carries a
key, a digest of everything that it depends on: the recordings, the sources that compare and draw,
those of the example itself, the versions installed, and what was asked. What is not certain to be
unchanged is found anew.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from parity.comparator.noise import Finding
from parity.core.sides import BACKENDS, SIDES
from parity.diagnosis.causes import Cause
from parity.recording import provenance
from parity.spec.example import ExampleSpec, Size
from parity.spec.suite import Suite
from parity.verdict.judgement import ExampleVerdict, Level, PairVerdict

_PACKAGES = ("numpy", "matplotlib", "jinja2", "scikit-learn")
_APART = ("checker", "torch_side", "keras_side")
"""Packages of the tool that no verdict and no page comes from, but for what is recorded."""
VERDICT, PAGES = "verdict.json", "pages.json"
VERDICTS = "verdict*.json"
"""Beside that on a lesson those on its Keras program on other backends."""


def key(spec: ExampleSpec, recordings: Sequence[Path], asked: Sequence[str]) -> str:
    """Digest of all that a verdict and its pages depend on; empty where a recording is missing.

    Args:
        spec: the example.
        recordings: every file that is compared.
        asked: what else was asked, as words: pairs, size, data.
    """
    parts = [*asked, *_versions()]
    try:
        for path in recordings:
            parts.append(f"{path.name} {_stamp(path)}")
    except OSError:
        return ""
    parts += [provenance.code_digest(side, spec.name) for side in (*SIDES, *_backends(spec))]
    parts += [f"{file.relative_to(provenance.ROOT)} {_digest(file)}" for file in sources(spec)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def sources(spec: ExampleSpec) -> list[Path]:
    """Source files and templates that can change the verdict on an example, or its pages."""
    tool, shared = provenance.ROOT / "parity", provenance.ROOT / "shared"
    folders = [f for f in tool.iterdir() if f.is_dir() and f.name not in _APART]
    found = [*shared.glob("*.py"), *(f for folder in folders for f in folder.rglob("*.py"))]
    found += tool.rglob("*.j2")
    own = shared / "examples" / f"{spec.name}.py"
    found += _imported(own) if own.is_file() else shared.joinpath(spec.name).rglob("*.py")
    # Pages show the lessons whole, comments and all.
    found += [file for side in SIDES for file in provenance.twin_files(side, spec.name)]
    return sorted(found)


def _imported(file: Path) -> list[Path]:
    """An example's file and those beside it that it takes something from."""
    found, waiting = [], [file]
    while waiting:
        file = waiting.pop()
        if file in found or not file.is_file():
            continue
        found.append(file)
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("shared."):
                module = provenance.ROOT / str(node.module).replace(".", "/")
                beside = [module.with_suffix(".py"), *(module / f"{n.name}.py" for n in node.names)]
                waiting += [f for f in beside if f.parent == file.parent]
    return found


@functools.cache
def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@functools.cache
def _versions() -> tuple[str, ...]:
    return (platform.python_version(), *(_version(name) for name in _PACKAGES))


def _version(package: str) -> str:
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"no {package}"


def verdict(folder: Path, spec: ExampleSpec, found_by: str) -> ExampleVerdict | None:
    """The verdict that was kept under this key, or None."""
    kept = _read(folder / _file(spec), found_by)
    try:
        return _verdict(spec, kept["found"]) if kept else None
    except (KeyError, TypeError, ValueError, IndexError):
        return None  # written by hand or cut short: found anew


def keep_verdict(folder: Path, found_by: str, result: ExampleVerdict) -> None:
    """Keep a verdict under a key."""
    pairs = [
        {
            **dataclasses.asdict(pair),
            "pair": pair.pair.name,
            "first": pair.findings.index(pair.first) if pair.first else None,
        }
        for pair in result.pairs
    ]
    found = {"pairs": pairs, "chosen": result.chosen, "seconds": dict(result.seconds)}
    _write(folder / _file(result.spec), {"key": found_by, "found": found})


def _backends(spec: ExampleSpec) -> list[str]:
    """The sides of an example on which Keras runs on another backend."""
    own = {way.side for way in spec.ways}
    return [side for side in BACKENDS.values() if side in own]


def _file(spec: ExampleSpec) -> str:
    return "-".join([VERDICT.removesuffix(".json"), *_backends(spec)]) + ".json"


def _verdict(spec: ExampleSpec, found: Mapping[str, Any]) -> ExampleVerdict:
    pairs = {pair.name: pair for pair in spec.pairs}
    return ExampleVerdict(
        spec,
        tuple(_pair(pairs[p["pair"]], p) for p in found["pairs"]),
        chosen=found["chosen"],
        seconds=found["seconds"],
    )


def _pair(pair: Any, found: Mapping[str, Any]) -> PairVerdict:
    findings = tuple(
        Finding(
            **{
                **f,
                "sides": tuple(f["sides"]),
                "index": None if f["index"] is None else tuple(f["index"]),
            }
        )
        for f in found["findings"]
    )
    return PairVerdict(
        **{
            **found,
            "pair": pair,
            "findings": findings,
            "first": None if found["first"] is None else findings[found["first"]],
            "levels": {name: Level(**level) for name, level in found["levels"].items()},
            "others": tuple(found["others"]),
            "causes": tuple(_cause(c) for c in found["causes"]),
            "precisions": tuple(found["precisions"]),
            "agreement": {name: tuple(counts) for name, counts in found["agreement"].items()},
        }
    )


def _cause(found: Mapping[str, Any]) -> Cause:
    sides = {side: (found[side][0], found[side][1]) for side in ("left", "right")}
    return Cause(**{**found, **sides, "places": tuple(map(tuple, found["places"]))})


def drawn(folder: Path, found_by: str, pages: Path) -> bool:
    """Whether the pages in a folder are, byte for byte, those that were drawn under this key."""
    kept = _read(folder / PAGES, found_by)
    files = kept.get("files") if kept and kept.get("folder") == str(pages.resolve()) else None
    if not isinstance(files, dict) or not files:
        return False
    try:
        return all(_content(pages / name) == digest for name, digest in files.items())
    except OSError:
        return False


def keep_drawn(folder: Path, found_by: str, pages: Path, written: Sequence[Path]) -> None:
    """Remember which pages were drawn under a key."""
    files = {path.relative_to(pages).as_posix(): _content(path) for path in written}
    _write(folder / PAGES, {"key": found_by, "folder": str(pages.resolve()), "files": files})


@dataclasses.dataclass(frozen=True)
class Data:
    """What a request needs to know of its data.

    Attributes:
        checksum: of the arrays.
        words: which data, for people.
    """

    checksum: str
    words: str


def dataset(suite: Suite, folder: Path, name: str, size: Size, *, reuse: bool) -> Data:
    """Load and verify data, unless this was done before with the very same files.

    Raises:
        DataError: it is missing or damaged.
    """
    asked, found_by = str((name, size.part, size.train, size.test)), _data_key(suite, name)
    path = folder / f"data-{hashlib.sha256(asked.encode()).hexdigest()[:12]}.json"
    kept = _read(path, found_by) if reuse else None
    if kept and {"checksum", "words"} <= kept.keys():
        return Data(kept["checksum"], kept["words"])
    loaded = suite.load(name, size.part, train=size.train, test=size.test)
    found = Data(loaded.checksum, loaded.describe())
    if reuse and _data_key(suite, name) == found_by:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
        _write(path, {"key": found_by, **dataclasses.asdict(found)})
    return found


def _data_key(suite: Suite, name: str) -> str:
    """Digest of the files that a dataset is read from, and of what reads them."""
    files = suite.data_files(name)
    parts = [f"{file} {_stamp(file)}" for file in files.content]
    parts += [_digest(file) for file in files.sources]
    return hashlib.sha256("\0".join([*parts, *_versions()]).encode()).hexdigest()


def _stamp(path: Path) -> str:
    state = path.stat()
    return f"{state.st_ino} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns}"


def _content(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read(path: Path, found_by: str) -> dict[str, Any] | None:
    try:
        kept = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    good = isinstance(kept, dict) and found_by and kept.get("key") == found_by
    return kept if good else None


def _write(path: Path, document: Mapping[str, Any]) -> None:
    """Whole or not at all; what cannot be kept is found anew the next time."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, default=lambda value: value.item())
        os.replace(temporary, path)
    except OSError:
        return
