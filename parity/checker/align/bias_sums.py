"""Two biases that only ever come together, and the other side has as one.

``input(x) + hidden(h)`` in each step of a recurrence has a bias too many: PyTorch's recurrent
layers have both, Keras' LSTM has one. What the second adds the first may add as well, so that it is
left out, and zero on the side that has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from parity.checker.align.alignment import Alignment
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import CompactArrays


def without_doubles(
    torch: CanonicalGraph, keras: CanonicalGraph, alignment: Alignment
) -> tuple[CanonicalGraph, CanonicalGraph] | None:
    """Both without a second bias where the other side has none; None where there is no such."""
    spare: tuple[set[str], set[str]] = (set(), set())
    for pair in alignment.pairs:
        nodes = torch.by_id[pair.left], keras.by_id[pair.right]
        biases = [node.parameters.get("bias") for node in nodes]
        if {node.kind for node in nodes} == {"dense"} and biases.count(None) == 1:
            side = 0 if biases[1] is None else 1
            spare[side].add(nodes[side].parameters["bias"])
    graphs = []
    for graph, names in zip((torch, keras), spare, strict=True):
        left_out: dict[str, str] = {}
        for name in sorted(names):
            other = _double(graph, name)
            if other is not None and other not in left_out:
                left_out[name] = other
        graphs.append(_without(graph, left_out) if left_out else graph)
    return None if graphs == [torch, keras] else (graphs[0], graphs[1])


def folded(graph: CanonicalGraph, weights: Mapping[str, Array]) -> Mapping[str, Array]:
    """A side's weights, each bias that is left out added to the one that does its work."""
    if not graph.left_out:
        return weights
    sums = CompactArrays(weights)
    for name, other in graph.left_out.items():
        sums[other] = np.asarray(sums[other]) + np.asarray(weights[name])
    return sums


def _double(graph: CanonicalGraph, name: str) -> str | None:
    """The bias that a bias is added to, and nothing else, in every step of a recurrence.

    Or where one layer has both. Of two layers that are added one may lack its bias by mistake.
    """
    takers = [node for node in graph.nodes if node.parameters.get("bias") == name]
    others = {_other(graph, node) for node in takers}
    other = others.pop() if len(others) == 1 else None
    if other is None or other == name:
        return None
    owners = {_owner(graph, one) for one in (name, other)}
    of_one_layer = len(owners) == 1 and "" not in owners
    return other if of_one_layer or _is_fed_back(graph, takers[0], takers[1:]) else None


def _is_fed_back(
    graph: CanonicalGraph, first: CanonicalNode, others: Sequence[CanonicalNode]
) -> bool:
    """Whether what a node gives comes to one of the others."""
    reached = {value.id for value in first.values}
    for node in graph.nodes:
        if any(source.value in reached for source in node.sources):
            reached |= {value.id for value in node.values}
    return any(source.value in reached for node in others for source in node.sources)


def _owner(graph: CanonicalGraph, name: str) -> str:
    """The layer that a weight is of, as the framework names it; empty for the model's own."""
    names = graph.parameters[name].names
    return names[0].replace("/", ".").rpartition(".")[0] if names else ""


def _other(graph: CanonicalGraph, node: CanonicalNode) -> str | None:
    """The bias of a dense layer that a dense layer's output is added to, and nothing else done."""
    users = [n for n in graph.nodes if any(s.value == node.value for s in n.sources)]
    returned = any(s.value == node.value for s in graph.outputs)
    if returned or len(users) != 1 or users[0].kind != "add":
        return None
    for source in users[0].sources:
        other = graph.producers.get(source.value)
        if source.value != node.value and other is not None and other.kind == "dense":
            return other.parameters.get("bias")
    return None


def _without(graph: CanonicalGraph, names: Mapping[str, str]) -> CanonicalGraph:
    def plain(node: CanonicalNode) -> CanonicalNode:
        rest = {role: name for role, name in node.parameters.items() if role != "bias"}
        return replace(node, parameters=rest, settings={**node.settings, "bias": False})

    return replace(
        graph,
        nodes=tuple(plain(n) if n.parameters.get("bias") in names else n for n in graph.nodes),
        unused=(*graph.unused, *sorted(names)),
        left_out={**graph.left_out, **names},
    )
