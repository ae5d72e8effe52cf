"""Weights that a model makes of others: normalised, of low rank, standardised.

Where one side has such a weight and the other a plain one, the parts cannot go across, but what is
made of them can: `derived_weights` says what is computed of weights alone as a weight of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from parity.checker.align import bias_sums, masks, weight_sums
from parity.checker.align.alignment import Alignment, expect_names
from parity.checker.align.reconcile import reconcile
from parity.checker.canonical import split_layers
from parity.checker.canonical.canonical_graph import CanonicalGraph, canonicalise
from parity.checker.canonical.folding import COMPUTED as PREFIX
from parity.checker.canonical.settled import looked_up
from parity.checker.graph.graph import Graph, Node, Parameter, Source
from parity.checker.graph.model_interface import Array, Traced

_WORTH = 0.5
"""Operations that must find a counterpart by it: a weight that is hidden has no partner.

What a weight norm computes is left as it stands where both sides write it, so that its parts go
across and its axis is compared (``normed`` against ``normed`` in ``test_alarms.py``).
"""


Aligned = tuple[CanonicalGraph, CanonicalGraph, Alignment]


def derived_weights(traced: Traced) -> Traced | None:
    """The graph with every value that only weights go into as a weight; None without one.

    Rows of a table that are looked up by known ids are the table's own, and no other weight.
    """
    looked = _looked_up(traced)
    traced = traced if looked is None else looked
    graph = traced.graph
    made = _of_weights(graph)
    if not made:
        return looked
    rest = [n for n in graph.nodes if not any(v.id in made for v in n.values)]
    taken = {s.value for n in rest for s in n.sources} | {s.value for s in graph.outputs}
    new = {
        value.id: Parameter(
            id=f"{PREFIX}{value.id}",
            role="raw",
            shape=value.shape,
            trainable=made[value.id],
            names=(node.name,),
            computed=True,
        )
        for node in graph.nodes
        for value in node.values
        if value.id in made and value.id in taken
    }
    if not new:
        return looked

    def renamed(source: Source) -> Source:
        known = new.get(source.value)
        return source if known is None else replace(source, value=f"parameter:{known.id}")

    nodes = tuple(replace(n, sources=tuple(renamed(s) for s in n.sources)) for n in rest)
    parameters = {**graph.parameters, **{p.id: p for p in new.values()}}
    outputs = tuple(renamed(s) for s in graph.outputs)
    changed = replace(graph, nodes=nodes, outputs=outputs, parameters=parameters)
    return replace(traced, graph=changed)


def weights_behind(graph: Graph, values: Iterable[str]) -> set[str]:
    """Ids of the model's own weights that these weights are, or that it makes them of.

    Args:
        graph: as it was traced.
        values: as a node's sources have them: ``parameter:ID``; others are passed over.
    """
    makers = {value.id: node for node in graph.nodes for value in node.values}
    waiting = [v.removeprefix("parameter:") for v in values if v.startswith("parameter:")]
    found: set[str] = set()
    while waiting:
        name = waiting.pop()
        maker = makers.get(name.removeprefix(PREFIX))
        if maker is None:
            found |= {name} & graph.parameters.keys()
            continue
        waiting += maker.parameters.values()
        waiting += [s.value.removeprefix("parameter:") for s in maker.sources]
    return found


def _looked_up(traced: Traced) -> Traced | None:
    """The graph with every lookup by known ids as a view of its table; None without one."""
    graph, ids, aliases = traced.graph, dict(traced.ids), dict(traced.aliases)
    tables: dict[str, Source] = {}
    nodes = []
    for node in graph.nodes:
        picks = looked_up(node, traced.numbers, ids)
        if picks is None:
            nodes.append(node)
            continue
        key = f"rows:{len(ids)}"
        ids[key] = picks
        name = f"parameter:{node.parameters['embeddings']}"
        tables[node.values[0].id] = Source(name, picks.shape, key)
    if not tables:
        return None

    def looked(source: Source) -> Source:
        table = tables.get(source.value)
        if table is None:
            return source
        seen = table
        if source.ids:
            key = f"rows:{len(ids)}"
            ids[key] = ids[table.ids].reshape(-1)[ids[source.ids]]
            seen = replace(table, shape=source.shape, ids=key)
        aliases[source] = seen
        return seen

    changed = replace(
        graph,
        nodes=tuple(replace(n, sources=tuple(looked(s) for s in n.sources)) for n in nodes),
        outputs=tuple(looked(s) for s in graph.outputs),
    )
    return replace(traced, graph=changed, ids=ids, aliases=aliases)


def _of_weights(graph: Graph) -> dict[str, bool]:
    """Values that come from weights and constants alone → whether one of the weights learns.

    Of constants alone they are tables, which belong to the model's code and are compared.
    """
    made: dict[str, bool] = {}
    fixed: set[str] = set()
    for node in graph.nodes:
        learns = _learns(graph, node, made, fixed)
        if learns is None:
            continue
        if (
            learns
            or any(s.value in made or s.value.startswith("parameter:") for s in node.sources)
            or node.parameters
        ):
            made |= {value.id: learns for value in node.values}
        else:
            fixed |= {value.id for value in node.values}
    return {value: learns for value, learns in made.items() if learns}


def _learns(graph: Graph, node: Node, made: Mapping[str, bool], fixed: set[str]) -> bool | None:
    """Whether a trainable weight goes into it; None where an input does, too."""
    if not node.sources:
        return None
    learns = any(graph.parameters[p].trainable for p in node.parameters.values())
    for source in node.sources:
        kind, _, name = source.value.partition(":")
        if kind == "parameter":
            learns = learns or graph.parameters[name].trainable
        elif source.value in made:
            learns = learns or made[source.value]
        elif kind != "constant" and source.value not in fixed:
            return None
    return learns


def values(
    graph: CanonicalGraph, recorded: Mapping[str, Array], weights: Mapping[str, Array]
) -> dict[str, Array]:
    """What a side made of its weights: id of the weight → array.

    Args:
        graph: of that side.
        recorded: its run in float64.
        weights: its own, by id.
    """
    names = {p.value.removeprefix("parameter:") for p in graph.pieces.values()}
    arrays = {}
    for virtual in names | set(graph.parameters):
        key = f"values/{virtual.removeprefix(PREFIX)}"
        if virtual.startswith(PREFIX) and key in recorded:
            array = np.asarray(recorded[key])
            arrays[virtual] = array.astype(np.result_type(array, np.float64))
    return arrays | weight_sums.values(graph, {**weights, **arrays})


def variants(left: Traced, right: Traced) -> list[tuple[Traced, Traced]]:
    """The two as they are, and with what either or both compute of weights as weights."""
    mine, theirs = derived_weights(left), derived_weights(right)
    pairs = [(left, right)]
    if mine is not None:
        pairs.append((mine, right))
    if theirs is not None:
        pairs.append((left, theirs))
    if mine is not None and theirs is not None:
        pairs.append((mine, theirs))
    return pairs


def align_best(left: Traced, right: Traced, pairs: Mapping[str, str]) -> Aligned:
    """The two in the form in which they are most alike, aligned."""
    best: Aligned | None = None
    for mine, theirs in variants(left, right):
        choice = _aligned(mine, theirs, pairs)
        if best is None or choice[2].edits < best[2].edits - _WORTH:
            best = choice
        if best[2].complete:
            break
    assert best is not None
    if _unlike_tables(*best):
        choice = _aligned(_looked_up(left) or left, _looked_up(right) or right, pairs)
        best = choice if choice[2].edits <= best[2].edits else best
    for rewritten in (weight_sums.summed, bias_sums.without_doubles):
        found = rewritten(*best)
        best = best if found is None else reconcile(*found, pairs=pairs)
    return best


def _aligned(left: Traced, right: Traced, pairs: Mapping[str, str]) -> Aligned:
    torch, keras = (
        masks.settle_polarity(split_layers.cropped(canonicalise(side))) for side in (left, right)
    )
    expect_names(torch, keras, pairs)
    choice = reconcile(torch, keras, pairs=pairs)
    turned = masks.flip(*choice)
    if turned is not None:
        other = reconcile(choice[0], turned, pairs=pairs)
        choice = other if masks.nearer(other[2], choice[2]) else choice
    return choice


def _unlike_tables(torch: CanonicalGraph, keras: CanonicalGraph, alignment: Alignment) -> bool:
    """Whether two tables of other lengths, or for all samples and for each, are looked up.

    As two layers they differ in their settings; as the rows that are taken they may be the same.
    """
    for pair in alignment.pairs:
        nodes = torch.by_id[pair.left], keras.by_id[pair.right]
        known = [
            looked_up(node, graph.numbers, graph.ids)
            for node, graph in zip(nodes, (torch, keras), strict=True)
        ]
        if known[0] is None or known[1] is None:
            continue
        tables = [
            graph.parameters[node.parameters["embeddings"]].shape
            for node, graph in zip(nodes, (torch, keras), strict=True)
        ]
        if tables[0] != tables[1] or known[0].shape != known[1].shape:
            return True
    return False
