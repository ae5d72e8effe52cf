"""What is known so far: results as they come in, and what follows from them.

Whatever order jobs end in, on however many machines, the same results give the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.core import statistics
from parity.core.sides import SIDES
from parity.core.statistics import ALPHA, PairedComparison, Verdict
from parity.native.summary import Summary, SummaryKey
from parity.sweep.job import SweepJob
from parity.sweep.plan import SweepRequest


@dataclass(frozen=True)
class BoardRow:
    """One example in one division.

    Attributes:
        example, division: of what.
        seeds: whose results the verdict is about.
        comparison: of their test accuracies.
        verdict: after Holm over the examples of the division.
        final: every seed has come, or a look has decided; before that, the verdict is that so
            far. Seeds whose jobs failed leave it open: they would decide it unplanned.
        stopped: decided at a look before the last seed.
        broken: how many seeds have failed.
    """

    example: str
    division: str
    seeds: tuple[int, ...]
    comparison: PairedComparison
    verdict: Verdict
    final: bool
    stopped: bool
    broken: int = 0

    @property
    def words(self) -> str:
        """The verdict for people; of an open one, that so far."""
        if self.final:
            return self.verdict.words
        failed = f", {self.broken} failed" if self.broken else ""
        return f"so far{failed}: {self.verdict.words}"


@dataclass(frozen=True)
class _Found:
    """A row before its verdict, which needs all of them."""

    comparison: PairedComparison
    seeds: tuple[int, ...]
    final: bool
    stopped: bool
    broken: int


@dataclass
class Board:
    """All results of a sweep so far.

    Attributes:
        request: what was asked.
        planned: all jobs.
        labels: example → classes of its test set.
        found: job → its result.
        failed: job → why there is none.
        reused: how many results were there before.
        done: how many were made now.
    """

    request: SweepRequest
    planned: tuple[SweepJob, ...]
    labels: Mapping[str, NDArray[Any]]
    found: dict[SweepJob, Summary] = field(default_factory=dict)
    failed: dict[SweepJob, str] = field(default_factory=dict)
    reused: int = 0
    done: int = 0
    _verdicts: list[BoardRow] | None = None

    def add(self, job: SweepJob, summary: Summary, *, reused: bool = False) -> None:
        """Take a result."""
        self.found[job] = summary
        self.reused += reused
        self.done += not reused
        self._verdicts = None

    def fail(self, job: SweepJob, message: str) -> None:
        """Take note that there will be no result."""
        self.failed[job] = message
        self._verdicts = None

    @property
    def waiting(self) -> list[SweepJob]:
        """Jobs that are still to be done: neither finished, nor no longer needed."""
        ended = self.ended if self.request.stop else frozenset()
        return [
            job
            for job in self.planned
            if job not in self.found
            and job not in self.failed
            and (job.example, job.setting) not in ended
        ]

    @property
    def ended(self) -> frozenset[tuple[str, str]]:
        """(example, division) that a look has decided."""
        return frozenset((row.example, row.division) for row in self.rows if row.stopped)

    @property
    def rows(self) -> list[BoardRow]:
        """A row an example and division, in the order asked for."""
        if self._verdicts is None:
            self._verdicts = [
                row for division in self.request.divisions for row in self._division(division)
            ]
        return self._verdicts

    def summaries(self, example: str, division: str) -> dict[SummaryKey, Summary]:
        """All results of an example in a division."""
        return {
            s.key: s for s in self.found.values() if (s.example, s.setting) == (example, division)
        }

    def _division(self, division: str) -> Iterable[BoardRow]:
        names = [spec.name for spec in self.request.specs]
        found = [self._compare(name, division) for name in names]
        so_far = final = statistics.judge_equivalence([one.comparison for one in found])
        if len({one.final for one in found}) > 1:
            # What is final must stand whatever the open examples will give: theirs may be p = 1.
            final = statistics.judge_equivalence(
                [
                    one.comparison if one.final else replace(one.comparison, different_p=1.0)
                    for one in found
                ]
            )
        for name, one, *verdicts in zip(names, found, so_far, final, strict=True):
            yield BoardRow(
                name,
                division,
                one.seeds,
                one.comparison,
                verdicts[one.final],
                one.final,
                one.stopped,
                one.broken,
            )

    def _compare(self, example: str, division: str) -> _Found:
        results = self.summaries(example, division)
        broken = {j.seed for j in self.failed if (j.example, j.setting) == (example, division)}
        both = [
            seed
            for seed in range(1, self.request.seeds + 1)
            if all(SummaryKey(side, division, seed) in results for side in SIDES)
        ]
        looks = self.request.looks if self.request.stop else ()
        for look in looks:
            # Just those seeds, also where others have already come: who is quick must not count.
            if not set(range(1, look + 1)) <= set(both):
                break
            some = tuple(seed for seed in both if seed <= look)
            comparison = self._of(example, division, results, some)
            if look < self.request.seeds and self._decides(comparison):
                return _Found(comparison, some, True, True, len(broken))
        comparison = self._of(example, division, results, tuple(both))
        final = len(both) == self.request.seeds
        return _Found(comparison, tuple(both), final, False, len(broken))

    def _of(
        self,
        example: str,
        division: str,
        results: Mapping[SummaryKey, Summary],
        seeds: tuple[int, ...],
    ) -> PairedComparison:
        left, right = (
            [100 * results[SummaryKey(side, division, seed)].test_accuracy for seed in seeds]
            for side in SIDES
        )
        return statistics.compare(
            left,
            right,
            self.request.margin,
            looks=len(self.request.looks),
            resolution=100 / len(self.labels[example]),
        )

    def _decides(self, comparison: PairedComparison) -> bool:
        """Whether this look alone decides, whatever the other examples will give."""
        if len(comparison.gaps) < statistics.FEWEST:
            return False
        examples = len(self.request.specs)
        return comparison.equal_p <= ALPHA or comparison.different_p * examples <= ALPHA

    def details(self, row: BoardRow) -> dict[str, Any]:
        """Per-class gaps, churn and single runs of a row, as plain values."""
        results = self.summaries(row.example, row.division)
        left, right = (
            [results[SummaryKey(side, row.division, seed)] for seed in row.seeds] for side in SIDES
        )
        labels = self.labels[row.example]
        turned = statistics.churn([s.predictions for s in left], [s.predictions for s in right])
        single = [
            statistics.mcnemar(a.predictions, b.predictions, labels)
            for a, b in zip(left, right, strict=True)
        ]
        ours, theirs = ([s.per_class for s in some] for some in (left, right))
        found, counts = np.unique(labels, return_counts=True)
        samples = dict(zip(found.tolist(), counts.tolist(), strict=True))
        margin = row.comparison.margin
        classes = statistics.class_gaps(ours, theirs, samples, margin) if left else {}
        return {"churn": turned, "mcnemar": single, "classes": classes}
