"""`ReportInput`: a verdict with the recordings it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from parity.core.sides import SIDES
from parity.recording.recording_file import Recording, Runs
from parity.spec.example import ComparedPair, ExampleSpec
from parity.verdict.judgement import ExampleVerdict, PairVerdict

SHORT = {"torch": "PyTorch", "keras": "Keras"}
"""Names of the sides in sentences and legends; headings use `parity.core.sides.TITLES`."""


@dataclass(frozen=True)
class ReportInput:
    """A verdict with the recordings it was made from.

    Attributes:
        verdict: on one example.
        runs: way id (``torch/loop``) → its recordings, read key by key when asked for.
        data: which data, in a line for people; empty for values-only examples.
    """

    verdict: ExampleVerdict
    runs: Mapping[str, Runs]
    data: str = ""

    @property
    def spec(self) -> ExampleSpec:
        """What the example is."""
        return self.verdict.spec

    def sides(self, pair: ComparedPair) -> tuple[Runs, Runs]:
        """The recordings of both sides of a pair."""
        return self.runs[pair.left], self.runs[pair.right]

    def headline(self) -> tuple[PairVerdict, Runs, Runs]:
        """The first pair, with its recordings."""
        first = self.verdict.headline
        return (first, *self.sides(first.pair))

    def first_of(self, side: str) -> Runs | None:
        """The recordings of a side's first way that was run."""
        ids = [way.id for way in self.spec.ways if way.side == side and way.id in self.runs]
        return self.runs[ids[0]] if ids else None

    def by_side(self) -> dict[str, Recording]:
        """Side → a recording that stands for it: its first way, float32 where there is one."""
        firsts = {side: self.first_of(side) for side in SIDES}
        return {side: runs.present[0] for side, runs in firsts.items() if runs and runs.present}


def side_names(spec: ExampleSpec, pair: ComparedPair) -> tuple[str, str]:
    """Names of a pair's sides for people: PyTorch and Keras, or two ways of one side."""
    left, right = (id_.partition("/")[0] for id_ in (pair.left, pair.right))
    if left != right:
        return SHORT.get(left, left), SHORT.get(right, right)
    titles = {way.id: way.title for way in spec.ways}
    name = SHORT.get(left, left)
    return f"{name} {titles[pair.left]}", f"{name} {titles[pair.right]}"
