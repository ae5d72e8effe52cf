"""The sense of masks: padding on one side is what is kept on the other.

A comparison yields two values, what it says and the contrary, whoever asks for which; so a ``not``
is no node. ``x ≠ y`` is ``x = y`` with the two exchanged, and a choice asks for the one by which a
number comes first. Which of the two a node takes is then wiring, as any other.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from parity.checker.align.alignment import Alignment
from parity.checker.canonical.canonical_graph import CONTRARY, CanonicalGraph, CanonicalNode
from parity.checker.graph.graph import Source, Value

_EQUAL = {"ne": "eq", "not_equal": "eq", "equal": "eq"}
_WORDS = {"greater": "gt", "greater_equal": "ge", "less": "lt", "less_equal": "le"}
_CONTRARY = {"lt": "ge", "ge": "lt", "gt": "le", "le": "gt"}


def settle_polarity(graph: CanonicalGraph) -> CanonicalGraph:
    """Say comparisons and choices in one sense; and twice the same mask once."""
    return MaskPolarity(graph, frozenset()).done()


def flip(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment
) -> CanonicalGraph | None:
    """The right with those comparisons said by the contrary that point the other way.

    ``lengths > places`` on one side and ``lengths <= places`` with a not on the other: which of the
    two is asked for is wiring, and left as it is each would lack a partner.
    """
    wanted = set()
    for pair in alignment.pairs:
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        if a.kind == b.kind == "compare" and {_way(a), _way(b)} == {"up", "down"}:
            wanted.add(b.id)
    return MaskPolarity(right, frozenset(wanted)).done() if wanted else None


def _way(node: CanonicalNode) -> str:
    """Whether large or small numbers are meant."""
    way = {"lt": 0, "le": 0, "gt": 1, "ge": 1}.get(str(node.settings.get("name")))
    left = node.settings.get("scalar_left") not in (None, False)
    return "" if way is None else ("down", "up")[way ^ left]


def nearer(one: Alignment, other: Alignment) -> bool:
    """Whether the first leaves less without a counterpart, or out of its place."""
    edits, exact = (
        [a.edits for a in (one, other)],
        [sum(not p.exact for p in a.pairs) for a in (one, other)],
    )
    return (edits[0], exact[0]) < (edits[1], exact[1])


@dataclass(frozen=True)
class _Renamed:
    """What a value is called now: another root's elements, the contrary of them or not."""

    root: str
    picks: np.ndarray[Any, Any] | None


class MaskPolarity:
    """A canonical graph in the making."""

    def __init__(self, graph: CanonicalGraph, turn: frozenset[str]) -> None:
        self.graph, self.turn = graph, turn
        self.ids = dict(graph.ids)
        self.shapes = {v.id: v.shape for n in graph.nodes for v in n.values}
        self.shapes |= {v.id: v.shape for v in graph.inputs}
        self.moved: dict[str, _Renamed] = {}
        self.contrary: dict[str, str] = {}
        self.first: set[str] = set()
        self.nots: dict[str, Source] = {}
        self.known: dict[tuple[object, ...], CanonicalNode] = {}
        self.aliases = dict(graph.aliases)

    def done(self) -> CanonicalGraph:
        """The whole of it."""
        nodes = [made for node in self.graph.nodes if (made := self._node(node)) is not None]
        outputs = tuple(self._see(s) for s in self.graph.outputs)
        taken = {s.value for n in nodes for s in n.sources} | {s.value for s in outputs}
        # A not whose taker asks for the contrary itself by now is an operation of one side only.
        idle = {v for v in self.nots if v not in taken}
        nodes = [n for n in nodes if n.value not in idle]
        return replace(
            self.graph, nodes=tuple(nodes), outputs=outputs, ids=self.ids, aliases=self.aliases
        )

    def _node(self, node: CanonicalNode) -> CanonicalNode | None:
        sources = tuple(self._see(s) for s in node.sources)
        node = replace(node, sources=sources)
        if _is_not(node):
            opposite = self.contrary.get(sources[0].value)
            if opposite is not None:
                self._stands_for(node.value, Source(opposite, sources[0].shape, sources[0].ids))
                return None
            if node.kind == "unary":
                self.nots[node.value] = sources[0]
        if node.kind == "compare":
            return self._once(self._compare(node))
        if node.kind == "where":
            return self._once(self._where(node))
        return node

    # Views

    def _see(self, source: Source) -> Source:
        """A source, of what stands for its root now."""
        seen = self.moved.get(source.value)
        if seen is None:
            return source
        if seen.picks is None:
            view = replace(source, value=seen.root)
        else:
            picks = seen.picks if not source.ids else seen.picks.ravel()[self.ids[source.ids]]
            view = self._view(seen.root, picks.reshape(source.shape))
        self.aliases.setdefault(source, (view, False))
        return view

    def _stands_for(self, value: str, source: Source) -> None:
        """Let whoever takes a value take what a source sees."""
        plain = not source.ids and self.shapes.get(source.value) == self.shapes[value]
        picks = None
        if not plain:
            size = int(np.prod(source.shape, dtype=np.int64))
            every = self.ids[source.ids] if source.ids else np.arange(size, dtype=np.int64)
            picks = every.reshape(self.shapes[value])
        self.moved[value] = _Renamed(source.value, picks)

    def _view(self, root: str, picks: np.ndarray[Any, Any]) -> Source:
        shape = tuple(int(n) for n in picks.shape)
        key = f"mask:{len(self.ids)}"
        if self.shapes.get(root) == shape and np.array_equal(picks.ravel(), np.arange(picks.size)):
            return Source(root, shape)
        self.ids[key] = np.ascontiguousarray(picks, dtype=np.int64)
        return Source(root, shape, key)

    # Nodes

    def _compare(self, node: CanonicalNode) -> CanonicalNode:
        settings = dict(node.settings)
        name = str(settings.get("name"))
        settings["name"] = _EQUAL.get(name, _WORDS.get(name, name))
        if len(node.values) == 1:
            value = node.values[0]
            other = replace(value, id=f"{value.id}{CONTRARY}")
            self.shapes[other.id] = other.shape
            values: tuple[Value, ...] = (value, other)
            values = values[::-1] if name in ("ne", "not_equal") else values
        else:
            values = node.values
        if node.id in self.turn:
            settings["name"], values = _CONTRARY[name], values[::-1]
        self.contrary[values[0].id], self.contrary[values[1].id] = values[1].id, values[0].id
        self.first.add(values[0].id)
        return replace(node, settings=settings, values=values)

    def _where(self, node: CanonicalNode) -> CanonicalNode:
        settings = dict(node.settings)
        then = settings.pop("then", settings.pop("scalar", None))
        otherwise = settings.pop("otherwise", settings.pop("other", None))
        condition, *rest = node.sources
        opposite = self.contrary.get(condition.value)
        if opposite is not None:
            # Numbers come first, the smaller one before the larger; of two values the first sense.
            # So `where(m, x, -1e9)` and `where(~m, -1e9, x)` are one node.
            swap = condition.value not in self.first
            if (then is None) != (otherwise is None):
                swap = then is None
            elif then is not None:
                swap = bool(otherwise < then)
            new = replace(condition, value=opposite)
        else:
            swap = condition.value in self.nots
            new = self._behind(condition) if swap else condition
        if swap:
            self.aliases[condition] = (new, True)
            for old, (now, contrary) in list(self.aliases.items()):
                if now == condition:
                    self.aliases[old] = (new, not contrary)
            condition, then, otherwise, rest = new, otherwise, then, rest[::-1]
        settings |= {"then": then, "otherwise": otherwise}
        return replace(node, settings=settings, sources=(condition, *rest))

    def _behind(self, condition: Source) -> Source:
        """What a not takes, as its taker sees it."""
        inner = self.nots[condition.value]
        size = int(np.prod(inner.shape, dtype=np.int64))
        every = self.ids[inner.ids] if inner.ids else np.arange(size, dtype=np.int64)
        picks = every.ravel()[self.ids[condition.ids]] if condition.ids else every
        return self._view(inner.value, picks.reshape(condition.shape))

    def _once(self, node: CanonicalNode) -> CanonicalNode | None:
        """The node, or None where the same has been made before.

        One port computes its mask once, another in each block: the second would have no partner.
        """
        views = [
            (s.value, s.shape, self.ids[s.ids].tobytes() if s.ids else b"") for s in node.sources
        ]
        shapes = tuple(v.shape for v in node.values)
        key = (
            node.kind,
            json.dumps(dict(node.settings), sort_keys=True, default=str),
            *views,
            shapes,
        )
        known = self.known.setdefault(key, node)
        if known is node:
            return node
        for mine, other in zip(node.values, known.values, strict=True):
            self._stands_for(mine.id, Source(other.id, other.shape))
            self.contrary.pop(mine.id, None)
        return None


def _is_not(node: CanonicalNode) -> bool:
    """Whether it says the contrary of a mask: ``~m``, or ``1 - m``."""
    if len(node.sources) != 1:
        return False
    if node.kind == "unary":
        return node.settings.get("name") in ("logical_not", "bitwise_not")
    settings = node.settings
    return node.kind == "affine" and settings.get("scale") == -1 and settings.get("offset") == 1
