"""Which node of one graph is which of the other: by the flow of data, not by name or order.

Two canonical graphs are aligned so that as little as possible has no counterpart (`flow`
has the costs). Settings never keep two nodes apart; names and the order of execution only break
ties.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from parity.checker.align.flow import NEVER, Costs, Flow, alignment_costs, category
from parity.checker.align.matching import Matching
from parity.checker.align.node_costs import node_costs
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph.graph import Source
from parity.core.errors import UsageError
from parity.core.text import did_you_mean
from parity.operations.known import operation

_LIKE = 0.4
"""Edits below this are no more than an unlike setting or shape, and not worth a second search."""


@dataclass(frozen=True)
class SourceLink:
    """A source of the left node and the source of the right node that stands for the same.

    Attributes:
        left, right: numbers of the sources; None where the other side has none.
        same: both come from one pair of nodes, from one input, or are parameters or constants.
        left_between, right_between: ids of the nodes without a counterpart on the way, nearest
            first.
    """

    left: int | None
    right: int | None
    same: bool
    left_between: tuple[str, ...] = ()
    right_between: tuple[str, ...] = ()


@dataclass(frozen=True)
class AlignedPair:
    """Two nodes that stand for the same.

    Attributes:
        left, right: ids of the nodes.
        exact: one kind, and every source corresponds directly, in its place or commutatively.
        substituted: two kinds.
        links: which source is which.
        given: the user said so.
    """

    left: str
    right: str
    exact: bool
    substituted: bool
    links: tuple[SourceLink, ...]
    given: bool = False


@dataclass(frozen=True)
class Alignment:
    """Two graphs aligned.

    Attributes:
        pairs: in the order of the left graph's execution.
        left_only, right_only: ids of the nodes without a counterpart.
        inputs: (number on the left, number on the right) of the model's inputs.
        outputs: the model's outputs by position.
        edits: how much has no counterpart, or an unlike one: nodes, and half of each source.
    """

    pairs: tuple[AlignedPair, ...]
    left_only: tuple[str, ...]
    right_only: tuple[str, ...]
    inputs: tuple[tuple[int, int], ...]
    outputs: tuple[SourceLink, ...]
    edits: float = 0.0

    @property
    def complete(self) -> bool:
        """Whether every node has a counterpart and all corresponds directly."""
        return (
            not self.left_only
            and not self.right_only
            and all(p.exact for p in self.pairs)
            and all(o.same and not o.left_between and not o.right_between for o in self.outputs)
        )


def align(
    left: CanonicalGraph,
    right: CanonicalGraph,
    *,
    pairs: Mapping[str, str] = MappingProxyType({}),
    inputs: Sequence[int] = (),
    known: Mapping[str, str] = MappingProxyType({}),
) -> Alignment:
    """Lay two graphs on each other.

    Args:
        left, right: canonical.
        pairs: names on the left → names on the right that the user gives.
        inputs: for each input of the left the number of the right's; by position where empty.
        known: ids on the left → ids on the right of nodes that are known to stand for the same.

    Raises:
        UsageError: a name is none of the nodes'; or the inputs are no permutation.
    """
    flows = Flow.of(left), Flow.of(right)
    order = _input_order(left, right, inputs)
    own = node_costs(*flows)
    by_hand = _pairs_by_hand(left, right, pairs, own)
    places = [{node.id: at for at, node in enumerate(graph.nodes)} for graph in (left, right)]
    by_hand += [(places[0][a], places[1][b]) for a, b in known.items()]
    for i, j in by_hand:
        # What the user says holds against any cost, and settles the neighbours, too.
        own[i, :] = own[:, j] = NEVER
        own[i, j] = 0.0
    # A block that is left out costs its long branch, for all of it is gone, or its shortcut, for
    # that is what is left in its place. Neither is right for every fault; fewer edits win. By the
    # long branch alone 16, and 1 of 4,878 with a single fault; by the shortcut alone 79 (`flow`
    # explains the figures).
    alignments: list[Alignment] = []
    for longest in (True, False):
        matching = Matching(*flows, alignment_costs(*flows, own, order, longest=longest), own)
        matching.run(by_hand)
        alignment = _Reader(left, right, matching, order, set(by_hand)).alignment()
        alignments.append(replace(alignment, edits=_edits(alignment, matching, own)))
        if alignment.complete or alignments[-1].edits <= _LIKE + abs(
            len(left.nodes) - len(right.nodes)
        ):
            break
    return min(alignments, key=lambda one: one.edits)


def _edits(alignment: Alignment, matching: Matching, own: Costs) -> float:
    """How much of two graphs has no counterpart.

    A source that is taken from elsewhere counts half a node: one rewired skip is less than a layer
    that is missing, and two are as much.
    """
    nodes = len(alignment.left_only) + len(alignment.right_only)
    links = [link for pair in alignment.pairs for link in pair.links]
    links += alignment.outputs
    unlike = sum(min(float(own[i, j]), 1.0) for i, j in matching.of_left.items())
    return nodes + 0.5 * sum(not link.same for link in links) + unlike


def _input_order(
    left: CanonicalGraph, right: CanonicalGraph, inputs: Sequence[int]
) -> dict[int, int]:
    both = min(len(left.inputs), len(right.inputs))
    if not inputs:
        return {k: k for k in range(both)}
    if sorted(inputs) != list(range(len(right.inputs))) or len(inputs) != len(left.inputs):
        raise UsageError(
            f"The order of the inputs is {list(inputs)}; expected each of 0 to "
            f"{len(right.inputs) - 1} once, for {len(left.inputs)} inputs on the left and "
            f"{len(right.inputs)} on the right."
        )
    return dict(enumerate(inputs))


# Pairs that the user gives


def _pairs_by_hand(
    left: CanonicalGraph, right: CanonicalGraph, pairs: Mapping[str, str], own: Costs
) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    for one, other in pairs.items():
        chosen += _of_names(
            left, right, _nodes_of_name(left, one), _nodes_of_name(right, other), own
        )
    return list({i: (i, j) for i, j in chosen}.values())


def _of_names(
    left: CanonicalGraph, right: CanonicalGraph, one: list[int], other: list[int], own: Costs
) -> list[tuple[int, int]]:
    """A name may stand for several nodes: a layer and its activation, or a layer used again."""
    named: list[tuple[int, int]] = []
    words = dict.fromkeys(category(left.nodes[i]) for i in one)
    for word in words:
        lefts = [i for i in one if category(left.nodes[i]) == word]
        rights = [j for j in other if category(right.nodes[j]) == word]
        named += zip(lefts, rights, strict=False)
    return named or [(one[0], other[0])]


def expect_names(left: CanonicalGraph, right: CanonicalGraph, pairs: Mapping[str, str]) -> None:
    """Before anything is computed: whether all that is to be paired is there.

    Raises:
        UsageError: a name is not.
    """
    for one, other in pairs.items():
        _nodes_of_name(left, one)
        _nodes_of_name(right, other)


def _nodes_of_name(graph: CanonicalGraph, name: str) -> list[int]:
    for known in (
        lambda node: node.name == name,
        lambda node: name in node.names or name in (node.id, *node.members),
        lambda node: node.name.rpartition("/")[2] == name,
    ):
        nodes = [k for k, node in enumerate(graph.nodes) if known(node)]
        if nodes:
            return nodes
    names = list(dict.fromkeys(n for node in graph.nodes for n in node.names))
    more = " …" if len(names) > 8 else ""
    hint = did_you_mean(name, names, most=3) or f"It has {', '.join(names[:8])}{more}"
    raise UsageError(f"--map: no layer of {graph.title} is called '{name}'. {hint}")


# Reading the pairs


@dataclass(frozen=True)
class _Origin:
    """Where a source comes from: a paired node, an input, a weight or a constant."""

    word: str
    number: int
    output: int
    between: tuple[str, ...]


class _Reader:
    """Says for every pair which source is which."""

    def __init__(
        self,
        left: CanonicalGraph,
        right: CanonicalGraph,
        matching: Matching,
        inputs: dict[int, int],
        by_hand: set[tuple[int, int]],
    ) -> None:
        self.left, self.right = left, right
        self.matching, self.inputs, self.given = matching, inputs, by_hand
        self.numbers = tuple(
            {v.id: (k, o) for k, n in enumerate(g.nodes) for o, v in enumerate(n.values)}
            for g in (left, right)
        )
        self.places = tuple({v.id: k for k, v in enumerate(g.inputs)} for g in (left, right))

    def alignment(self) -> Alignment:
        """All of it."""
        of_left, of_right = self.matching.of_left, self.matching.of_right
        return Alignment(
            pairs=tuple(self._pair(i, of_left[i]) for i in sorted(of_left)),
            left_only=tuple(n.id for k, n in enumerate(self.left.nodes) if k not in of_left),
            right_only=tuple(n.id for k, n in enumerate(self.right.nodes) if k not in of_right),
            inputs=tuple(sorted(self.inputs.items())),
            outputs=tuple(
                self._link(k, k, self._origins(0, a), self._origins(1, b))
                for k, (a, b) in enumerate(zip(self.left.outputs, self.right.outputs, strict=False))
            ),
        )

    def _pair(self, i: int, j: int) -> AlignedPair:
        a, b = self.left.nodes[i], self.right.nodes[j]
        links = self._links(a, b)
        commutes = a.kind == b.kind and operation(a.kind).commutes
        direct = all(
            link.same
            and not link.left_between
            and not link.right_between
            and (commutes or link.left == link.right)
            for link in links
        )
        return AlignedPair(
            left=a.id,
            right=b.id,
            exact=direct and a.kind == b.kind,
            substituted=a.kind != b.kind,
            links=links,
            given=(i, j) in self.given,
        )

    def _links(self, a: CanonicalNode, b: CanonicalNode) -> tuple[SourceLink, ...]:
        """The best one-to-one of the sources: directly the same, through others, in its place."""
        lefts = [self._origins(0, source) for source in a.sources]
        rights = [self._origins(1, source) for source in b.sources]
        scores = np.array(
            [[self._score(p, q, k, n) for n, q in enumerate(rights)] for k, p in enumerate(lefts)]
        ).reshape(len(lefts), len(rights))
        links = []
        for at in np.argsort(scores, axis=None, kind="stable"):
            k, n = divmod(int(at), len(rights))
            if scores[k, n] < np.inf:
                links.append(self._link(k, n, lefts[k], rights[n]))
                scores[k, :] = scores[:, n] = np.inf
        taken = {link.left for link in links}, {link.right for link in links}
        links += [SourceLink(k, None, False) for k in range(len(lefts)) if k not in taken[0]]
        links += [SourceLink(None, n, False) for n in range(len(rights)) if n not in taken[1]]
        return tuple(sorted(links, key=lambda x: (x.left is None, x.left, x.right)))

    def _score(self, one: list[_Origin], other: list[_Origin], k: int, n: int) -> float:
        """How unlike two sources are; least of all alike where only one of them flows.

        A weight must not be linked with a value while another weight is there: it would go across
        to something else.
        """
        best = self._common(one, other)
        if best is not None:
            return 10.0 * (len(best[0].between) + len(best[1].between)) + abs(k - n) * 0.1
        flowing = [any(o.word in ("node", "input") for o in side) for side in (one, other)]
        return 1000.0 * (1 + (flowing[0] != flowing[1])) + abs(k - n)

    def _common(self, one: list[_Origin], other: list[_Origin]) -> tuple[_Origin, _Origin] | None:
        """The nearest origins that are the same."""
        both = [(p, q) for p in one for q in other if self._same(p, q)]
        return min(both, key=lambda x: len(x[0].between) + len(x[1].between), default=None)

    def _same(self, p: _Origin, q: _Origin) -> bool:
        if p.word == "fixed" or q.word == "fixed":
            return p.word == q.word
        if p.word != q.word:
            return False
        known = self.inputs if p.word == "input" else self.matching.of_left
        return known.get(p.number) == q.number and p.output == q.output

    def _link(self, k: int, n: int, one: list[_Origin], other: list[_Origin]) -> SourceLink:
        best = self._common(one, other)
        if best is None:
            return SourceLink(k, n, False)
        return SourceLink(k, n, True, best[0].between, best[1].between)

    def _origins(self, side: int, source: Source, between: tuple[str, ...] = ()) -> list[_Origin]:
        """Where it comes from, looking through nodes without a counterpart, nearest first.

        Behind a layer that is missing its taker is then still linked to what comes before, and the
        missing one is said to stand between (``test_a_missing_layer_is_said_to_stand_between``).
        """
        graph = (self.left, self.right)[side]
        paired = (self.matching.of_left, self.matching.of_right)[side]
        origins: list[_Origin] = []
        queue, seen = [(source.value, between)], {source.value}
        while queue:
            value, way = queue.pop(0)
            if value in self.places[side]:
                origins.append(_Origin("input", self.places[side][value], 0, way))
                continue
            if value not in self.numbers[side]:
                origins.append(_Origin("fixed", 0, 0, way))
                continue
            number, output = self.numbers[side][value]
            if number in paired:
                origins.append(_Origin("node", number, output, way))
                continue
            node = graph.nodes[number]
            ahead = [s.value for s in node.sources if s.value not in seen]
            seen |= set(ahead)
            queue += [(v, (*way, node.id)) for v in ahead]
        # A missing sum of a value and a constant stands for the value.
        moving = [o for o in origins if o.word != "fixed"]
        return moving or origins
