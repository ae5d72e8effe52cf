"""What is the same whatever is fed: constants, and arithmetic on ids that changes none of them.

Keras' embeddings turn negative ids, ``where(ids < 0, ids + n, ids)``, and no id that is fed is
negative. RoBERTa counts its positions over what is no padding: on text without any they are
constants, and a port that has constants there is the same function. The graph alone tells neither;
what both models made of several inputs does. Only whole numbers and masks are settled so: they are
equal or they are not, and a fault in what is computed of floats is to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalNode
from parity.checker.canonical.drafts import Ids, in_order
from parity.checker.graph.graph import Graph, Node, Source
from parity.checker.graph.model_interface import Array, Traced

CONSTANT = "constant:"
_WHOLE = ("bool", "int", "uint")
"""Types that are settled begin so."""


@dataclass(frozen=True)
class FedRun:
    """What one side was fed, and every whole number that it made of it."""

    inputs: Sequence[Array]
    recorded: Mapping[str, Array]

    def value(self, root: str) -> Array | None:
        """A root value of this run; None where it was not recorded."""
        kind, _, number = root.partition(":")
        if kind == "input":
            return np.asarray(self.inputs[int(number)])
        return self.recorded.get(f"values/{root}")


def needs_runs(graph: Graph) -> bool:
    """Whether anything could be settled: a whole number or a table looked up."""
    return any(
        node.kind == "embedding" or any(_is_whole(v.dtype) for v in node.values)
        for node in graph.nodes
    )


def settle(traced: Traced, runs: Sequence[FedRun]) -> Traced:
    """The graph without what changes nothing on any of these inputs, and with its constants known.

    Args:
        traced: as a side traced it.
        runs: on different inputs; with one only, nothing that depends on an input is a constant.
    """
    return _Settling(traced, runs).done() if runs else traced


class _Settling:
    """A graph while it is settled, node by node in the order of execution."""

    def __init__(self, traced: Traced, runs: Sequence[FedRun]) -> None:
        self._graph, self._runs = traced.graph, runs
        self._ids: dict[str, Ids] = dict(traced.ids)
        self._stands: dict[str, Source] = {}
        self._aliases: dict[Source, Source] = {}
        self._makers = {v.id: node for node in traced.graph.nodes for v in node.values}

    def done(self) -> Traced:
        """The whole of it."""
        nodes = []
        for traced in self._graph.nodes:
            node = replace(traced, sources=tuple(self._seen(s) for s in traced.sources))
            stands = next((s for rule in _RULES if (s := rule(self, node)) is not None), None)
            if stands is None:
                nodes.append(node)
            else:
                self._stands[node.values[0].id] = stands
        outputs = tuple(self._seen(s) for s in self._graph.outputs)
        graph = replace(self._graph, nodes=tuple(nodes), outputs=outputs)
        graph = replace(graph, notes=(*graph.notes, *self._notes(graph)))
        return Traced(graph, self._ids, self._numbers(graph), self._aliases)

    # What is known

    def values(self, source: Source) -> list[Array] | None:
        """What a source showed in each run."""
        root = source.value
        if root.removeprefix(CONSTANT) in self._makers:
            root = root.removeprefix(CONSTANT)
        found = [run.value(root) for run in self._runs]
        if any(array is None for array in found):
            return None
        arrays = [array for array in found if array is not None]
        if source.ids:
            return [array.reshape(-1)[self._ids[source.ids]] for array in arrays]
        return [array.reshape(source.shape) for array in arrays]

    def constant(self, source: Source) -> Array | None:
        """Its numbers, where they are the same in every run and depend on nothing, or on all."""
        known = source.value.startswith(CONSTANT)
        if not known and (len(self._runs) < 2 or source.value.startswith(("parameter:", "input:"))):
            return None
        arrays = self.values(source)
        if arrays is None or any(not np.array_equal(arrays[0], other) for other in arrays[1:]):
            return None
        return arrays[0]

    def view(self, value: str, picks: Ids) -> Source:
        """A source that sees a root like this."""
        key = f"settled:{len(self._ids)}"
        self._ids[key] = np.ascontiguousarray(picks, dtype=np.int64)
        return Source(value, tuple(int(n) for n in picks.shape), key)

    def picks(self, source: Source) -> Ids:
        """Which element of the root stands where."""
        if source.ids:
            return self._ids[source.ids]
        return np.arange(int(np.prod(source.shape)), dtype=np.int64).reshape(source.shape)

    # Changes

    def _seen(self, source: Source) -> Source:
        """A source, of what stands for its root now."""
        stands = self._stands.get(source.value)
        if stands is None:
            return source
        if not source.ids and source.shape == stands.shape:
            seen = stands
        else:
            picks = self.picks(stands).reshape(-1)[self.picks(source)]
            seen = self.view(stands.value, picks)
            if not stands.ids and in_order(picks):
                seen = replace(seen, ids="") if picks.size == np.prod(stands.shape) else seen
        self._aliases[source] = seen
        return seen

    # What is told of it

    def _numbers(self, graph: Graph) -> dict[str, Array]:
        """The constants among the whole numbers: root → array as each run has it."""
        found = {}
        for source in _every_source(graph):
            name = source.value.removeprefix(CONSTANT)
            array = self._runs[0].value(name if name in self._makers else source.value)
            if (
                source.value.startswith(CONSTANT)
                and array is not None
                and array.dtype.kind in "iub"
            ):
                found[source.value] = array
        return found

    def _notes(self, graph: Graph) -> Iterator[str]:
        """What is taken for a constant though it is computed of the inputs."""
        reached = _reached(graph)
        names = [
            self._makers[root].name
            for root in dict.fromkeys(s.value.removeprefix(CONSTANT) for s in reached)
            if root in self._makers and f"{CONSTANT}{root}" in {s.value for s in reached}
        ]
        if names:
            side = {"torch": "PyTorch", "keras": "Keras"}[graph.side]
            shown = ", ".join(names[:3]) + (" …" if len(names) > 3 else "")
            yield (
                f"{shown}: {side} computes it from its inputs, and got the same numbers on all "
                "that were tried. It is compared as a constant; on inputs of another kind it may "
                "be none."
            )


def _is_whole(dtype: str) -> bool:
    return dtype.startswith(_WHOLE)


def _every_source(graph: Graph) -> list[Source]:
    return [s for node in graph.nodes for s in node.sources] + list(graph.outputs)


def _reached(graph: Graph) -> list[Source]:
    """The sources of all nodes that an output depends on, and the outputs."""
    makers = {v.id: node for node in graph.nodes for v in node.values}
    waiting, seen = list(graph.outputs), set[str]()
    found = list(graph.outputs)
    while waiting:
        node = makers.get(waiting.pop().value)
        if node is not None and node.id not in seen:
            seen.add(node.id)
            found += node.sources
            waiting += node.sources
    return found


def looked_up(
    node: Node | CanonicalNode, numbers: Mapping[str, Array], ids: Mapping[str, Ids]
) -> Ids | None:
    """Which elements of its table an embedding gives, where the rows that it takes are known.

    Args:
        node: any.
        numbers, ids: of its graph.

    Returns:
        Of the shape that it yields: places in the flattened table.
    """
    if node.kind != "embedding" or len(node.sources) != 1 or "embeddings" not in node.parameters:
        return None
    source, size = node.sources[0], int(node.settings["size"])
    known = numbers.get(source.value)
    if known is None:
        return None
    rows = known.reshape(-1)[ids[source.ids]] if source.ids else known
    rows = rows.astype(np.int64).reshape(source.shape) % max(int(node.settings["rows"]), 1)
    # A row that never learns is told from others by its layer alone.
    if node.settings.get("zero_index") is not None and node.settings["zero_index"] in rows:
        return None
    return np.asarray(rows[..., None] * size + np.arange(size))


# Rules: what stands for a node's value, or None where it stands for itself


def _branch(settling: _Settling, node: Node) -> Source | None:
    """A choice that always falls on one side is that side."""
    if node.kind != "where" or not node.sources:
        return None
    conditions = settling.constant(node.sources[0])
    if conditions is None or conditions.size == 0 or np.any(conditions != conditions.flat[0]):
        return None
    rest = list(node.sources[1:])
    then, otherwise = (
        None if node.settings.get(key) is not None else (rest.pop(0) if rest else None)
        for key in ("then", "otherwise")
    )
    chosen = then if conditions.flat[0] else otherwise
    if chosen is None:
        return None
    if chosen.shape == node.values[0].shape:
        return chosen
    return settling.view(
        chosen.value, np.broadcast_to(settling.picks(chosen), node.values[0].shape)
    )


def _unchanged(settling: _Settling, node: Node) -> Source | None:
    """Whole numbers that are what they are made of: ids modulo the rows of their table."""
    value = node.values[0] if len(node.values) == 1 else None
    if value is None or not _is_whole(value.dtype) or node.parameters:
        return None
    made = settling.values(Source(value.id, value.shape))
    if made is None or any(not array.size for array in made):
        return None
    for source in node.sources:
        taken = settling.values(source) if source.shape == value.shape else None
        if taken is not None and all(
            a.dtype.kind == b.dtype.kind and np.array_equal(a, b)
            for a, b in zip(made, taken, strict=True)
        ):
            return source
    return None


def _always(settling: _Settling, node: Node) -> Source | None:
    """Whole numbers that are the same in every run are a constant."""
    value = node.values[0] if len(node.values) == 1 else None
    if value is None or not _is_whole(value.dtype) or node.parameters:
        return None
    if settling.constant(Source(value.id, value.shape)) is None:
        return None
    return Source(f"{CONSTANT}{value.id}", value.shape)


_RULES: tuple[Callable[[_Settling, Node], Source | None], ...] = (_branch, _unchanged, _always)
