"""Where the layers and edges of both graphs are drawn: one layer a row, values in lanes.

Both sides have the same rows, so that partners stand beside each other; each side has lanes of its
own. The work grows with layers and edges, not with their product.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

from parity.checker.result.check_result import CheckResult, Layer, LayerEdge
from parity.core.sides import Side


@dataclass(frozen=True)
class Line:
    """A layer's value on its way down one side.

    Attributes:
        row: of the layer, whose dot stands on the line.
        lane: from 0; no two lines are in one lane at one row, but where one ends the next begins.
        targets: rows of those that take it, ascending. One above `row` takes it in another order
            than the other side's.
    """

    row: int
    lane: int
    targets: tuple[int, ...]

    @property
    def first(self) -> int:
        """The uppermost row that it runs through."""
        return min((self.row, *self.targets[:1]))

    @property
    def last(self) -> int:
        """The lowest row that it runs through."""
        return max((self.row, *self.targets[-1:]))


INPUT = "input"
"""Kind of what `with_inputs` adds."""


def with_inputs(result: CheckResult) -> CheckResult:
    """With a layer for each input, before all others."""
    several = len(result.inputs)
    inputs = [Layer(name, name, INPUT, "agrees") for name in (f"input {i}" for i in range(several))]
    edges = [
        *(replace(edge, target=edge.target + several) for edge in result.feeds),
        *(
            replace(edge, source=edge.source + several, target=edge.target + several)
            for edge in result.edges
        ),
    ]
    return replace(result, layers=(*inputs, *result.layers), edges=tuple(edges))


def order(layers: Sequence[Layer], edges: Sequence[LayerEdge]) -> list[int]:
    """The layers from top to bottom, by both sides' flow, and as they were run where that is free.

    Args:
        layers: of a check.
        edges: between them. Where the two sides contradict each other, the layer that was run
            first comes first.

    Returns:
        Row → place in `layers`.
    """
    waiting = [0] * len(layers)
    takers: list[list[int]] = [[] for _ in layers]
    for edge in edges:
        waiting[edge.target] += 1
        takers[edge.source].append(edge.target)
    ready = [at for at, count in enumerate(waiting) if not count]
    placed = [False] * len(layers)
    found: list[int] = []
    unplaced = 0
    while len(found) < len(layers):
        while not ready and placed[unplaced]:
            unplaced += 1
        at = heapq.heappop(ready) if ready else unplaced
        if placed[at]:
            continue
        placed[at] = True
        found.append(at)
        for taker in takers[at]:
            waiting[taker] -= 1
            if not waiting[taker]:
                heapq.heappush(ready, taker)
    return found


def lines(
    side: Side, layers: Sequence[Layer], edges: Sequence[LayerEdge], rows: Sequence[int]
) -> list[Line]:
    """One line for each layer of a side, by row.

    Args:
        side: whose.
        layers, edges: of a check.
        rows: what `order` gave.
    """
    row_of = {at: row for row, at in enumerate(rows)}
    targets: dict[int, list[int]] = {
        row: [] for row, at in enumerate(rows) if getattr(layers[at], side) is not None
    }
    for edge in edges:
        if side in edge.sides:
            targets[row_of[edge.source]].append(row_of[edge.target])
    unplaced = [Line(row, 0, tuple(sorted(taken))) for row, taken in targets.items()]
    return sorted(_in_lanes(unplaced), key=lambda line: line.row)


def _in_lanes(unplaced: Sequence[Line]) -> list[Line]:
    """Each in the leftmost lane that is free from its first row to its last."""
    found: list[Line] = []
    running: list[tuple[int, int]] = []  # last row, lane
    free: list[int] = []
    lanes = 0
    for line in sorted(unplaced, key=lambda line: line.first):
        while running and running[0][0] <= line.first:
            heapq.heappush(free, heapq.heappop(running)[1])
        if not free:
            heapq.heappush(free, lanes)
            lanes += 1
        lane = heapq.heappop(free)
        heapq.heappush(running, (line.last, lane))
        found.append(Line(line.row, lane, line.targets))
    return found
