"""Which pairs diverge by themselves: each in the run, and alone where its inputs differ already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from parity.checker.align.matches import Link, Match, indices, source_text
from parity.checker.align.untraced import is_untraced
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.canonical.folding import COMPUTED
from parity.checker.canonical.split_layers import contrary, spread
from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement
from parity.checker.graph.graph import Source
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import DiskSpill
from parity.checker.judge import comparing
from parity.checker.judge.judging import RecordedRuns
from parity.checker.judge.untraced_views import is_doubtful
from parity.checker.result.check_result import LayerStatus
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import U32, Finding
from parity.core.errors import ParityError
from parity.core.sides import Precision, Side

_GIVEN = ("constant:", "parameter:")
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
            in any case.
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
    agreeing: dict[str, bool] = field(default_factory=dict)
    made_up: set[str] = field(default_factory=set)
    following: set[str] = field(default_factory=set)
    spill: DiskSpill = field(default_factory=DiskSpill)

    def judge_all(self) -> list[AttributedLayer]:
        """One for each matched pair."""
        for i in range(len(self.recorded.left_inputs)):
            self.agreeing[f"input:{i}"] = True
        return [self._judge(match) for match in self.comparison.matches]

    def _judge(self, match: Match) -> AttributedLayer:
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
        if (
            match.right.id in self.comparison.tables
            and match.right.id not in self.comparison.remade
        ):
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
            if root.startswith(("parameter:", "constant:")):
                continue
            if not self.agreeing.get(root, False):
                return False
            if self.comparison.axis_maps.sources.get((match.left.id, link.at)) is None:
                return False
        return True

    def _between(self, match: Match) -> tuple[tuple[str, ...], tuple[str, ...]]:
        left: list[str] = []
        right: list[str] = []
        for link in match.links:
            left += link.left_between
            right += link.right_between
        unique = (dict.fromkeys(names) for names in (left, right))
        mine, theirs = (tuple(n for n in names if n not in self.made_up) for names in unique)
        return mine, theirs

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
            outputs[precision] = self.replay_node(node, fed, precision)
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
                p: self.replay_node(match.right, fed[p] or [], p) for p in self.recorded.precisions
            }
        except ParityError:
            return inconclusive
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.comparison.axis_maps.values.get(mine.id)
        left = self.recorded.key_arrays(f"values/{mine.id}", f"values/{theirs.id}", move)
        best = answers.get("float64")
        moved = left.right_nudged
        if moved is not None and best is not None and left.right64 is not None:
            moved = best + (moved - left.right64) if moved.shape == best.shape else None
        arrays = replace(left, right32=answers["float32"], right64=best, right_nudged=moved)
        if match.left.kind in comparing.MASKED_KINDS:
            arrays = comparing.unmasked(arrays)
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
        kind, places = self._rewired(match)
        sure = places is not None
        if places is None:
            places = self._table_for_computed(match)
        # Right on its partner's input: whatever differs comes from before it, or from what the two
        # take from elsewhere.
        if alone.agrees:
            self.following.update(value.id for value in match.left.values)
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

    def _rewired(self, match: Match) -> tuple[str, tuple[str, str] | None]:
        """A source whose both ends agree with their partners, and which are not partners.

        If they did not agree it could be an earlier fault that makes the source look like another.
        """
        maps = self.comparison.axis_maps
        partners = {right: left for left, right in maps.partners.items()}
        for link in match.links:
            if link.left is None or link.right is None or link.left_between or link.right_between:
                continue
            mine, theirs = link.left.value, link.right.value
            if mine.startswith(("parameter:", "constant:")):
                continue
            if maps.partners.get(mine) == theirs:
                if self.agreeing.get(mine) and not maps.sources.get((match.left.id, link.at)):
                    if (match.left.id, link.at) not in maps.scrambled:
                        return "wiring", (
                            source_text(self.comparison.torch, link.left),
                            source_text(self.comparison.keras, link.right),
                        )
                    shapes = (" × ".join(map(str, s.shape)) for s in (link.left, link.right))
                    left, right = shapes
                    return "axis", (f"the same numbers as {left}", f"in another order, {right}")
                continue
            # What the left takes may have no partner because the right left it out by taking this.
            lost = mine not in maps.partners and self.agreeing.get(partners.get(theirs, ""))
            if (self.agreeing.get(mine) or lost) and partners.get(theirs) != mine:
                return "wiring", (
                    source_text(self.comparison.torch, link.left),
                    source_text(self.comparison.keras, link.right),
                )
        return "wiring", None

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
                return (
                    source_text(self.comparison.torch, link.left),
                    source_text(self.comparison.keras, link.right),
                )
        return None

    def replay_node(self, node: CanonicalNode, fed: Sequence[Array], precision: Precision) -> Array:
        """The right's node alone: all operations that it stands for, one after the other."""
        graph = self.comparison.graphs[1]
        known = dict(zip(node.sources, fed, strict=True))
        made: dict[str, Array] = {}
        for name in node.members:
            member = graph.nodes[int(name[1:])]
            sources = [self._member_source(s, node, known, made, precision) for s in member.sources]
            answer = self.replay(member.id, sources, precision)
            made |= {key.removeprefix("values/"): array for key, array in answer.items()}
        every = spread(self.comparison.keras, {f"values/{name}": a for name, a in made.items()})
        if f"values/{node.value}" not in every:
            raise ParityError(f"{node.name} gave no value when run alone.")
        return every[f"values/{node.value}"]

    def _member_source(
        self,
        source: Source,
        node: CanonicalNode,
        fed: Mapping[Source, Array],
        made: Mapping[str, Array],
        precision: Precision,
    ) -> Array:
        keras = self.comparison.keras
        if source.value in made:
            ids = indices(keras, source)
            return made[source.value] if ids is None else made[source.value].reshape(-1)[ids]
        if source in fed:
            return fed[source]
        seen, opposite = source, False
        while seen in keras.aliases and seen not in fed:
            seen, turned = keras.aliases[seen]
            opposite ^= turned
        if seen in fed:
            return contrary(fed[seen]) if opposite else fed[seen]
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
        likely = [array for known, array in fed.items() if known.shape == source.shape]
        if len(likely) == 1:
            return likely[0]
        raise ParityError(f"{node.name} cannot be run alone.")

    def left_sources(self, match: Match) -> tuple[Array, ...] | None:
        """The left's sources in its own order, in the layout of the right, float64."""
        arrays: list[Array] = []
        links = {link.at: link for link in match.links if link.at >= 0}
        for at, source in enumerate(match.left.sources):
            link = links.get(at)
            theirs = link.right if link is not None else None
            array: Array | None = None
            if theirs is not None:
                array = self._moved(match, at, source, theirs, self.recorded.best)
            if array is None:
                array = self._left(source, self.recorded.best)
                move = self.comparison.axis_maps.values.get(source.value)
                if array is not None and move is not None and move.left == array.shape:
                    array = move(array)
            if array is None:
                return None
            arrays.append(array)
        return tuple(arrays)

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
                graph = self.comparison.torch if side == "torch" else self.comparison.keras
                maker = self.comparison.torch.producers.get(root)
                finding = self.findings.get(maker.id) if maker else None
                for name in names:
                    layer = next(n for n in graph.nodes if n.name == name)
                    yield (
                        "torch" if side == "torch" else "keras",
                        name,
                        layer.code or layer.kind,
                        finding.ratio if finding else None,
                    )

    def _before_left(self, link: Link) -> str | None:
        """The left's root before what only the left has, if the right returns its partner."""
        assert link.right is not None
        partners = {right: left for left, right in self.comparison.axis_maps.partners.items()}
        return partners.get(link.right.value) if not link.right_between else None

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
            # Fed with something else it would part for that alone: then nothing is told of it.
            if array is None or array.shape != source.shape:
                return None
            fed.append(array)
        return fed

    def _moved(
        self, match: Match, at: int, mine: Source, theirs: Source, precision: Precision
    ) -> Array | None:
        # A weight is the right's own, which was taken across; of a table each side has its own
        # rounding, and fed alike means the left's.
        if mine.value.startswith("parameter:") and match.right.id not in self.comparison.tables:
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
        array = None if array is None else array.astype(precision)
    else:
        run = recorded.runs[graph.side, precision]
        # What is the same whatever is fed is called a constant, and recorded as a node's value.
        array = run.get(f"values/{source.value}", run.get(f"values/{rest}"))
    if array is None:
        return None
    ids = indices(graph, source)
    return array if ids is None else array.reshape(-1)[ids]
