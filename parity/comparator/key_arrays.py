"""One quantity of two sides: all its arrays, and what one pass over them finds."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import Any

from numpy.typing import NDArray

from parity.core import blockwise, recording_keys
from parity.recording.recording_file import Runs

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
        return cls(*(r[key] if r is not None and key in r else None for r in runs))

    @property
    def pairs(self) -> tuple[tuple[Array, Array], ...]:
        """(left, right) of each precision that both sides have."""
        both = ((self.left32, self.right32), (self.left64, self.right64))
        return tuple((a, b) for a, b in both if a is not None and b is not None)

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
