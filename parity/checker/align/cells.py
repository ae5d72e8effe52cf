"""Recurrent layers of one side that the other writes as steps, gate by gate."""

from __future__ import annotations

from collections import Counter

from parity.checker.graph.graph import Graph


def unlike(torch: Graph, keras: Graph) -> list[str]:
    """Kinds of cell of which one side has layers that are steps on the other.

    A GRU of Keras holds both biases in one weight, of which a part is no other layer's bias: it
    stays as it is.
    """
    mine, theirs = _cells(torch), _cells(keras)
    return [
        cell
        for cell in sorted({*mine, *theirs})
        if mine[cell] != theirs[cell] and not (cell == "gru" and theirs[cell])
    ]


def kinds(graph: Graph) -> list[str]:
    """The kinds of cell that a graph has layers of."""
    return sorted(_cells(graph))


def _cells(graph: Graph) -> Counter[str]:
    """Of each kind of cell how many have weights of their own; a cell in a loop is one."""
    own = {
        (str(node.settings["cell"]), tuple(sorted(node.parameters.values())))
        for node in graph.nodes
        if node.kind == "recurrent"
    }
    return Counter(cell for cell, _ in own)
