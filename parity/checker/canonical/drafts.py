"""A graph while it is being rewritten: nodes that can be fused, and who takes what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.graph.graph import Graph, Node, Parameter, Source, Value

Ids = NDArray[np.int64]
OUTPUT = ""
"""Who takes a value that the model returns."""


@dataclass(frozen=True)
class DraftEdge:
    """A source, and the dropouts that stood on the way to it."""

    source: Source
    marks: tuple[str, ...] = ()


@dataclass
class Draft:
    """A node that may still take in others."""

    id: str
    name: str
    kind: str
    settings: dict[str, Any]
    edges: list[DraftEdge]
    values: tuple[Value, ...]
    parameters: dict[str, str]
    members: list[str]
    names: list[str]
    code: str
    views: dict[str, Source] = field(default_factory=dict)

    @classmethod
    def of(cls, node: Node) -> Draft:
        """One node as it was traced."""
        return cls(
            id=node.id,
            name=node.name,
            kind=node.kind,
            settings=dict(node.settings),
            edges=[DraftEdge(source) for source in node.sources],
            values=node.values,
            parameters=dict(node.parameters),
            members=[node.id],
            names=[node.name],
            code=node.code,
        )

    @property
    def value(self) -> str:
        """Id of the first output."""
        return self.values[0].id


class Drafts:
    """The whole graph: nodes in the order of execution, and for each value who takes it."""

    def __init__(self, graph: Graph, ids: Mapping[str, Ids]) -> None:
        self.nodes = {node.id: Draft.of(node) for node in graph.nodes}
        self.outputs = [DraftEdge(source) for source in graph.outputs]
        self.ids: dict[str, Ids] = dict(ids)
        self.parameters: Mapping[str, Parameter] = graph.parameters
        self.shapes = {v.id: tuple(v.shape) for n in graph.nodes for v in n.values}
        self.shapes |= {v.id: tuple(v.shape) for v in graph.inputs}
        self.shapes |= {f"parameter:{p.id}": tuple(p.shape) for p in graph.parameters.values()}
        for source in (s for n in graph.nodes for s in n.sources if not s.ids):
            self.shapes.setdefault(source.value, tuple(source.shape))
        self.producers = {v.id: n.id for n in graph.nodes for v in n.values}
        self._users: dict[str, Counter[str]] = {}
        for node in self.nodes.values():
            self._count(node.id, node.edges, 1)
        self._count(OUTPUT, self.outputs, 1)

    # Who takes what

    def _count(self, user: str, edges: Iterable[DraftEdge], sign: int) -> None:
        for edge in edges:
            counter = self._users.setdefault(edge.source.value, Counter())
            counter[user] += sign
            if not counter[user]:
                del counter[user]

    def users(self, node: Draft) -> set[str]:
        """Ids of the nodes that take any of its outputs; `OUTPUT` where the model returns one."""
        return {user for value in node.values for user in self._users.get(value.id, ())}

    def only_user(self, node: Draft, user: Draft) -> bool:
        """Whether nobody else takes its outputs."""
        return self.users(node) == {user.id}

    def taken(self, node: Draft) -> int:
        """How often its outputs are taken."""
        return sum(sum(self._users.get(v.id, Counter()).values()) for v in node.values)

    def producer(self, edge: DraftEdge) -> Draft | None:
        """The node behind an edge; None for an input, a parameter or a constant."""
        return self.nodes.get(self.producers.get(edge.source.value, ""))

    # Changes

    def rewire(self, node: Draft, edges: list[DraftEdge]) -> None:
        """Let a node take something else."""
        self._count(node.id, node.edges, -1)
        node.edges = edges
        self._count(node.id, edges, 1)

    def remove(self, node: Draft) -> None:
        """Take a node out; nobody may take its outputs any more, or they become bare roots."""
        self._count(node.id, node.edges, -1)
        del self.nodes[node.id]

    def absorb(self, last: Draft, first: Draft, edges: list[DraftEdge], main: Draft) -> None:
        """Let ``last`` stand for ``first``, too; called and named like ``main``."""
        last.members = first.members + last.members
        last.names = [main.name, *(n for n in first.names + last.names if n != main.name)]
        last.name, last.code = main.name, main.code
        # A dropout stood on an edge that is now inside: it is noted on the first one that is left,
        # or its rate would not be compared.
        lost = {m for e in (*first.edges, *last.edges) for m in e.marks}
        lost -= {m for e in edges for m in e.marks}
        if lost and edges:
            edges = [DraftEdge(edges[0].source, (*edges[0].marks, *sorted(lost))), *edges[1:]]
        self.rewire(last, edges)
        if not self.users(first):
            self.remove(first)

    def bypass(self, node: Draft, mark: str = "") -> None:
        """Take a node out that hands on what it takes first."""
        inner = node.edges[0]
        marks = (*inner.marks, mark) if mark else inner.marks
        for user in sorted(self.users(node)):
            edges = self.outputs if user == OUTPUT else self.nodes[user].edges
            changed = [
                DraftEdge(self.compose(e.source, inner.source), (*marks, *e.marks))
                if e.source.value == node.value
                else e
                for e in edges
            ]
            if user == OUTPUT:
                self._count(OUTPUT, self.outputs, -1)
                self.outputs = changed
                self._count(OUTPUT, self.outputs, 1)
            else:
                self.rewire(self.nodes[user], changed)
        self.remove(node)

    # Views

    def picks(self, source: Source) -> Ids:
        """Which element of the root stands where."""
        if source.ids:
            return self.ids[source.ids]
        size = int(np.prod(source.shape, dtype=np.int64))
        return np.arange(size, dtype=np.int64).reshape(source.shape)

    def view(self, value: str, picks: Ids) -> Source:
        """A source that sees a root like this."""
        shape = tuple(int(n) for n in picks.shape)
        if self.shapes.get(value) == shape and in_order(picks):
            return Source(value, shape)
        key = f"normal:{len(self.ids)}"
        self.ids[key] = np.ascontiguousarray(picks, dtype=np.int64)
        return Source(value, shape, key)

    def compose(self, outer: Source, inner: Source) -> Source:
        """What is seen through ``outer`` if its root is what ``inner`` sees."""
        if not outer.ids:
            return replace(inner, shape=inner.shape)
        if not inner.ids:
            return self.view(inner.value, self.picks(outer))
        return self.view(inner.value, self.picks(inner).ravel()[self.picks(outer)])

    def whole(self, source: Source) -> bool:
        """Whether the whole root is seen in its own order; its shape may be another."""
        if not source.ids:
            return True
        picks = self.ids[source.ids]
        size = int(np.prod(self.shapes.get(source.value, picks.shape), dtype=np.int64))
        return bool(picks.size == size and in_order(picks))

    def plain(self, source: Source) -> bool:
        """Whether the root is taken as it is, its shape included."""
        if not source.ids:
            return True
        return self.whole(source) and self.shapes.get(source.value) == tuple(source.shape)

    def same_view(self, one: Source, other: Source) -> bool:
        """Whether two sources see the same numbers in the same order."""
        if one.value != other.value or tuple(one.shape) != tuple(other.shape):
            return False
        return one.ids == other.ids or np.array_equal(self.picks(one), self.picks(other))

    def is_permutation(self, value: str, picks: Ids) -> bool:
        """Whether every element of a root is seen once."""
        size = int(np.prod(self.shapes.get(value, ()), dtype=np.int64))
        return picks.size == size and np.array_equal(np.sort(picks, axis=None), np.arange(size))

    def take_parameter(self, node: Draft, role: str, value: str, picks: Ids) -> None:
        """Make a source that is a weight one of the node's own."""
        node.parameters[role] = value.removeprefix("parameter:")
        view = self.view(value, picks)
        if view.ids:
            node.views[role] = view


def in_order(picks: Ids) -> bool:
    """Whether all elements of a root are seen in their own order."""
    flat = picks.ravel()
    return flat.size == 0 or bool(
        flat[0] == 0 and flat[-1] == flat.size - 1 and np.all(np.diff(flat) == 1)
    )
