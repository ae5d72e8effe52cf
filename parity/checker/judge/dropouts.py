"""Dropouts are compared by where they stand, their rates and their kind, not by what they drop."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence

import numpy as np

from parity.checker.canonical.canonical_graph import CanonicalGraph, Dropped
from parity.checker.graph.model_interface import Array
from parity.checker.judge.judging import LEVEL
from parity.checker.result.check_result import ComparedQuantity
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import Finding

_DROPS = "drops in evaluation"
_NEAR = 5e-4
"""Of a rate that was measured; nobody writes two that are nearer to each other."""
_Draw = tuple[str, str, float]
"""What is drawn at a place: kind of noise, which numbers share a draw, rate."""


def active(comparison: ModelComparison) -> list[ComparedQuantity]:
    """Places where one side drops in evaluation and the other does not, or at another rate.

    All dropouts are switched off while numbers are compared, so that no number would tell. A place
    of one side without its like is held against what is left over of the other's: the layers around
    a dropout may stand in another order (``test_both_drop_in_evaluation``).
    """
    parts = []
    moved: tuple[list[Dropped], list[Dropped]] = ([], [])
    for both in _places(comparison):
        mine, theirs = ([d for d in side if d.active and d.rate] for side in both)
        if mine and theirs and not _alike(comparison, mine, theirs):
            parts.append(
                _part(mine, theirs, *(f"{_DROPS}, {_rates_text(s)}" for s in (mine, theirs)))
            )
        elif not (mine and theirs):
            # A dropout that is there and rests is what the active one should have been.
            still = next((d.name for side in both for d in side if not d.active), "")
            for side, dropped in enumerate((mine, theirs)):
                if still and dropped:
                    parts.append(_one(side, dropped[0], still))
                else:
                    moved[side].extend(dropped)
    for one, other in zip(*moved, strict=False):
        texts = (
            f"{_DROPS}, behind {_before(*x)}"
            for x in ((comparison.torch, one), (comparison.keras, other))
        )
        parts.append(_part([one], [other], *texts))
    for side in (0, 1):
        parts += [_one(side, d, "") for d in moved[side][len(moved[1 - side]) :]]
    return parts


def _part(mine: list[Dropped], theirs: list[Dropped], left: str, right: str) -> ComparedQuantity:
    finding = Finding(mine[0].name, LEVEL, "different", rule="dropout", left=left, right=right)
    return ComparedQuantity("structure", mine[0].name, theirs[0].name, finding)


def _one(side: int, dropped: Dropped, other: str) -> ComparedQuantity:
    """Only this side drops in evaluation; what stands there on the other, if anything does."""
    names, texts = (dropped.name, other), (_DROPS, "does not")
    if side:
        names, texts = names[::-1], texts[::-1]
    finding = Finding(
        dropped.name, LEVEL, "different", rule="dropout", left=texts[0], right=texts[1]
    )
    return ComparedQuantity("structure", *names, finding)


def _before(graph: CanonicalGraph, dropped: Dropped) -> str:
    maker = graph.producers.get(dropped.source.value)
    return maker.name if maker else "the input"


def rates(comparison: ModelComparison, *, added: bool = False) -> list[ComparedQuantity]:
    """Places where the two drop at other rates, or where one draw serves other numbers.

    Args:
        comparison: the two models.
        added: tell of noise that is added or multiplied, instead of what drops. Of that the
            outputs of training tell whether there is any difference (`parity.checker.graph.draws`),
            and this only where: it may be code of no layer's.
    """
    rule = "draw" if added else "dropout"
    return [
        ComparedQuantity(
            "structure",
            *names,
            Finding(names[0] or names[1], LEVEL, "different", rule=rule, left=left, right=right),
        )
        for names, left, right in differing_rates(comparison, added=added)
    ]


def differing_rates(
    comparison: ModelComparison, *, added: bool | None = None
) -> Iterator[tuple[tuple[str, str], str, str]]:
    """Places where the two drop at other rates: names, the left's rates, the right's."""
    for mine, theirs in _places(comparison):
        parts = [
            [[d for d in side if d.noise.startswith("gaussian") == kind] for side in (mine, theirs)]
            for kind in (False, True)
        ]
        dropping, adding = (not _alike(comparison, *both) for both in parts)
        if (adding and not dropping) if added else dropping or (adding and added is None):
            names = [side[0].name if side else "" for side in (mine, theirs)]
            yield (names[0], names[1]), _rates_text(mine), _rates_text(theirs)


def corrected(comparison: ModelComparison, part: ComparedQuantity) -> str:
    """What to write in Keras so that it drops as PyTorch does."""
    left, right = (
        next((d for d in graph.dropouts if d.name == name), None)
        for graph, name in zip(
            (comparison.torch, comparison.keras), (part.torch, part.keras), strict=True
        )
    )
    if left is None or not left.rate:
        return f"# without {right.code or right.name}" if right is not None else ""
    if right is not None and right.active and not left.active:
        return f"# {right.name} without training=True"
    layer = _KERAS.get(left.noise)
    if layer is None:
        return ""
    together = drawn_together(comparison, left, 0)
    arguments = [f"{left.rate:g}"]
    if together is not None:
        sizes = [1 if n > 1 and _same(together, k) else None for k, n in enumerate(together.shape)]
        arguments.append(f"noise_shape={tuple(sizes)}")
    if right is not None:
        arguments.append(f'name="{right.name}"')
    line = f"layers.{layer}({', '.join(arguments)})" + ("(x, training=True)" * left.active)
    if right is not None:
        return line
    place = comparison.axis_maps.partners.get(left.source.value)
    maker = comparison.keras.producers.get(place or "")
    return line if maker is None else f"{line}  # of what {maker.name} gives"


_KERAS = {
    "dropout": "Dropout",
    "alpha": "AlphaDropout",
    "gaussian": "GaussianNoise",
    "gaussian_dropout": "GaussianDropout",
}


def _same(together: Array, axis: int) -> bool:
    """Whether one draw serves all along this axis."""
    return bool(np.all(together == together.take([0], axis)))


def _places(comparison: ModelComparison) -> Iterator[tuple[list[Dropped], list[Dropped]]]:
    """Both sides' dropouts of one value, for each value that has one."""
    left: dict[str, list[Dropped]] = {}
    right: dict[str, list[Dropped]] = {}
    for one in comparison.torch.dropouts:
        place = comparison.axis_maps.partners.get(one.source.value, one.source.value)
        left.setdefault(place, []).append(one)
    for one in comparison.keras.dropouts:
        right.setdefault(one.source.value, []).append(one)
    for place in dict.fromkeys([*left, *right]):
        yield left.get(place, []), right.get(place, [])


def _alike(comparison: ModelComparison, mine: Sequence[Dropped], theirs: Sequence[Dropped]) -> bool:
    """Whether both draw the same, in whatever layout."""
    left, right = (
        sorted(_draw(comparison, d, at) for d in side if d.rate)
        for at, side in enumerate((mine, theirs))
    )
    return len(left) == len(right) and all(
        a[:2] == b[:2] and math.isclose(a[2], b[2], rel_tol=_NEAR)
        for a, b in zip(left, right, strict=True)
    )


def _draw(comparison: ModelComparison, dropped: Dropped, side: int) -> _Draw:
    numbers = drawn_together(comparison, dropped, side)
    text = "" if numbers is None else hashlib.sha256(numbers.tobytes()).hexdigest()
    return dropped.noise, text, dropped.rate


def drawn_together(comparison: ModelComparison, dropped: Dropped, side: int) -> Array | None:
    """For each number of the value, arranged as the right has it, the first that shares its draw.

    Args:
        comparison: the two models.
        dropped: of one of them.
        side: of which: 0 left, 1 right.

    Returns:
        None where each has a draw of its own, or where it is not known how the value goes across.
    """
    graph = (comparison.torch, comparison.keras)[side]
    source = dropped.source
    own = [1 if k in dropped.shared else n for k, n in enumerate(source.shape)]
    if not dropped.shared:
        return None
    numbers = np.broadcast_to(np.arange(math.prod(own)).reshape(own), source.shape)
    root = _root_shape(graph, source.value)
    if source.ids or tuple(source.shape) != root:
        places = graph.ids.get(source.ids)
        if places is None or np.size(places) != math.prod(root):
            return None
        whole = np.zeros(math.prod(root), np.int64)
        whole[np.reshape(places, -1)] = numbers.reshape(-1)
        numbers = whole.reshape(root)
    move = comparison.axis_maps.values.get(source.value) if side == 0 else None
    if move is not None and move.left == numbers.shape:
        numbers = move(numbers)
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    return np.asarray(first[inverse].reshape(numbers.shape))


def _root_shape(graph: CanonicalGraph, value: str) -> tuple[int, ...]:
    known = {v.id: v.shape for v in graph.inputs}
    maker = graph.producers.get(value)
    known |= {} if maker is None else {v.id: v.shape for v in maker.values}
    return tuple(known.get(value, ()))


def _rates_text(side: list[Dropped]) -> str:
    return ", ".join(_text(d) for d in side) or "none"


def _text(dropped: Dropped) -> str:
    """The call where it says the rate; else the rate and which numbers share a draw."""
    if f"{dropped.rate:g}" in dropped.code:
        return dropped.code
    told = f"{dropped.code or 'dropout'}, rate {dropped.rate:g}"
    if dropped.shared:
        sizes = ("1" if k in dropped.shared else "n" for k in range(len(dropped.source.shape)))
        told += f", draws of shape ({', '.join(sizes)})"
    return told
