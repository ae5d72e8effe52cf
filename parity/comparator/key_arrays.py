"""One quantity of two sides: all its arrays, and what one pass over them finds."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core import blockwise, recording_keys
from parity.recording.recording_file import Recording, Runs
from parity.recording.thinning import Thinned, thin

Array = NDArray[Any]


@dataclass(frozen=True)
class KeyArrays:
    """One key's arrays: both sides in both precisions, and both nudged runs, where recorded."""

    left32: Array | None
    left64: Array | None
    right32: Array | None
    right64: Array | None
    left_nudged: Array | None = None
    right_nudged: Array | None = None

    @classmethod
    def read(cls, key: str, left: Runs, right: Runs) -> KeyArrays:
        """Read one key from every recording that has it."""
        runs = (left.float32, left.float64, right.float32, right.float64, left.nudged, right.nudged)
        having = [r if r is not None and key in r else None for r in runs]
        if any(r is not None and key in r.header.thinned for r in having):
            return _thinned(key, having)
        return cls(*(None if r is None else r[key] for r in having))

    @property
    def pairs(self) -> tuple[tuple[Array, Array], ...]:
        """(left, right) of each precision that both sides have."""
        both = ((self.left32, self.right32), (self.left64, self.right64))
        return tuple((a, b) for a, b in both if a is not None and b is not None)

    @property
    def elements(self) -> KeyArrays:
        """The arrays as far as they are elements, in order, of the quantity itself."""
        return self

    def place(self, flat: int) -> tuple[int, ...]:
        """Index in the quantity of the arrays' element `flat`; empty where it is none."""
        shape = self.best[0].shape
        return tuple(int(i) for i in np.unravel_index(flat, shape)) if 0 not in shape else ()

    @property
    def four(self) -> bool:
        """Both precisions of both sides are there, so noise can be measured."""
        return len(self.pairs) == 2

    @property
    def best(self) -> tuple[Array, Array]:
        """The pair of the highest precision."""
        return self.pairs[-1]

    @functools.cached_property
    def extent(self) -> blockwise.Extent:
        """What is to be known of all elements, found in one pass; needs all `four`, of one shape.

        A nudged run of another shape is a finding of its own and measures nothing.
        """
        (left32, right32), (left64, right64) = self.pairs
        nudged = [
            a if a is not None and a.shape == left64.shape else None
            for a in (self.left_nudged, self.right_nudged)
        ]
        return blockwise.measure((left32, right32, left64, right64), nudged)

    @functools.cached_property
    def alike(self) -> tuple[tuple[bool, bool], ...]:
        """Of each pair, whether it is equal and whether it is finite."""
        return tuple(blockwise.alike(a, b) for a, b in self.pairs)

    @property
    def alike_in_form(self) -> bool:
        """All four are there, floating numbers of one shape and not empty: they can be measured."""
        arrays = [a for pair in self.pairs for a in pair]
        return (
            len(arrays) == 4
            and len({a.shape for a in arrays}) == 1
            and all(a.dtype.kind == "f" and a.size for a in arrays)
        )


@dataclass(frozen=True)
class _ThinnedArrays(KeyArrays):
    """Arrays of which some elements and sums are kept (`parity.recording.thinning`).

    Attributes:
        thinned: what each was before; the six in the order of the arrays.
    """

    thinned: tuple[Thinned | None, ...] = ()

    @classmethod
    def of(
        cls, arrays: Iterable[Array | None], thinned: Sequence[Thinned | None]
    ) -> _ThinnedArrays:
        """Six arrays, and what they were."""
        left32, left64, right32, right64, *nudged = arrays
        return cls(left32, left64, right32, right64, nudged[0], nudged[1], tuple(thinned))

    @property
    def elements(self) -> KeyArrays:
        """The kept elements, without the sums."""
        return KeyArrays(
            *(None if a is None or t is None else a[: t.kept] for a, t in self._every())
        )

    def place(self, flat: int) -> tuple[int, ...]:
        """Index in the whole array; empty for a sum."""
        return next(t for t in self.thinned if t is not None).place(flat) or ()

    @functools.cached_property
    def extent(self) -> blockwise.Extent:
        """As of any arrays; but equal are only those whose digests are."""
        found = KeyArrays(*(a for a, _ in self._every())).extent
        same32, same64 = (one == other for one, other in self._digests())
        return replace(found, same32=found.same32 and same32, same64=found.same64 and same64)

    @functools.cached_property
    def alike(self) -> tuple[tuple[bool, bool], ...]:
        """As of any arrays; but equal are only those whose digests are."""
        found = KeyArrays(*(a for a, _ in self._every())).alike
        return tuple(
            (same and one == other, whole)
            for (same, whole), (one, other) in zip(found, self._digests(), strict=True)
        )

    def _every(self) -> list[tuple[Array | None, Thinned | None]]:
        mine = (
            self.left32,
            self.left64,
            self.right32,
            self.right64,
            self.left_nudged,
            self.right_nudged,
        )
        return list(zip(mine, self.thinned, strict=True))

    def _digests(self) -> list[tuple[str, str]]:
        """Of left and right, in each precision that both have."""
        both = (self.thinned[0], self.thinned[2]), (self.thinned[1], self.thinned[3])
        return [(a.digest, b.digest) for a, b in both if a is not None and b is not None]


def _thinned(key: str, recordings: Sequence[Recording | None]) -> KeyArrays:
    """One key of recordings of which one or more are thinned; the others are thinned here.

    Of arrays of unlike shapes nothing but that is to be said; so they are stood for by zeros,
    which take no memory, in `_ThinnedArrays` without elements.
    """
    arrays = [None if r is None else r[key] for r in recordings]
    told = [
        None if r is None or a is None else r.header.thinned.get(key) or Thinned.of(a)
        for r, a in zip(recordings, arrays, strict=True)
    ]
    if len({t.shape for t in told if t is not None}) > 1:
        empty = (
            None if a is None or t is None else np.broadcast_to(np.zeros((), a.dtype), t.shape)
            for a, t in zip(arrays, told, strict=True)
        )
        return _ThinnedArrays.of(empty, [None] * len(told))
    kept = (
        thin(a) if a is not None and r is not None and key not in r.header.thinned else a
        for r, a in zip(recordings, arrays, strict=True)
    )
    return _ThinnedArrays.of(kept, told)


@dataclass(frozen=True)
class RecordedKeys:
    """The quantities of two sides; what was measured is kept, the arrays are not.

    The horizon asks of the weights what their findings ask again; a gigabyte is not read twice for
    that, nor held in between.

    Attributes:
        left, right: the recordings.
        known: key → what was found.
    """

    left: Runs
    right: Runs
    known: dict[str, blockwise.Extent] = field(default_factory=dict)

    def read(self, key: str) -> KeyArrays:
        """The arrays of a key, as far as recorded; nudged ones where they are a yardstick."""
        quad, parsed = KeyArrays.read(key, self.left, self.right), recording_keys.parse_key(key)
        # Up to the first step noise is the yardstick. The weights after it are an exception: they
        # are judged by noise, but the horizon begins with them.
        if not (parsed.level in ("L4", "L5") or (parsed.stage == "weights" and parsed.step)):
            quad = replace(quad, left_nudged=None, right_nudged=None)
        if key in self.known:
            vars(quad)["extent"] = self.known[key]  # the property's own memory
        return quad

    def measure(self, key: str) -> blockwise.Extent | None:
        """What is to be known of a key; None where its arrays cannot be measured together."""
        if key not in self.known:
            quad = self.read(key)
            if not quad.alike_in_form:
                return None
            self.known[key] = quad.extent
        return self.known[key]
