"""Which pairs part by themselves: each in the run, and alone where its inputs differ already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from parity.checker.align.matches import Link, Match, indices, picked
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
from parity.checker.judge.judging import Recorded
from parity.checker.judge.untraced_views import is_doubtful
from parity.checker.result.check_result import Standing
from parity.checker.transfer.subject import Subject
from parity.comparator.noise import Finding
from parity.core.errors import ParityError
from parity.core.sides import Precision, Side

_GIVEN = ("constant:", "parameter:")
Replay = Callable[[str, Sequence[Array], Precision], Mapping[str, Array]]


def _nothing() -> None:
    return None


@dataclass(frozen=True)
class LayerStatus:
    """What was found of one matched pair.

    Attributes:
        match: the pair.
        standing: see `parity.checker.result.check_result.Standing`.
        finding: in the run.
        alone: on the partner's input.
        linked: its sources correspond and agree.
        between: names of operations without a partner that stand before it, each side's.
        fed: gives the sources of the right's node, in its layout, float64, that `seen` was
            computed from.
        seen: gives the right's output on them, float64.
        rewired: where the two take a source from, in words, if that is what differs.
        rewired_kind: ``wiring``, or ``axis`` where it is the same numbers in another order.
    """

    match: Match
    standing: Standing
    finding: Finding | None
    alone: Finding | None = None
    linked: bool = True
    between: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    fed: Callable[[], tuple[Array, ...] | None] = _nothing
    seen: Callable[[], Array | None] = _nothing
    rewired: tuple[str, str] | None = None
    rewired_kind: str = "wiring"


@dataclass
class LayerAttribution:
    """Judges every pair in the order of execution, alone where its inputs differ already."""

    subject: Subject
    recorded: Recorded
    layers: Mapping[str, Finding]
    replay: Replay
    agreeing: dict[str, bool] = field(default_factory=dict)
    made_up: set[str] = field(default_factory=set)
    following: set[str] = field(default_factory=set)
    shelf: DiskSpill = field(default_factory=DiskSpill)

    def all(self) -> list[LayerStatus]:
        """One for each matched pair."""
        for i in range(len(self.recorded.left_inputs)):
            self.agreeing[f"input:{i}"] = True
        return [self._one(match) for match in self.subject.matches]

    def _one(self, match: Match) -> LayerStatus:
        finding = self.layers.get(match.left.id)
        linked = self._linked(match)
        between = self._between(match)
        agrees = finding is not None and finding.agrees
        for value in match.left.values:
            self.agreeing[value.id] = agrees and match.right.id not in self.subject.remade
        if finding is None:
            return LayerStatus(match, "untold", None, linked=linked, between=between)
        if agrees:
            return LayerStatus(match, "agrees", finding, linked=linked, between=between)
        if linked and (finding := self._together(match, finding, None)).agrees:
            return LayerStatus(match, "follows", finding, finding, linked=False, between=between)
        if linked:
            key = f"values/{match.right.values[0].id}"
            seen = partial(self.recorded.runs["keras", self.recorded.best].get, key)
            fed = partial(self._own_sources, match)
            return LayerStatus(
                match, "parts", finding, linked=True, between=between, fed=fed, seen=seen
            )
        return self._alone(match, finding, between)

    def _linked(self, match: Match) -> bool:
        """Every source has its partner, and they agree."""
        if match.right.id in self.subject.tables and match.right.id not in self.subject.remade:
            return False
        unseen = is_untraced(match.left) and is_untraced(match.right)
        for link in match.links:
            if link.left is None or link.right is None:
                if unseen:  # what it takes was not seen, but guessed
                    continue
                return False
            if link.left_between or link.right_between:
                return False
            root = link.left.value
            if root.startswith(("parameter:", "constant:")):
                continue
            if not self.agreeing.get(root, False):
                return False
            if self.subject.across.sources.get((match.left.id, link.at)) is None:
                return False
        return True

    def _between(self, match: Match) -> tuple[tuple[str, ...], tuple[str, ...]]:
        left: list[str] = []
        right: list[str] = []
        for link in match.links:
            left += link.left_between
            right += link.right_between
        found = (dict.fromkeys(names) for names in (left, right))
        mine, theirs = (tuple(n for n in names if n not in self.made_up) for names in found)
        return mine, theirs

    def _together(
        self, match: Match, finding: Finding, answers: Mapping[Precision, Array] | None
    ) -> Finding:
        """The pair with what only one side has behind it, if that makes up for the difference.

        An average that counts its padding, divided by how much of each window is none, is one
        that does not.
        """
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.subject.across.values.get(mine.id)
        for side, only in enumerate((self.subject.left_only, self.subject.right_only)):
            node = _behind((match.left, match.right)[side], only)
            if node is None:
                continue
            keys = [f"values/{v.id}" for v in (mine, theirs)]
            keys[side] = f"values/{node.value}"
            quad = self.recorded.quad(keys[0], keys[1], move)
            if answers is not None:
                try:
                    last = answers if side == 0 else self._behind_alone(node, match, answers)
                except ParityError:
                    continue
                quad = replace(quad, right32=last["float32"], right64=last.get("float64"))
            base = Finding(match.left.name, finding.level, "identical")
            found = comparing.compare(base, quad)
            if found.agrees:
                self.made_up.add(node.name)
                if side == 0 and move is not None:
                    self.subject.across.values.setdefault(node.value, move)
                return found
        return finding

    def _behind_alone(
        self, node: CanonicalNode, match: Match, answers: Mapping[Precision, Array]
    ) -> dict[Precision, Array]:
        found: dict[Precision, Array] = {}
        for precision, array in answers.items():
            fed = []
            for source in node.sources:
                taken = self._right(source, precision)
                if source.value == match.right.values[0].id:
                    ids = indices(self.subject.keras, source)
                    taken = array if ids is None else array.reshape(-1)[ids]
                if taken is None:
                    raise ParityError(f"What {node.name} takes was not recorded.")
                fed.append(taken)
            found[precision] = self._replayed(node, fed, precision)
        return found

    def _alone(
        self, match: Match, finding: Finding, between: tuple[tuple[str, ...], tuple[str, ...]]
    ) -> LayerStatus:
        """The right's node on the left's sources."""
        fed = {p: self._fed(match, p) for p in self.recorded.precisions}
        untold = LayerStatus(match, "untold", finding, linked=False, between=between)
        if any(sources is None for sources in fed.values()) or is_doubtful(self.subject, match):
            return untold
        try:
            answers = {
                p: self._replayed(match.right, fed[p] or [], p) for p in self.recorded.precisions
            }
        except ParityError:
            return untold
        mine, theirs = match.left.values[0], match.right.values[0]
        move = self.subject.across.values.get(mine.id)
        left = self.recorded.quad(f"values/{mine.id}", f"values/{theirs.id}", move)
        quad = replace(left, right32=answers["float32"], right64=answers.get("float64"))
        if match.left.kind in comparing.MASKED_KINDS:
            quad = comparing.unmasked(quad)
        exact = not match.right.settings.get("single")
        exact = exact and match.right.id not in self.subject.remade
        alone = comparing.compare(
            Finding(match.left.name, finding.level, "identical"), quad, exact=exact
        )
        if not alone.agrees:
            alone = self._together(match, alone, answers)
        kind, places = self._rewired(match)
        if alone.agrees:
            self.following.update(value.id for value in match.left.values)
        return LayerStatus(
            match,
            "follows" if alone.agrees else "parts",
            finding,
            alone,
            linked=False,
            between=between,
            fed=partial(self._fed_again, match),
            seen=self.shelf.put(answers[self.recorded.best]),
            rewired=places,
            rewired_kind=kind,
        )

    def _own_sources(self, match: Match) -> tuple[Array, ...] | None:
        """What the right's node took in its own run."""
        fed = [self._right(source, self.recorded.best) for source in match.right.sources]
        return None if any(f is None for f in fed) else tuple(f for f in fed if f is not None)

    def _fed_again(self, match: Match) -> tuple[Array, ...] | None:
        fed = self._fed(match, self.recorded.best)
        return None if fed is None else tuple(fed)

    def _rewired(self, match: Match) -> tuple[str, tuple[str, str] | None]:
        """A source whose both ends agree with their partners, and which are not partners."""
        across = self.subject.across
        partners = {right: left for left, right in across.partners.items()}
        for link in match.links:
            if link.left is None or link.right is None or link.left_between or link.right_between:
                continue
            mine, theirs = link.left.value, link.right.value
            if mine.startswith(("parameter:", "constant:")):
                continue
            if across.partners.get(mine) == theirs:
                if self.agreeing.get(mine) and not across.sources.get((match.left.id, link.at)):
                    if (match.left.id, link.at) not in across.scrambled:
                        return "wiring", (
                            picked(self.subject.torch, link.left),
                            picked(self.subject.keras, link.right),
                        )
                    shapes = (" × ".join(map(str, s.shape)) for s in (link.left, link.right))
                    left, right = shapes
                    return "axis", (f"the same numbers as {left}", f"in another order, {right}")
                continue
            lost = mine not in across.partners and self.agreeing.get(partners.get(theirs, ""))
            if (self.agreeing.get(mine) or lost) and partners.get(theirs) != mine:
                return "wiring", (
                    picked(self.subject.torch, link.left),
                    picked(self.subject.keras, link.right),
                )
        return "wiring", None

    def _replayed(self, node: CanonicalNode, fed: Sequence[Array], precision: Precision) -> Array:
        """The right's node alone: all operations that it stands for, one after the other."""
        graph = self.subject.graphs[1]
        given = dict(zip(node.sources, fed, strict=True))
        made: dict[str, Array] = {}
        for name in node.members:
            member = graph.nodes[int(name[1:])]
            sources = [self._member_source(s, node, given, made, precision) for s in member.sources]
            answer = self.replay(member.id, sources, precision)
            made |= {key.removeprefix("values/"): array for key, array in answer.items()}
        every = spread(self.subject.keras, {f"values/{name}": a for name, a in made.items()})
        if f"values/{node.value}" not in every:
            raise ParityError(f"{node.name} gave no value when run alone.")
        return every[f"values/{node.value}"]

    def _member_source(
        self,
        source: Source,
        node: CanonicalNode,
        given: Mapping[Source, Array],
        made: Mapping[str, Array],
        precision: Precision,
    ) -> Array:
        keras = self.subject.keras
        if source.value in made:
            ids = indices(keras, source)
            return made[source.value] if ids is None else made[source.value].reshape(-1)[ids]
        if source in given:
            return given[source]
        mask, opposite = keras.aliases.get(source, (source, False))
        if mask in given:
            return contrary(given[mask]) if opposite else given[mask]
        made_of_weights = f"{COMPUTED}{source.value}" in keras.parameters
        if source.value.startswith(("parameter:", "constant:")) or made_of_weights:
            array = self._right(source, precision)
            if array is not None:
                return array
        # Behind a dropout that was taken out the same numbers have another name.
        gone = {f"{d.node}:0": d.source for d in keras.dropouts}
        if source.value in gone and not source.ids:
            return self._member_source(gone[source.value], node, given, made, precision)
        likely = [array for known, array in given.items() if known.shape == source.shape]
        if len(likely) == 1:
            return likely[0]
        raise ParityError(f"{node.name} cannot be run alone.")

    def left_sources(self, match: Match) -> tuple[Array, ...] | None:
        """The left's sources in its own order, in the layout of the right, float64."""
        found: list[Array] = []
        links = {link.at: link for link in match.links if link.at >= 0}
        for at, source in enumerate(match.left.sources):
            link = links.get(at)
            theirs = link.right if link is not None else None
            array: Array | None = None
            if theirs is not None:
                array = self._moved(match, at, source, theirs, self.recorded.best)
            if array is None:
                array = self._left(source, self.recorded.best)
                move = self.subject.across.values.get(source.value)
                if array is not None and move is not None and move.left == array.shape:
                    array = move(array)
            if array is None:
                return None
            found.append(array)
        return tuple(found)

    def lost_at_outputs(self) -> Iterator[tuple[Side, str, str, float | None]]:
        """Operations at the very end that one side has alone, where all before them agrees.

        Yields:
            Side, name, code, and how near the other's output is to what comes before them.
        """
        for link in self.subject.output_links:
            if link.left is None or link.right is None:
                continue
            for side, names, root in (
                ("torch", link.left_between, self._before_left(link)),
                ("keras", link.right_between, self._before_right(link)),
            ):
                sound = root is not None and (self.agreeing.get(root) or root in self.following)
                if not names or root is None or not sound:
                    continue
                normal = self.subject.torch if side == "torch" else self.subject.keras
                maker = self.subject.torch.producers.get(root)
                finding = self.layers.get(maker.id) if maker else None
                for name in names:
                    layer = next(n for n in normal.nodes if n.name == name)
                    yield (
                        "torch" if side == "torch" else "keras",
                        name,
                        layer.code or layer.kind,
                        finding.ratio if finding else None,
                    )

    def _before_left(self, link: Link) -> str | None:
        """The left's root before what only the left has, if the right returns its partner."""
        assert link.right is not None
        partners = {right: left for left, right in self.subject.across.partners.items()}
        return partners.get(link.right.value) if not link.right_between else None

    def _before_right(self, link: Link) -> str | None:
        assert link.left is not None
        known = link.left.value in self.subject.across.partners
        return link.left.value if known and not link.left_between else None

    def _fed(self, match: Match, precision: Precision) -> list[Array] | None:
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
            if array is None or array.shape != source.shape:
                return None
            fed.append(array)
        return fed

    def _moved(
        self, match: Match, at: int, mine: Source, theirs: Source, precision: Precision
    ) -> Array | None:
        if mine.value.startswith("parameter:") and match.right.id not in self.subject.tables:
            return self._right(theirs, precision)
        array = self._left(mine, precision)
        if array is None:
            return None
        move = self.subject.across.sources.get((match.left.id, at))
        if move is None:
            move = self._likely(mine, theirs)
        return None if move is None else np.ascontiguousarray(move(array))

    def _likely(self, mine: Source, theirs: Source) -> Arrangement | None:
        """Where the two take different values: as the value itself would go across."""
        root = self.subject.across.values.get(mine.value)
        if root is not None and not mine.ids and root.right == theirs.shape:
            return root
        return next(iter(arrangement.candidates(mine.shape, theirs.shape)), None)

    def _left(self, source: Source, precision: Precision) -> Array | None:
        return source_array(
            self.subject.torch, source, precision, self.recorded, self.subject.weights[0]
        )

    def _right(self, source: Source, precision: Precision) -> Array | None:
        return source_array(
            self.subject.keras, source, precision, self.recorded, self.subject.weights[1]
        )


def _behind(node: CanonicalNode, only: Sequence[CanonicalNode]) -> CanonicalNode | None:
    """The operation without a partner that takes this one and constants."""
    for other in only:
        fed = [s for s in other.sources if s.value == node.values[0].id]
        rest = [s for s in other.sources if s.value != node.values[0].id]
        alike = other.values and other.values[0].shape == node.values[0].shape
        if fed and rest and alike and all(s.value.startswith(_GIVEN) for s in rest):
            return other
    return None


def source_array(
    normal: CanonicalGraph,
    source: Source,
    precision: Precision,
    recorded: Recorded,
    weights: Mapping[str, Array],
) -> Array | None:
    """What a node saw, from what was recorded; None where it was not."""
    name, _, rest = source.value.partition(":")
    array: Array | None
    if name == "input":
        every = recorded.left_inputs if normal.side == "torch" else recorded.right_inputs
        array = every[int(rest)]
        if array.dtype.kind == "f":
            array = array.astype(precision)
    elif name == "parameter":
        array = weights.get(rest)
        array = None if array is None else array.astype(precision)
    else:
        array = recorded.runs[normal.side, precision].get(f"values/{source.value}")
    if array is None:
        return None
    ids = indices(normal, source)
    return array if ids is None else array.reshape(-1)[ids]
