"""Through two aligned graphs: how every value goes across, and every weight.

Arrangements travel with the data: the inputs' are given, and each kind of operation says how its
output stands to what it takes. Weights follow: the rows of a dense kernel stand as the features it
is fed, so that a flatten of channels-first images on one side and channels-last on the other is no
difference.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import numpy as np

from parity.checker.align.matches import Match, indices
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.graph import arrangement
from parity.checker.graph.arrangement import Arrangement, Indices, Shape
from parity.checker.graph.graph import Parameter, Source
from parity.checker.graph.model_interface import Array
from parity.checker.graph.storage import CompactArrays
from parity.checker.transfer import tables
from parity.operations.known import operation

SAME: Indices = np.zeros(0, np.int64)
"""The identity, which for a large weight would be larger than the weight: int64 against float32."""


@dataclass(frozen=True)
class WeightMapping:
    """A weight of each side that belong together.

    Attributes:
        left, right: their ids.
        index: of the right's shape: which element of the flattened left stands there; None where
            the shapes do not allow it, `SAME` where each stands where it stood. Where it is
            `tables.UNKNOWN` the left has none, and both have zeros: nobody takes it.
        pair: the pair of nodes that they belong to.
        role: what they are to these nodes.
    """

    left: Parameter
    right: Parameter
    index: Indices | None
    pair: Match
    role: str

    def to_right(self, array: Array, rest: Array | None = None) -> Array:
        """The left's array, arranged as the right's.

        Args:
            array: the left's.
            rest: of the right's shape: what stands where the left has no such element; else zeros.
        """
        assert self.index is not None
        if self.index is SAME:
            return array
        taken: Array = array.reshape(-1)[self.index]
        if self._partial:
            rest = np.zeros_like(taken) if rest is None else rest
            taken = np.where(self.index == tables.UNKNOWN, rest, taken)
        return taken

    def of_right(self, array: Array) -> Array:
        """The right's own array, with zeros where the left has no such element."""
        if not self._partial:
            return array
        known: Array = np.where(self.index == tables.UNKNOWN, np.zeros_like(array), array)
        return known

    @property
    def _partial(self) -> bool:
        return self.index is not None and bool(np.any(self.index == tables.UNKNOWN))

    def to_left(self, array: Array, rest: Array | None = None) -> Array:
        """The right's array, arranged as the left's.

        Args:
            array: the right's.
            rest: of the left's shape: what stands where the right has no such element; else zeros.
        """
        assert self.index is not None
        if self.index is SAME:
            return array
        out = np.zeros(self.left.shape) if rest is None else np.array(rest)
        out = out.astype(array.dtype).reshape(-1)
        known = self.index.reshape(-1) != tables.UNKNOWN
        out[self.index.reshape(-1)[known]] = array.reshape(-1)[known]
        return out.reshape(self.left.shape)


@dataclass(frozen=True)
class AxisMaps:
    """Everything that goes from one side to the other.

    Attributes:
        values: id of the left's root value → how it becomes the right's; only of matched ones.
        partners: id of the left's root value → id of the right's.
        sources: (id of the left's node, which source) → how what the two nodes see goes across;
            None where it is no rearrangement.
        scrambled: keys of `sources` where it is the same numbers in another order.
        guessed: ids of left root values whose arrangement was taken from the shapes alone.
        weight_mappings: weights.
        known: id of the left's root value → how it goes across, found by the numbers.
    """

    values: dict[str, Arrangement]
    partners: dict[str, str]
    sources: dict[tuple[str, int], Arrangement | None] = field(default_factory=dict)
    scrambled: set[tuple[str, int]] = field(default_factory=set)
    guessed: set[str] = field(default_factory=set)
    weight_mappings: list[WeightMapping] = field(default_factory=list)
    known: Mapping[str, Arrangement] = field(default_factory=dict)


def map_axes(
    matched: Sequence[Match],
    left: CanonicalGraph,
    right: CanonicalGraph,
    inputs: Sequence[Arrangement],
    known: Mapping[str, Arrangement] = MappingProxyType({}),
) -> AxisMaps:
    """Walk through all pairs in the order of execution.

    Args:
        matched: pairs of the two graphs.
        left, right: the graphs.
        inputs: how each input goes across.
        known: id of a left's root value → how it goes across, where that is known already.
    """
    names = [f"input:{i}" for i in range(len(inputs))]
    maps = AxisMaps(
        dict(zip(names, inputs, strict=True)), dict(zip(names, names, strict=True)), known=known
    )
    for match in matched:
        _visit(match, left, right, maps)
    return maps


def _visit(match: Match, left: CanonicalGraph, right: CanonicalGraph, maps: AxisMaps) -> None:
    a, b = match.left, match.right
    seen: list[Arrangement | None] = []
    for link in match.links:
        mine, theirs = link.left, link.right
        if mine is None or theirs is None:
            continue
        moved = _map_source(mine, theirs, left, right, maps)
        if moved is not None and not _usable(moved, a, b):
            # The same numbers in an order that this operation does not forgive.
            maps.scrambled.add((a.id, link.at))
            moved = None
        maps.sources[a.id, link.at] = moved
        seen.append(moved)
    for mine_value, their_value in zip(a.values, b.values, strict=False):
        moved = maps.known.get(mine_value.id)
        moved = moved or _map_output(a, b, mine_value.shape, their_value.shape, seen)
        moved = moved or _joined(match, mine_value.shape, their_value.shape, maps)
        if moved is None:
            # Of an operation that says nothing of its axes, an opaque one, the shapes are all there
            # is; noted as a guess, for a square has two.
            options = arrangement.candidates(mine_value.shape, their_value.shape)
            maps.guessed.add(mine_value.id)
            moved = options[0] if options else None
        maps.partners[mine_value.id] = their_value.id
        if moved is not None:
            maps.values[mine_value.id] = moved
    whole = maps.values.get(a.values[0].id) if a.values else None
    maps.weight_mappings.extend(_layer_mappings(match, left, right, seen))
    maps.weight_mappings.extend(_otherwise_mappings(match, left, right, seen))
    maps.weight_mappings.extend(_raw_mappings(match, left, right, seen, whole))


def _map_source(
    mine: Source, theirs: Source, left: CanonicalGraph, right: CanonicalGraph, maps: AxisMaps
) -> Arrangement | None:
    root = maps.values.get(mine.value)
    if root is None or maps.partners.get(mine.value) != theirs.value:
        return None
    return arrangement.of_sources(
        root, mine.shape, theirs.shape, indices(left, mine), indices(right, theirs)
    )


def _usable(moved: Arrangement, a: CanonicalNode, b: CanonicalNode) -> bool:
    """Whether an operation computes the same on a source that goes across like this.

    Flattened features may stand in any order before a dense layer, whose kernel's rows follow; the
    steps of a recurrent layer in none but their own, and channels only where the layer's setting
    has them. Another order is a fault of the port (cause ``axis``), not a layout to follow.
    """
    if a.kind == "recurrent" or (operation(a.kind).on_features and moved.axes is None):
        if moved.axes is None:
            return moved.columns() is not None and _leads(moved, a.kind)
        return moved.is_identity or a.kind != "recurrent"
    if a.kind == "dense" == b.kind and moved.axes is not None:
        return moved.axes[-1] == len(moved.axes) - 1
    if operation(a.kind).has_channels and operation(b.kind).has_channels and len(moved.left) > 2:
        one, other = a.settings.get("channels"), b.settings.get("channels")
        if one and other:
            wanted = arrangement.by_channels(moved.left, moved.right, one, other)
            return wanted is not None and wanted.axes == moved.axes
    return True


def _leads(moved: Arrangement, kind: str) -> bool:
    """Whether samples and steps stay where they are; a dense layer does not care.

    It sees one sample and one step at a time, a recurrent layer all steps in turn.
    """
    if kind != "recurrent":
        return True
    rows = moved.indices.reshape(-1, moved.right[-1]) // moved.left[-1]
    return bool(np.all(rows == np.arange(len(rows))[:, None]))


def _map_output(
    a: CanonicalNode,
    b: CanonicalNode,
    left: Shape,
    right: Shape,
    seen: Sequence[Arrangement | None],
) -> Arrangement | None:
    """How the output goes across, by the kind of the operation."""
    known = [s for s in seen if s is not None]
    first = known[0] if known else None
    if operation(a.kind).has_channels and len(left) > 2:
        one, other = a.settings.get("channels"), b.settings.get("channels")
        if one and other:
            return arrangement.by_channels(left, right, one, other)
    if {a.kind, b.kind} == {"convolution", "dense"} and len(left) > 2:
        one, other = (n.settings.get("channels", "last") for n in (a, b))
        return arrangement.by_channels(left, right, one, other)
    if a.kind in ("dense", "embedding") and first is not None:
        return _leading(first, left, right)
    # Batch first on both sides: PyTorch's tracer writes steps first as a transposition.
    if a.kind == "recurrent":
        return arrangement.identity(left) if left == right else None
    if a.kind == "reduce" and first is not None:
        return _reduced(first, a.settings.get("axes", ()), b.settings.get("axes", ()), left, right)
    if first is None:
        return None
    for moved in known:
        if moved.left == left and moved.right == right:
            return moved
    axes = next((s.axes for s in known if s.axes is not None and len(s.axes) == len(left)), None)
    if axes is not None:
        moved = arrangement.permuted(left, axes)
        return moved if moved.right == right else None
    # Samples and heads on one axis here and on two there: so are those of what is made of them.
    if len(left) != len(right) and all(s.is_in_order for s in known):
        return arrangement.in_order(left, right)
    return None


def _joined(match: Match, left: Shape, right: Shape, maps: AxisMaps) -> Arrangement | None:
    """Of a join, element by element: one side may stack along an axis that the other has not."""
    a, b = match.left, match.right
    if a.kind != "concatenate" or b.kind != "concatenate":
        return None
    moved = {link.at: (link.to, maps.sources.get((a.id, link.at))) for link in match.links}
    mine: list[Indices] = []
    theirs: dict[int, Indices] = {}
    first = 0
    for at, source in enumerate(a.sources):
        to, move = moved.get(at, (-1, None))
        if move is None:
            return None
        size = math.prod(source.shape)
        mine.append(np.arange(first, first + size).reshape(source.shape))
        theirs[to] = first + move.indices.reshape(move.right)
        first += size
    if sorted(theirs) != list(range(len(b.sources))):
        return None
    ours = np.concatenate(mine, axis=a.settings["axis"])
    other = np.concatenate([theirs[to] for to in sorted(theirs)], axis=b.settings["axis"])
    if ours.shape != tuple(left) or other.shape != tuple(right):
        return None
    return arrangement.simplest(left, right, np.argsort(ours, axis=None)[other])


def _leading(first: Arrangement, left: Shape, right: Shape) -> Arrangement | None:
    """The last axis is new on both sides; those before it go across as the source's do.

    A flatten before it, in whatever order, is over: the features of a dense layer are its own.
    """
    if left[-1:] != right[-1:]:
        return None
    width = left[-1]
    if first.axes is not None and len(first.left) == len(left) - 1:  # an embedding
        moved = arrangement.permuted(left, (*first.axes, len(left) - 1))
        return moved if moved.right == right else None
    if first.axes is not None and len(first.left) == len(left):
        if first.axes[-1] == len(left) - 1:
            moved = arrangement.permuted(left, first.axes)
            return moved if moved.right == right else None
        return None
    rows = first.indices.reshape(-1, first.right[-1]) // first.left[-1]
    if not np.all(rows == rows[:, :1]):
        return None
    places = rows[:, :1] * width + np.arange(width)
    if places.size != int(np.prod(right)):
        return None
    return arrangement.simplest(left, right, places.reshape(right))


def _reduced(
    source: Arrangement, gone: Sequence[int], their: Sequence[int], left: Shape, right: Shape
) -> Arrangement | None:
    if source.axes is None:
        return None
    rank = len(source.left)
    gone = [axis % rank for axis in gone]
    their = [axis % rank for axis in their]
    if sorted(source.axes[axis] for axis in their) != sorted(gone):
        return None
    axes = [axis for axis in range(rank) if axis not in gone]
    order = [axes.index(source.axes[axis]) for axis in range(rank) if axis not in their]
    short = arrangement.permuted(tuple(source.left[axis] for axis in axes), order)
    if short.left == left and short.right == right:
        return short
    if int(np.prod(short.left)) != int(np.prod(left)) or short.indices.size != np.prod(right):
        return None
    return arrangement.simplest(left, right, short.indices.reshape(right))


def _layer_mappings(
    match: Match,
    left: CanonicalGraph,
    right: CanonicalGraph,
    seen: Sequence[Arrangement | None],
) -> Iterable[WeightMapping]:
    a, b = match.left, match.right
    for role in a.parameters:
        if role not in b.parameters:
            continue
        mine = left.parameters[a.parameters[role]]
        theirs = right.parameters[b.parameters[role]]
        index = _index(match, role, mine, theirs, seen)
        if index is not None and mine.shape == theirs.shape and _is_identity(index):
            index = SAME
        yield WeightMapping(mine, theirs, index, match, role)


def _otherwise_mappings(
    match: Match,
    left: CanonicalGraph,
    right: CanonicalGraph,
    seen: Sequence[Arrangement | None],
) -> Iterable[WeightMapping]:
    """Weights of a layer that one side has in another form, for another layer has them, too.

    The codes of a quantizer are the rows of a table, and transposed the kernel of a product: the
    table is then made of the kernel.
    """
    a, b = match.left, match.right
    for role in {*a.parameters} ^ {*b.parameters}:
        mine, theirs = _placed(left, a, role), _placed(right, b, role)
        if mine is None or theirs is None:
            continue
        (own, places), (other, there) = mine, theirs
        shaped = replace(own, shape=places.shape), replace(other, shape=there.shape)
        index = _index(match, role, *shaped, seen)
        if index is None:
            continue
        moved = np.empty(there.size, np.int64)
        moved[there.reshape(-1)] = (places if index is SAME else places.reshape(-1)[index]).ravel()
        yield WeightMapping(own, other, moved.reshape(other.shape), match, role)


def _placed(
    graph: CanonicalGraph, node: CanonicalNode, role: str
) -> tuple[Parameter, Indices] | None:
    """A layer's weight, and which of its elements stand where the layer looks for them."""
    if role in node.parameters:
        parameter = graph.parameters[node.parameters[role]]
        return parameter, np.arange(math.prod(parameter.shape)).reshape(parameter.shape)
    made = list(node.settings.get("computed", ()))
    if role not in made:
        return None
    source = node.sources[len(node.sources) - len(made) + made.index(role)]
    if not source.value.startswith("parameter:"):
        return None
    parameter = graph.parameters[source.value.removeprefix("parameter:")]
    taken = _taken(graph, source, parameter).places
    whole = np.array_equal(np.sort(taken, axis=None), np.arange(math.prod(parameter.shape)))
    return (parameter, taken) if whole else None


def _is_identity(index: Indices) -> bool:
    flat = index.reshape(-1)
    return bool(np.array_equal(flat, np.arange(flat.size)))


def _index(
    match: Match,
    role: str,
    mine: Parameter,
    theirs: Parameter,
    seen: Sequence[Arrangement | None],
) -> Indices | None:
    size, rank = math.prod(mine.shape), len(mine.shape)
    source = next((s for s in seen if s is not None), None)
    kind = match.left.kind

    def every() -> Indices:
        return np.arange(size, dtype=np.int64).reshape(mine.shape)

    # PyTorch's PReLU has one slope, or one for each channel; Keras' has one for each element.
    if role == "alpha" and mine.shape != theirs.shape:
        return _spread(every(), theirs.shape)
    if {kind, match.right.kind} == {"convolution", "dense"} and size == math.prod(theirs.shape):
        # A window of one is a dense layer at every place.
        return every().reshape(theirs.shape)
    # No rearrangement of one shape is another: the weight stays as it is, and the pair is named.
    if mine.shape != theirs.shape and not operation(kind).on_features:
        return None
    # Only the kernel meets the features it is fed; bias, recurrent kernel and gates stand in the
    # order of the outputs.
    fed = (
        role == "kernel"
        if kind == "dense"
        else role.removeprefix("forward_").removeprefix("backward_") == "kernel"
    )
    if kind in ("dense", "recurrent") and fed and source is not None:
        columns = source.columns()
        if columns is not None and len(columns) == mine.shape[0] and mine.shape == theirs.shape:
            return SAME if _is_identity(columns) else every()[columns]
    if operation(kind).on_features and kind != "dense" and source is not None:
        if rank == 1 and mine.shape == theirs.shape:
            columns = source.columns() if _last(match, len(source.left)) else None
            return SAME if columns is None or len(columns) != size else every()[columns]
        axes = _normalised(match, source)
        if axes is not None and rank == len(axes):
            moved = every().transpose(axes)
            return moved if moved.shape == theirs.shape else None
    return SAME if mine.shape == theirs.shape else None


def _spread(every: Indices, shape: Shape) -> Indices | None:
    """A slope for each channel, or one for all, as one for each element.

    The other way it cannot go: slopes of a channel that differ are another function.
    """
    if every.size == int(np.prod(shape)):
        return every.reshape(shape)
    if every.size == 1 or every.shape[-1:] == shape[-1:]:
        return np.broadcast_to(every.reshape(-1), shape)
    return None


def _last(match: Match, rank: int) -> bool:
    """Whether both sides have the features on the last axis."""
    if match.left.kind in ("layer_norm", "rms_norm") or rank == 2:
        return True
    return match.left.settings.get("channels") == match.right.settings.get("channels") == "last"


def _normalised(match: Match, source: Arrangement) -> tuple[int, ...] | None:
    """Of a layer norm over several axes: right axis of gamma → left axis of gamma."""
    mine, theirs = match.left.settings.get("axes"), match.right.settings.get("axes")
    if source.axes is None or not mine or not theirs:
        return None
    rank = len(source.left)
    mine = sorted(axis % rank for axis in mine)
    wanted = [source.axes[axis] for axis in sorted(axis % rank for axis in theirs)]
    return tuple(mine.index(axis) for axis in wanted) if sorted(wanted) == mine else None


def _raw_mappings(
    match: Match,
    left: CanonicalGraph,
    right: CanonicalGraph,
    seen: Sequence[Arrangement | None],
    output: Arrangement | None,
) -> Iterable[WeightMapping]:
    """Weights that an operation takes as a source: a position embedding, a class token.

    They have no role that says how they lie; the other sources, or the output, say it.
    """
    axes = next((s.axes for s in (*seen, output) if s is not None and s.axes is not None), None)
    kinds = match.left.kind, match.right.kind
    for link in match.links:
        if link.left is None or link.right is None:
            continue
        if not (
            link.left.value.startswith("parameter:") and link.right.value.startswith("parameter:")
        ):
            continue
        mine = left.parameters[link.left.value.removeprefix("parameter:")]
        theirs = right.parameters[link.right.value.removeprefix("parameter:")]
        taken = _taken(left, link.left, mine), _taken(right, link.right, theirs)
        index = tables.index(*taken, kinds, output, axes)
        role = mine.role if mine.role == theirs.role else "raw"
        yield WeightMapping(mine, theirs, index, match, role)


def _taken(graph: CanonicalGraph, source: Source, parameter: Parameter) -> tables.Taken:
    places = indices(graph, source)
    if places is None:
        places = np.arange(math.prod(parameter.shape), dtype=np.int64).reshape(source.shape)
    return tables.Taken(parameter.shape, places)


def transfer_weights(
    mappings: Sequence[WeightMapping], weights: Mapping[str, Array], *, source: str
) -> CompactArrays:
    """The other side's weights, from one side's.

    Args:
        mappings: what belongs together.
        weights: of the side that they come from, by id.
        source: ``torch`` or ``keras``.
    """
    transferred = CompactArrays()
    for one in mappings:
        if one.index is None or not is_transferred(one):
            continue
        origin, taken = (one.left, one.right) if source == "torch" else (one.right, one.left)
        # What a model computes it would compute again.
        if taken.computed or origin.id not in weights:
            continue
        # Two weights may be parts of one on the other side.
        known = transferred.get(taken.id)
        moved = one.to_right if source == "torch" else one.to_left
        if one.index is SAME and isinstance(weights, CompactArrays):
            transferred.arrays[taken.id] = weights.arrays[origin.id]
            continue
        transferred[taken.id] = moved(weights[origin.id], known)
    return transferred


def is_transferred(one: WeightMapping) -> bool:
    """Whether it is a weight to be taken across, not a number that belongs to the model's code.

    A table of sines that is wrong on one side is a fault of the port; overwritten it would be
    repaired unseen.
    """
    learnt = one.left.trainable or one.right.trainable
    return learnt or one.role != "raw"
