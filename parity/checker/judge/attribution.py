"""Which pairs diverge by themselves: each in the run, and alone where its inputs differ already."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from types import MappingProxyType

import numpy as np

from parity.checker.align.matches import Link, Match, indices, root_places, source_text
from parity.checker.align.untraced import is_untraced
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.canonical.folding import COMPUTED
from parity.checker.canonical.split_layers import contrary, spread
from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import DiskSpill
from parity.checker.judge import comparing, masking
from parity.checker.judge.judging import LEVEL, RecordedRuns
from parity.checker.judge.regions import (
    DifferingRegion,
    Region,
    behind,
    is_written_otherwise,
    without_effect,
)
from parity.checker.judge.stages import Stages
from parity.checker.judge.untraced_views import is_doubtful
from parity.checker.result.check_result import LayerStatus
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import U32, U64, C, Finding
from parity.core.errors import ParityError
from parity.core.sides import Precision, Side

_GIVEN = ("constant:", "parameter:")
ROUNDED = 64.0
"""Units of float32's rounding of the largest number: an angle's own rounding grows with it.

The angle of position 40 is rounded by up to 32 units of 1, and its sine is off by as much. A table
of other frequencies is off by its own size, 10⁷ units.
"""
_AS_IS: Mapping[Source, Mapping[Precision, Array]] = MappingProxyType({})
Replay = Callable[[str, Sequence[Array], Precision], Mapping[str, Array]]


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class AttributedLayer:
    """What was found of one matched pair.

    Attributes:
        match: the pair.
        status: see `parity.checker.result.check_result.LayerStatus`.
        finding: in the run.
        alone: on the partner's input.
        linked: its sources correspond and agree.
        between: names of operations without a partner that stand before it, each side's.
        inputs: gives the sources of the right's node, in its layout, float64, that `output` was
            computed from.
        output: gives the right's output on them, float64.
        rewired: where the two take a source from, in words, if that is what differs.
        rewired_kind: ``wiring``, or ``axis`` where it is the same numbers in another order.
        rewired_sure: not where one side takes a weight that has no partner: its numbers are its own
            in any case; nor where the right does not have what the left takes.
    """

    match: Match
    status: LayerStatus
    finding: Finding | None
    alone: Finding | None = None
    linked: bool = True
    between: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    inputs: Callable[[], tuple[Array, ...] | None] = _nothing
    output: Callable[[], Array | None] = _nothing
    rewired: tuple[str, str] | None = None
    rewired_kind: str = "wiring"
    rewired_sure: bool = True


@dataclass
class LayerAttribution:
    """Judges every pair in the order of execution, alone where its inputs differ already."""

    comparison: ModelComparison
    recorded: RecordedRuns
    findings: Mapping[str, Finding]
    replay: Replay
    stages: Stages = field(default_factory=Stages)
    agreeing: dict[str, bool] = field(default_factory=dict)
    made_up: set[str] = field(default_factory=set)
    following: dict[str, Finding] = field(default_factory=dict)
    spill: DiskSpill = field(default_factory=DiskSpill)
    parted: set[str] = field(default_factory=set)
    doubtful: set[str] = field(default_factory=set)
    unlike: list[Region] = field(default_factory=list)
    differing: list[DifferingRegion] = field(default_factory=list)
    ended: tuple[dict[str, set[str]], dict[str, set[str]]] = field(default_factory=lambda: ({}, {}))

    def judge_all(self) -> list[AttributedLayer]:
        """One for each matched pair."""
        for i in range(len(self.recorded.left_inputs)):
            self.agreeing[f"input:{i}"] = True
        layers = [
            self.stages.attempt(
                f"the pair {match.left.name} / {match.right.name} alone",
                partial(self._judge, match),
                AttributedLayer(
                    match, "inconclusive", self.findings.get(match.left.id), linked=False
                ),
            )
            for match in self.comparison.matches
        ]
        self.stages.attempt("what the models return", self._end_at_outputs, None)
        return self._without_effect(layers)

    # Steps written otherwise

    def _regions(self, left: Sequence[str], right: Sequence[str]) -> Iterator[Region]:
        """What makes these values, back to pairs that stand for each other: to any that was judged,
        then only to those that do so beyond doubt.

        Fed with the left's, the right is blind to what went wrong before; a pair at fault may be
        where a region begins, as well as in it.
        """
        yield self._region(left, right, lambda v: self._is_judged(v) or v in self.parted)
        yield self._region(
            left,
            right,
            lambda v: (self._is_judged(v) or v in self.parted) and v not in self.doubtful,
        )

    def _is_judged(self, value: str) -> bool:
        """Whether a value of the left's agrees, in the run or fed alike."""
        return self.agreeing.get(value, False) or value in self.following

    def _region(
        self, left: Sequence[str], right: Sequence[str], is_settled: Callable[[str], bool]
    ) -> Region:
        maps = self.comparison.axis_maps

        def mine(value: str) -> bool:
            return value in maps.partners and value in maps.values and is_settled(value)

        def theirs(value: str) -> bool:
            return value in self.partners and mine(self.partners[value])

        return Region(
            behind(self.comparison.torch, left, mine), behind(self.comparison.keras, right, theirs)
        )

    @cached_property
    def partners(self) -> dict[str, str]:
        """Id of the right's root value → id of the left's."""
        return {right: left for left, right in self.comparison.axis_maps.partners.items()}

    def _end(self, left: str, right: str, region: Region) -> None:
        """Note that nothing of a region is seen behind its end."""
        for end, ended, nodes in zip(
            (left, right), self.ended, (region.left, region.right), strict=True
        ):
            ended.setdefault(end, set()).update(node.id for node in nodes)

    def _together(self, match: Match, finding: Finding) -> Finding | None:
        """The pair with all that is written otherwise before it, fed what the left was."""
        left, right = ([s.value for s in n.sources] for n in (match.left, match.right))
        if finding.agrees:
            region = self._region(left, right, lambda v: self.agreeing.get(v, False))
            self._end(match.left.id, match.right.id, region)
            return None
        if match.left.values[0].id not in self.comparison.axis_maps.values:
            return None
        for inner in self._regions(left, right):
            region = Region((*inner.left, match.left), (*inner.right, match.right))
            if not is_written_otherwise(self.comparison, region, match):
                continue
            steps = self._steps(match, region)
            together = self.compared_with(steps) if steps else None
            if steps is None or together is None:
                continue
            if together.agrees:
                self._end(match.left.id, match.right.id, region)
                return together
            self._note_differing(steps)
        self._note_unlike(inner)
        return None

    def _steps(self, match: Match, region: Region) -> DifferingRegion | None:
        """A region that ends with a pair; None where it is not known how its value goes across."""
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.comparison.axis_maps.values.get(mine.id)
        if move is None:
            return None
        keys = f"values/{mine.id}", f"values/{theirs.id}"
        end = Source(match.right.value, theirs.shape)
        arrays = partial(self.recorded.key_arrays, *keys, move)
        below = masking.masked_below(self.comparison, match)
        return DifferingRegion(region, match.left.name, end, arrays, below)

    def agrees_from(self, start: Match, match: Match) -> bool:
        """Whether a pair agrees where the right takes what the left gives in an earlier pair, and
        computes the rest from there itself."""
        begin = start.left.value, start.right.value

        def is_settled(value: str) -> bool:
            return value == begin[0] or self._is_judged(value)

        left, right = ([s.value for s in n.sources] for n in (match.left, match.right))
        inner = self._region(left, right, is_settled)
        region = Region((*inner.left, match.left), (*inner.right, match.right))
        taken = [
            {s.value for n in nodes for s in n.sources} for nodes in (region.left, region.right)
        ]
        steps = self._steps(match, region)
        if steps is None or not all(v in of for v, of in zip(begin, taken, strict=True)):
            return False
        together = self.compared_with(steps)
        return together is not None and together.agrees

    def _note_differing(self, steps: DifferingRegion) -> None:
        """Keep a region that differs, back to what is judged right: where a pair at fault is taken
        for its beginning, the fault lies before it."""
        if not (steps.region.left and steps.region.right):
            return  # what is returned is settled, and stands in another order
        ends = steps.region.left[-1], steps.region.right[-1]
        if any(one.end == steps.end for one in self.differing):
            return
        before = self._region(
            [s.value for s in ends[0].sources], [s.value for s in ends[1].sources], self._is_judged
        )
        region = Region((*before.left, ends[0]), (*before.right, ends[1]))
        self.differing.append(replace(steps, region=region))

    def _note_unlike(self, region: Region) -> None:
        """Keep a region that differs, where what lies opposite each other in it is no pair."""
        pairs = [
            m for m in self.comparison.matches if m.left in region.left and m.right in region.right
        ]
        one_by_one = len(region.left) == len(region.right) == len(pairs)
        strange = any(m.left.value in self.doubtful & self.parted for m in pairs)
        bare = not any(n.parameters for n in (*region.left, *region.right))
        if strange and bare and not one_by_one and region not in self.unlike:
            self.unlike.append(region)

    def settle_unlike(self, names: Collection[str]) -> None:
        """Forget the regions with one of these nodes: why they differ is known."""
        self.unlike = [
            r for r in self.unlike if not {n.name for n in (*r.left, *r.right)} & set(names)
        ]

    def _end_at_outputs(self) -> None:
        """Regions that end with what the models return."""
        for at, (mine, theirs, move) in enumerate(self.comparison.outputs()):
            made = {p: self._left(mine, p) for p in self.recorded.precisions}
            if move is None or any(array is None for array in made.values()):
                continue
            moved = {p: move(array) for p, array in made.items() if array is not None}
            left = KeyArrays(moved["float32"], moved.get("float64"), None, None)
            name, end = f"output {at}", f"output:{at}"
            for region in self._regions([mine.value], [theirs.value]):
                if not is_written_otherwise(self.comparison, region, None):
                    continue
                steps = DifferingRegion(region, name, theirs, partial(_itself, left))
                together = self.compared_with(steps)
                if together is not None and together.agrees:
                    self._end(end, end, region)
                    break
                self._note_differing(steps)
            else:
                self._note_unlike(region)

    def compared_with(
        self, steps: DifferingRegion, given: Mapping[Source, Mapping[Precision, Array]] = _AS_IS
    ) -> Finding | None:
        """The two ends of a region, the right's steps fed what the left was.

        Args:
            steps: the region.
            given: other numbers for what some of the right's steps take.

        Returns:
            None where the steps cannot be run alone.
        """
        region = steps.region
        answers = self.replay_region(region, steps.end, given)
        if answers is None:
            return None
        left = steps.left()
        arrays = replace(left, right32=answers["float32"], right64=answers.get("float64"))
        arrays = masking.unmasked(arrays, steps.below)
        rounded = self.comparison.tables | self.comparison.remade
        exact = not any(n.settings.get("single") or n.id in rounded for n in region.right)
        return comparing.compare(Finding(steps.name, LEVEL, "identical"), arrays, exact=exact)

    def replay_region(
        self,
        region: Region,
        end: Source,
        given: Mapping[Source, Mapping[Precision, Array]] = _AS_IS,
    ) -> dict[Precision, Array] | None:
        """What the right's nodes make of the left's values, one after the other.

        Args:
            region: the nodes.
            end: what they yield.
            given: other numbers for what some of them take.
        """
        maps, partners = self.comparison.axis_maps, self.partners
        outputs: dict[Precision, Array] = {}
        for precision in self.recorded.precisions:
            made: dict[str, Array] = {}

            def seen(
                source: Source, made: Mapping[str, Array] = made, at: Precision = precision
            ) -> Array | None:
                if source in given:
                    return given[source][at]
                ids, value = indices(self.comparison.keras, source), made.get(source.value)
                mine = partners.get(source.value)
                if value is None and mine in maps.values:
                    root = Source(mine, maps.values[mine].left)
                    array = self._left(root, at)
                    value = None if array is None else maps.values[mine](array)
                if value is None:
                    return self._right(source, at)
                return value.reshape(source.shape) if ids is None else value.reshape(-1)[ids]

            for node in region.right:
                fed = [seen(source) for source in node.sources]
                if any(array is None for array in fed):
                    return None
                try:
                    every = self._replay_values(node, [a for a in fed if a is not None], precision)
                except ParityError:
                    return None
                made |= {v.id: every[f"values/{v.id}"] for v in node.values}
            answer = seen(end)
            if answer is None:
                return None
            outputs[precision] = answer
        return outputs

    def _without_effect(self, layers: Sequence[AttributedLayer]) -> list[AttributedLayer]:
        """The pairs, where what is seen behind no end that agrees is no divergence."""
        graphs = self.comparison.torch, self.comparison.keras
        idle = [without_effect(g, ended) for g, ended in zip(graphs, self.ended, strict=True)]
        self.unlike = [r for r in self.unlike if not {n.id for n in r.right} <= idle[1]]
        only = (self.comparison.left_only, self.comparison.right_only)
        for nodes, ids in zip(only, idle, strict=True):
            self.made_up.update(node.name for node in nodes if node.id in ids)

        def settled(layer: AttributedLayer) -> AttributedLayer:
            mine, theirs = (
                tuple(n for n in names if n not in self.made_up) for names in layer.between
            )
            alike = layer.match.left.id in idle[0] and layer.match.right.id in idle[1]
            status = "other_steps" if alike and layer.status != "agrees" else layer.status
            return replace(layer, between=(mine, theirs), status=status)

        return [settled(layer) for layer in layers]

    def _judge(self, match: Match) -> AttributedLayer:
        layer = self._judged(match)
        values = {value.id for value in match.left.values}
        if layer.status == "diverges":
            self.parted |= values
        if layer.status != "agrees" and self._is_doubtful(match, layer):
            self.doubtful |= values
        return layer

    def _is_doubtful(self, match: Match, layer: AttributedLayer) -> bool:
        """Whether the two may not stand for each other, though they lie opposite each other."""
        if layer.status == "diverges":
            mine, theirs = (
                (n.kind, n.settings.get("name"), n.settings.get("mode"))
                for n in (match.left, match.right)
            )
            return mine != theirs or layer.finding is None or layer.finding.status == "shape"
        left, right = ([s.value for s in n.sources] for n in (match.left, match.right))
        before = self._region(left, right, self._is_judged)
        region = Region((*before.left, match.left), (*before.right, match.right))
        return layer.alone is not None and is_written_otherwise(self.comparison, region, match)

    def _judged(self, match: Match) -> AttributedLayer:
        finding = self.findings.get(match.left.id)
        linked = self._linked(match)
        between = self._between(match)
        agrees = finding is not None and finding.agrees
        # A weight that one side computes and the other was given is rounded to float32 on the way.
        # What is made with it agrees in float32 only; the layer behind must not answer for that.
        for value in match.left.values:
            self.agreeing[value.id] = agrees and match.right.id not in self.comparison.remade
        if finding is None:
            return AttributedLayer(match, "inconclusive", None, linked=linked, between=between)
        together = self._together(match, finding)
        if together is not None:
            self.following |= dict.fromkeys((value.id for value in match.left.values), together)
            return AttributedLayer(match, "downstream", finding, together, linked=False)
        if agrees:
            return AttributedLayer(match, "agrees", finding, linked=linked, between=between)
        if linked and (finding := self._with_unmatched(match, finding, None)).agrees:
            return AttributedLayer(
                match, "downstream", finding, finding, linked=False, between=between
            )
        if linked:
            key = f"values/{match.right.values[0].id}"
            output = partial(self.recorded.runs["keras", self.recorded.best].get, key)
            fed = partial(self.own_sources, match)
            return AttributedLayer(
                match, "diverges", finding, linked=True, between=between, inputs=fed, output=output
            )
        return self._judge_alone(match, finding, between)

    def _linked(self, match: Match) -> bool:
        """Every source has its partner, and they agree."""
        # A table that each side rounded for itself feeds the two differently. Alone, fed the same,
        # the layer is judged in float64.
        if self._is_rounded(match) and match.right.id not in self.comparison.remade:
            return False
        untraced = is_untraced(match.left) and is_untraced(match.right)
        for link in match.links:
            if link.left is None or link.right is None:
                if untraced:  # what it takes was not seen, but guessed
                    continue
                return False
            if link.left_between or link.right_between:
                return False
            root = link.left.value
            if root.startswith(_GIVEN) or self.is_table(link.left, link.right):
                continue
            if not self.agreeing.get(root, False):
                return False
            if self.comparison.axis_maps.sources.get((match.left.id, link.at)) is None:
                return False
        return True

    def is_table(self, mine: Source, theirs: Source) -> bool:
        """Whether both sides take what their code makes of constants alone: each has its own."""
        return all(
            source.value not in graph.producers and not source.value.startswith("input:")
            for graph, source in ((self.comparison.torch, mine), (self.comparison.keras, theirs))
        )

    def _is_rounded(self, match: Match) -> bool:
        """Whether a pair takes one table that each side rounded for itself, number by number.

        The same numbers in another order, sines and cosines that lie in halves here and in turn
        there, are another table.
        """
        return match.right.id in self.comparison.tables and all(
            self.takes_same(match, link, ROUNDED * U32)
            for link in match.links
            if link.left is not None
            and link.right is not None
            and math.prod(link.left.shape) == math.prod(link.right.shape)
            and self.is_table(link.left, link.right)
        )

    def _between(self, match: Match) -> tuple[tuple[str, ...], tuple[str, ...]]:
        left: list[str] = []
        right: list[str] = []
        for link in match.links:
            left += link.left_between
            right += link.right_between
        sides: tuple[Side, Side] = ("torch", "keras")
        mine, theirs = (
            tuple(
                name
                for name in dict.fromkeys(names)
                if name not in self.made_up and not self.idle(side, name)
            )
            for side, names in zip(sides, (left, right), strict=True)
        )
        return mine, theirs

    def idle(self, side: Side, name: str) -> bool:
        """Whether a step gave back what it took, number by number: no cause of anything here."""
        node = self.comparison.lone(side, name)
        output = self.recorded.runs[side, self.recorded.best].get(f"values/{node.value}")
        if output is None:
            return False
        taken = (
            self._left(source, self.recorded.best)
            if side == "torch"
            else self._right(source, self.recorded.best)
            for source in node.sources
            if not source.value.startswith(_GIVEN)
        )
        return any(array is not None and np.array_equal(array, output) for array in taken)

    def _with_unmatched(
        self, match: Match, finding: Finding, answers: Mapping[Precision, Array] | None
    ) -> Finding:
        """The pair with what only one side has behind it, if that makes up for the difference.

        An average that counts its padding, divided by how much of each window is none, is one
        that does not. Without this the pool would be named first, and the fault behind it not
        (``test_a_pool_that_is_made_up_for_is_no_cause``).
        """
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.comparison.axis_maps.values.get(mine.id)
        for side, only in enumerate((self.comparison.left_only, self.comparison.right_only)):
            node = _unmatched_consumer((match.left, match.right)[side], only)
            if node is None:
                continue
            keys = [f"values/{v.id}" for v in (mine, theirs)]
            keys[side] = f"values/{node.value}"
            arrays = self.recorded.key_arrays(keys[0], keys[1], move)
            if answers is not None:
                try:
                    last = answers if side == 0 else self._replay_unmatched(node, match, answers)
                except ParityError:
                    continue
                arrays = replace(arrays, right32=last["float32"], right64=last.get("float64"))
            base = Finding(match.left.name, finding.level, "identical")
            together = comparing.compare(base, arrays)
            if together.agrees:
                self.made_up.add(node.name)
                if side == 0 and move is not None:
                    self.comparison.axis_maps.values.setdefault(node.value, move)
                return together
        return finding

    def _replay_unmatched(
        self, node: CanonicalNode, match: Match, answers: Mapping[Precision, Array]
    ) -> dict[Precision, Array]:
        outputs: dict[Precision, Array] = {}
        for precision, array in answers.items():
            fed = []
            for source in node.sources:
                taken = self._right(source, precision)
                if source.value == match.right.values[0].id:
                    ids = indices(self.comparison.keras, source)
                    taken = array if ids is None else array.reshape(-1)[ids]
                if taken is None:
                    raise ParityError(f"What {node.name} takes was not recorded.")
                fed.append(taken)
            outputs[precision] = self.replayed(node, fed, precision)
        return outputs

    def _judge_alone(
        self, match: Match, finding: Finding, between: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> AttributedLayer:
        """The right's node on the left's sources."""
        fed = {p: self._inputs(match, p) for p in self.recorded.precisions}
        inconclusive = AttributedLayer(
            match, "inconclusive", finding, linked=False, between=between
        )
        # In which order unseen numbers stand is a guess; fed in a wrong one any layer diverges.
        if any(sources is None for sources in fed.values()) or is_doubtful(self.comparison, match):
            return inconclusive
        try:
            answers = {
                p: self.replayed(match.right, fed[p] or [], p) for p in self.recorded.precisions
            }
        except ParityError:
            return inconclusive
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.comparison.axis_maps.values.get(mine.id) or self.layout(mine.id, mine.shape)
        left = self.recorded.key_arrays(f"values/{mine.id}", f"values/{theirs.id}", move)
        best = answers.get("float64")
        moved = left.right_nudged
        if moved is not None and best is not None and left.right64 is not None:
            moved = best + (moved - left.right64) if moved.shape == best.shape else None
        arrays = replace(left, right32=answers["float32"], right64=best, right_nudged=moved)
        arrays = masking.unmasked(arrays, masking.masked_below(self.comparison, match))
        # TensorFlow resizes in float32 whatever it is fed: its float64 has no more digits.
        exact = not match.right.settings.get("single")
        exact = exact and match.right.id not in self.comparison.remade
        alone = comparing.compare(
            Finding(match.left.name, finding.level, "identical"),
            arrays,
            exact=exact,
            unit=self.comparison.halved().get(theirs.id, U32),
        )
        if not alone.agrees:
            alone = self._with_unmatched(match, alone, answers)
        kind, places, sure = self._rewired(match)
        if places is None:
            places = self._table_for_computed(match)
        # Right on its partner's input: whatever differs comes from before it, or from what the two
        # take from elsewhere.
        if alone.agrees:
            self.following |= dict.fromkeys((value.id for value in match.left.values), alone)
        return AttributedLayer(
            match,
            "downstream" if alone.agrees else "diverges",
            finding,
            alone,
            linked=False,
            between=between,
            inputs=partial(self._inputs_again, match),
            output=self.spill.put(answers[self.recorded.best]),
            rewired=places,
            rewired_kind=kind,
            rewired_sure=sure,
        )

    def own_sources(self, match: Match) -> tuple[Array, ...] | None:
        """What the right's node took in its own run."""
        fed = [self._right(source, self.recorded.best) for source in match.right.sources]
        return None if any(f is None for f in fed) else tuple(f for f in fed if f is not None)

    def _inputs_again(self, match: Match) -> tuple[Array, ...] | None:
        fed = self._inputs(match, self.recorded.best)
        return None if fed is None else tuple(fed)

    def _rewired(self, match: Match) -> tuple[str, tuple[str, str] | None, bool]:
        """A source whose both ends agree with their partners, and which are not partners.

        If they did not agree it could be an earlier fault that makes the source look like another.

        Returns:
            Kind; both places, None where there is no such source; whether the right has what the
            left takes, so that it could be taken there.
        """
        maps = self.comparison.axis_maps
        partners = self.partners
        for link in match.links:
            if link.left is None or link.right is None or link.left_between or link.right_between:
                continue
            mine, theirs = link.left.value, link.right.value
            if mine.startswith(("parameter:", "constant:")):
                continue
            if maps.partners.get(mine) == theirs:
                if self.agreeing.get(mine) and not maps.sources.get((match.left.id, link.at)):
                    if (match.left.id, link.at) not in maps.scrambled:
                        return "wiring", self._texts(link), True
                    shapes = (" × ".join(map(str, s.shape)) for s in (link.left, link.right))
                    left, right = shapes
                    places = (f"the same numbers as {left}", f"in another order, {right}")
                    return "axis", places, True
                continue
            # What the left takes may have no partner because the right left it out by taking this.
            lost = mine not in maps.partners and self.agreeing.get(partners.get(theirs, ""))
            if (self.agreeing.get(mine) or lost) and partners.get(theirs) != mine:
                return "wiring", self._texts(link), not lost
        return "wiring", None, False

    def _texts(self, link: Link) -> tuple[str, str]:
        """What people call both ends of a link."""
        assert link.left is not None
        assert link.right is not None
        mine, theirs = self.comparison.torch, self.comparison.keras
        return source_text(mine, link.left), source_text(theirs, link.right)

    def _table_for_computed(self, match: Match) -> tuple[str, str] | None:
        """A weight as it is on one side, and on the other what is computed without a partner."""
        maps = self.comparison.axis_maps
        partners = {right: left for left, right in maps.partners.items()}
        for link in match.links:
            if link.left is None or link.right is None or link.same:
                continue
            alone = (link.left.value not in maps.partners, link.right.value not in partners)
            given = [s.value.startswith(_GIVEN) for s in (link.left, link.right)]
            if all(alone) and given[0] != given[1]:
                return self._texts(link)
        return None

    def _replay_values(
        self, node: CanonicalNode, fed: Sequence[Array], precision: Precision
    ) -> Mapping[str, Array]:
        """The right's node alone: all operations that it stands for, one after the other."""
        graph = self.comparison.graphs[1]
        known = list(zip(node.sources, fed, strict=True))
        made: dict[str, Array] = {}
        for name in node.members:
            member = graph.nodes[int(name[1:])]
            sources = [self._member_source(s, node, known, made, precision) for s in member.sources]
            if len(node.members) == 1 and member.sources == node.sources:
                sources = list(fed)  # `x @ x` may be fed two values on the other side
            answer = self.replay(member.id, sources, precision)
            made |= {key.removeprefix("values/"): array for key, array in answer.items()}
        every = spread(self.comparison.keras, {f"values/{name}": a for name, a in made.items()})
        if any(f"values/{value.id}" not in every for value in node.values):
            raise ParityError(f"{node.name} gave no value when run alone.")
        return every

    def _member_source(
        self,
        source: Source,
        node: CanonicalNode,
        fed: Sequence[tuple[Source, Array]],
        made: Mapping[str, Array],
        precision: Precision,
    ) -> Array:
        """What a member takes: of a member before it, or of what the node was fed."""
        keras = self.comparison.keras
        if source.value in made:
            ids = indices(keras, source)
            return made[source.value] if ids is None else made[source.value].reshape(-1)[ids]
        seen, opposite = source, False
        given = self._picked(seen, fed)
        while given is None and seen in keras.aliases:
            seen, turned = keras.aliases[seen]
            opposite ^= turned
            given = self._picked(seen, fed)
        if given is not None:
            return contrary(given) if opposite else given
        made_of_weights = f"{COMPUTED}{source.value}" in keras.parameters
        if source.value.startswith(("parameter:", "constant:")) or made_of_weights:
            array = self._right(source, precision)
            if array is not None:
                return array
        # Behind a dropout that was taken out the same numbers have another name.
        gone = {f"{d.node}:0": d.source for d in keras.dropouts}
        if source.value in gone and not source.ids:
            return self._member_source(gone[source.value], node, fed, made, precision)
        # One of that shape leaves no choice; of two the wrong one would make the layer part.
        likely = [array for known, array in fed if known.shape == source.shape]
        if len(likely) == 1:
            return likely[0]
        raise ParityError(f"{node.name} cannot be run alone.")

    def _picked(self, source: Source, fed: Sequence[tuple[Source, Array]]) -> Array | None:
        """The elements that a source sees, from what was fed of the same root.

        A rule may have let the node take them in another arrangement, (q kᵀ)ᵀ for k qᵀ; two
        operands of one shape are told apart by what they are made of.
        """
        keras = self.comparison.keras
        value, wanted = root_places(keras, source)
        found: list[Array] = []
        for known, array in fed:
            root, places = root_places(keras, known)
            if root != value:
                continue
            if known.shape == source.shape and np.array_equal(places, wanted):
                found.append(array)
                continue
            order = np.argsort(places, axis=None, kind="stable")
            ascending = places.reshape(-1)[order]
            at = np.minimum(np.searchsorted(ascending, wanted), max(len(ascending) - 1, 0))
            if len(ascending) and np.array_equal(ascending[at], wanted):
                found.append(array.reshape(-1)[order[at]])
        if any(not np.array_equal(one, found[0], equal_nan=True) for one in found[1:]):
            raise ParityError("One value of the right's stands for two of the left's.")
        return found[0] if found else None

    def left_sources(self, match: Match) -> tuple[Array, ...] | None:
        """The left's sources in its own order, in the layout of the right, float64.

        A weight that was taken across is the right's; a constant of the code is each side's own.
        """
        arrays: list[Array] = []
        links = {link.at: link for link in match.links if link.at >= 0}
        for at, source in enumerate(match.left.sources):
            link = links.get(at)
            theirs = link.right if link is not None else None
            array: Array | None = None
            weight = source.value.startswith("parameter:")
            own = theirs is not None and self.is_table(source, theirs)
            if theirs is not None and (self._tied(source, theirs) if weight else not own):
                array = self._moved(match, at, source, theirs, self.recorded.best)
            if array is None:
                array = self._left(source, self.recorded.best)
                move = self.comparison.axis_maps.values.get(source.value)
                if theirs is not None and move is None:
                    move = self._likely(source, theirs)
                whole = theirs is not None and not (source.ids or theirs.ids)
                if move is None and whole and not source.value.startswith(_GIVEN):
                    move = self.layout(source.value, source.shape)
                if array is not None and move is not None and move.left == array.shape:
                    array = move(array)
            if array is None:
                return None
            arrays.append(array)
        return tuple(arrays)

    def _tied(self, mine: Source, theirs: Source) -> bool:
        """Whether the left's weight was taken across to what the right takes here."""
        pair = tuple(s.value.removeprefix("parameter:") for s in (mine, theirs))
        mappings = self.comparison.axis_maps.weight_mappings
        return any((m.left.id, m.right.id) == pair and m.index is not None for m in mappings)

    def replayed(
        self, node: CanonicalNode, fed: Sequence[Array], precision: Precision | None = None
    ) -> Array:
        """The right's node alone, on these sources.

        Raises:
            ParityError: it cannot be run alone, or not on these.
        """
        answer = self._replay_values(node, fed, precision or self.recorded.best)
        return answer[f"values/{node.value}"]

    def takes_same(self, match: Match, link: Link, unit: float = C * U64) -> bool:
        """Whether a pair takes the same numbers in the run through a link, whatever made them.

        Args:
            match: the pair.
            link: of it.
            unit: how far they may be apart, relative to the largest.
        """
        if link.left is None or link.right is None:
            return False
        mine = self._left(link.left, self.recorded.best)
        theirs = self._right(link.right, self.recorded.best)
        if mine is None or theirs is None or mine.size != theirs.size:
            return False
        exact = np.result_type(mine, theirs, np.float64)  # complex where one of the two is
        mine, theirs = mine.astype(exact), theirs.astype(exact)
        scale = float(np.max(np.abs(theirs), initial=0.0))
        moves = [*arrangement.candidates(mine.shape, theirs.shape)[:2]]
        ways = [mine.reshape(-1), *(move(mine).reshape(-1) for move in moves)]
        bound = unit * scale
        return any(float(np.max(np.abs(w - theirs.reshape(-1)))) <= bound for w in ways)

    def left_value(self, value: str) -> Array | None:
        """One of the left's values, whole, as it was recorded or given."""
        kind, _, at = value.partition(":")
        if kind == "input":
            return self.recorded.left_inputs[int(at)]
        return self.recorded.runs["torch", self.recorded.best].get(f"values/{value}")

    def right_source(self, source: Source) -> Array | None:
        """What one of the right's nodes took in its own run."""
        return self._right(source, self.recorded.best)

    def lost_at_outputs(self) -> Iterator[tuple[Side, str, str, float | None]]:
        """Operations at the very end that one side has alone, where all before them agrees.

        A softmax too many at the end has no pair of layers behind it that could part.

        Yields:
            Side, name, code, and how near the other's output is to what comes before them.
        """
        for link in self.comparison.output_links:
            if link.left is None or link.right is None:
                continue
            for side, names, root in (
                ("torch", link.left_between, self._before_left(link)),
                ("keras", link.right_between, self._before_right(link)),
            ):
                sound = root is not None and (self.agreeing.get(root) or root in self.following)
                if not names or root is None or not sound:
                    continue
                maker = self.comparison.torch.producers.get(root)
                finding = self.following.get(root) or (
                    self.findings.get(maker.id) if maker else None
                )
                framework: Side = "torch" if side == "torch" else "keras"
                for name in names:
                    layer = self.comparison.lone(framework, name)
                    if name in self.made_up or self.idle(framework, name):
                        continue
                    yield (
                        framework,
                        name,
                        layer.code or layer.kind,
                        finding.ratio if finding else None,
                    )

    def _before_left(self, link: Link) -> str | None:
        """The left's root before what only the left has, if the right returns its partner."""
        assert link.right is not None
        return self.partners.get(link.right.value) if not link.right_between else None

    def _before_right(self, link: Link) -> str | None:
        assert link.left is not None
        known = link.left.value in self.comparison.axis_maps.partners
        return link.left.value if known and not link.left_between else None

    def _inputs(self, match: Match, precision: Precision) -> list[Array] | None:
        """The left's sources, in the order and layout of the right's node."""
        fed: list[Array] = []
        links = {link.to: link for link in match.links if link.to >= 0}
        for to, source in enumerate(match.right.sources):
            array: Array | None = None
            link = links.get(to)
            if link is not None and link.left is not None:
                array = self._moved(match, link.at, link.left, source, precision)
            if array is None and source.value.startswith(("parameter:", "constant:")):
                array = self._right(source, precision)
            if array is None and link is not None and link.left is not None:
                array = self._of_another_shape(match, link.left, source, precision)
            elif array is not None and array.shape != source.shape:
                array = None
            # Fed with something else it would part for that alone: then nothing is told of it.
            if array is None:
                return None
            fed.append(array)
        return fed

    def _of_another_shape(
        self, match: Match, mine: Source, theirs: Source, precision: Precision
    ) -> Array | None:
        """What the left's node takes, for a right node that took another shape in its own run.

        Behind a fault of shape, a stride say, everything has another shape, and still each layer
        is right or wrong by itself. Only where both take the whole of one value: a part of another
        shape would be another part.
        """
        live = [s for s in match.right.sources if not s.value.startswith(_GIVEN)]
        if match.left.kind != match.right.kind or len(live) != 1 or mine.ids or theirs.ids:
            return None
        array = self._left(mine, precision)
        return (
            None
            if array is None
            else np.ascontiguousarray(self.layout(mine.value, array.shape)(array))
        )

    def layout(self, value: str, shape: Sequence[int]) -> Arrangement:
        """How a value of the left goes across that has no partner of its shape.

        As what it was made of does, or as the layer says that made it.
        """
        rank, pairs = len(shape), {m.left.value: m for m in self.comparison.matches}
        seen: set[str] = set()
        while value not in seen:
            seen.add(value)
            move = self.comparison.axis_maps.values.get(value)
            if move is not None and move.axes is not None and len(move.axes) == rank:
                return arrangement.permuted(tuple(shape), move.axes)
            match = pairs.get(value)
            if match is None:
                break
            one, other = (n.settings.get("channels") for n in (match.left, match.right))
            if one and other and rank > 2:
                moved = arrangement.channels_moved if one == "first" else arrangement.channels_back
                return (arrangement.identity if one == other else moved)(tuple(shape))
            live = (s.value for s in match.left.sources if not s.value.startswith(_GIVEN))
            value = next(live, value)
        return arrangement.identity(tuple(shape))

    def _moved(
        self, match: Match, at: int, mine: Source, theirs: Source, precision: Precision
    ) -> Array | None:
        # A weight is the right's own, which was taken across, and so is a table of its code, or a
        # fault in it would hide behind any other. Where both rounded one table to float32, each
        # in its own way, fed alike means the left's.
        own = mine.value.startswith("parameter:") or self.is_table(mine, theirs)
        if own and not self._is_rounded(match):
            return self._right(theirs, precision)
        array = self._left(mine, precision)
        if array is None:
            return None
        move = self.comparison.axis_maps.sources.get((match.left.id, at))
        if move is None:
            move = self._likely(mine, theirs)
        return None if move is None else np.ascontiguousarray(move(array))

    def _likely(self, mine: Source, theirs: Source) -> Arrangement | None:
        """Where the two take different values: as the value itself would go across."""
        root = self.comparison.axis_maps.values.get(mine.value)
        if root is not None and not mine.ids and root.right == theirs.shape:
            return root
        return next(iter(arrangement.candidates(mine.shape, theirs.shape)), None)

    def _left(self, source: Source, precision: Precision) -> Array | None:
        return source_array(
            self.comparison.torch, source, precision, self.recorded, self.comparison.weights[0]
        )

    def _right(self, source: Source, precision: Precision) -> Array | None:
        return source_array(
            self.comparison.keras, source, precision, self.recorded, self.comparison.weights[1]
        )


def _unmatched_consumer(node: CanonicalNode, only: Sequence[CanonicalNode]) -> CanonicalNode | None:
    """The operation without a partner that takes this one and constants."""
    for other in only:
        fed = [s for s in other.sources if s.value == node.values[0].id]
        rest = [s for s in other.sources if s.value != node.values[0].id]
        alike = other.values and other.values[0].shape == node.values[0].shape
        if fed and rest and alike and all(s.value.startswith(_GIVEN) for s in rest):
            return other
    return None


def source_array(
    graph: CanonicalGraph,
    source: Source,
    precision: Precision,
    recorded: RecordedRuns,
    weights: Mapping[str, Array],
) -> Array | None:
    """What a node saw, from what was recorded; None where it was not."""
    name, _, rest = source.value.partition(":")
    array: Array | None
    if name == "input":
        every = recorded.left_inputs if graph.side == "torch" else recorded.right_inputs
        array = every[int(rest)]
        if array.dtype.kind == "f":
            array = array.astype(precision)
    elif name == "parameter":
        array = weights.get(rest)
        if array is None and rest.startswith(COMPUTED):  # a weight that the model makes of others
            made = recorded.runs[graph.side, precision]
            array = made.get(f"values/{rest.removeprefix(COMPUTED)}")
        if array is not None:
            array = array.astype(
                np.result_type(precision, np.complex64) if array.dtype.kind == "c" else precision
            )
    else:
        run = recorded.runs[graph.side, precision]
        # What is the same whatever is fed is called a constant, and recorded as a node's value.
        array = run.get(f"values/{source.value}", run.get(f"values/{rest}"))
    if array is None:
        return None
    ids = indices(graph, source)
    if ids is None:
        return array
    # How many elements there are, the data may decide: they were others when the model was traced.
    return array.reshape(-1)[ids] if not ids.size or int(ids.max()) < array.size else None


def _itself(arrays: KeyArrays) -> KeyArrays:
    return arrays
