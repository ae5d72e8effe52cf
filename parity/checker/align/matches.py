"""An alignment with the nodes themselves in place of their ids, and words for values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from parity.checker.align import alignment as align
from parity.checker.align.alignment import Alignment
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode
from parity.checker.canonical.folding import COMPUTED
from parity.checker.graph.arrangement import Indices
from parity.checker.graph.graph import Source


@dataclass(frozen=True)
class Link:
    """A source of the left node, and that of the right which stands for the same.

    Attributes:
        left, right: None where the other side has none.
        same: both come from one pair of nodes, from one input, or from weights or constants.
        at: number of the left's source, or minus one.
        to: number of the right's source, or minus one.
        left_between, right_between: names of operations without a partner on the way.
    """

    left: Source | None
    right: Source | None
    same: bool
    at: int
    to: int
    left_between: tuple[str, ...] = ()
    right_between: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """Two nodes that stand for the same; `order` is the left's place in its execution."""

    left: CanonicalNode
    right: CanonicalNode
    links: tuple[Link, ...]
    order: int
    substituted: bool

    @property
    def other_functions(self) -> bool:
        """Whether the two are functions of two names for which the graph has no word."""
        if not self.left.kind == self.right.kind == "opaque":
            return False
        mine, theirs = (str(n.settings["name"]).lower() for n in (self.left, self.right))
        return not (mine.endswith(theirs) or theirs.endswith(mine))


def matches(alignment: Alignment, left: CanonicalGraph, right: CanonicalGraph) -> tuple[Match, ...]:
    """All pairs, in the order of the left's execution."""
    order = {node.id: at for at, node in enumerate(left.nodes)}
    matched = []
    for pair in alignment.pairs:
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        links = tuple(_link(link, a.sources, b.sources, left, right) for link in pair.links)
        matched.append(Match(a, b, links, order[a.id], pair.substituted))
    return tuple(sorted(matched, key=lambda match: match.order))


def output_links(
    alignment: Alignment, left: CanonicalGraph, right: CanonicalGraph
) -> tuple[Link, ...]:
    """The models' outputs, by position."""
    return tuple(
        _link(link, left.outputs, right.outputs, left, right) for link in alignment.outputs
    )


def _link(
    link: align.SourceLink,
    mine: Sequence[Source],
    theirs: Sequence[Source],
    left: CanonicalGraph,
    right: CanonicalGraph,
) -> Link:
    return Link(
        None if link.left is None else mine[link.left],
        None if link.right is None else theirs[link.right],
        link.same,
        -1 if link.left is None else link.left,
        -1 if link.right is None else link.right,
        tuple(left.by_id[n].name for n in link.left_between),
        tuple(right.by_id[n].name for n in link.right_between),
    )


def indices(graph: CanonicalGraph, source: Source) -> Indices | None:
    """Which element of the flattened root stands where; None where the root is taken as it is."""
    return graph.ids[source.ids] if source.ids else None


def root_places(graph: CanonicalGraph, source: Source) -> tuple[str, Indices]:
    """The root value as it was traced, and which of its elements stand where."""
    ids = indices(graph, source)
    if ids is None:
        ids = np.arange(math.prod(source.shape), dtype=np.int64).reshape(source.shape)
    piece = graph.pieces.get(source.value)
    if piece is None:
        return source.value, ids
    root, whole = root_places(graph, piece)
    return root, whole.reshape(-1)[ids]


def value_name(graph: CanonicalGraph, value: str) -> str:
    """What people call the thing that yields a value."""
    if value in graph.producers:
        return graph.producers[value].name
    kind, _, rest = value.partition(":")
    if rest.startswith(COMPUTED):
        return "a table made of weights"
    if kind == "parameter":
        return rest
    return f"input {rest}" if kind == "input" else "a table of the code"


def source_text(graph: CanonicalGraph, source: Source) -> str:
    """What a source takes, as one would write it: ``lstm[:, -1]``."""
    name = source_name(graph, source)
    ids = indices(graph, source)
    shape = _root_shape(graph, source.value)
    if ids is None or shape is None or not ids.size or math.prod(shape) <= int(ids.max()):
        return name
    axes = [np.unique(a) for a in np.unravel_index(np.unique(ids), shape)]
    if math.prod(len(a) for a in axes) != len(np.unique(ids)):
        return f"some numbers of {name}"
    words = [_range(a, size) for a, size in zip(axes, shape, strict=True)]
    while words and words[-1] == ":":
        words.pop()
    return f"{name}[{', '.join(words)}]" if words else name


def _root_shape(graph: CanonicalGraph, value: str) -> tuple[int, ...] | None:
    """The shape of what a source sees some numbers of."""
    parameter = graph.parameters.get(value.removeprefix("parameter:"))
    if parameter is not None:
        return parameter.shape
    maker = graph.producers.get(value)
    values = maker.values if maker is not None else graph.inputs
    return next((v.shape for v in values if v.id == value), None)


def source_name(graph: CanonicalGraph, source: Source) -> str:
    """What people call the thing that a source takes from."""
    name = value_name(graph, source.value)
    maker = graph.producers.get(source.value)
    second = maker is not None and source.value != maker.values[0].id
    if maker is not None and maker.kind == "compare" and second:
        return f"the contrary of {name}"
    cell = maker is not None and maker.kind == "recurrent" and second
    return f"the cell state of {name}" if cell else name


def _range(places: Indices, size: int) -> str:
    first, last = int(places[0]), int(places[-1])
    if len(places) == size:
        return ":"
    if len(places) == 1:
        return "-1" if first == size - 1 and size > 1 else str(first)
    step = (last - first) // (len(places) - 1)
    if not np.array_equal(places, np.arange(first, last + 1, step)):
        return "…"
    text = f"{first or ''}:{last + 1 if last + 1 < size else ''}"
    return text if step == 1 else f"{text}:{step}"
