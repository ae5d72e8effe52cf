"""From names of examples to verdicts: plan the recordings, make what is stale, compare."""

from __future__ import annotations

import dataclasses
import functools
import importlib.metadata
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from parity.comparator.compare import Question
from parity.core.errors import DataError, RecordingError, UsageError
from parity.core.sides import PACKAGES, Precision, Side
from parity.recording import provenance, recording_file
from parity.recording.recording_file import Runs
from parity.run import cache, pool
from parity.spec.example import ComparedPair, ExampleSpec, Size, TrainingVariant
from parity.spec.suite import Suite
from parity.training.job import RecordingJob
from parity.verdict import judgement
from parity.workers.options import WorkerOptions


@dataclass(frozen=True)
class RunRequest:
    """What to run.

    Attributes:
        suite: what the examples are of.
        specs: the examples.
        full: the whole data and all epochs.
        train, test, epochs: cut the size down; None leaves it.
        seed: of everything random; None for each example's own.
        pairs: names of pairs to judge; empty for all.
        folder: where recordings go.
        reuse: take recordings that are not stale.
        whole: keep every element of large arrays; see `parity.recording.thinning`.
        options: how workers are started.
    """

    suite: Suite
    specs: tuple[ExampleSpec, ...]
    folder: Path
    full: bool = False
    train: int | None = None
    test: int | None = None
    epochs: int | None = None
    seed: int | None = None
    pairs: tuple[str, ...] = ()
    reuse: bool = False
    whole: bool = False
    options: WorkerOptions = field(default_factory=WorkerOptions)

    def size(self, spec: ExampleSpec) -> Size | None:
        """The size this example is run at."""
        size = spec.size(full=self.full)
        if size is None or not (spec.training and spec.training.whole):
            return size  # one step is asked, which has the size of a batch
        return dataclasses.replace(
            size,
            epochs=size.epochs if self.epochs is None else self.epochs,
            train=size.train if self.train is None else self.train,
            test=size.test if self.test is None else self.test,
        )

    def seed_of(self, spec: ExampleSpec) -> int:
        """The seed this example is run with."""
        return spec.seed if self.seed is None else self.seed

    def check(self) -> None:
        """Refuse a size that none of the examples can be cut to.

        Raises:
            UsageError: with what can.
        """
        asked = [f"--{n}" for n in ("train", "test", "epochs") if getattr(self, n) is not None]
        if asked and not any(spec.training and spec.training.whole for spec in self.specs):
            names = ", ".join(spec.name for spec in self.specs)
            raise UsageError(
                f"{', '.join(asked)} would change nothing: there is no training to cut in {names}. "
                "Leave it out; parity list shows which examples train."
            )

    def chosen(self, spec: ExampleSpec) -> tuple[ComparedPair, ...]:
        """The pairs of this example to judge.

        Raises:
            UsageError: a pair that it does not have.
        """
        known = {pair.name: pair for pair in (*spec.pairs, *spec.fast_pairs)}
        if strange := [name for name in self.pairs if name not in known]:
            raise UsageError(f"{spec.name} has no pair '{strange[0]}'. It has: {', '.join(known)}.")
        return tuple(known[name] for name in self.pairs) or spec.pairs


@dataclass(frozen=True)
class RunOutcome:
    """What came of a request.

    Attributes:
        verdicts: of every example that could be recorded.
        runs: example → way id → recordings.
        data: example → the data used, in words.
        failures: example → why it could not be recorded.
        keys: example → digest of all that its verdict came from; see `parity.run.cache`.
        made, reused: how many recordings.
        seconds: of the whole.
        bytes_made: what the recordings take that were made.
    """

    verdicts: tuple[judgement.ExampleVerdict, ...]
    runs: Mapping[str, Mapping[str, Runs]]
    data: Mapping[str, str]
    failures: Mapping[str, str]
    made: int
    reused: int
    seconds: float
    keys: Mapping[str, str] = field(default_factory=dict)
    bytes_made: int = 0

    @property
    def exit_code(self) -> int:
        """0 everything agrees, 1 something differs, 2 could not tell."""
        told = [v.verdict for v in self.verdicts]
        if self.failures or not told:
            return 2
        return 1 if "differ" in told else 2 if "undecided" in told else 0


def recordings_folder() -> Path:
    """Where recordings go by default: ``$PARITY_RECORDINGS_DIR``, or the user's cache."""
    chosen = os.environ.get("PARITY_RECORDINGS_DIR")
    return (
        Path(chosen)
        if chosen
        else Path(platformdirs.user_cache_dir("parity", appauthor=False)) / "recordings"
    )


def run_examples(
    request: RunRequest,
    on_event: Callable[[pool.Event], None] = lambda event: None,
    on_verdict: Callable[[judgement.ExampleVerdict], None] = lambda verdict: None,
) -> RunOutcome:
    """Make the recordings of a request and judge them, each example as soon as it is recorded.

    Args:
        request: what to run.
        on_event: called for everything that a worker says.
        on_verdict: called with every verdict when it is found, in a thread of its own.

    Raises:
        ParityError: bad request, missing data, dead worker. Recordings already made stay.
    """
    begin = time.perf_counter()
    request.check()
    datasets, missing = _datasets(request)
    words = {name: d.words if d else "" for name, d in datasets.items()}
    wanted = [spec for spec in request.specs if spec.name not in missing]
    jobs: dict[Side, list[RecordingJob]] = {}
    waited_for: dict[str, set[str]] = {spec.name: set() for spec in wanted}
    reused = 0
    for spec in wanted:
        loaded = datasets[spec.name]
        for way, job in _jobs(request, spec):
            checksum = loaded.checksum if loaded else ""
            digest = spec.digest(job.size, job.seed, checksum, way if spec.training else None)
            if request.reuse and _fresh(job, way, digest, request.options):
                reused += 1
            else:
                jobs.setdefault(way.side, []).append(job)
                waited_for[spec.name].add(job.out)
    done: list[Path] = []
    judged: dict[str, Future[_Judged]] = {}

    def judge(spec: ExampleSpec) -> _Judged:
        found = _judge(request, spec, words[spec.name])
        on_verdict(found.verdict)
        return found

    with ThreadPoolExecutor(1, "verdicts") as judges:

        def is_recorded(name: str) -> None:
            if not waited_for[name]:
                spec = next(s for s in wanted if s.name == name)
                judged[name] = judges.submit(judge, spec)

        def listen(event: pool.Event) -> None:
            if event.kind == "done" and event.job:
                done.append(Path(event.job.out))
                waited_for[event.job.example].discard(event.job.out)
                is_recorded(event.job.example)
            on_event(event)

        try:
            for name in waited_for:
                is_recorded(name)
            failures = missing | pool.run_jobs(jobs, request.options, listen)
        except BaseException:
            judges.shutdown(cancel_futures=True)
            raise
        results = {spec.name: judged[spec.name].result() for spec in wanted if spec.name in judged}
    return RunOutcome(
        verdicts=tuple(r.verdict for r in results.values()),
        keys={name: r.key for name, r in results.items()},
        runs={name: r.runs for name, r in results.items()},
        data=words,
        failures=failures,
        made=len(done),
        reused=reused,
        seconds=time.perf_counter() - begin,
        bytes_made=sum(path.stat().st_size for path in done),
    )


@dataclass(frozen=True)
class _Judged:
    """The recordings of an example, its verdict, and what that came from; see `cache.key`."""

    runs: Mapping[str, Runs]
    verdict: judgement.ExampleVerdict
    key: str


def _judge(request: RunRequest, spec: ExampleSpec, words: str) -> _Judged:
    runs = _runs(request, spec)
    return _Judged(runs, *_kept(request, spec, runs, words))


def recording_sets(request: RunRequest) -> list[tuple[Path, int]]:
    """Folder and seed of each example's recordings; see `parity.run.cache_limit`."""
    return [(home(request, spec), request.seed_of(spec)) for spec in request.specs]


def _datasets(request: RunRequest) -> tuple[dict[str, cache.Data | None], dict[str, str]]:
    """Example → its data, and example → why there is none.

    Raises:
        DataError: there is none for the only example asked for.
    """
    found: dict[str, cache.Data | None] = {}
    missing: dict[str, str] = {}
    for spec in request.specs:
        try:
            found[spec.name] = _dataset(request, spec)
        except DataError as error:
            if len(request.specs) == 1:
                raise
            missing[spec.name] = f"{spec.name}: {error}"
    return found, missing


def _dataset(request: RunRequest, spec: ExampleSpec) -> cache.Data | None:
    """Loaded here too, so that missing data is said before any worker starts."""
    size = request.size(spec)
    if spec.training is None or size is None:
        return None
    return cache.dataset(
        request.suite, request.folder, spec.training.dataset, size, reuse=request.reuse
    )


def _jobs(request: RunRequest, spec: ExampleSpec) -> Iterable[tuple[TrainingVariant, RecordingJob]]:
    for way in _ways(request, spec):
        for precision, nudged in _runs_of(request, spec, way):
            path = recording_path(request, spec, way, precision, nudged=nudged)
            yield (
                way,
                RecordingJob(
                    id=path.stem,
                    example=spec.name,
                    way=way.name,
                    precision=precision,
                    nudged=nudged,
                    seed=request.seed_of(spec),
                    size=request.size(spec),
                    out=str(path),
                    whole=request.whole,
                ),
            )


def _ways(request: RunRequest, spec: ExampleSpec) -> list[TrainingVariant]:
    """The ways of the pairs to judge, the fast paths last."""
    fast = spec.training.fast_ways if spec.training else ()
    wanted = {id_ for pair in request.chosen(spec) for id_ in (pair.left, pair.right)}
    return [way for way in (*spec.ways, *fast) if way.id in wanted]


def _runs_of(
    request: RunRequest, spec: ExampleSpec, way: TrainingVariant
) -> list[tuple[Precision, bool]]:
    """Precision, and whether nudged, of each recording of a way.

    The first optimizer step and all before it have ν for a yardstick and need no σ. What must be
    equal bit for bit needs neither, and is recorded once, in the precision that people train in.
    """
    pairs = [p for p in request.chosen(spec) if way.id in (p.left, p.right)]
    runs: list[tuple[Precision, bool]] = [("float32", False)]
    if all(pair.identical for pair in pairs):
        return runs
    runs.append(("float64", False))
    if spec.training is not None and spec.training.whole:
        runs.append(("float64", True))
        if spec.training.nudged32:
            runs.append(("float32", True))
    return runs


def recording_path(
    request: RunRequest, spec: ExampleSpec, way: TrainingVariant, precision: str, *, nudged: bool
) -> Path:
    """``FOLDER/fashion_mlp/embedded-5-epochs/torch-loop-float64-nudged-seed20.safetensors``."""
    size = request.size(spec)
    folder = request.folder / spec.name
    if size is not None:
        cuts = [f"-{n}-{word}" for n, word in ((size.train, "train"), (size.test, "test")) if n]
        folder = folder / f"{size.part}-{size.epochs}-epochs{''.join(cuts)}"
    tag = "-nudged" if nudged else ""
    return (
        folder / f"{way.side}-{way.name}-{precision}{tag}-seed{request.seed_of(spec)}.safetensors"
    )


def _fresh(job: RecordingJob, way: TrainingVariant, digest: str, options: WorkerOptions) -> bool:
    """Whether a recording answers today's question with today's code and versions."""
    path = Path(job.out)
    if options.python(way.side) or not path.is_file():
        return False  # what another environment has installed is not known here
    try:
        header = recording_file.read(path).header
    except RecordingError:
        return False
    installed = {name: _installed(name) for name in PACKAGES[way.side]}
    return (
        header.digest == digest
        and not (job.whole and header.thinned)
        and header.code == provenance.code_digest(way.side, header.example)
        and header.environment.get("threads") == str(options.threads)
        and all(_release(header.versions.get(n, "")) == v for n, v in installed.items())
    )


@functools.cache
def _installed(package: str) -> str:
    try:
        return _release(importlib.metadata.version(package))
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _release(version: str) -> str:
    """``2.15.0+cu132`` and ``2.15.0`` are one release."""
    return version.partition("+")[0]


def _runs(request: RunRequest, spec: ExampleSpec) -> dict[str, Runs]:
    result = {}
    for way in _ways(request, spec):
        found = [
            recording_file.read(recording_path(request, spec, way, precision, nudged=nudged))
            for precision, nudged in _runs_of(request, spec, way)
        ]
        _check_own(found, way)
        result[way.id] = one_side(found)
    return result


def _check_own(found: Sequence[recording_file.Recording], way: TrainingVariant) -> None:
    """Another run may have written to the same folder in the meantime, from other sources."""
    for record in found:
        if record.header.code != provenance.code_digest(way.side, record.header.example):
            raise RecordingError(
                f"{record.origin} was made from other sources than these: does another run write "
                "to the same folder? Run again, or choose another with --out."
            )


def home(request: RunRequest, spec: ExampleSpec) -> Path:
    """The folder of an example's recordings."""
    return recording_path(request, spec, spec.ways[0], "float32", nudged=False).parent


def _key(request: RunRequest, spec: ExampleSpec, words: str) -> str:
    files = [Path(job.out) for _, job in _jobs(request, spec)]
    pairs = [pair.name for pair in request.chosen(spec)]
    asked = (str(request.size(spec)), words, str(pairs), str(bool(request.pairs)))
    return cache.key(spec, files, asked)


def _kept(
    request: RunRequest, spec: ExampleSpec, runs: Mapping[str, Runs], words: str
) -> tuple[judgement.ExampleVerdict, str]:
    """The verdict found before from the very same files, where it may be reused; or a new one."""
    folder, key = home(request, spec), _key(request, spec, words)
    found = cache.verdict(folder, spec, key) if request.reuse else None
    if found is None:
        found = _verdict(request, spec, runs)
        if _key(request, spec, words) == key:  # nothing has changed while it was found
            cache.keep_verdict(folder, key, found)
    return found, key


def _verdict(
    request: RunRequest, spec: ExampleSpec, runs: Mapping[str, Runs]
) -> judgement.ExampleVerdict:
    pairs = tuple(
        judgement.judge_pair(
            pair,
            *titled(runs[pair.left], runs[pair.right]),
            judgement.question(spec, pair, request.suite.load),
        )
        for pair in request.chosen(spec)
    )
    seconds = {f"recording {id_}": _seconds(some) for id_, some in runs.items()}
    return judgement.ExampleVerdict(spec, pairs, chosen=bool(request.pairs), seconds=seconds)


def titled(left: Runs, right: Runs) -> tuple[Runs, Runs]:
    """Two runs with names that tell them apart: by side, or by way where the side is the same."""
    if left.title != right.title:
        return left, right
    names = [f"{r.title}/{r.present[0].header.way}" for r in (left, right)]
    if names[0] == names[1]:
        names = ["left", "right"]
    return dataclasses.replace(left, title=names[0]), dataclasses.replace(right, title=names[1])


def _seconds(runs: Runs) -> float:
    every = (*runs.present, runs.nudged, runs.nudged32)
    return sum(r.header.timings.get("seconds", 0.0) for r in every if r)


def gather(paths: Sequence[Path]) -> tuple[Runs, Runs]:
    """Two sides out of recordings made anywhere: two files, or several of two sides or ways.

    Raises:
        UsageError: the files are not of exactly two sides or ways.
        RecordingError: a file cannot be read.
    """
    records = [recording_file.read(path) for path in paths]
    groups: dict[tuple[str, ...], list[recording_file.Recording]] = {}
    if len(records) == 2:
        groups = {("0",): records[:1], ("1",): records[1:]}
    else:
        for record in records:
            groups.setdefault((record.header.side, record.header.way), []).append(record)
    if len(groups) != 2:
        found = ", ".join("/".join(filter(None, key)) for key in groups) or "none"
        raise UsageError(
            f"parity diff compares two sides, but the {len(paths)} files are of {len(groups)}: "
            f"{found}. Give the float32 and float64 recordings of two sides or ways."
        )
    left, right = (one_side(some) for some in groups.values())
    return titled(left, right)


def one_side(records: Sequence[recording_file.Recording]) -> Runs:
    """The recordings of one program, in the precisions that there are.

    Raises:
        UsageError: two of one precision, or none besides nudged ones.
    """
    slots: dict[str, recording_file.Recording] = {}
    for record in records:
        slot = "nudged" if record.header.nudged else record.header.precision
        if record.header.nudged and record.header.precision == "float32":
            slot = "nudged float32"
        if slot in slots:
            raise UsageError(
                f"{slots[slot].origin} and {record.origin} are both the {slot} recording of "
                f"{record.header.side}: give one of each."
            )
        slots[slot] = record
    if not {"float32", "float64"} & set(slots):
        raise UsageError(
            f"Of one side there are {len(records)} recordings: {', '.join(slots) or 'none'}. "
            "Expected its float32 or its float64 recording, or both."
        )
    return Runs(
        records[0].header.side,
        slots.get("float32"),
        slots.get("float64"),
        slots.get("nudged"),
        slots.get("nudged float32"),
    )


def judge_recordings(left: Runs, right: Runs, suite: Suite | None) -> judgement.PairVerdict:
    """The verdict on recordings made anywhere; those of an example are asked what its spec asks."""
    name = left.present[0].header.example
    spec = next((s for s in suite.examples if s.name == name), None) if suite else None
    a, b = (f"{r.side}/{r.present[0].header.way}" for r in (left, right))
    own = next((p for p in spec.pairs if {p.left, p.right} == {a, b}), None) if spec else None
    levels = own.levels if own else spec.levels if spec else ()
    identical = own is not None and own.identical
    title = f"{left.title} ~ {right.title}"
    pair = ComparedPair("diff", title, a, b, levels, identical=identical)
    asked = judgement.question(spec, pair, suite.load) if suite and spec else Question()
    return judgement.judge_pair(pair, left, right, asked)
