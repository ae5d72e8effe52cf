"""Two graphs aligned, after what only one of them has in one piece is taken apart.

`alignment` finds which node is which. Where that leaves something over, a layer that makes several
things at once may be several layers on the other side, or a dense layer the convolution of
kernel 1 that the other side has. Nothing is taken apart that both sides have in one piece: there
the order of the pieces is part of what is compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from parity.checker.align import untraced
from parity.checker.align.alignment import Alignment, align
from parity.checker.canonical import split_layers
from parity.checker.canonical.canonical_graph import CanonicalGraph, CanonicalNode


def reconcile(
    left: CanonicalGraph,
    right: CanonicalGraph,
    *,
    pairs: Mapping[str, str] = MappingProxyType({}),
    inputs: Sequence[int] = (),
) -> tuple[CanonicalGraph, CanonicalGraph, Alignment]:
    """Align two graphs, and rewrite them where that makes them more alike.

    Args:
        left, right: canonical.
        pairs, inputs: as of `parity.checker.align.alignment.align`.

    Returns:
        The two graphs, rewritten or not, and their alignment.
    """
    alignment = align(left, right, pairs=pairs, inputs=inputs)
    if alignment.complete:
        return left, right, alignment
    # A rewritten graph is kept only where it leaves less over: cutting what both sides have in one
    # piece would hide in which order its pieces stand.
    whole = left, right, alignment
    for apart in _split_layers(*whole):
        other = align(*apart, pairs=pairs, inputs=inputs)
        if other.edits < alignment.edits:
            left, right, alignment = *apart, other
    own = _of_one_kind(left, right, alignment)
    if own:
        other = align(left, right, pairs=pairs, inputs=inputs, known=own)
        if _unlike(other) < _unlike(alignment):
            alignment = other
    alike = _same_kind(left, right, alignment)
    if alike is not None:
        left, right = alike
        alignment = align(left, right, pairs=pairs, inputs=inputs)
    # Twice: drawing the first together may show what lies opposite the second.
    for _ in range(2):
        drawn = untraced.fuse_untraced_regions(left, right, alignment)
        if drawn is not None:
            left, right = drawn
            alignment = align(left, right, pairs=pairs, inputs=inputs)
    return left, right, alignment


def _of_one_kind(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment
) -> dict[str, str]:
    """Nodes left over that are what the other side has there, where another kind was paired.

    Both do the same to the same things. Where the last step of a recurrence is missing, the one
    before it is the partner of what the other side ends with, not the product that comes behind.
    """
    partner = {p.left: p.right for p in alignment.pairs}
    back = {p.right: p.left for p in alignment.pairs}
    found: dict[str, str] = {}
    for pair in alignment.pairs:
        if not pair.substituted or pair.given:
            continue
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        for one in (left.by_id[n] for n in alignment.left_only):
            if _alike(left, one, right, b, partner):
                found[one.id] = b.id
        for other in (right.by_id[n] for n in alignment.right_only):
            if _alike(right, other, left, a, back):
                found[a.id] = other.id
    return found


def _alike(
    graph: CanonicalGraph,
    node: CanonicalNode,
    others: CanonicalGraph,
    other: CanonicalNode,
    partner: Mapping[str, str],
) -> bool:
    """Whether two nodes do the same to things that are partners."""
    if node.kind != other.kind or node.settings != other.settings:
        return False
    mine = [_made_by(graph, s.value) for s in node.sources]
    theirs = [_made_by(others, s.value) for s in other.sources]
    if len(mine) != len(theirs) or all(":" in made for made in mine):
        return False
    return all(
        _given(a) == _given(b) if ":" in a else partner.get(a) == b
        for a, b in zip(mine, theirs, strict=True)
    )


def _given(made_by: str) -> str:
    """A class token is a weight here and there; which input it is, its number tells."""
    return made_by if made_by.startswith("input:") else made_by.partition(":")[0]


def _made_by(graph: CanonicalGraph, value: str) -> str:
    maker = graph.producers.get(value)
    return maker.id if maker is not None else value


def _unlike(alignment: Alignment) -> int:
    """How many nodes have no partner, or one of another kind."""
    only = len(alignment.left_only) + len(alignment.right_only)
    return only + sum(pair.substituted for pair in alignment.pairs)


def _split_layers(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment
) -> Iterator[tuple[CanonicalGraph, CanonicalGraph]]:
    """Split what the other side does not have in one piece, if it has layers left over.

    By who takes which channels, and by the widths of the layers that stand opposite: where a
    layer's own channels go different ways, too, as in rotary positions, takers do not tell.
    """
    mine = {one.node: one for one in split_layers.splits(left)}
    theirs = {one.node: one for one in split_layers.splits(right)}
    paired = {(p.left, p.right) for p in alignment.pairs if p.left in mine and p.right in theirs}
    left_wanted = [one for node, one in mine.items() if node not in {a for a, _ in paired}]
    right_wanted = [one for node, one in theirs.items() if node not in {b for _, b in paired}]
    # One layer against three is cut only if the other two are really left over; otherwise the
    # three are three more, and a fault.
    if not _has_weighted(right, alignment.right_only):
        left_wanted = []
    if not _has_weighted(left, alignment.left_only):
        right_wanted = []
    if left_wanted or right_wanted:
        yield split_layers.split(left, left_wanted), split_layers.split(right, right_wanted)
    both = [(left.by_id[p.left], right.by_id[p.right]) for p in alignment.pairs]
    left_cut = [_opposite(left, a, right, b, alignment.right_only) for a, b in both]
    right_cut = [_opposite(right, b, left, a, alignment.left_only) for a, b in both]
    if any(left_cut) or any(right_cut):
        yield (
            split_layers.split(left, [one for one in left_cut if one is not None]),
            split_layers.split(right, [one for one in right_cut if one is not None]),
        )


def _opposite(
    graph: CanonicalGraph,
    node: CanonicalNode,
    other: CanonicalGraph,
    partner: CanonicalNode,
    free: Sequence[str],
) -> split_layers.Split | None:
    """A layer, cut as the other side has it: its partner and those beside that."""
    if node.kind != partner.kind or node.kind not in ("dense", "convolution"):
        return None
    beside = [
        n
        for n in other.nodes
        if n.kind == node.kind
        and (n.id in free or n.id == partner.id)
        and n.sources[0] == partner.sources[0]
    ]
    widths = [
        other.parameters[n.parameters["kernel"]].shape[-1]
        for n in beside
        if "kernel" in n.parameters
    ]
    return split_layers.cut(graph, node, widths)


def _has_weighted(graph: CanonicalGraph, nodes: Sequence[str]) -> bool:
    return any(graph.by_id[n].kind in ("dense", "convolution") for n in nodes)


def _same_kind(
    left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment
) -> tuple[CanonicalGraph, CanonicalGraph] | None:
    """Dense layers opposite a convolution of kernel 1, or a product with a table: rewritten."""
    convolutions: tuple[list[str], list[str]] = ([], [])
    dense: tuple[list[str], list[str]] = ([], [])
    products: tuple[list[str], list[str]] = ([], [])
    for pair in alignment.pairs:
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        for side, one, other in ((0, a, b), (1, b, a)):
            if one.kind == "dense" and _takes_table(other) and not one.settings.get("bias", True):
                products[side].append(one.id)
            if one.kind != "dense" or not split_layers.is_pointwise(other):
                continue
            if len(one.values[0].shape) > 2:
                convolutions[side].append(one.id)
            elif split_layers.is_lone(other):
                dense[1 - side].append(other.id)
    if not any((*convolutions, *dense, *products)):
        return None
    rewritten = [
        split_layers.as_product(graph, products[i]) for i, graph in enumerate((left, right))
    ]
    left, right = (
        split_layers.as_dense(split_layers.as_convolution(graph, convolutions[side]), dense[side])
        for side, graph in enumerate(rewritten)
    )
    return left, right


def _takes_table(node: CanonicalNode) -> bool:
    """Whether it is a product with a matrix of the code, which no layer has as a weight."""
    return (
        node.kind == "matmul"
        and len(node.sources) == 2
        and node.sources[1].value.startswith("constant:")
        and not node.settings.get("transpose_right")
        and len(node.sources[1].shape) == 2
    )
