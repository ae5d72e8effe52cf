"""Dropouts are compared by where they stand, their rates and their kind, not by what they drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from parity.checker.canonical.canonical_graph import CanonicalGraph, Dropped
from parity.checker.judge.judging import LEVEL
from parity.checker.result.check_result import ComparedQuantity
from parity.checker.transfer.comparison import ModelComparison
from parity.comparator.noise import Finding

_DROPS = "drops in evaluation"


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
        if mine and theirs and _rates(mine) != _rates(theirs):
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


def rates(comparison: ModelComparison) -> list[ComparedQuantity]:
    """Places where the two drop at other rates."""
    return [
        ComparedQuantity(
            "structure",
            *names,
            Finding(
                names[0] or names[1], LEVEL, "different", rule="dropout", left=left, right=right
            ),
        )
        for names, left, right in differing_rates(comparison)
    ]


def differing_rates(comparison: ModelComparison) -> Iterator[tuple[tuple[str, str], str, str]]:
    """Places where the two drop at other rates: names, the left's rates, the right's."""
    for mine, theirs in _places(comparison):
        if _rates(mine) != _rates(theirs):
            names = [side[0].name if side else "" for side in (mine, theirs)]
            yield (names[0], names[1]), _rates_text(mine), _rates_text(theirs)


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


def _rates(side: list[Dropped]) -> Counter[tuple[float, str]]:
    # Six digits: a rate that went through float32 is 0.10000000149.
    return Counter((round(d.rate, 6), d.noise) for d in side if d.rate)


def _rates_text(side: list[Dropped]) -> str:
    return ", ".join(d.code or f"rate {d.rate:g}" for d in side) or "none"
