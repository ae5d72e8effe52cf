"""What was measured, with its intervals, and the same as JSON."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from parity.bench import statistics
from parity.bench.job import WAYS, Measured
from parity.bench.plan import Kind
from parity.bench.statistics import MedianInterval
from parity.core.errors import UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.sides import SIDES, Side

UNITS = {
    "import": "s",
    "build": "s",
    "first_step": "s",
    "step": "s",
    "epoch": "s",
    "loader": "s",
    "memory": "MiB",
}
RATIOS = (("fast", "limit"), ("tutorial", "fast"), ("idiomatic", "fast"))
"""What is set against what, by its epoch."""


@dataclass(frozen=True)
class Measurement:
    """One quantity of one way.

    Attributes:
        example, side, way: what was measured.
        what: the quantity, a key of `UNITS`.
        interval: median of the runs and its interval.
        runs: each process's number, in the order of the rounds.
        over, at: in a sweep, what was changed, and to what; else empty.
    """

    example: str
    side: Side
    way: str
    what: str
    interval: MedianInterval
    runs: tuple[float, ...]
    over: str = ""
    at: int = 0

    @property
    def unit(self) -> str:
        """Of the quantity."""
        return UNITS[self.what]


@dataclass(frozen=True)
class Ratio:
    """One way over another on one side, or one side over the other in one way.

    Attributes:
        example: what was trained.
        side: of both ways; empty where the sides are compared.
        way: of both sides; empty where ways are compared.
        of, to: what is divided by what.
        interval: ratio of the medians.
    """

    example: str
    side: str
    way: str
    of: str
    to: str
    interval: MedianInterval

    @property
    def mark(self) -> str:
        """``~`` where the interval includes 1, or the runs are few: neither is called faster."""
        return "" if self.interval.significant else "~"


@dataclass(frozen=True)
class BenchResult:
    """All that a bench found.

    Attributes:
        machine: what it ran on, and what else did.
        plan: number of runs and rules, fixed before the first.
        measurements: of the four ways.
        ratios: of epochs.
        modes: of eager and compiled steps.
        sweep: how the cost grows.
        facts: example → side and way → what the processes said of themselves.
    """

    machine: Mapping[str, Any]
    plan: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    ratios: tuple[Ratio, ...]
    modes: tuple[Measurement, ...]
    sweep: tuple[Measurement, ...]
    facts: Mapping[str, Mapping[str, Mapping[str, str]]]

    @property
    def examples(self) -> tuple[str, ...]:
        """Names of what was measured, in order."""
        every = (*self.measurements, *self.modes, *self.sweep)
        return tuple(dict.fromkeys(m.example for m in every))

    @property
    def empty(self) -> bool:
        """Whether nothing is left of it."""
        return not (self.measurements or self.modes or self.sweep)

    def without(self, other: BenchResult) -> BenchResult:
        """What the other has not measured as well: of each example ways, modes and sweep."""

        def left(own: Sequence[Measurement], anew: Sequence[Measurement]) -> tuple[Any, ...]:
            again = {(m.example, m.over) for m in anew}
            return tuple(m for m in own if (m.example, m.over) not in again)

        measured = left(self.measurements, other.measurements)
        return dataclasses.replace(
            self,
            measurements=measured,
            ratios=tuple(ratios(measured)),
            modes=left(self.modes, other.modes),
            sweep=left(self.sweep, other.sweep),
        )

    def of(self, example: str, side: str, way: str, what: str) -> Measurement | None:
        """One measurement of the four ways or of the modes."""
        every = (*self.measurements, *self.modes)
        wanted = (example, side, way, what)
        return next((m for m in every if (m.example, m.side, m.way, m.what) == wanted), None)


def measurements(kind: Kind, runs: Sequence[Measured]) -> list[Measurement]:
    """Every quantity of one kind, from its processes in the order of the rounds."""
    job, side = kind.job, kind.side
    over, at = swept(kind)
    found = []
    for what in UNITS:
        values = tuple(run.values[what] for run in runs if what in run.values)
        if values:
            interval = statistics.median(values)
            found.append(Measurement(job.example, side, job.way, what, interval, values, over, at))
    return found


def swept(kind: Kind) -> tuple[str, int]:
    """What a kind of a sweep changes, and to what; nothing for the others."""
    if kind.job.batch_size is not None:
        return "batch", kind.job.batch_size
    if kind.job.width is not None:
        return "width", kind.job.width
    return "", 0


def ratios(found: Sequence[Measurement]) -> list[Ratio]:
    """Of epochs: ways of one side, then the sides in one way."""
    epochs = {(m.example, m.side, m.way): m.runs for m in found if m.what == "epoch"}
    examples = dict.fromkeys(m.example for m in found)
    every = []
    for example in examples:
        for side in SIDES:
            for of, to in RATIOS:
                one, other = (epochs.get((example, side, way)) for way in (of, to))
                if one and other:
                    interval = statistics.ratio(one, other)
                    every.append(Ratio(example, side, "", of, to, interval))
        for way in WAYS:
            left, right = (epochs.get((example, side, way)) for side in SIDES)
            if left and right:
                interval = statistics.ratio(left, right)
                every.append(Ratio(example, "", way, *SIDES, interval))
    return every


def to_json(result: BenchResult) -> dict[str, Any]:
    """The document of ``--json``."""
    return {
        "format": JSON_FORMAT,
        "machine": dict(result.machine),
        "plan": dict(result.plan),
        "measurements": [_measurement(m) for m in result.measurements],
        "ratios": [
            {"example": r.example, "side": r.side, **_ratio(r)} for r in result.ratios if r.side
        ],
        "sides": [
            {"example": r.example, "way": r.way, **_ratio(r)} for r in result.ratios if r.way
        ],
        "modes": [_measurement(m) for m in result.modes],
        "sweep": [{**_measurement(m), "over": m.over, "at": m.at} for m in result.sweep],
        "facts": {example: dict(of) for example, of in result.facts.items()},
    }


def _measurement(m: Measurement) -> dict[str, Any]:
    return {
        "example": m.example,
        "side": m.side,
        "way": m.way,
        "what": m.what,
        "unit": m.unit,
        **vars(m.interval),
        "values": list(m.runs),
    }


def _ratio(r: Ratio) -> dict[str, Any]:
    return {
        "of": r.of,
        "to": r.to,
        "what": "epoch",
        **vars(r.interval),
        "significant": r.interval.significant,
    }


def from_json(document: Mapping[str, Any]) -> BenchResult:
    """Read what `to_json` wrote; ratios and intervals are computed anew from the runs.

    Raises:
        UsageError: it is no such document.
    """
    try:
        measured = tuple(map(_read, document["measurements"]))
        return BenchResult(
            document["machine"],
            document["plan"],
            measured,
            tuple(ratios(measured)),
            tuple(map(_read, document["modes"])),
            tuple(map(_read, document["sweep"])),
            document["facts"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"This is no result of parity bench ({type(error).__name__}: {error}). Expected a "
            "document that parity bench --json has printed; measure it again."
        ) from error


def _read(fields: Mapping[str, Any]) -> Measurement:
    runs = tuple(map(float, fields["values"]))
    return Measurement(
        fields["example"],
        fields["side"],
        fields["way"],
        fields["what"],
        statistics.median(runs),
        runs,
        fields.get("over", ""),
        fields.get("at", 0),
    )
