"""An alignment with the nodes themselves in place of their ids, and words for values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.check import align
from shared.check.align import Alignment
from shared.check.arrange import Indices
from shared.check.graph import Source
from shared.check.normalise import Merged, Normal


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

    left: Merged
    right: Merged
    links: tuple[Link, ...]
    order: int
    substituted: bool


def matches(alignment: Alignment, left: Normal, right: Normal) -> tuple[Match, ...]:
    """All pairs, in the order of the left's execution."""
    order = {node.id: at for at, node in enumerate(left.nodes)}
    found = []
    for pair in alignment.pairs:
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        links = tuple(_link(link, a.sources, b.sources, left, right) for link in pair.links)
        found.append(Match(a, b, links, order[a.id], pair.substituted))
    return tuple(sorted(found, key=lambda match: match.order))


def output_links(alignment: Alignment, left: Normal, right: Normal) -> tuple[Link, ...]:
    """The models' outputs, by position."""
    return tuple(
        _link(link, left.outputs, right.outputs, left, right) for link in alignment.outputs
    )


def _link(
    link: align.Link,
    mine: Sequence[Source],
    theirs: Sequence[Source],
    left: Normal,
    right: Normal,
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


def indices(normal: Normal, source: Source) -> Indices | None:
    """Which element of the flattened root stands where; None where the root is taken as it is."""
    return normal.ids[source.ids] if source.ids else None


def named(normal: Normal, value: str) -> str:
    """What people call the thing that yields a value."""
    if value in normal.producers:
        return normal.producers[value].name
    kind, _, rest = value.partition(":")
    return f"{kind} {rest}" if kind == "input" else rest or value
