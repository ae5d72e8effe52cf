"""The file of a reference: a safetensors file whose text says what it is of (docs/reference.md).

Everything that is no floating-point number lies there compressed: what was asked and answered,
where each element of a value comes from, ids, masks. Arrays that are the same lie there once.
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
import tempfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError

from parity.checker.graph import storage
from parity.checker.graph.graph import Graph
from parity.checker.graph.input_names import Signature
from parity.checker.graph.model_inputs import Fed, Input
from parity.checker.graph.model_interface import Array, Traced
from parity.checker.references import compact_runs, questions
from parity.checker.references.compact_runs import CompactRun
from parity.checker.references.drawn_weights import DrawnWeights, Recipe
from parity.checker.references.questions import Extent
from parity.checker.references.remembering_model import Answer, Memory
from parity.core.errors import ParityError
from parity.core.sides import Side
from parity.recording import mapped_arrays

FORMAT = 2
_TEXT = "parity reference"
"""Key of the text, by which a file is known as a reference."""
_ANSWERS = "answers"
_PACKED = "\N{MULTIPLICATION SIGN}z"
"""At the end of the key of an array that lies compressed in the file."""


class ReferenceFileError(ParityError):
    """A reference that cannot be read or written, or that does not fit what is asked of it."""


@dataclass(frozen=True)
class Header:
    """What a reference is of.

    Attributes:
        side, title: of the model.
        fed: what it was fed, in PyTorch's layout; further sizes and draws behind the first.
        seed, draws, train, steps, keep_weights: as in `CheckRequest`.
        versions: of the framework, of Python and NumPy.
        compact: of runs is kept what cannot be computed again; see `compact_runs`.
    """

    side: Side
    title: str
    fed: tuple[Fed, ...]
    seed: int
    draws: int
    train: bool
    steps: int
    keep_weights: bool
    versions: Mapping[str, str]
    compact: bool = False


@dataclass(frozen=True)
class Reference:
    """A reference as it is read; arrays are read when they are asked for.

    Attributes:
        header: what it is of.
        memory: what was answered.
    """

    header: Header
    memory: Memory


def write(path: Path, reference: Reference) -> None:
    """Write a file whole or not at all.

    Raises:
        ReferenceFileError: it cannot be written.
    """
    filed = _Filed()
    for number, fed in enumerate(reference.header.fed):
        filed.put(f"inputs/{number}", {str(i): a for i, a in enumerate(fed.given or ())})
    answers = [
        _told(answer, partial(filed.put, f"answers/{number}"))
        for number, answer in enumerate(reference.memory.every())
    ]
    told = json.dumps({"answers": answers, "same": filed.same})
    filed.put("", {_ANSWERS: np.frombuffer(told.encode(), np.uint8)})
    text = json.dumps(_header_json(reference.header))
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.stem}-", dir=path.parent)
        os.close(handle)
        try:
            mapped_arrays.save_file(storage.LazyArrays(filed.makers), temporary, {_TEXT: text})
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            Path(temporary).unlink(missing_ok=True)
    except (OSError, SafetensorError) as error:
        raise ReferenceFileError(
            f"Cannot write the reference {path}: {error}. Nothing was changed there."
        ) from error


def read(path: Path) -> Reference:
    """Open a reference.

    Raises:
        ReferenceFileError: it is none, not a whole one, or of another version of the format.
    """
    try:
        layout = mapped_arrays.read_layout(path)
        raw = json.loads(layout.metadata[_TEXT])
        found = raw.get("format")
    except (OSError, SafetensorError, ValueError, KeyError) as error:
        raise ReferenceFileError(
            f"{path} is no reference: {error!r}. Expected a file that `parity record` wrote."
        ) from error
    if found != FORMAT:
        raise ReferenceFileError(
            f"{path} is a reference of format {found}; this version of parity reads format "
            f"{FORMAT}. Record it again: parity record --{raw.get('side', 'torch')} … --out {path}"
        )
    arrays = _FiledArrays(layout)
    everything = json.loads(arrays.under("")[_ANSWERS].tobytes())
    arrays = _FiledArrays(layout, everything["same"])
    memory = Memory()
    for number, told in enumerate(everything["answers"]):
        memory.add(_answer(told, arrays.under(f"answers/{number}/")))
    return Reference(_header(raw, arrays), memory)


def _told(answer: Answer, put: Callable[[Mapping[str, Array]], None]) -> dict[str, Any]:
    """What the text says of an answer, whose arrays are put into the file."""
    told: dict[str, Any] = {"question": answer.question, "failure": answer.failure}
    if answer.extent is not None:
        told["extent"] = dataclasses.asdict(answer.extent)
    match answer.value:
        case Traced(graph, ids):
            told["graph"] = json.loads(graph.to_json())
            put(ids)
        case Signature():
            told["signature"] = dataclasses.asdict(answer.value)
        case DrawnWeights(kept=kept, recipes=recipes, seed=seed):
            told["seed"] = seed
            told["drawn"] = {n: [r.shape, r.quantiles] for n, r in recipes.items()}
            put(kept)
        case CompactRun(whole=whole, spots=spots):
            told["spots"] = compact_runs.listed(spots)
            put({f"whole/{key}": array for key, array in whole.items()})
            put({f"spots/{key}": array for key, array in compact_runs.packed(spots).items()})
        case Mapping() as recorded:
            put(recorded)
        case plain:
            told["value"] = plain
    return told


def _answer(told: Mapping[str, Any], arrays: Mapping[str, Array]) -> Answer:
    value: Any = told.get("value")
    if "graph" in told:
        value = Traced(Graph.from_json(json.dumps(told["graph"])), dict(arrays))
    elif "signature" in told:
        value = Signature.from_json(told["signature"])
    elif "drawn" in told:
        recipes = {n: Recipe(tuple(shape), tuple(q)) for n, (shape, q) in told["drawn"].items()}
        value = DrawnWeights(arrays, recipes, told["seed"])
    elif "spots" in told:
        spots = compact_runs.unpacked(told["spots"], _beneath(arrays, "spots/"))
        value = CompactRun(_beneath(arrays, "whole/"), spots)
    elif told["question"]["do"] in ("record", "weights"):
        value = arrays
    extent = Extent(**told["extent"]) if "extent" in told else None
    return Answer(told["question"], value, told["failure"], extent)


def _header_json(header: Header) -> dict[str, Any]:
    plain = {f.name: getattr(header, f.name) for f in dataclasses.fields(header)}
    fed = [
        {
            "inputs": [dataclasses.asdict(one) for one in some.inputs],
            "given": None if some.given is None else questions.digest(some.given),
        }
        for some in header.fed
    ]
    return {"format": FORMAT, **plain, "versions": dict(header.versions), "fed": fed}


def _header(raw: Mapping[str, Any], arrays: _FiledArrays) -> Header:
    fed = []
    for number, some in enumerate(raw["fed"]):
        given = arrays.under(f"inputs/{number}/")
        inputs = tuple(Input(**{**one, "shape": tuple(one["shape"])}) for one in some["inputs"])
        listed = tuple(given[str(i)] for i in range(len(inputs))) if some["given"] else None
        fed.append(Fed(inputs, listed))
    names = {f.name for f in dataclasses.fields(Header)}
    return Header(**{**{n: raw[n] for n in names}, "fed": tuple(fed)})


class _Filed:
    """Arrays on their way into a file; one at a time is in memory.

    Attributes:
        makers: key in the file → the array.
        same: key of an array that is there already → its key.
    """

    def __init__(self) -> None:
        self.makers: dict[str, Callable[[], Array]] = {}
        self.same: dict[str, str] = {}
        self._known: dict[tuple[str, bool, str], str] = {}

    def put(self, prefix: str, listed: Mapping[str, Array]) -> None:
        """Add arrays, their keys behind a prefix."""
        for key in listed:
            name, array = _filed(f"{prefix}/{key}" if prefix else key, np.asarray(listed[key]))
            form = array.dtype.str, name.endswith(storage.PAIRS), questions.digest([array])
            known = self._known.setdefault(form, name)
            if known != name:
                self.same[name] = known
                continue
            packed = array if name.endswith(_PACKED) else None
            self.makers[name] = partial(_again, listed, key, packed)


class _FiledArrays:
    """The arrays of a file, read one at a time when asked for.

    Args:
        layout: of the file.
        same: key → that of the same array.
    """

    def __init__(
        self, layout: mapped_arrays.FileLayout, same: Mapping[str, str] | None = None
    ) -> None:
        self._layout = layout
        self._keys = {**{key: key for key in layout.entries}, **(same or {})}

    def under(self, prefix: str) -> Mapping[str, Array]:
        """Those whose keys begin so, by what follows."""
        layout = self._layout
        return storage.LazyArrays(
            {
                _plain(name).removeprefix(prefix): lambda key=key: _unfiled(key, layout.load(key))  # type: ignore[misc]
                for name, key in self._keys.items()
                if name.startswith(prefix)
            }
        )


def _beneath(arrays: Mapping[str, Array], prefix: str) -> Mapping[str, Array]:
    keys = [key for key in arrays if key.startswith(prefix)]
    return storage.LazyArrays(
        {key.removeprefix(prefix): partial(arrays.__getitem__, key) for key in keys}
    )


def _plain(key: str) -> str:
    return key.removesuffix(_PACKED).removesuffix(storage.PAIRS)


def _again(listed: Mapping[str, Array], key: str, packed: Array | None) -> Array:
    return _filed(key, np.asarray(listed[key]))[1] if packed is None else packed


def _filed(key: str, array: Array) -> tuple[str, Array]:
    if np.iscomplexobj(array):
        return key + storage.PAIRS, storage.pairs(array)
    if array.dtype.kind == "f":
        return key, array
    packed = io.BytesIO()
    np.save(packed, array, allow_pickle=False)
    return key + _PACKED, np.frombuffer(zlib.compress(packed.getvalue()), np.uint8)


def _unfiled(key: str, array: Array) -> Array:
    if not key.endswith(_PACKED):
        return storage.unpaired(key, array)
    found: Array = np.load(io.BytesIO(zlib.decompress(array.tobytes())), allow_pickle=False)
    return found
