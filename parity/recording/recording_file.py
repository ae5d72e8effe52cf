"""The file both sides write: one safetensors file a run, flat keys, text header, no pickle.

Reading is lazy, key by key, and large arrays page by page, so that two recordings of any size can
be compared in little memory. Each array, and the header, is held against its checksum. Writing goes
to a temporary name and is renamed when complete.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError

from parity.core import recording_keys
from parity.core.errors import RecordingError
from parity.core.json_format import FORMAT, READABLE
from parity.recording.mapped_arrays import (
    CHECKSUMS,
    FileLayout,
    checksum,
    read_layout,
    save_file,
)
from parity.recording.thinning import Thinned

Array = NDArray[Any]
REQUIRED = ("format", "example", "side", "precision")
_PER_STEP = frozenset({"loss/curve", "inputs/batches"})
_JSON_FIELDS = frozenset(
    {"versions", "environment", "size", "timings", "facts", "order", "thinned"}
)
_OWN_CHECKSUM = "header_checksum"


@dataclass(frozen=True)
class Header:
    """The text header of a recording.

    Attributes:
        example: name of the example; recordings of different examples are refused.
        side: ``torch``, ``keras``, or any name that another tool gives itself.
        precision: ``float32`` or ``float64``.
        digest: fingerprint of the question; recordings with different ones are refused.
        way: how the side trains, ``loop`` or ``fit``.
        mode: ``matched`` or ``native``.
        nudged: initial weights moved by one ulp.
        seed: of everything random.
        versions: framework, Python, NumPy.
        environment: device, threads, precision switches, platform, commit.
        size: how much data and how many epochs.
        timings: seconds; never compared.
        facts: exact values that are no arrays, such as an exception's class.
        order: keys in the order they came to be, causes first.
        thinned: key → what its array was before it was thinned; see `parity.recording.thinning`.
        code: fingerprint of the source files that made it.
        format: version of this format.
    """

    example: str
    side: str
    precision: str
    digest: str = ""
    way: str = ""
    mode: str = "matched"
    nudged: bool = False
    seed: int = 0
    versions: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    size: dict[str, Any] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    thinned: Mapping[str, Thinned] = field(default_factory=dict)
    code: str = ""
    format: int = FORMAT

    def to_text(self) -> dict[str, str]:
        """The header as safetensors metadata: text to text."""
        return {
            name: json.dumps(value, sort_keys=name != "order")
            if name in _JSON_FIELDS
            else str(value)
            for name, value in dataclasses.asdict(self).items()
        }

    @classmethod
    def from_text(cls, text: Mapping[str, str], origin: str) -> Header:
        """Read metadata; fields this version does not know are ignored.

        Raises:
            RecordingError: a required field is missing, a field cannot be read, or the header is
                not the one that was written.
        """
        absent = [name for name in REQUIRED if name not in text]
        if absent:
            raise RecordingError(
                f"{origin}: the header lacks {', '.join(absent)}; a recording states "
                f"{', '.join(REQUIRED)} in its metadata (docs/recording.md)."
            )
        if text["format"] not in map(str, READABLE):
            raise RecordingError(
                f"{origin}: format {text['format']}, but this version reads format "
                f"{' and '.join(map(str, sorted(READABLE)))}. Record it again with this version."
            )
        if text.get(_OWN_CHECKSUM, own := _checksum(text)) != own:
            raise RecordingError(
                f"{origin}: its header is not the one that was written; the file has changed on "
                "disk. Copy or record it again."
            )
        try:
            values = {
                f.name: _read(f.name, text[f.name])
                for f in dataclasses.fields(cls)
                if f.name in text
            }
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise RecordingError(f"{origin}: unreadable header: {error}.") from error
        if values["precision"] not in ("float32", "float64"):
            raise RecordingError(
                f"{origin}: precision '{values['precision']}'; expected float32 or float64."
            )
        return cls(**values)


def _checksum(text: Mapping[str, str]) -> str:
    """Of all other fields of a header."""
    told = json.dumps({k: v for k, v in text.items() if k != _OWN_CHECKSUM}, sort_keys=True)
    return checksum(np.frombuffer(told.encode(), np.uint8))


def _read(name: str, text: str) -> Any:
    if name in _JSON_FIELDS:
        value = json.loads(text)
        if not isinstance(value, list if name == "order" else dict):
            raise ValueError(f"'{name}' is {text[:40]}")
        texts = {"order": value, "facts": value.values() if isinstance(value, dict) else ()}
        if not all(isinstance(v, str) for v in texts.get(name, ())):
            raise ValueError(f"'{name}' holds more than text: {text[:40]}")
        if name == "thinned" and isinstance(value, dict):
            return {key: Thinned(tuple(one["shape"]), one["digest"]) for key, one in value.items()}
        return tuple(value) if name == "order" else value
    if name in ("seed", "format"):
        return int(text)
    if name == "nudged":
        return text == "True"
    return text


@dataclass(frozen=True)
class Recording:
    """A header and arrays by key, in causal order.

    Attributes:
        header: what made it.
        arrays: key → array; read from disk at each access when the recording is a file.
        origin: words that name it in messages.
    """

    header: Header
    arrays: Mapping[str, Array]
    origin: str = "recording"

    def keys(self) -> tuple[str, ...]:
        """Every key, in the order that the header gives, the rest by name."""
        placed = tuple(k for k in dict.fromkeys(self.header.order) if k in self.arrays)
        return placed + tuple(sorted(set(self.arrays) - set(placed)))

    def __contains__(self, key: str) -> bool:
        return key in self.arrays

    def __getitem__(self, key: str) -> Array:
        return self.arrays[key]

    def elements(self, key: str) -> Array:
        """All elements, or those of a thinned array that were kept, in order."""
        thinned = self.header.thinned.get(key)
        return self[key] if thinned is None else self[key][: thinned.kept]


@dataclass(frozen=True)
class Runs:
    """The recordings of one side.

    Attributes:
        title: its name in words: ``torch``, or ``keras/fit`` where both are of one side.
        float32, float64: the same program in both precisions; one may be missing.
        nudged: the float64 program from initial weights moved by one ulp.
        nudged32: the float32 program from initial weights moved by one ulp of float32; it bounds
            nothing, and is shown where an example asks for it.
    """

    title: str
    float32: Recording | None
    float64: Recording | None
    nudged: Recording | None = None
    nudged32: Recording | None = None

    @property
    def present(self) -> tuple[Recording, ...]:
        """The recordings that are compared."""
        return tuple(r for r in (self.float32, self.float64) if r is not None)

    @property
    def side(self) -> str:
        """``torch`` or ``keras``, as the recordings say."""
        return self.present[0].header.side if self.present else ""


class _FileArrays(Mapping[str, Array]):
    """Arrays of a safetensors file, each read when asked for."""

    def __init__(self, held: FileLayout) -> None:
        self._held = held

    def __getitem__(self, key: str) -> Array:
        if key not in self._held.entries:
            raise KeyError(key)
        try:
            return self._held.load(key)
        except (OSError, TypeError) as error:
            raise RecordingError(
                f"{self._held.path}: cannot read '{key}': {error}. Copy or record it again."
            ) from error

    def __contains__(self, key: object) -> bool:
        return key in self._held.entries  # without reading the array

    def __iter__(self) -> Iterator[str]:
        return iter(self._held.entries)

    def __len__(self) -> int:
        return len(self._held.entries)


def read(path: Path) -> Recording:
    """Open a recording; arrays are read one by one later.

    Raises:
        RecordingError: no such file, not a safetensors file, truncated, another format, or a key
            outside the grammar.
    """
    if not path.is_file():
        raise RecordingError(
            f"No recording at {path}. Make one: parity run EXAMPLE --out {path.parent}"
        )
    try:
        held = read_layout(path)
    except (SafetensorError, OSError) as error:
        raise RecordingError(
            f"{path}: not a complete safetensors file ({error}). It may have been cut short in "
            "copying; copy or record it again."
        ) from error
    header = Header.from_text(held.metadata, str(path))
    try:
        for key in (*held.entries, *header.facts):
            recording_keys.parse_key(key)
        _check_axes({k: len(e.shape) for k, e in held.entries.items() if k in _PER_STEP})
    except RecordingError as error:
        raise RecordingError(f"{path}: {error}") from error
    return Recording(header, _FileArrays(held), str(path))


def _check_axes(axes: Mapping[str, int]) -> None:
    for key, count in axes.items():
        if count != 1:
            raise RecordingError(f"'{key}' has {count} axes: expected one, with one value a step.")


def write(path: Path, arrays: Mapping[str, Array], header: Header) -> None:
    """Write a recording whole or not at all.

    Raises:
        RecordingError: a key outside the grammar, an array that is no number, a full disk, or a
            folder that cannot be written.
    """
    for key in header.facts:
        recording_keys.parse_key(key)
    _check_axes({key: array.ndim for key, array in arrays.items() if key in _PER_STEP})
    for key, array in arrays.items():
        recording_keys.parse_key(key)
        if array.dtype.kind not in "fiub":
            raise RecordingError(f"'{key}' has dtype {array.dtype}: only numbers are recorded.")
    header = dataclasses.replace(header, order=tuple(arrays))
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
        os.close(handle)
        text = header.to_text()
        text[CHECKSUMS] = json.dumps({key: checksum(array) for key, array in arrays.items()})
        text[_OWN_CHECKSUM] = _checksum(text)
        save_file(arrays, temporary, metadata=text)
        os.chmod(temporary, 0o644)  # until here only its owner may read it
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        temporary = None
    except (OSError, SafetensorError) as error:
        raise RecordingError(
            f"Cannot write the recording {path}: {error}. Nothing was changed there; free space "
            "or choose another folder with --out."
        ) from error
    finally:
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)
