"""Runs without most of their numbers: what NumPy recomputes, and of the rest some places.

**Recomputed.** Values of nodes and outputs in float64, where NumPy gives them to float64's rounding
when the reference is written: then it does so when it is read. What NumPy cannot tell is kept
whole, and what follows is computed from that. In float32, and where constants were nudged, each is
the float64 number, but at the places where it is furthest from that: by these noise is measured.

**Sampled.** Gradients, what training leaves, and the outputs of a single sample: of more than `FEW`
numbers some places, drawn, half of them where numbers are large, and the peaks. All others are
`unseen`.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checker.graph import unseen
from parity.checker.graph.model_interface import Array, Mode, Traced
from parity.checker.references import recomputing
from parity.checker.references.recomputing import Recomputed
from parity.comparator.noise import U32
from parity.core import blockwise
from parity.operations.function import NotInterpretable

FEW = 24
"""Arrays of so many numbers are sampled whole."""
PLACES = 16
"""Of each larger one are drawn, besides two or three peaks."""
NOTE = (
    f"By a compact reference: gradients and what training leaves are compared at {PLACES} places "
    f"of each array of more than {FEW} numbers, and with the largest; layers and outputs whole."
)
ELSEWHERE = 4.0
"""How many times as far as at first a value may be from the recorded one on another machine."""
_FLOATS = tuple(np.dtype(name) for name in ("float32", "float64"))


@dataclass(frozen=True)
class Spots:
    """Numbers of an array at some places.

    Attributes:
        shape, dtype: of the array.
        recomputed: what stands elsewhere is computed; else nobody knows.
        places: in the flattened array, ascending.
        numbers: at these; float64 for float64, float32 for float32.
    """

    shape: tuple[int, ...]
    dtype: str
    recomputed: bool
    places: NDArray[np.uint32]
    numbers: Array

    def over(self, base: Array | None) -> Array:
        """The array.

        Args:
            base: what stands elsewhere, if that is known; of any precision.
        """
        kind = np.dtype(self.dtype)
        # In order, or else its flat form is a copy.
        known = None if base is None else np.array(base, kind, order="C")
        found = unseen.array(self.shape, kind) if known is None else known
        found.reshape(-1)[self.places] = self.numbers
        return found


@dataclass(frozen=True)
class CompactRun(Mapping[str, Array]):
    """What is kept of a run.

    Attributes:
        whole: arrays that are kept as they are.
        spots: the others.
    """

    whole: Mapping[str, Array]
    spots: Mapping[str, Spots]

    def __getitem__(self, key: str) -> Array:
        return self.whole[key] if key in self.whole else self.spots[key].over(None)

    def __iter__(self) -> Iterator[str]:
        yield from self.whole
        yield from self.spots

    def __len__(self) -> int:
        return len(self.whole) + len(self.spots)


@dataclass(frozen=True)
class Ran:
    """What a run's values follow from.

    Attributes:
        traced: the model, as it was traced last.
        inputs: in this side's layout.
        weights: id → canonical array.
        mode: of the run.
    """

    traced: Traced
    inputs: Sequence[Array]
    weights: Mapping[str, Array]
    mode: Mode

    @property
    def as_traced(self) -> bool:
        """Whether it was run on inputs of the shapes that it was traced with."""
        return [v.shape for v in self.traced.graph.inputs] == [a.shape for a in self.inputs]


def compacted(
    ran: Ran,
    double: Mapping[str, Array],
    single: Mapping[str, Array] | None,
    nudged: Mapping[str, Array] | None,
) -> tuple[CompactRun, CompactRun | None, CompactRun | None]:
    """What is to be kept of one run in both precisions, and of that with nudged constants.

    Args:
        ran: what its values follow from.
        double, single, nudged: what was recorded.
    """
    runs = [double, single, nudged]
    whole: list[dict[str, Array]] = [{} for _ in runs]
    spots: list[dict[str, Spots]] = [{} for _ in runs]
    told = _told(ran, double, single)
    for key in double:
        if not ran.as_traced and not key.startswith("outputs/"):
            continue  # of a single sample the outputs are compared, and nothing else
        every = [None if run is None or key not in run else np.asarray(run[key]) for run in runs]
        valued = ran.as_traced and key.startswith(("values/", "outputs/"))
        places = _places(key, [a for a in every if a is not None], key in told, valued=valued)
        for at, array in enumerate(every):
            if array is None:
                continue
            if places is None or (valued and at == 0 and key not in told):
                whole[at][key] = array
            else:
                numbers = array.reshape(-1)[places]
                spots[at][key] = Spots(array.shape, array.dtype.str, valued, places, numbers)
    kept = [CompactRun(*one) for one in zip(whole, spots, strict=True)]
    return kept[0], None if single is None else kept[1], None if nudged is None else kept[2]


def _places(
    key: str, arrays: Sequence[Array], told: bool, *, valued: bool
) -> NDArray[np.uint32] | None:
    """Where an array is to be known beside what is told of it; None: everywhere.

    Args:
        key: of the array.
        arrays: of the run in float64 first, and of the others.
        told: NumPy gives the first.
        valued: where it is not known it is told, or kept whole in float64.
    """
    first, *others = arrays
    if first.dtype != np.float64:
        same = all(a.dtype == first.dtype and np.array_equal(a, first) for a in others)
        return np.zeros(0, np.uint32) if told and same else None
    if any(a.shape != first.shape or a.dtype not in _FLOATS for a in others):
        return None
    if valued:
        return _peaks(first, others, key) if all(_odd_alike(first, a) for a in others) else None
    finite = all(np.all(np.isfinite(a)) for a in arrays)
    return _drawn(first, others, key) if finite else None


def _told(ran: Ran, double: Mapping[str, Array], single: Mapping[str, Array] | None) -> set[str]:
    """Keys of a run that NumPy gives."""
    told, graph = set(), ran.traced.graph
    made = Recomputed(ran.traced, _in_float64(ran.inputs), ran.weights, ran.mode)
    names = {value.id for node in graph.nodes for value in node.values}
    for key in double:
        name = key.removeprefix("values/")
        if name != key and name not in names:
            made[name] = np.asarray(double[key])

    def is_told(key: str, array: Array | None) -> bool:
        recorded = np.asarray(double[key])
        other = None if single is None else single.get(key)
        alike = other is not None and other.shape == recorded.shape
        floats = recorded.dtype.kind == "f"
        noise = blockwise.apart(np.asarray(other), recorded) if alike and floats else 0.0
        return recomputing.is_same(array, recorded, noise)

    for node in graph.nodes:
        found = made.node(node)
        for value in node.values:
            key, array = f"values/{value.id}", found.get(value.id)
            if key not in double:
                if array is not None:
                    made[value.id] = array
            elif is_told(key, array):
                assert array is not None
                told.add(key)
                made[value.id] = array
            else:
                made[value.id] = np.asarray(double[key])
    for i, source in enumerate(graph.outputs):
        try:
            output = made.source(source)
        except NotInterpretable:
            continue
        if f"outputs/{i}" in double and is_told(f"outputs/{i}", output):
            told.add(f"outputs/{i}")
    return told


def recomputed(ran: Ran, double: CompactRun) -> dict[str, Array]:
    """The values and outputs of a run in float64: those that are kept, and what follows from them.

    Args:
        ran: what they follow from.
        double: what is kept of the run in float64.
    """
    made = Recomputed(ran.traced, _in_float64(ran.inputs), ran.weights, ran.mode)
    made.update(
        {
            key.removeprefix("values/"): np.asarray(array)
            for key, array in double.whole.items()
            if key.startswith("values/")
        }
    )
    for node in ran.traced.graph.nodes:
        if any(f"values/{value.id}" not in double.whole for value in node.values):
            for name, array in made.node(node).items():
                made.setdefault(name, array)
    found = dict(double.whole)
    for key in double.spots:
        kind, _, name = key.partition("/")
        if kind == "values" and name in made:
            found[key] = made[name]
        elif kind == "outputs" and double.spots[key].recomputed:
            found[key] = made.source(ran.traced.graph.outputs[int(name)])
    return found


def differing(double: CompactRun, made: Mapping[str, Array], single: CompactRun | None) -> str:
    """The first value that is not what it was where the reference was written; else ''."""
    for key, spots in double.spots.items():
        if not spots.recomputed:
            continue
        array = made.get(key)
        if array is None or array.shape != spots.shape:
            return key
        numbers = np.asarray(array).reshape(-1)[spots.places]
        noise = U32 * blockwise.largest(array)
        if single is not None and key in single.spots:
            noise = max(noise, blockwise.apart(single.spots[key].numbers, spots.numbers))
        if not recomputing.is_same(numbers, spots.numbers, ELSEWHERE * noise):
            return key
    return ""


class Restored(Mapping[str, Array]):
    """A compact run, each array made when it is asked for.

    Args:
        kept: what was kept of it.
        base: the float64 numbers of values and outputs: key → array.
    """

    def __init__(self, kept: CompactRun, base: Callable[[], Mapping[str, Array]]) -> None:
        self._kept, self._base = kept, base

    def __getitem__(self, key: str) -> Array:
        spots = self._kept.spots.get(key)
        if spots is None:
            return np.asarray(self._kept.whole[key])
        return spots.over(self._base()[key] if spots.recomputed else None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, key: object) -> bool:
        return key in self._kept.spots or key in self._kept.whole


def _in_float64(inputs: Sequence[Array]) -> list[Array]:
    return [a.astype(np.float64) if a.dtype.kind == "f" else np.asarray(a) for a in inputs]


def _odd_alike(double: Array, other: Array) -> bool:
    """Whether what is not finite is the same when the float64 numbers are taken for the other's."""
    with np.errstate(over="ignore"):
        made = double.astype(other.dtype)
    odd = ~np.isfinite(made)
    return np.array_equal(odd, ~np.isfinite(other)) and np.array_equal(
        made[odd], other[odd], equal_nan=True
    )


def _peaks(array: Array, others: Sequence[Array], key: str) -> NDArray[np.uint32]:
    """Where other runs are furthest from this one, and one place more."""
    if not array.size:
        return np.zeros(0, np.uint32)
    flat = blockwise.finite(array).reshape(-1)
    apart = [np.argmax(np.abs(blockwise.finite(o).reshape(-1) - flat)) for o in others]
    return np.unique([*apart, zlib.crc32(key.encode()) % flat.size]).astype(np.uint32)


def _drawn(array: Array, others: Sequence[Array], key: str) -> NDArray[np.uint32]:
    """The peaks, and places that are drawn: half of them by how large the numbers are."""
    if array.size <= FEW:
        return np.arange(array.size, dtype=np.uint32)
    rng = np.random.default_rng(zlib.crc32(key.encode()))
    sizes = np.cumsum(np.abs(array.reshape(-1)))
    large = np.searchsorted(sizes, rng.random(PLACES // 2) * sizes[-1])
    drawn = [*rng.integers(array.size, size=PLACES // 2), *np.minimum(large, array.size - 1)]
    return np.unique([*_peaks(array, others, key), int(np.argmax(np.abs(array))), *drawn]).astype(
        np.uint32
    )


def listed(spots: Mapping[str, Spots]) -> list[list[object]]:
    """What a file says of spots, besides their places and numbers."""
    return [
        [key, list(one.shape), one.dtype, one.recomputed, len(one.places)]
        for key, one in spots.items()
    ]


def packed(spots: Mapping[str, Spots]) -> dict[str, Array]:
    """The places and the numbers of spots, one after the other."""
    every = list(spots.values())
    return {
        "places": np.concatenate([np.zeros(0, np.uint32), *(one.places for one in every)]),
        **{
            kind: np.concatenate(
                [np.zeros(0, kind), *(o.numbers for o in every if o.dtype == kind)]
            )
            for kind in dict.fromkeys(one.dtype for one in every)
            if kind in ("<f4", "<f8")
        },
    }


def unpacked(told: Sequence[Sequence[object]], arrays: Mapping[str, Array]) -> dict[str, Spots]:
    """Spots from what a file says of them."""
    at, begun, spots = 0, {"<f4": 0, "<f8": 0}, {}
    for key, shape, dtype, recomputed_, count in told:
        size, kind = int(str(count)), str(dtype)
        places = arrays["places"][at : at + size]
        at += size
        numbers = np.zeros(0, kind)
        if kind in begun:
            numbers = arrays[kind][begun[kind] : begun[kind] + size]
            begun[kind] += size
        shapes = tuple(int(n) for n in shape)  # type: ignore[attr-defined]
        spots[str(key)] = Spots(shapes, kind, bool(recomputed_), places, numbers)
    return spots
