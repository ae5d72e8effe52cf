"""One granularity for both graphs: what one framework says in two nodes, and the other in one.

A pad goes into the convolution after it, a product with a weight and the sum with another become
a dense layer with a bias, an activation written by hand becomes the activation, arithmetic with
numbers an ``affine``, sums of sums one sum. Dropouts are no nodes, but notes on the edges they
stood on. Every rule keeps the numbers: a merged node's output is the root value of the last node
it stands for.

Settings that only this module makes:

``affine``   see `parity.checker.canonical.affine`: ``scale``, ``offset``, or ``steps``
``matmul``   ``scale``, and ``scale_steps`` where the factor is a constant array
``pool``     ``pad_value`` of a maximum (−inf, or the 0 of a pad before it); ``explicit_padding``
             where a pad stood before a pool that has a padding of its own that it does not count
``activation`` ``custom``: nearly the function ``near``, up to ``distance``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from parity.checker.canonical import affine, folding, formulas, norms
from parity.checker.canonical.drafts import OUTPUT, Draft, Drafts, Ids
from parity.checker.graph.graph import Graph, Parameter, Source, Value
from parity.checker.graph.model_interface import Array, Traced
from parity.core.sides import Side

CONTRARY = "#not"
"""Behind the id of a mask: where it is false (see `parity.checker.align.masks`)."""
ADDED_UP = frozenset({"add", "subtract", "where", "multiply", "affine"})
"""Kinds of steps that mask what a softmax takes."""


@dataclass(frozen=True)
class CanonicalNode:
    """One node of the canonical graph.

    Attributes:
        id: of the last of `members`.
        name: of the member that is the main thing; all names are in `names`.
        kind: as in `parity.checker.graph.graph`.
        settings: as there; and see the module's text.
        sources: root values of the original graph, seen through everything that was taken out.
        values: what it yields: outputs of the last member.
        parameters: role → parameter id.
        members: ids of the original nodes it stands for, in the order of execution.
        names: their names, the main one first.
        code: the main call.
    """

    id: str
    name: str
    kind: str
    settings: Mapping[str, Any]
    sources: tuple[Source, ...]
    values: tuple[Value, ...]
    parameters: Mapping[str, str]
    members: tuple[str, ...]
    names: tuple[str, ...]
    code: str

    @property
    def value(self) -> str:
        """Id of the root value that is its first output."""
        return self.values[0].id

    @property
    def is_softmax(self) -> bool:
        """Whether it makes weights, or their logarithms, of scores."""
        return self.kind == "activation" and self.settings.get("name") in ("softmax", "log_softmax")


@dataclass(frozen=True)
class Dropped:
    """A dropout, taken out of the graph.

    Attributes:
        node: its id.
        name: what people call it.
        rate: probability to drop.
        noise: dropout, gaussian …
        active: it dropped in evaluation.
        code: the call.
        source: what it took.
        edges: where it stood: (id of the node that takes the result, number of its source); the id
            is empty for an output of the model.
        shared: axes of the source along which one draw serves all.
    """

    node: str
    name: str
    rate: float
    noise: str
    active: bool
    code: str
    source: Source
    edges: tuple[tuple[str, int], ...]
    shared: tuple[int, ...] = ()


@dataclass(frozen=True)
class CanonicalGraph:
    """A graph canonical.

    Attributes:
        side: which framework.
        title: how people call the model.
        inputs: the model's inputs.
        outputs: what it returns.
        nodes: in the order of execution.
        parameters: those of the graph, and in place of some of them what `pieces` makes of them.
        ids: index arrays by key: the graph's and new ones.
        dropouts: taken out.
        dead: ids of nodes that no output depends on.
        fixed: ids of nodes that depend on no input and no weight: their values are constants.
        unused: parameters that no node takes.
        pieces: weights and values that the graph has in another form, or as parts of larger ones:
            ``parameter:NAME`` or a root value → how it is read (see `split_layers`).
        aliases: a source as it was traced → what stands for it now, and whether that is a mask that
            says the contrary.
        numbers: root value → array, of constants that are whole numbers, where they are known.
        sums: id of a weight → the weights that it is the sum of (see
            `parity.checker.align.weight_sums`).
        left_out: biases that are zero where they are set → the one that does the work of each (see
            `parity.checker.align.bias_sums`).
    """

    side: Side
    title: str
    inputs: tuple[Value, ...]
    outputs: tuple[Source, ...]
    nodes: tuple[CanonicalNode, ...]
    parameters: Mapping[str, Parameter]
    ids: Mapping[str, Ids]
    dropouts: tuple[Dropped, ...] = ()
    dead: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    pieces: Mapping[str, Source] = field(default_factory=dict)
    aliases: Mapping[Source, tuple[Source, bool]] = field(default_factory=dict)
    numbers: Mapping[str, Array] = field(default_factory=dict)
    sums: Mapping[str, tuple[Source, ...]] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_id(self) -> dict[str, CanonicalNode]:
        """Id → node, the ids of all members included."""
        return {m: node for node in self.nodes for m in (*node.members, node.id)}

    @cached_property
    def producers(self) -> dict[str, CanonicalNode]:
        """Root value → the node that yields it."""
        return {value.id: node for node in self.nodes for value in node.values}

    def whole(self, name: str) -> str:
        """Id of the weight that a piece of one, or another form of it, is taken from."""
        source = self.pieces.get(f"parameter:{name}")
        return name if source is None else source.value.removeprefix("parameter:")

    @cached_property
    def scores(self) -> dict[str, frozenset[str]]:
        """Nodes that do nothing but mask what a softmax takes: id → ids of the softmaxes."""
        taken: dict[str, set[str]] = {source.value: {""} for source in self.outputs}
        found: dict[str, frozenset[str]] = {}
        for node in reversed(self.nodes):
            ends = frozenset().union(*(taken.get(value.id, ()) for value in node.values))
            is_score = node.kind in ADDED_UP and bool(ends) and "" not in ends
            if is_score:
                found[node.id] = ends
            own = ends if is_score else {node.id if node.is_softmax else ""}
            for source in node.sources:
                taken.setdefault(source.value, set()).update(own)
        return found


def canonicalise(traced: Traced, numbers: Mapping[str, float] | None = None) -> CanonicalGraph:
    """Bring a graph to the form in which both sides say the same with the same nodes.

    Args:
        traced: as a side traced it.
        numbers: values of constants with one element, where known: root value → number.
    """
    graph = traced.graph
    drafts = Drafts(graph, traced.ids)
    # First what would stand in the way of a rule: a dead node takes values as any other and keeps
    # them from being folded; a dropout may stand between a layer and its activation.
    dead = _drop_dead(drafts, graph)
    dropouts = _drop_dropouts(drafts)
    fixed, constants = _drop_fixed(drafts)
    _put_numbers(drafts, numbers or {})
    _each(drafts, lambda n: folding.stack_to_join(drafts, n))
    _each(drafts, lambda n: folding.reduce_to_arithmetic(drafts, n))
    # Layers before arithmetic: `x @ W + b` is a dense layer, and only what is left is an affine.
    _each(drafts, lambda n: folding.fold_kernel(drafts, n))
    _each(drafts, lambda n: folding.fold_dense(drafts, n) or folding.fold_bias(drafts, n))
    _each(drafts, lambda n: affine.to_affine(drafts, n, constants))
    _each(drafts, formulas.settle_activation)
    _each(
        drafts,
        lambda n: formulas.find_activation(drafts, n) or formulas.find_softmax(drafts, n),
    )
    _each(drafts, lambda n: norms.find_norm(drafts, n) or norms.fold_gain(drafts, n))
    _each(drafts, formulas.settle_activation)
    _each(drafts, lambda n: affine.scale_matmul(drafts, n))
    # What is only nearly an activation comes after all that is one exactly, and from the last
    # operation back: begun at the first, half of a wrong GELU would be taken for something.
    for node in reversed(list(drafts.nodes.values())):
        if node.id in drafts.nodes:
            formulas.find_activation(drafts, node, near=True)
    _each(drafts, lambda n: affine.merge_affine(drafts, n))
    while _each(drafts, lambda n: _any_rule(drafts, n)):
        pass
    dead += [m for node in _unreached(drafts) for m in _removed(drafts, node)]
    return replace(
        _normal(graph, drafts, dropouts, dead, fixed),
        aliases={source: (stands, False) for source, stands in traced.aliases.items()},
        numbers=traced.numbers,
    )


def _any_rule(drafts: Drafts, node: Draft) -> bool:
    return any(
        rule(drafts, node)
        for rule in (
            affine.merge_affine,
            affine.scale_matmul,
            folding.sum_to_mean,
            folding.fold_pad,
            folding.settle_pool,
            folding.merge_reduces,
            folding.flatten_add,
            folding.flatten_join,
            folding.see_through_join,
        )
    )


def _each(drafts: Drafts, rule: Callable[[Draft], bool]) -> bool:
    """Try a rule on every node, in the order of execution; whether anything changed."""
    changed = False
    for node in list(drafts.nodes.values()):
        while node.id in drafts.nodes and rule(node):
            changed = True
    return changed


def _unreached(drafts: Drafts) -> list[Draft]:
    reached: set[str] = set()
    waiting = [drafts.producer(edge) for edge in drafts.outputs]
    while waiting:
        node = waiting.pop()
        if node is not None and node.id not in reached:
            reached.add(node.id)
            waiting.extend(drafts.producer(edge) for edge in node.edges)
    return [node for node in drafts.nodes.values() if node.id not in reached]


def _removed(drafts: Drafts, node: Draft) -> list[str]:
    drafts.remove(node)
    return node.members


def _drop_dead(drafts: Drafts, graph: Graph) -> list[str]:
    if not graph.outputs:
        return []
    return [m for node in _unreached(drafts) for m in _removed(drafts, node)]


def _drop_dropouts(drafts: Drafts) -> list[Draft]:
    """Take them out, and identities too; their edges carry their ids."""
    rest = []
    for node in list(drafts.nodes.values()):
        if node.kind == "dropout":
            rest.append(node)
            drafts.bypass(node, node.id)
        elif node.kind == "activation" and node.settings.get("name") in ("linear", "identity"):
            drafts.bypass(node)
    return rest


def _drop_fixed(drafts: Drafts) -> tuple[list[str], frozenset[str]]:
    """Nodes made of constants only are no nodes: what they yield is a constant."""
    constants: set[str] = set()
    fixed: list[str] = []
    for node in list(drafts.nodes.values()):
        if node.kind in ("opaque", "input") or not node.edges or node.parameters:
            continue
        if all(affine.is_constant(drafts, e, frozenset(constants)) for e in node.edges):
            constants |= {value.id for value in node.values}
            fixed += _removed(drafts, node)
    return fixed, frozenset(constants)


def _put_numbers(drafts: Drafts, numbers: Mapping[str, float]) -> None:
    """Say a known constant of one element as a number."""
    if not numbers:
        return
    for node in drafts.nodes.values():
        if (
            node.kind
            not in ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power")
            or len(node.edges) != 2
        ):
            continue
        for k, edge in enumerate(node.edges):
            number = numbers.get(edge.source.value)
            if number is not None and max((*edge.source.shape, 1)) == 1:
                node.settings |= {"scalar": number, "scalar_left": k == 0}
                drafts.rewire(node, [node.edges[1 - k]])
                break


def _normal(
    graph: Graph, drafts: Drafts, dropouts: list[Draft], dead: list[str], fixed: list[str]
) -> CanonicalGraph:
    stood: dict[str, list[tuple[str, int]]] = {node.id: [] for node in dropouts}
    takers = [(n.id, n.edges) for n in drafts.nodes.values()] + [(OUTPUT, drafts.outputs)]
    for taker, edges in takers:
        for k, edge in enumerate(edges):
            for mark in edge.marks:
                if mark in stood and (taker, k) not in stood[mark]:
                    stood[mark].append((taker, k))
    nodes, parameters, pieces = _canonical(graph, drafts)
    return CanonicalGraph(
        side=graph.side,
        title=graph.title,
        inputs=graph.inputs,
        outputs=tuple(edge.source for edge in drafts.outputs),
        nodes=nodes,
        parameters=parameters,
        ids=drafts.ids,
        dropouts=tuple(_dropped(node, tuple(stood[node.id])) for node in dropouts),
        dead=tuple(dead),
        fixed=tuple(fixed),
        unused=graph.unused,
        pieces=pieces,
    )


def _canonical(
    graph: Graph, drafts: Drafts
) -> tuple[tuple[CanonicalNode, ...], dict[str, Parameter], dict[str, Source]]:
    """Weights that a rule gave to a layer, in the layout of their role."""
    parameters, pieces = dict(graph.parameters), {}
    nodes = [_merged(node) for node in drafts.nodes.values()]
    for k, draft in enumerate(drafts.nodes.values()):
        for role, view in draft.views.items():
            known = graph.parameters[draft.parameters[role]]
            name = f"{known.id}:{role}"
            parameters[name] = replace(known, id=name, role=role, shape=tuple(view.shape))
            pieces[f"parameter:{name}"] = view
            nodes[k] = replace(nodes[k], parameters={**nodes[k].parameters, role: name})
    taken = {p for node in nodes for p in node.parameters.values()}
    taken |= {s.value.removeprefix("parameter:") for node in nodes for s in node.sources}
    for view in pieces.values():
        name = view.value.removeprefix("parameter:")
        if name not in taken:
            parameters.pop(name, None)
    return tuple(nodes), parameters, pieces


def _merged(node: Draft) -> CanonicalNode:
    return CanonicalNode(
        id=node.id,
        name=node.name,
        kind=node.kind,
        settings=node.settings,
        sources=tuple(edge.source for edge in node.edges),
        values=node.values,
        parameters=node.parameters,
        members=tuple(node.members),
        names=tuple(dict.fromkeys(node.names)),
        code=node.code,
    )


def _dropped(node: Draft, edges: tuple[tuple[str, int], ...]) -> Dropped:
    settings = node.settings
    return Dropped(
        node=node.id,
        name=node.name,
        rate=float(settings.get("rate", 0.0)),
        noise=str(settings.get("noise", "dropout")),
        active=bool(settings.get("active", False)),
        code=node.code,
        source=node.edges[0].source,
        edges=edges,
        shared=tuple(settings.get("shared", ())),
    )
