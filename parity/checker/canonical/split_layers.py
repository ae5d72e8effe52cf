"""Nodes of a canonical graph that are parts of a layer, or a layer in another form.

One dense layer that makes query, key and value at once is three dense layers on the other side; a
convolution of kernel 1 is a dense layer over channels. `split` and `as_convolution` rewrite a
graph so. Its weights and values are then no longer what a side has: `CanonicalGraph.pieces` says
how they are read, `spread` reads them, and `gather_weights` puts weights back.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from parity.checker.canonical.canonical_graph import CONTRARY, CanonicalGraph, CanonicalNode
from parity.checker.canonical.drafts import Ids
from parity.checker.graph.graph import Source, Value
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import CompactArrays

# Reading and putting back


def spread_weights(graph: CanonicalGraph, weights: Mapping[str, Array]) -> CompactArrays:
    """A side's weights, by the ids of the canonical graph; each read when it is asked for."""
    compact = weights.arrays if isinstance(weights, CompactArrays) else {}
    pieces: dict[str, Array | Callable[[], Array]] = {
        name: compact.get(name, partial(weights.__getitem__, name)) for name in weights
    }
    for key, source in graph.pieces.items():
        kind, _, name = key.partition(":")
        whole = source.value.removeprefix("parameter:")
        if kind == "parameter" and whole in weights:
            pieces[name] = partial(_piece, graph, source, weights, whole)
    spread = CompactArrays()
    spread.arrays |= {name: make for name, make in pieces.items() if name in graph.parameters}
    return spread


def _piece(
    graph: CanonicalGraph, source: Source, weights: Mapping[str, Array], whole: str
) -> Array:
    return _read(graph, source, weights[whole])


def gather_weights(
    graph: CanonicalGraph, weights: Mapping[str, Array], whole: Mapping[str, Array]
) -> CompactArrays:
    """Weights by the ids of the canonical graph, as the side has them.

    Args:
        graph: whose ids they have.
        weights: some or all.
        whole: the side's own weights, for what no piece covers.
    """
    made = {key.removeprefix("parameter:") for key in graph.pieces}
    own = weights if isinstance(weights, CompactArrays) else CompactArrays(weights)
    gathered = CompactArrays()
    gathered.arrays |= {n: a for n, a in own.arrays.items() if n not in made and n in whole}
    for key, source in graph.pieces.items():
        name = key.removeprefix("parameter:")
        target = source.value.removeprefix("parameter:")
        if not key.startswith("parameter:") or name not in weights or target not in whole:
            continue
        if target not in gathered:
            gathered[target] = np.array(whole[target], dtype=np.float64)
        flat = gathered[target].reshape(-1).copy()
        flat[_picks(graph, source)] = weights[name]
        gathered[target] = flat.reshape(whole[target].shape)
    return gathered


class Spread(Mapping[str, Array]):
    """What a side recorded, by the ids of the canonical graph, too; read when asked for."""

    def __init__(self, graph: CanonicalGraph, recorded: Mapping[str, Array]) -> None:
        self._normal, self._recorded = graph, recorded
        self._pieces: dict[str, tuple[str, Source]] = {}
        self._contrary = {
            f"values/{v.id}"
            for n in graph.nodes
            for v in n.values
            if v.id.endswith(CONTRARY) and f"values/{v.id.removesuffix(CONTRARY)}" in recorded
        }
        prefixes = {key.partition("/")[0] for key in recorded} - {"values"}
        for key, source in graph.pieces.items():
            if key.startswith("parameter:"):
                name = key.removeprefix("parameter:")
                whole = source.value.removeprefix("parameter:")
                pairs = [(f"{p}/{name}", f"{p}/{whole}") for p in prefixes]
            else:
                pairs = [(f"values/{key}", f"values/{source.value}")]
            self._pieces |= {mine: (whole, source) for mine, whole in pairs if whole in recorded}

    def __getitem__(self, key: str) -> Array:
        if key in self._pieces:
            whole, source = self._pieces[key]
            return _read(self._normal, source, self._recorded[whole])
        if key in self._contrary:
            return contrary(self._recorded[key.removesuffix(CONTRARY)])
        return self._recorded[key]

    def __iter__(self) -> Iterator[str]:
        yield from self._recorded
        yield from (key for key in self._pieces if key not in self._recorded)
        yield from self._contrary

    def __len__(self) -> int:
        return len(set(self._recorded) | set(self._pieces) | self._contrary)


def contrary(mask: Array) -> Array:
    """Where a mask is false; of numbers one minus it."""
    return np.logical_not(mask) if mask.dtype.kind == "b" else 1 - mask


def spread(graph: CanonicalGraph, recorded: Mapping[str, Array]) -> Mapping[str, Array]:
    """What a side recorded (`Model.record`), by the canonical graph's ids, too."""
    return Spread(graph, recorded)


def cropped(graph: CanonicalGraph) -> CanonicalGraph:
    """A transposed convolution of which all take the same box is one that crops it itself."""
    takers: dict[str, set[Source]] = {}
    sources = [s for node in graph.nodes for s in node.sources]
    for source in (*sources, *graph.outputs):
        takers.setdefault(source.value, set()).add(source)
    made: dict[str, Value] = {}
    nodes, pieces = [], dict(graph.pieces)
    for node in graph.nodes:
        taken = takers.get(node.value, set()) if node.kind == "transposed" else set()
        box = _box(graph, node, next(iter(taken))) if len(taken) == 1 else None
        if box is None:
            nodes.append(node)
            continue
        source = next(iter(taken))
        value = replace(node.values[0], id=f"{node.value}#cropped", shape=source.shape)
        made[node.value] = value
        pieces[value.id] = source
        crop = [[a + c, b + d] for (a, b), (c, d) in zip(node.settings["crop"], box, strict=True)]
        settings = {**node.settings, "crop": crop}
        nodes.append(replace(node, values=(value, *node.values[1:]), settings=settings))
    if not made:
        return graph

    def renamed(source: Source) -> Source:
        value = made.get(source.value)
        return source if value is None else Source(value.id, value.shape)

    return replace(
        graph,
        nodes=tuple(replace(n, sources=tuple(renamed(s) for s in n.sources)) for n in nodes),
        outputs=tuple(renamed(s) for s in graph.outputs),
        pieces=pieces,
    )


def _box(
    graph: CanonicalGraph, node: CanonicalNode, source: Source
) -> list[tuple[int, int]] | None:
    """What is cut from each spatial axis, before and behind; None where it is no box.

    PyTorch crops by `padding` within the layer; a Keras port has to slice behind it.
    """
    whole = node.values[0].shape
    if not source.ids or len(source.shape) != len(whole):
        return None
    ids = graph.ids[source.ids]
    first = np.unravel_index(int(ids.reshape(-1)[0]), whole)
    every = np.arange(int(np.prod(whole))).reshape(whole)
    box = tuple(slice(int(a), int(a) + n) for a, n in zip(first, ids.shape, strict=True))
    if every[box].shape != ids.shape or not np.array_equal(every[box], ids):
        return None
    cut = [(int(a), n - int(a) - m) for a, n, m in zip(first, whole, ids.shape, strict=True)]
    at = range(2, len(whole)) if node.settings["channels"] == "first" else range(1, len(whole) - 1)
    if any(cut[axis] != (0, 0) for axis in range(len(whole)) if axis not in at):
        return None
    return [cut[axis] for axis in at]


def _picks(graph: CanonicalGraph, source: Source) -> Ids:
    if source.ids:
        return graph.ids[source.ids]
    size = int(np.prod(source.shape, dtype=np.int64))
    return np.arange(size, dtype=np.int64).reshape(source.shape)


def _read(graph: CanonicalGraph, source: Source, array: Array) -> Array:
    read: Array = array.reshape(-1)[_picks(graph, source)]
    return read


# Splitting


@dataclass(frozen=True)
class Split:
    """A layer whose channels go different ways.

    Attributes:
        node: id of it.
        blocks: the channels of each way, sorted by the first.
    """

    node: str
    blocks: tuple[tuple[int, ...], ...]


def splits(graph: CanonicalGraph) -> tuple[Split, ...]:
    """Dense layers and convolutions whose takers each take other channels of them."""
    every = []
    for node in graph.nodes:
        blocks = _blocks(graph, node)
        if len(blocks) > 1:
            every.append(Split(node.id, blocks))
    return tuple(every)


def cut(graph: CanonicalGraph, node: CanonicalNode, widths: Iterable[int]) -> Split | None:
    """A layer cut into runs of channels; None where someone takes from two of them."""
    ends = np.cumsum([0, *widths])
    runs = [tuple(range(a, b)) for a, b in itertools.pairwise(ends.tolist())]
    if len(runs) < 2 or not 0 < ends[-1] == _channels(node)[0]:
        return None
    for block in _blocks(graph, node) or (tuple(range(ends[-1])),):
        if not any(set(block) <= set(run) for run in runs):
            return None
    return Split(node.id, tuple(runs))


def _axis(node: CanonicalNode) -> int:
    rank = len(node.values[0].shape)
    return 1 if node.kind == "convolution" and node.settings["channels"] == "first" else rank - 1


def _channels(node: CanonicalNode) -> tuple[int, int]:
    """How many channels there are, and how many elements stand behind one."""
    shape = node.values[0].shape
    axis = _axis(node)
    return shape[axis], int(np.prod(shape[axis + 1 :], dtype=np.int64))


def _blocks(graph: CanonicalGraph, node: CanonicalNode) -> tuple[tuple[int, ...], ...]:
    """The channels that are taken together; channels with a common taker are in one block.

    None of a grouped convolution: its blocks see other inputs, and are no layers of the whole one.
    """
    if node.kind not in ("dense", "convolution") or node.settings.get("groups", 1) != 1:
        return ()
    units, behind = _channels(node)
    blocks: list[set[int]] = []
    sources = [s for other in graph.nodes for s in other.sources]
    for source in (*sources, *graph.outputs):
        if source.value != node.value:
            continue
        if not source.ids:
            return ()
        taken = {int(c) for c in np.unique(_picks(graph, source) // behind % units)}
        apart = [block for block in blocks if not block & taken]
        blocks = [*apart, taken.union(*(block for block in blocks if block & taken))]
    every = [c for block in blocks for c in block]
    ordered = sorted(tuple(sorted(block)) for block in blocks)
    return tuple(ordered) if sorted(every) == list(range(units)) else ()


class _Rewrite:
    """A canonical graph in the making: its ids, weights and pieces grow."""

    def __init__(self, graph: CanonicalGraph) -> None:
        self.graph = graph
        self.ids = dict(graph.ids)
        self.parameters = dict(graph.parameters)
        self.pieces = dict(graph.pieces)

    def view(self, value: str, picks: Ids) -> Source:
        """A source of its own."""
        key = f"piece:{len(self.ids)}"
        self.ids[key] = np.ascontiguousarray(picks, dtype=np.int64)
        return Source(value, tuple(int(n) for n in picks.shape), key)

    def part(self, old: str, name: str, picks: Ids) -> str:
        """A weight that is a part of another, which may be a part already."""
        known = self.parameters[old] if old in self.parameters else self.graph.parameters[old]
        below = self.pieces.get(f"parameter:{old}")
        if below is not None:
            picks = self.ids[below.ids].reshape(-1)[picks] if below.ids else picks
        root = f"parameter:{old}" if below is None else below.value
        self.parameters[name] = replace(known, id=name, shape=tuple(int(n) for n in picks.shape))
        self.pieces[f"parameter:{name}"] = self.view(root, picks)
        return name

    def done(self, nodes: Iterable[CanonicalNode], outputs: Iterable[Source]) -> CanonicalGraph:
        """The canonical graph; weights that are in parts now are no weights any more."""
        nodes = tuple(nodes)
        taken = {p for node in nodes for p in node.parameters.values()}
        taken |= {s.value.removeprefix("parameter:") for node in nodes for s in node.sources}
        before = {p for node in self.graph.nodes for p in node.parameters.values()}
        parameters = {k: p for k, p in self.parameters.items() if k in taken or k not in before}
        pieces = {
            k: v
            for k, v in self.pieces.items()
            if not k.startswith("parameter:") or k.removeprefix("parameter:") in parameters
        }
        return replace(
            self.graph,
            nodes=nodes,
            outputs=tuple(outputs),
            ids=self.ids,
            parameters=parameters,
            pieces=pieces,
        )


def split(graph: CanonicalGraph, wanted: Iterable[Split]) -> CanonicalGraph:
    """Take layers apart: one node for each block of channels."""
    by_node = {one.node: one for one in wanted}
    changed = _Rewrite(graph)
    nodes: list[CanonicalNode] = []
    moves: dict[str, tuple[CanonicalNode, Split, list[CanonicalNode]]] = {}
    for node in graph.nodes:
        one = by_node.get(node.id)
        parts = [node] if one is None else _parts(changed, node, one)
        nodes += parts
        if one is not None:
            moves[node.value] = node, one, parts

    def moved(source: Source) -> Source:
        if source.value not in moves:
            return source
        return _moved(changed, source, *moves[source.value])

    nodes = [replace(n, sources=tuple(moved(s) for s in n.sources)) for n in nodes]
    return changed.done(nodes, [moved(s) for s in graph.outputs])


def _parts(changed: _Rewrite, node: CanonicalNode, one: Split) -> list[CanonicalNode]:
    units, behind = _channels(node)
    root = np.arange(int(np.prod(node.values[0].shape))).reshape(-1, units, behind)
    shape, axis = list(node.values[0].shape), _axis(node)
    parts = []
    for k, block in enumerate(one.blocks):
        word = f"[{block[0]}:{block[-1] + 1}]" if _run(block) else f"[{k}]"
        shape[axis] = len(block)
        value = Value(f"{node.value}{word}", tuple(shape), node.values[0].dtype)
        changed.pieces[value.id] = changed.view(node.value, root[:, list(block)].reshape(shape))
        parameters = {}
        for role, old in node.parameters.items():
            size = changed.graph.parameters[old].shape
            every = np.arange(int(np.prod(size)), dtype=np.int64).reshape(size)
            parameters[role] = changed.part(old, f"{old}{word}", every[..., list(block)])
        settings = dict(node.settings)
        if node.kind == "dense":
            settings["units"] = len(block)
        parts.append(
            replace(
                node,
                id=f"{node.id}{word}",
                name=f"{node.name}{word}",
                settings=settings,
                values=(value,),
                parameters=parameters,
                names=(f"{node.name}{word}", *node.names),
            )
        )
    return parts


def _run(block: tuple[int, ...]) -> bool:
    return block[-1] - block[0] == len(block) - 1


def _moved(
    changed: _Rewrite, source: Source, node: CanonicalNode, one: Split, parts: list[CanonicalNode]
) -> Source:
    units, behind = _channels(node)
    picks = _picks(changed.graph, source)
    channel = picks // behind % units
    k = next(n for n, block in enumerate(one.blocks) if int(channel.flat[0]) in block)
    place = np.zeros(units, dtype=np.int64)
    place[list(one.blocks[k])] = np.arange(len(one.blocks[k]))
    ahead = picks // (units * behind)
    places = (ahead * len(one.blocks[k]) + place[channel]) * behind + picks % behind
    if places.shape == parts[k].values[0].shape and np.array_equal(
        places.ravel(), np.arange(places.size)
    ):
        return Source(parts[k].value, parts[k].values[0].shape)
    return changed.view(parts[k].value, places)


# Convolutions of kernel 1


def is_pointwise(node: CanonicalNode) -> bool:
    """Whether a convolution is a dense layer over the channels."""
    return (
        node.kind == "convolution"
        and all(n == 1 for key in ("kernel", "stride") for n in node.settings[key])
        and node.settings.get("groups", 1) == 1
        and not any(map(any, node.settings["padding"]))
    )


def is_lone(node: CanonicalNode) -> bool:
    """Whether it is a convolution of kernel 1 over a single place, channels last.

    Squeeze and excitation writes its two layers either way, on (1, 1, n) or on (n,).
    """
    shape = node.values[0].shape
    return (
        is_pointwise(node)
        and node.settings["channels"] == "last"
        and all(n == 1 for n in shape[1:-1])
    )


def as_dense(graph: CanonicalGraph, wanted: Iterable[str]) -> CanonicalGraph:
    """Say convolutions over a single place as dense layers."""
    ids = set(wanted)
    changed = _Rewrite(graph)
    nodes = [_dense(changed, n) if n.id in ids else n for n in graph.nodes]
    return changed.done(nodes, graph.outputs)


def _dense(changed: _Rewrite, node: CanonicalNode) -> CanonicalNode:
    old = node.parameters["kernel"]
    size = changed.graph.parameters[old].shape
    every = np.arange(int(np.prod(size)), dtype=np.int64).reshape(size[-2:])
    kernel = changed.part(old, f"{old}:dense", every)
    settings = {"units": size[-1], "bias": bool(node.settings.get("bias"))}
    parameters = {**node.parameters, "kernel": kernel}
    return replace(node, kind="dense", settings=settings, parameters=parameters)


def as_product(graph: CanonicalGraph, wanted: Iterable[str]) -> CanonicalGraph:
    """Say dense layers without a bias as products with a matrix, which they take as a source."""
    ids = set(wanted)
    return replace(
        graph, nodes=tuple(_product(graph, n) if n.id in ids else n for n in graph.nodes)
    )


def _product(graph: CanonicalGraph, node: CanonicalNode) -> CanonicalNode:
    name = node.parameters["kernel"]
    kernel = Source(f"parameter:{name}", tuple(graph.parameters[name].shape), "")
    settings = {"scale": node.settings["scale"]} if "scale" in node.settings else {}
    sources = (*node.sources, kernel)
    return replace(node, kind="matmul", settings=settings, sources=sources, parameters={})


def as_convolution(graph: CanonicalGraph, wanted: Iterable[str]) -> CanonicalGraph:
    """Say dense layers over images or sequences as convolutions of kernel 1, channels last."""
    ids = set(wanted)
    changed = _Rewrite(graph)
    nodes = [_pointwise(changed, n) if n.id in ids else n for n in graph.nodes]
    return changed.done(nodes, graph.outputs)


def _pointwise(changed: _Rewrite, node: CanonicalNode) -> CanonicalNode:
    axes = len(node.values[0].shape) - 2
    old = node.parameters["kernel"]
    size = changed.graph.parameters[old].shape
    every = np.arange(int(np.prod(size)), dtype=np.int64).reshape([1] * axes + list(size))
    kernel = changed.part(old, f"{old}:convolution", every)
    settings = {
        "channels": "last",
        "kernel": [1] * axes,
        "stride": [1] * axes,
        "dilation": [1] * axes,
        "padding": [[0, 0]] * axes,
        "groups": 1,
        "bias": bool(node.settings.get("bias")),
        "mode": "zeros",
    }
    parameters = {**node.parameters, "kernel": kernel}
    return replace(node, kind="convolution", settings=settings, parameters=parameters)


__all__ = [
    "Split",
    "as_convolution",
    "as_dense",
    "cut",
    "gather_weights",
    "is_lone",
    "is_pointwise",
    "split",
    "splits",
    "spread",
    "spread_weights",
]
