"""How much it costs to take two nodes for each other: an edit distance along the flow of data.

For every node of the left and every node of the right, the cheapest way is found to align all that
flows *into* the two, by dynamic programming over both graphs at once, and the same for all that
flows *out of* them. A node without a counterpart costs `GAP`, so one missing layer in a deep chain
costs one gap and does not shift the rest. Where several values meet, the cost of each way counts by
its length. Nothing here depends on names or on the order of execution, but for ties.

Figures beside the constants: how many of 1,907 nodes of nine architectures are not paired with
themselves when eight faults are planted in one of two graphs whose nodes run in another order and
are called otherwise (``parity_tests/check/synthetic.py``, 45 pairs). As it stands it is 14; with
one fault none of 4,878. A constant without a figure is not critical there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.operations.known import operation

Costs = NDArray[np.float64]
Numbers = NDArray[np.int64]

GAP = 1.0
"""A node without a counterpart. The unit of all other costs: at 0.3 21, since two gaps are then
cheaper than taking an unlike node for its partner; at 3 18."""
NEVER = 1e6
"""More than all gaps of a graph together."""
POSITION = 0.05
"""Another place among the sources of the same kind of node. It alone tells branches of one shape
apart, in an inception block or query, key and value: without it 64, and 8 of 36 right ports do not
match. More than a tie, so that no name outweighs it; less than a gap, for to take operands in
another order is a mistake that people make."""
SPAN = 24
"""So many nodes in a row are skipped at once; more take `ROUNDS`. The table of skips grows with it,
and a block that is left out has fewer."""
ROUNDS = 3
"""Without any a node that only the right has ends its row: 1,295."""
REWIRED = 3.0
"""At most so much more costs a source that is taken from elsewhere. Without a limit all that flows
into the wrong branch counts against the node that joins them, and the fault spreads: 31, of which
22 in U-Nets, whose skips are long; at one gap 20."""


def category(node: CanonicalNode) -> str:
    """A coarse word for a node: what may be mistaken for one another has one."""
    word = operation(node.kind).category or node.kind
    # A sum with a number or a constant joins nothing; it is told from a residual one.
    if word == "join" and len(moving(node)) < 2:
        return "arithmetic"
    return word


def moving(node: CanonicalNode) -> list[int]:
    """The sources that are neither parameters nor constants."""
    return [
        k for k, s in enumerate(node.sources) if not s.value.startswith(("parameter:", "constant:"))
    ]


@dataclass(frozen=True)
class Flow:
    """A canonical graph as arrays. Nodes are numbered in order; `roots` are the model's inputs.

    Attributes:
        graph: the graph.
        before: for each node its (producer, place among its moving sources, number of them); an
            input of the model is −1 − its number.
        after: for each node its (taker, place, number); an output is −1 − its number.
    """

    graph: CanonicalGraph
    before: list[list[tuple[int, int, int]]]
    after: list[list[tuple[int, int, int]]]

    @classmethod
    def of(cls, graph: CanonicalGraph) -> Flow:
        """Read who takes what."""
        number = {value.id: k for k, n in enumerate(graph.nodes) for value in n.values}
        number |= {value.id: -1 - k for k, value in enumerate(graph.inputs)}
        before: list[list[tuple[int, int, int]]] = []
        after: list[list[tuple[int, int, int]]] = [[] for _ in graph.nodes]
        for k, node in enumerate(graph.nodes):
            places = [s for s in (node.sources[i].value for i in moving(node)) if s in number]
            commutes = operation(node.kind).commutes
            before.append([])
            for place, value in enumerate(places):
                where = (0, 1) if commutes else (place, len(places))
                before[k].append((number[value], *where))
                if number[value] >= 0:
                    after[number[value]].append((k, *where))
        for k, source in enumerate(graph.outputs):
            producer = number.get(source.value, -1)
            if producer >= 0:
                after[producer].append((-1 - k, 0, 1))
        return cls(graph, before, after)

    def depths(self) -> NDArray[np.int64]:
        """Longest way from an input."""
        depths = np.zeros(len(self.before), dtype=np.int64)
        for k, edges in enumerate(self.before):
            depths[k] = 1 + max((depths[p] for p, _, _ in edges if p >= 0), default=0)
        return depths

    def heights(self) -> NDArray[np.int64]:
        """Longest way to an output."""
        heights = np.zeros(len(self.after), dtype=np.int64)
        for k in range(len(self.after) - 1, -1, -1):
            heights[k] = 1 + max((heights[s] for s, _, _ in self.after[k] if s >= 0), default=0)
        return heights

    def reach(self) -> NDArray[np.bool_]:
        """``reach[a, b]``: b takes, over whatever others, what a yields."""
        n = len(self.before)
        reach = np.zeros((n, n), dtype=bool)
        for k in range(n - 1, -1, -1):
            for taker, _, _ in self.after[k]:
                if taker >= 0:
                    reach[k] |= reach[taker]
                    reach[k, taker] = True
        return reach


# Two nodes with all that flows into them


@dataclass(frozen=True)
class _Side:
    """Edges in the direction of the dynamic programming, as arrays.

    Behind the n nodes stand roots: ``-1 - k`` is row ``n + k``, and the last is nothing; a node
    without any edge hangs on that.

    Attributes:
        order: of the nodes, so that what an edge leads to comes before.
        edges: of each node: (row, place, number of places).
        weights: of each node's edges, by the length of the way behind them.
        flat, places, backs, shares, starts: the same edges of all nodes in one row.
        roots: how many.
        skips: of each node: (rows that lie up to `SPAN` before, on the longest way; cost).
        skipped: the same of all nodes in one row: rows, cost, starts, nodes.
    """

    order: list[int]
    edges: list[list[tuple[int, int, int]]]
    weights: list[Costs]
    flat: Numbers
    places: Numbers
    backs: Numbers
    shares: Costs
    starts: Numbers
    roots: int
    skips: list[tuple[Numbers, Costs]]
    skipped: tuple[Numbers, Costs, Numbers, Numbers]

    @classmethod
    def of(
        cls,
        edges: list[list[tuple[int, int, int]]],
        far: Numbers,
        *,
        backwards: bool,
        longest: bool,
    ) -> _Side:
        """Read the edges of a `Flow`."""
        n = len(edges)
        roots = 1 + max((-p for es in edges for p, _, _ in es if p < 0), default=0)
        moved = [
            [(p if p >= 0 else n - 1 - p, place, total) for p, place, total in es]
            or [(n + roots - 1, 0, 1)]
            for es in edges
        ]
        weights = []
        for es in moved:
            # A shortcut and a branch of ten layers meet: a difference in the shortcut's one layer
            # is not half of all. By equal weights 28.
            raw = np.array([1.0 + (far[p] if p < n else 0) for p, _, _ in es])
            weights.append(raw / raw.sum())
        counts = np.array([len(es) for es in moved], dtype=np.int64)
        order = list(range(n - 1, -1, -1) if backwards else range(n))
        skips = _skips(moved, order, roots, longest)
        sizes = np.array([len(rows) for rows, _ in skips], dtype=np.int64)
        return cls(
            order=order,
            edges=moved,
            weights=weights,
            flat=np.array([p for es in moved for p, _, _ in es], dtype=np.int64),
            places=np.array([k for es in moved for _, k, _ in es], dtype=np.int64),
            backs=np.array([t - k for es in moved for _, k, t in es], dtype=np.int64),
            shares=np.concatenate(weights) if weights else np.zeros(0),
            starts=np.cumsum(counts) - counts,
            roots=roots,
            skips=skips,
            skipped=(
                np.concatenate([rows for rows, _ in skips]) if skips else counts,
                np.concatenate([cost for _, cost in skips]) if skips else np.zeros(0),
                np.cumsum(sizes) - sizes,
                np.arange(n),
            ),
        )


def _skips(
    edges: list[list[tuple[int, int, int]]], order: list[int], roots: int, longest: bool
) -> list[tuple[Numbers, Costs]]:
    """What lies before each node, and how many nodes are skipped on the way to it."""
    n = len(edges)
    # Between two nodes there are many ways; to leave all out costs the longest, as every node of it
    # is gone, or the shortest, as a shortcut may stay (`align` tries both).
    unvisited, better = (-NEVER, np.maximum) if longest else (NEVER, np.minimum)
    way = np.full((n, n + roots), unvisited)
    skips: list[tuple[Numbers, Costs]] = [(np.zeros(0, dtype=np.int64), np.zeros(0))] * n
    for k in order:
        for p, _, _ in edges[k]:
            if p < n:
                better(way[k], way[p] + 1, out=way[k])
            way[k, p] = better(way[k, p], 1)
        rows = np.flatnonzero((way[k] > 0) & (way[k] <= SPAN))
        skips[k] = rows, GAP * way[k, rows]
    return skips


def cone_costs(left: _Side, right: _Side, own: Costs, roots: Costs) -> Costs:
    """The cost of two nodes and all before them, in the direction of the sides.

    Args:
        left, right: edges.
        own: `parity.checker.align.node_costs.node_costs`.
        roots: cost of each root on the left against each on the right.

    Returns:
        The cheapest alignment of all of it that takes the two for each other.
    """
    n, m = own.shape
    best = np.full((n + left.roots, m + right.roots), NEVER)
    best[n:, m:] = roots
    for row in range(n, n + left.roots):
        _skip_right(best[row], right)
    matched = np.full((n, m), NEVER)
    for i in left.order:
        edges = left.edges[i]
        before = best[[p for p, _, _ in edges]]
        matched[i] = own[i] + _before(before, edges, left.weights[i], right)
        rows, cost = left.skips[i]
        best[i] = (best[rows] + cost[:, None]).min(axis=0)
        np.minimum(best[i, :m], matched[i], out=best[i, :m])
        _skip_right(best[i], right)
    return matched


def _before(
    before: Costs, edges: list[tuple[int, int, int]], weights: Costs, right: _Side
) -> Costs:
    """Every source of one side against the best of the other; the worse of both directions.

    By one direction a join of two fits a join of three, whose third source nobody asks for: 28, of
    which 15 in DenseNets.
    """
    ends = before[:, right.flat]
    if any(total > 1 for _, _, total in edges):
        places = np.array([k for _, k, _ in edges])[:, None]
        backs = np.array([t - k for _, k, t in edges])[:, None]
        # Counted from either end: one operand more in front moves all others of a join by one.
        ends = ends + POSITION * ((places != right.places) & (backs != right.backs))
    one = np.minimum.reduceat(ends, right.starts, axis=1)
    low = one.min(axis=0)
    other = ends.min(axis=0)
    floor = np.minimum.reduceat(other, right.starts)
    counts = np.diff(right.starts, append=other.size)
    excess = np.minimum(other - np.repeat(floor, counts), REWIRED * GAP)
    costs: Costs = np.maximum(
        low + weights @ np.minimum(one - low, REWIRED * GAP),
        floor + np.add.reduceat(excess * right.shares, right.starts),
    )
    return costs


def _skip_right(row: Costs, right: _Side) -> None:
    rows, cost, starts, nodes = right.skipped
    if not rows.size:
        return
    for _ in range(ROUNDS):
        row[nodes] = np.minimum(row[nodes], np.minimum.reduceat(row[rows] + cost, starts))


def alignment_costs(
    left: Flow, right: Flow, own: Costs, inputs: dict[int, int], *, longest: bool
) -> Costs:
    """The cost of the whole alignment if two nodes are taken for each other.

    Args:
        left, right: the graphs.
        own: `parity.checker.align.node_costs.node_costs`.
        inputs: which input of the left is which of the right.
        longest: whether leaving a block out costs as much as its long branch, or as its shortcut.
    """
    into = tuple(
        _Side.of(f.before, f.depths(), backwards=False, longest=longest) for f in (left, right)
    )
    out_of = tuple(
        _Side.of(f.after, f.heights(), backwards=True, longest=longest) for f in (left, right)
    )
    positions = {k: k for k in range(max(len(left.graph.outputs), len(right.graph.outputs)))}
    above = cone_costs(into[0], into[1], own, _root_costs(into[0], into[1], inputs))
    below = cone_costs(out_of[0], out_of[1], own, _root_costs(out_of[0], out_of[1], positions))
    return above + below - own  # which both have counted


def _root_costs(left: _Side, right: _Side, positions: dict[int, int]) -> Costs:
    # Another input than its own is dearer than a layer too many before the right one; free, the
    # towers of two like inputs change places: 58, and 4 of 36 right ports do not match.
    costs = np.full((left.roots, right.roots), 3.0 * GAP)
    for i, j in positions.items():
        if i < left.roots - 1 and j < right.roots - 1:
            costs[i, j] = 0.0
    # A node that takes nothing against one that takes an input: between a match and a wrong input.
    costs[left.roots - 1, :] = costs[:, right.roots - 1] = 2.0 * GAP
    costs[-1, -1] = 0.0
    return costs
