"""Dropouts are compared by where they stand, their rates and their kind, not by what they drop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from shared.check.judging import LEVEL, Subject
from shared.check.normalise import Dropped
from shared.check.result import Part
from shared.noise import Finding


def active(subject: Subject) -> list[Part]:
    """Dropouts that drop in evaluation, on one side or on both."""
    parts = []
    for side, normal in (("PyTorch", subject.torch), ("Keras", subject.keras)):
        for one in normal.dropouts:
            if one.active and one.rate:
                told = ("drops in evaluation", "does not")
                left, right = told if side == "PyTorch" else told[::-1]
                names = (one.name, "") if side == "PyTorch" else ("", one.name)
                finding = Finding(one.name, LEVEL, "different", rule="dropout",
                                  left=left, right=right)  # fmt: skip
                parts.append(Part("structure", *names, finding))
    return parts


def rates(subject: Subject) -> list[Part]:
    """Places where the two drop at other rates."""
    return [
        Part("structure", *names, Finding(names[0] or names[1], LEVEL, "different",
             rule="dropout", left=left, right=right))
        for names, left, right in unlike(subject)
    ]  # fmt: skip


def unlike(subject: Subject) -> Iterator[tuple[tuple[str, str], str, str]]:
    """Places where the two drop at other rates: names, the left's rates, the right's."""
    left: dict[str, list[Dropped]] = {}
    right: dict[str, list[Dropped]] = {}
    for one in subject.torch.dropouts:
        place = subject.across.partners.get(one.source.value, one.source.value)
        left.setdefault(place, []).append(one)
    for one in subject.keras.dropouts:
        right.setdefault(one.source.value, []).append(one)
    for place in dict.fromkeys([*left, *right]):
        mine, theirs = left.get(place, []), right.get(place, [])
        rates = [
            Counter((round(d.rate, 6), d.noise) for d in side if d.rate) for side in (mine, theirs)
        ]
        if rates[0] != rates[1]:
            names = [side[0].name if side else "" for side in (mine, theirs)]
            told = [", ".join(d.code or f"rate {d.rate:g}" for d in side) or "none"
                    for side in (mine, theirs)]  # fmt: skip
            yield (names[0], names[1]), told[0], told[1]
