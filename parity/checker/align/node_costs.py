"""What it costs to take two nodes for each other, whatever stands around them.

Everything is traded against `GAP`, 1 for a node without a counterpart: two nodes of one place that
are not taken for each other cost two. Settings and shapes are what the check is to compare, so they
must not keep partners apart: all of them in sum cost about one. Figures beside the constants are
those that `flow` explains; as it stands it is 14.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.checker.align.flow import NEVER, Costs, Flow, category
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode

TIES = 0.3
"""Everything that only breaks ties costs less than this, summed over the whole graph.

Of like blocks in a row nothing else says which one is missing: without ties 39; at 10 for 0.3 it is
22, for then a name outweighs what flows where.
"""
_NAMES, _ORDER, _SIZES = 0.45, 0.1, 0.45
"""Shares of it. Names are people's, and tell most where both kept them; without the order 43."""
_OTHER_KIND, _OTHER_NAME = 0.3, 0.15
"""Batch norm for layer norm, average for maximum: mistakes of a port, at one and the same place. At
ten times as much 20, for two gaps come nearer to being the cheaper way."""
_OTHER_ROLES, _OTHER_SHAPE, _OTHER_SETTING = 0.1, 0.25, 0.03
"""A missing bias, another width, another stride: the same, and told apart where several layers of
one kind meet. Ten times as much of a shape, or 16 of a setting, gives 12: not critical."""
_ALIKE = {
    # Categories that people put for each other. At 0.6 both are cheaper than two gaps wherever they
    # stand; at 1.2 only where the neighbours agree. All others never: without this table 20, and
    # what is replaced is told as one layer missing and another too many.
    frozenset(pair): cost
    for cost, pairs in {
        0.6: [
            ("pool", "reduce"),
            ("convolution", "transposed"),
            ("matmul", "einsum"),
            ("arithmetic", "activation"),
            ("arithmetic", "join"),
            ("resize", "transposed"),
        ],
        1.2: [
            ("convolution", "dense"),
            ("dense", "einsum"),
            ("dense", "matmul"),
            ("pool", "resize"),
            ("convolution", "pool"),
            ("join", "matmul"),
            ("dense", "embedding"),
            ("dense", "recurrent"),
            ("join", "where"),
            ("arithmetic", "where"),
        ],
    }.items()
    for pair in pairs
}


def node_costs(left: Flow, right: Flow) -> Costs:
    """What it costs to take two nodes for each other whatever stands around them."""
    a, b = left.graph.nodes, right.graph.nodes
    costs = _kind_costs(a, b) + _shape_costs(left.graph, right.graph)
    costs += _settings_costs(a, b)
    return costs + _tie_costs(left, right)


def _coded(words: list[Any]) -> tuple[NDArray[np.int64], list[Any]]:
    table = {word: k for k, word in enumerate(dict.fromkeys(words))}
    return np.array([table[word] for word in words], dtype=np.int64), list(table)


def _table(one: list[Any], other: list[Any], cost: Any) -> Costs:
    """A matrix by a function of two words, called once for each pair of different words."""
    (rows, left), (columns, right) = _coded(one), _coded(other)
    small = np.array([[cost(p, q) for q in right] for p in left], dtype=np.float64)
    return small.reshape(len(left), len(right))[np.ix_(rows, columns)]


def _kind_costs(a: tuple[CanonicalNode, ...], b: tuple[CanonicalNode, ...]) -> Costs:
    def cost(p: tuple[str, str, str], q: tuple[str, str, str]) -> float:
        if p[0] != q[0]:
            return _ALIKE.get(frozenset((p[0], q[0])), NEVER)
        if p[0] == "opaque":
            return 0.0 if p[2].lower() == q[2].lower() else _OTHER_KIND
        return _OTHER_KIND * (p[1] != q[1]) + _OTHER_NAME * (p[2] != q[2])

    def word(node: CanonicalNode) -> tuple[str, str, str]:
        name = node.settings.get("name") or node.settings.get("mode") or node.settings.get("cell")
        return category(node), node.kind, str(name)

    return _table([word(n) for n in a], [word(n) for n in b], cost)


def _shape_costs(left: CanonicalGraph, right: CanonicalGraph) -> Costs:
    def cost(p: tuple[Any, ...], q: tuple[Any, ...]) -> float:
        if p == q:
            return 0.0
        roles, others = dict(p), dict(q)
        both = roles.keys() & others.keys()
        if not both:
            return _OTHER_ROLES
        unlike = sum(_unlike(roles[r], others[r]) for r in both) / len(both)
        return _OTHER_ROLES * (roles.keys() != others.keys()) + _OTHER_SHAPE * unlike

    def word(graph: CanonicalGraph, node: CanonicalNode) -> tuple[Any, ...]:
        shapes = {
            role: tuple(graph.parameters[p].shape)
            for role, p in node.parameters.items()
            if p in graph.parameters
        }
        return tuple(sorted(shapes.items()))

    return _table([word(left, n) for n in left.nodes], [word(right, n) for n in right.nodes], cost)


def _unlike(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    if len(one) != len(other):
        return 1.0
    return sum(p != q for p, q in zip(one, other, strict=True)) / max(len(one), 1)


_TELLING = ("kernel", "stride", "dilation", "groups", "units", "approximate", "backwards")
"""What an author chooses for one layer. Padding and epsilon differ by the frameworks' defaults, in
every layer alike, and tell none from another."""


def _settings_costs(a: tuple[CanonicalNode, ...], b: tuple[CanonicalNode, ...]) -> Costs:
    def cost(p: tuple[str, ...], q: tuple[str, ...]) -> float:
        return _OTHER_SETTING * sum(x != y for x, y in zip(p, q, strict=True))

    def word(node: CanonicalNode) -> tuple[str, ...]:
        return tuple(str(node.settings.get(key)) for key in _TELLING)

    return _table([word(n) for n in a], [word(n) for n in b], cost)


def _tie_costs(left: Flow, right: Flow) -> Costs:
    """Names, order and sizes: too little in sum to outweigh one gap.

    Divided by the number of nodes, as every one of them may pay it.
    """
    a, b = left.graph.nodes, right.graph.nodes
    names = _name_costs([n.name for n in a], [n.name for n in b])
    order = np.abs(_ranks(len(a))[:, None] - _ranks(len(b))[None, :])
    sizes = _table(
        # Sorted: channels first and last are one size.
        [tuple(sorted(n.values[0].shape)) for n in a],
        [tuple(sorted(n.values[0].shape)) for n in b],
        lambda p, q: 0.0 if p == q else 1.0,
    )
    share = TIES / max(len(a), len(b), 1)
    return share * (_NAMES * names + _ORDER * order + _SIZES * sizes)


def _ranks(n: int) -> Costs:
    return np.arange(n, dtype=np.float64) / max(n - 1, 1)


def _name_costs(one: list[str], other: list[str]) -> Costs:
    """1 − the share of words that two names have in common."""
    words = [_words(name) for name in (*one, *other)]
    table = {word: k for k, word in enumerate(sorted({w for ws in words for w in ws}))}
    marks = np.zeros((len(words), max(len(table), 1)), dtype=np.float32)
    for row, own in enumerate(words):
        for word in own:
            marks[row, table[word]] = 1.0
    a, b = marks[: len(one)], marks[len(one) :]
    common = a @ b.T
    total = a.sum(1)[:, None] + b.sum(1)[None, :] - common
    return np.asarray(1.0 - common / np.maximum(total, 1.0), dtype=np.float64)


def _words(name: str) -> set[str]:
    words, word = set(), ""
    for char in name.lower() + " ":
        if word and (not char.isalnum() or char.isdigit() != word[-1].isdigit()):
            words.add(word)
            word = ""
        if char.isalnum():
            word += char
    return words
