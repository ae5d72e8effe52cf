"""From costs to pairs: the surest first, their neighbours next, ties one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from parity.checker.align.flow import GAP, NEVER, Costs, Flow, category

BONUS = 0.1
"""For every neighbour that is a pair already (`flow` explains the figures). More than a tie, or
names would pair layers of two like blocks crosswise: without it 16. Less than a gap, or one wrong
pair draws its neighbours after it: at one 18, and single faults mislead, too."""
SURE = 1e-9
"""Costs are sums of hundreds of floating numbers: equal ones differ in the last digits."""
FAR = 2.5 * GAP
"""A pair that makes the alignment this much dearer than another would is no pair: both nodes are
left over, which says more than a pair that has nothing in common. Just above the two gaps that
this costs."""


class Matching:
    """Pairs of node numbers, one-to-one, found greedily on a matrix of costs."""

    def __init__(self, left: Flow, right: Flow, costs: Costs, own: Costs) -> None:
        self.left, self.right = left, right
        self.costs = costs.copy()
        self.costs[own >= NEVER] = NEVER
        self.own = own
        self.lowest = (costs.min(axis=1, initial=NEVER), costs.min(axis=0, initial=NEVER))
        self.of_left: dict[int, int] = {}
        self.of_right: dict[int, int] = {}
        self.reach = (left.reach(), right.reach())
        self.shared = (_sharing(left), _sharing(right))

    # State

    def take(self, i: int, j: int) -> None:
        """Make a pair, and let its neighbours profit."""
        self.of_left[i], self.of_right[j] = j, i
        self.costs[i, :] = NEVER
        self.costs[:, j] = NEVER
        for a, b in self.neighbours(i, j):
            self.costs[a, b] -= BONUS

    def neighbours(self, i: int, j: int) -> list[tuple[int, int]]:
        """Free pairs that stand to each other as this one's neighbours do."""
        pairs = []
        joined = self._joins(i, j)
        for one, other, before in (
            (self.left.before[i], self.right.before[j], True),
            (self.left.after[i], self.right.after[j], False),
        ):
            for a, place, total in one:
                for b, where, count in other:
                    same = place == where or total - place == count - where
                    # Branches that a join takes in another order are what they were; only the join
                    # is wrong (`test_branches_that_are_joined_in_another_order_keep_their_layers`).
                    same = same or (joined if before else self._joins(a, b))
                    if a >= 0 and b >= 0 and same and self._free(a, b):
                        pairs.append((a, b))
        pairs += [
            (a, b)
            # Two uses of one weight, in a siamese net, stand to each other as neighbours do.
            for a in self.shared[0].get(i, ())
            for b in self.shared[1].get(j, ())
            if self._free(a, b)
        ]
        return list(dict.fromkeys(pairs))

    def _joins(self, i: int, j: int) -> bool:
        """Whether two nodes join pieces, which may be joined in another order."""
        if i < 0 or j < 0:
            return False
        kinds = self.left.graph.nodes[i].kind, self.right.graph.nodes[j].kind
        return kinds[0] == kinds[1] and kinds[0] in ("concatenate", "stack")

    def _free(self, i: int, j: int) -> bool:
        return i not in self.of_left and j not in self.of_right and self.costs[i, j] < NEVER / 2

    def crossing(self, i: int, j: int) -> list[int]:
        """Pairs, by their left node, that come before on one side and after on the other.

        Both pairs are right only if the two layers changed places, for which `pair_swapped` looks
        when all others are settled.
        """
        if not self.of_left:
            return []
        lefts = np.fromiter(self.of_left, dtype=np.int64)
        rights = np.fromiter(self.of_left.values(), dtype=np.int64)
        (a, b) = self.reach
        wrong = (a[lefts, i] & b[j, rights]) | (a[i, lefts] & b[rights, j])
        return [int(k) for k in lefts[wrong]]

    # Search

    def run(self, by_hand: Iterable[tuple[int, int]] = ()) -> None:
        """Pair all that can be paired, those that are given first."""
        for i, j in by_hand:
            self.take(i, j)
        if self.costs.size:
            self._pair_by_cost()
        self.part_strangers(dict(by_hand))
        self.pair_swapped()
        self.pair_substituted()

    def _pair_by_cost(self) -> None:
        while True:
            sure, tied = self._scan()
            if not sure and not tied:
                return
            for i, j in sure:
                self._try(i, j)
            if not sure:
                self._break_ties(tied)

    def _try(self, i: int, j: int) -> bool:
        """Take a pair, and then whatever around it has become sure."""
        if not self._free(i, j):
            return False
        if self._refused(i, j):
            self.costs[i, j] = NEVER
            return False
        self.take(i, j)
        waiting = deque(self.neighbours(i, j))
        while waiting:
            a, b = waiting.popleft()
            if not self._free(a, b) or not self._best(a, b):
                continue
            if self._refused(a, b):
                self.costs[a, b] = NEVER
                continue
            self.take(a, b)
            waiting.extend(self.neighbours(a, b))
        return True

    def _refused(self, i: int, j: int) -> bool:
        floor = max(self.lowest[0][i], self.lowest[1][j])
        return bool(self.costs[i, j] > floor + FAR) or bool(self.crossing(i, j))

    def _best(self, i: int, j: int) -> bool:
        """Whether each is the other's only best."""
        cost = self.costs[i, j]
        return (
            int((self.costs[i] <= cost + SURE).sum()) == 1
            and int((self.costs[:, j] <= cost + SURE).sum()) == 1
        )

    def _scan(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Pairs that are each other's only best, and those that are tied with others."""
        rows = np.array([i for i in range(self.costs.shape[0]) if i not in self.of_left])
        columns = np.array([j for j in range(self.costs.shape[1]) if j not in self.of_right])
        if not rows.size or not columns.size:
            return [], []
        costs = self.costs[np.ix_(rows, columns)]
        low = costs.min(axis=1, keepdims=True) + SURE
        down = costs.min(axis=0, keepdims=True) + SURE
        good = (costs <= low) & (costs <= down) & (costs < NEVER / 2)
        alone = (costs <= low).sum(axis=1, keepdims=True) == 1
        only = (costs <= down).sum(axis=0, keepdims=True) == 1
        sure = _pairs(good & alone & only, costs, rows, columns)
        return sure, [] if sure else _pairs(good, costs, rows, columns)

    def _break_ties(self, tied: list[tuple[int, int]]) -> None:
        """Take one of each group of ties, and what follows from it.

        Of like branches either choice is right, but all the rest must follow the one that is made.
        """
        for i, j in tied:
            if not self._free(i, j):
                continue
            cost = self.costs[i, j] - SURE
            if self.costs[i].min() >= cost and self.costs[:, j].min() >= cost:
                self._try(i, j)

    # What is left

    def part_strangers(self, by_hand: Mapping[int, int]) -> None:
        """Take apart two operations of unlike kinds that have no neighbour in common.

        Nothing is left then that says they are one: the one is missing here, the other too many
        there.
        """
        for i, j in list(self.of_left.items()):
            a, b = self.left.graph.nodes[i], self.right.graph.nodes[j]
            if a.kind == b.kind or a.parameters or b.parameters or by_hand.get(i) == j:
                continue
            around = [
                (_nearest(flows[0], i, self.of_left), _nearest(flows[1], j, self.of_right))
                for flows in (
                    (self.left.before, self.right.before),
                    (self.left.after, self.right.after),
                )
            ]
            if not any({self.of_left.get(k, k) for k in one} & other for one, other in around):
                del self.of_left[i], self.of_right[j]

    def pair_swapped(self) -> list[tuple[int, int]]:
        """Pair nodes of one category that a neighbour has changed places with.

        A norm behind its activation instead of before: the two pairs cross, so that one is refused
        and its nodes are left over on both sides, as one missing and another too many.
        """
        swapped = []
        for i in self._left_over():
            for j in self._right_over():
                if category(self.left.graph.nodes[i]) != category(self.right.graph.nodes[j]):
                    continue
                # One neighbour, or the layer and what stood between; more is another place. Without
                # this rule 61, and 18 of 4,878 with a single fault.
                if self.own[i, j] >= NEVER or not 1 <= len(self.crossing(i, j)) <= 2:
                    continue
                if self._near(i, j):
                    self.take(i, j)
                    swapped.append((i, j))
                    break
        return swapped

    def _near(self, i: int, j: int) -> bool:
        """Whether the pairs it crosses are next to it on both sides."""
        return all(
            k in _around(self.left, i, 2) and self.of_left[k] in _around(self.right, j, 2)
            for k in self.crossing(i, j)
        )

    def pair_substituted(self) -> list[tuple[int, int]]:
        """Pair what stands between the same neighbours, whatever it is.

        Of an operation that the other side has as an opaque one no kind tells, but its place does.
        """
        substituted = []
        changed = True
        while changed:
            changed = False
            for i in self._left_over():
                for j in self._right_over():
                    if self._same_place(i, j) and not self.crossing(i, j):
                        self.take(i, j)
                        substituted.append((i, j))
                        changed = True
                        break
        return substituted

    def _same_place(self, i: int, j: int) -> bool:
        a, b = self.left.graph.nodes[i], self.right.graph.nodes[j]
        # A layer and an activation in one place are one missing and one too many; of an opaque
        # operation nobody knows whether it has weights.
        if bool(a.parameters) != bool(b.parameters) and "opaque" not in (a.kind, b.kind):
            return False
        ends = []
        for one, other in (
            (self.left.before[i], self.right.before[j]),
            (self.left.after[i], self.right.after[j]),
        ):
            mapped = sorted(self.of_left.get(p, -(10**9)) if p >= 0 else p for p, _, _ in one)
            ends.append(bool(one) and mapped == sorted(q for q, _, _ in other))
        return all(ends)

    def _left_over(self) -> list[int]:
        return [i for i in range(len(self.left.before)) if i not in self.of_left]

    def _right_over(self) -> list[int]:
        return [j for j in range(len(self.right.before)) if j not in self.of_right]


def _pairs(
    mask: NDArray[np.bool_], costs: Costs, rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> list[tuple[int, int]]:
    at = np.argwhere(mask)
    order = np.argsort(costs[tuple(at.T)], kind="stable")
    return [(int(rows[r]), int(columns[c])) for r, c in at[order]]


def _sharing(flow: Flow) -> dict[int, list[int]]:
    """For each node the others that use one of its parameters."""
    users: dict[str, list[int]] = {}
    for k, node in enumerate(flow.graph.nodes):
        for parameter in node.parameters.values():
            users.setdefault(parameter, []).append(k)
    sharing: dict[int, list[int]] = {}
    for group in users.values():
        if len(group) > 1:
            for k in group:
                sharing.setdefault(k, []).extend(o for o in group if o != k)
    return sharing


def _nearest(
    edges: list[list[tuple[int, int, int]]], k: int, paired: Mapping[int, int]
) -> set[int]:
    """The paired nodes and the ends that are nearest to a node, one way."""
    found: set[int] = set()
    waiting, seen = [k], {k}
    while waiting:
        for other, _, _ in edges[waiting.pop()]:
            if other < 0 or other in paired:
                found.add(other)
            elif other not in seen:
                seen.add(other)
                waiting.append(other)
    return found


def _around(flow: Flow, k: int, steps: int) -> set[int]:
    seen = {k}
    edge: Iterable[int] = [k]
    for _ in range(steps):
        edge = {p for n in edge for p, _, _ in (*flow.before[n], *flow.after[n]) if p >= 0} - seen
        seen |= set(edge)
    return seen - {k}
