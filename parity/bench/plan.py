"""Which process comes when: fixed before the first one starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from parity.bench.job import BenchJob
from parity.core.sides import Side


@dataclass(frozen=True)
class Kind:
    """What is measured again and again.

    Attributes:
        side: which side does it.
        job: what it does.
    """

    side: Side
    job: BenchJob


@dataclass(frozen=True)
class Turn:
    """One process of the plan.

    Attributes:
        kind: what it measures.
        round: 0, 1, …; the runs of one round are compared with each other.
    """

    kind: Kind
    round: int


def interleaved(kinds: Sequence[Kind], runs: int) -> list[Turn]:
    """Every kind once a round, each round in the reverse order of the one before: A B B A.

    A machine that grows slower or faster does so for all kinds: over two rounds each has the same
    mean place in the order.
    """
    turns = []
    for number in range(runs):
        order = list(kinds) if number % 2 == 0 else list(reversed(kinds))
        turns += [Turn(kind, number) for kind in order]
    return turns
