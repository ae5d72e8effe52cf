"""Dropouts are compared by where they stand, their rates and their kind, not by what they drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from parity.checker.canonical.canonical_graph import CanonicalGraph, Dropped
from parity.checker.judge.judging import LEVEL
from parity.checker.result.check_result import ComparedQuantity
from parity.checker.transfer.subject import Subject
from parity.comparator.noise import Finding

_DROPS = "drops in evaluation"


def active(subject: Subject) -> list[ComparedQuantity]:
    """Places where one side drops in evaluation and the other does not, or at another rate."""
    parts = []
    moved: tuple[list[Dropped], list[Dropped]] = ([], [])
    for both in _places(subject):
        mine, theirs = ([d for d in side if d.active and d.rate] for side in both)
        if mine and theirs and _rates(mine) != _rates(theirs):
            parts.append(_part(mine, theirs, *(f"{_DROPS}, {_told(s)}" for s in (mine, theirs))))
        elif not (mine and theirs):
            still = next((d.name for side in both for d in side if not d.active), "")
            for side, found in enumerate((mine, theirs)):
                if still and found:
                    parts.append(_one(side, found[0], still))
                else:
                    moved[side].extend(found)
    for one, other in zip(*moved, strict=False):
        told = (
            f"{_DROPS}, behind {_before(*x)}"
            for x in ((subject.torch, one), (subject.keras, other))
        )
        parts.append(_part([one], [other], *told))
    for side in (0, 1):
        parts += [_one(side, d, "") for d in moved[side][len(moved[1 - side]) :]]
    return parts


def _part(mine: list[Dropped], theirs: list[Dropped], left: str, right: str) -> ComparedQuantity:
    finding = Finding(mine[0].name, LEVEL, "different", rule="dropout", left=left, right=right)
    return ComparedQuantity("structure", mine[0].name, theirs[0].name, finding)


def _one(side: int, found: Dropped, other: str) -> ComparedQuantity:
    """Only this side drops in evaluation; what stands there on the other, if anything does."""
    names, told = (found.name, other), (_DROPS, "does not")
    if side:
        names, told = names[::-1], told[::-1]
    finding = Finding(found.name, LEVEL, "different", rule="dropout", left=told[0], right=told[1])
    return ComparedQuantity("structure", *names, finding)


def _before(normal: CanonicalGraph, dropped: Dropped) -> str:
    maker = normal.producers.get(dropped.source.value)
    return maker.name if maker else "the input"


def rates(subject: Subject) -> list[ComparedQuantity]:
    """Places where the two drop at other rates."""
    return [
        ComparedQuantity(
            "structure",
            *names,
            Finding(
                names[0] or names[1], LEVEL, "different", rule="dropout", left=left, right=right
            ),
        )
        for names, left, right in unlike(subject)
    ]


def unlike(subject: Subject) -> Iterator[tuple[tuple[str, str], str, str]]:
    """Places where the two drop at other rates: names, the left's rates, the right's."""
    for mine, theirs in _places(subject):
        if _rates(mine) != _rates(theirs):
            names = [side[0].name if side else "" for side in (mine, theirs)]
            yield (names[0], names[1]), _told(mine), _told(theirs)


def _places(subject: Subject) -> Iterator[tuple[list[Dropped], list[Dropped]]]:
    """Both sides' dropouts of one value, for each value that has one."""
    left: dict[str, list[Dropped]] = {}
    right: dict[str, list[Dropped]] = {}
    for one in subject.torch.dropouts:
        place = subject.across.partners.get(one.source.value, one.source.value)
        left.setdefault(place, []).append(one)
    for one in subject.keras.dropouts:
        right.setdefault(one.source.value, []).append(one)
    for place in dict.fromkeys([*left, *right]):
        yield left.get(place, []), right.get(place, [])


def _rates(side: list[Dropped]) -> Counter[tuple[float, str]]:
    return Counter((round(d.rate, 6), d.noise) for d in side if d.rate)


def _told(side: list[Dropped]) -> str:
    return ", ".join(d.code or f"rate {d.rate:g}" for d in side) or "none"
