"""Which jobs a sweep has, in which order, and when it looks at its results."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from parity.core.errors import UsageError
from parity.core.sides import SIDES
from parity.core.statistics import FEWEST, MARGIN
from parity.native.settings import NativePlan
from parity.native.settings import plan as settings_of
from parity.spec.example import ExampleSpec, Size
from parity.spec.suite import Dataset, Suite
from parity.sweep.job import SweepJob

DIVISIONS = ("native", "matched")
LOOKS = 3


@dataclass(frozen=True)
class SweepRequest:
    """What to sweep.

    Attributes:
        suite: what the examples are of.
        specs: the examples.
        seeds: how many; they are 1, 2, ….
        margin: in points, fixed before anything is run.
        divisions: of `DIVISIONS`; each is a setting of the same name on both sides.
        attribution: also every setting between them, which no verdict is about.
        full: the full data and all epochs.
        train, test, epochs: other sizes.
        threads: CPU threads a job computes with.
        stop: an example ends when a look decides it.
    """

    suite: Suite
    specs: tuple[ExampleSpec, ...]
    seeds: int = 12
    margin: float = MARGIN
    divisions: tuple[str, ...] = DIVISIONS
    attribution: bool = False
    full: bool = False
    train: int | None = None
    test: int | None = None
    epochs: int | None = None
    threads: int = 1
    stop: bool = False

    def size(self, spec: ExampleSpec) -> Size:
        """The size of every job of an example.

        Raises:
            UsageError: the example has no training.
        """
        size = spec.size(full=self.full)
        if size is None:
            raise UsageError(
                f"{spec.name} has no training to repeat. Expected an example that trains; parity "
                "list shows which have a dataset."
            )
        own: dict[str, Any] = {"train": self.train, "test": self.test, "epochs": self.epochs}
        return dataclasses.replace(size, **{k: v for k, v in own.items() if v is not None})

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of seeds at which the question may be taken as decided; the last is all."""
        if not self.stop:
            return (self.seeds,)
        at = (math.ceil(self.seeds * look / LOOKS) for look in range(1, LOOKS + 1))
        return tuple(dict.fromkeys(min(max(FEWEST, n), self.seeds) for n in at))


def jobs(request: SweepRequest) -> tuple[SweepJob, ...]:
    """Every job: first what the verdicts are about, then the way from native to matched, then each
    default by itself, away from matched and at last from native; within each seed by seed, so that
    a seed soon has both sides of all examples.

    Raises:
        UsageError: an example that has no native division, or none that trains.
    """
    parts = (_divisions, _chains, _alone, _given) if request.attribution else (_divisions,)
    return tuple(dict.fromkeys(job for part in parts for job in _jobs(request, part)))


_Part = Callable[[SweepRequest, NativePlan], Iterable[str]]


def _divisions(request: SweepRequest, _: NativePlan) -> Iterable[str]:
    return request.divisions


def _chains(_: SweepRequest, known: NativePlan) -> Iterable[str]:
    return (step.name for step in known.chain)


def _alone(_: SweepRequest, known: NativePlan) -> Iterable[str]:
    return (step.name for step in known.alone.values())


def _given(_: SweepRequest, known: NativePlan) -> Iterable[str]:
    return (step.name for step in known.settings)


def _jobs(request: SweepRequest, part: _Part) -> Iterator[SweepJob]:
    for seed in range(1, request.seeds + 1):
        for spec in request.specs:
            size = request.size(spec)
            plans = {side: settings_of(request.suite, spec.name, side) for side in SIDES}
            for side, known in plans.items():
                for setting in part(request, known):
                    yield SweepJob(
                        spec.name, known.pair, side, setting, seed, size, request.threads
                    )


def dataset(request: SweepRequest, spec: ExampleSpec) -> Dataset:
    """The data of an example, which has to be here and fit for the question.

    Raises:
        DataError: it is missing.
        UsageError: the test set is too small for the margin.
    """
    size = request.size(spec)
    assert spec.training is not None
    loaded = request.suite.load(spec.training.dataset, size.part, train=size.train, test=size.test)
    found = loaded.of_classes(spec.training.classes)
    if (one := 100 / len(found.test_labels)) > request.margin:
        raise UsageError(
            f"{spec.name}: a single one of {len(found.test_labels):,} test samples is worth "
            f"{one:.3g} points, more than the margin of {request.margin:g}: no seeds could decide "
            "that. Expected more test samples (--test, --full) or a wider --margin."
        )
    return found
