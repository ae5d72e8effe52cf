"""From names of examples to medians: plan the processes, run one after the other, sum up."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from parity.bench import machine, measuring, result
from parity.bench.job import MODES, WAYS, BenchJob, Measured
from parity.bench.plan import Kind, Turn, interleaved
from parity.bench.result import BenchResult, Measurement
from parity.bench.statistics import LEVEL, RESAMPLES
from parity.core.errors import UsageError
from parity.core.sides import SIDES, TITLES, Side
from parity.spec.example import ExampleSpec, Size, Training
from parity.spec.suite import Suite
from parity.workers.options import WorkerOptions

WARM_UP = "the first epoch of each process"
WIDTHS = (32, 128, 512, 2048)
_MODE_STEPS = 100
"""Steps an epoch of eager and compiled ones: it is the step that is asked for."""
_BATCHES = (0.25, 1, 4, 16)
_SAMPLES = (0.125, 0.25, 0.5)
Say = Callable[[str], None]


@dataclass(frozen=True)
class BenchRequest:
    """What to measure.

    Attributes:
        suite: what the examples are of.
        specs: the examples; each has a training.
        runs: processes of each kind.
        full: the whole data.
        train: only so many samples.
        epochs: that are timed in each process, behind the one that warms up.
        ways, sides: which of them; no way at all where only modes or a sweep are asked for.
        modes: eager and compiled steps.
        sweep: batch size, width and number of samples.
        options: interpreters, threads, time-out.
    """

    suite: Suite
    specs: tuple[ExampleSpec, ...]
    runs: int = 5
    full: bool = False
    train: int | None = None
    epochs: int = 1
    ways: tuple[str, ...] = WAYS
    sides: tuple[Side, ...] = SIDES
    modes: bool = False
    sweep: bool = False
    options: WorkerOptions = field(default_factory=WorkerOptions)

    def size(self, spec: ExampleSpec) -> Size:
        """The size of one process, with the epochs that are timed."""
        size = spec.size(full=self.full)
        assert size is not None
        train = size.train if self.train is None else self.train
        return dataclasses.replace(size, epochs=self.epochs, train=train)


@dataclass(frozen=True)
class _Group:
    """Kinds that are compared with each other, and so take turns."""

    name: str
    kinds: tuple[Kind, ...]


def run_bench(request: BenchRequest, say: Say = lambda words: None) -> BenchResult:
    """Measure everything that is asked, one process at a time.

    Raises:
        UsageError: an example without training; nothing to time; or the tool is at work
            elsewhere.
        WorkerError: a process that died, hung, or answered with rubbish.
    """
    _check(request)
    machine.refuse_own_work()
    on = machine.facts(request.options.threads)
    measured: dict[Kind, list[Measured]] = defaultdict(list)
    groups = [group for spec in request.specs for group in _groups(request, spec)]
    turns = [turn for group in groups for turn in interleaved(group.kinds, request.runs)]
    for number, turn in enumerate(turns, 1):
        say(f"{number} of {len(turns)}: {_words(turn)}")
        measured[turn.kind].append(
            measuring.measure(turn.kind.side, turn.kind.job, request.options)
        )
    return _sum_up(request, groups, measured, on)


def _check(request: BenchRequest) -> None:
    if not (request.ways or request.modes or request.sweep):
        raise UsageError("Nothing is left to time: --no-ways needs --modes or --sweep beside it.")
    for spec in request.specs:
        if spec.training is None:
            raise UsageError(
                f"{spec.name} has no training to time. Expected an example that trains; parity "
                "list shows which have a dataset."
            )


def _groups(request: BenchRequest, spec: ExampleSpec) -> Iterable[_Group]:
    size = request.size(spec)
    jobs = [
        BenchJob(spec.name, way, request.options.threads, size, spec.seed) for way in request.ways
    ]
    if jobs:
        yield _Group("ways", tuple(Kind(side, job) for job in jobs for side in request.sides))
    if request.modes:
        assert spec.training is not None
        few = _at_most(request.suite, _MODE_STEPS, spec.training, size)
        yield _Group(
            "modes",
            tuple(
                Kind(side, BenchJob(spec.name, mode, request.options.threads, few, spec.seed))
                for side in request.sides
                for mode in MODES[side]
            ),
        )
    if request.sweep:
        assert spec.training is not None
        base = BenchJob(spec.name, "fast", request.options.threads, size, spec.seed)
        for name, some in _sweeps(request.suite, spec.training, base):
            yield _Group(name, tuple(Kind(side, job) for job in some for side in request.sides))


def _sweeps(
    suite: Suite, training: Training, base: BenchJob
) -> Iterable[tuple[str, list[BenchJob]]]:
    """Jobs that differ from the base in one thing."""
    samples = base.size.train or _samples(suite, training, base.size)
    least, held = training.batch_size, training.held(base.size)
    batches = [int(least * factor) for factor in _BATCHES]
    counts = [*(int(samples * factor) for factor in _SAMPLES), samples]
    yield (
        "batch",
        [dataclasses.replace(base, batch_size=b) for b in batches if 2 <= b <= samples - held],
    )
    yield "width", [dataclasses.replace(base, width=width) for width in WIDTHS]
    sizes = [dataclasses.replace(base.size, train=n) for n in counts if n - held >= least]
    yield "samples", [dataclasses.replace(base, size=size) for size in sizes]


def _at_most(suite: Suite, steps: int, training: Training, size: Size) -> Size:
    """The size, with no more steps an epoch than these."""
    samples = size.train or _samples(suite, training, size)
    most = training.held(size) + steps * training.batch_size
    return dataclasses.replace(size, train=most) if most < samples else size


def _samples(suite: Suite, training: Training, size: Size) -> int:
    return len(suite.load(training.dataset, size.part).train_labels)


def _words(turn: Turn) -> str:
    job = turn.kind.job
    over, at = result.swept(turn.kind)
    return f"{job.example}, {TITLES[turn.kind.side]}, {job.way}" + (
        f", {over} {at}" if over else ""
    )


def _sum_up(
    request: BenchRequest,
    groups: list[_Group],
    measured: dict[Kind, list[Measured]],
    on: dict[str, object],
) -> BenchResult:
    found: dict[str, list[Measurement]] = defaultdict(list)
    facts: dict[str, dict[str, dict[str, str]]] = defaultdict(dict)
    for group in groups:
        place = group.name if group.name in {"ways", "modes"} else "sweep"
        for kind in group.kinds:
            rows = _in_order(group, kind, measured[kind], request)
            found[place] += rows
            if place != "sweep":
                key = f"{kind.side}/{kind.job.way}"
                facts[kind.job.example][key] = _facts(measured[kind])
    plan = {
        "runs": request.runs,
        "epochs": request.epochs,
        "warm_up": WARM_UP,
        "order": "A B B A",
        "full": request.full,
        "train": request.train,
        "interval": f"{LEVEL:.0%} bootstrap interval of {RESAMPLES:,} resamples",
    }
    return BenchResult(
        on,
        plan,
        tuple(found["ways"]),
        tuple(result.ratios(found["ways"])),
        tuple(found["modes"]),
        tuple(found["sweep"]),
        facts,
    )


def _in_order(
    group: _Group, kind: Kind, runs: list[Measured], request: BenchRequest
) -> list[Measurement]:
    rows = result.measurements(kind, runs[: request.runs])
    if group.name == "samples":
        at = kind.job.size.train or 0
        rows = [dataclasses.replace(row, over="samples", at=at) for row in rows]
    return rows


def _facts(runs: list[Measured]) -> dict[str, str]:
    """What the processes said of themselves; where they differ, everything that was said."""
    names = dict.fromkeys(name for run in runs for name in run.facts)
    return {
        name: " or ".join(dict.fromkeys(run.facts[name] for run in runs if name in run.facts))
        for name in names
    }
