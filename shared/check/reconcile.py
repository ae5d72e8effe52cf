"""Two graphs laid on each other, after what only one of them has in one piece is taken apart.

`shared.check.align` finds which node is which. Where that leaves something over, a layer that makes
several things at once may be several layers on the other side, or a dense layer the convolution of
kernel 1 that the other side has. Nothing is taken apart that both sides have in one piece: there
the order of the pieces is part of what is compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from shared.check import pieces
from shared.check.align import Alignment, align
from shared.check.normalise import Normal


def reconcile(
    left: Normal,
    right: Normal,
    *,
    pairs: Mapping[str, str] = MappingProxyType({}),
    inputs: Sequence[int] = (),
) -> tuple[Normal, Normal, Alignment]:
    """Align two graphs, and rewrite them where that makes them more alike.

    Args:
        left, right: in normal form.
        pairs, inputs: as of `shared.check.align.align`.

    Returns:
        The two graphs, rewritten or not, and their alignment.
    """
    found = align(left, right, pairs=pairs, inputs=inputs)
    if found.complete:
        return left, right, found
    apart = _apart(left, right, found)
    if apart is not None:
        other = align(*apart, pairs=pairs, inputs=inputs)
        if other.edits < found.edits:
            left, right, found = *apart, other
    alike = _alike(left, right, found)
    if alike is not None:
        left, right = alike
        found = align(left, right, pairs=pairs, inputs=inputs)
    return left, right, found


def _apart(left: Normal, right: Normal, found: Alignment) -> tuple[Normal, Normal] | None:
    """Split what the other side does not have in one piece, if it has layers left over."""
    mine = {one.node: one for one in pieces.splits(left)}
    theirs = {one.node: one for one in pieces.splits(right)}
    kept = {(p.left, p.right) for p in found.pairs if p.left in mine and p.right in theirs}
    left_wanted = [one for node, one in mine.items() if node not in {a for a, _ in kept}]
    right_wanted = [one for node, one in theirs.items() if node not in {b for _, b in kept}]
    if not _has_weighted(right, found.right_only):
        left_wanted = []
    if not _has_weighted(left, found.left_only):
        right_wanted = []
    if not left_wanted and not right_wanted:
        return None
    return pieces.split(left, left_wanted), pieces.split(right, right_wanted)


def _has_weighted(normal: Normal, nodes: Sequence[str]) -> bool:
    return any(normal.by_id[n].kind in ("dense", "convolution") for n in nodes)


def _alike(left: Normal, right: Normal, found: Alignment) -> tuple[Normal, Normal] | None:
    """Dense layers that stand opposite a convolution of kernel 1: the dense, or that, rewritten."""
    convolutions: tuple[list[str], list[str]] = ([], [])
    dense: tuple[list[str], list[str]] = ([], [])
    for pair in found.pairs:
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        for side, one, other in ((0, a, b), (1, b, a)):
            if one.kind != "dense" or not pieces.is_pointwise(other):
                continue
            if len(one.values[0].shape) > 2:
                convolutions[side].append(one.id)
            elif pieces.is_lone(other):
                dense[1 - side].append(other.id)
    if not any((*convolutions, *dense)):
        return None
    left, right = (
        pieces.as_dense(pieces.as_convolution(normal, convolutions[side]), dense[side])
        for side, normal in enumerate((left, right))
    )
    return left, right
