"""The measuring process: a job in, one line of JSON out. The order of events stands here once.

A side brings a module ``_bench`` with a function for each way. It is imported here, so that the
import of its framework is part of what is timed.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import itertools
import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from parity.bench.job import BenchJob, Timeline, steady
from parity.core.errors import ParityError, UsageError
from parity.core.sides import LESSON_PACKAGES, SIDE_PACKAGES, Side
from parity.spec.example import Fast, Training, TrainingVariant
from parity.spec.suite import Dataset, Draw, Suite
from parity.training.batches import Batches, scaled
from parity.training.recorder import Framework, Program
from parity.workers.channel import stdin_lines

Array = NDArray[Any]
_FRAMEWORK_WAYS = ("idiomatic", "fast")
"""Ways that run as the tool does, deterministic; the others as the framework comes."""


@dataclasses.dataclass
class BenchTask:
    """A job with all that a side needs for it; what is not asked for is not made.

    Attributes:
        job: as it came.
        side: of this process.
        program: the lesson, trained this way.
        training: as the headline's way has it.
        way: the headline's, on this side.
        dataset: of the example, cut to its classes and samples.
        draw: draws its initial weights.
        framework: the tool's adapter, in ways that use it.
    """

    job: BenchJob
    side: Side
    program: Program
    training: Training
    way: TrainingVariant
    dataset: Dataset
    draw: Draw
    framework: Framework | None

    @property
    def epochs(self) -> int:
        """All of them: one that warms up, and those that are timed."""
        return 1 + self.job.size.epochs

    @functools.cached_property
    def batches(self) -> Batches:
        """Batches of all epochs in the order of the tool."""
        size = dataclasses.replace(self.job.size, epochs=self.epochs)
        way = dataclasses.replace(self.way, repeat=1)
        return Batches.of(
            self.dataset, self.training, way, size, seed=self.job.seed, precision="float32"
        )

    @property
    def steps_per_epoch(self) -> int:
        """Steps of one epoch."""
        return self.batches.steps_per_epoch

    @property
    def lengths(self) -> list[int]:
        """How many samples each step of an epoch has."""
        return [len(chosen) for chosen in self.batches.order[: self.steps_per_epoch]]

    @property
    def batch_size(self) -> int:
        """Samples of a whole batch."""
        return max(self.lengths)

    @functools.cached_property
    def kept(self) -> Array:
        """Indices of the samples that are trained on, not those held out."""
        return np.sort(np.concatenate(self.batches.order[: self.steps_per_epoch]))

    def images(self, chosen: Array | None = None) -> Array:
        """Scaled inputs in canonical layout: all of them, or those chosen."""
        images = self.dataset.train_images
        return scaled(images if chosen is None else images[chosen], self.training, "float32")

    def labels(self, chosen: Array | None = None) -> Array:
        """Labels: all of them, or those chosen."""
        labels = self.dataset.train_labels
        return labels if chosen is None else labels[chosen]

    @property
    def outputs(self) -> int:
        """Numbers that the example's model gives for a sample."""
        return self.training.parameters[-1].shape[-1]

    def model(self, perceptron: Callable[[int], Any]) -> Any:
        """A new model with the example's initial weights.

        Args:
            perceptron: makes the model instead, where the job asks for a width.
        """
        if self.job.width is not None:
            return perceptron(self.job.width)
        model = self.program.model()
        if self.framework is not None:
            weights = self.draw(self.training.parameters, self.job.seed)
            cast = {name: w.astype("float32") for name, w in weights.items()}
            self.framework.load_weights(model, cast)
        return model

    def optimizer(self, model: Any) -> Any:
        """The twin's optimizer for it."""
        return self.program.optimizer(model)

    @property
    def gradients(self) -> Callable[..., Any]:
        """Gives loss and gradients of a batch, by the lesson's own step."""
        return self.program.loss_and_gradients

    @property
    def fast(self) -> Fast:
        """The switches of this way's fast path; all off where it has none."""
        every = (fast for fast in self.training.fast if fast.of == self.way.id)
        return next(every, Fast(self.way.id))

    def stretches(self, longest: int) -> list[Array]:
        """Indices of one epoch, ``(steps, batch)``: batches of one size, so many at most."""
        order = self.batches.order[: self.steps_per_epoch]
        found = []
        for _, alike in itertools.groupby(order, key=len):
            some = np.stack(list(alike))
            found += [some[at : at + longest] for at in range(0, len(some), longest)]
        return found


@dataclasses.dataclass
class Prepared:
    """What a side makes of a task.

    Attributes:
        train: trains all epochs.
        load: feeds one epoch without training; None where nothing is fed.
        facts: what the way chose by itself; read at the end.
    """

    train: Callable[[], Timeline]
    load: Callable[[], None] | None = None
    facts: dict[str, str] = dataclasses.field(default_factory=dict)


def main(suite: Suite, package: str, make_framework: Callable[[int], Framework]) -> None:
    """Serve the one job on standard input; exit code 1 and words on standard error if it fails."""
    side = next(side for side, name in LESSON_PACKAGES.items() if name == package)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints goes to standard error
    try:
        job = BenchJob.from_json(stdin_lines().get())
        answer = _measure(suite, package, side, make_framework, job)
    except ParityError as error:
        sys.exit(str(error))
    print(json.dumps(answer), file=out, flush=True)


def _measure(
    suite: Suite,
    package: str,
    side: Side,
    make_framework: Callable[[int], Framework],
    job: BenchJob,
) -> dict[str, Any]:
    begin = time.perf_counter()
    bench = importlib.import_module(f"{SIDE_PACKAGES[side]}.bench_variants")
    twin = importlib.import_module(f"{package}.{job.example}")
    imported = time.perf_counter() - begin
    framework = None
    if job.way in _FRAMEWORK_WAYS:
        framework = make_framework(job.threads)
        framework.use_precision("float32", job.seed)
    else:
        bench.plain(job.threads, job.seed)
    task = _task(suite, job, side, twin, framework)
    steps = task.steps_per_epoch
    begin = time.perf_counter()
    prepared: Prepared = bench.prepare(task)
    built = time.perf_counter() - begin
    line = prepared.train()
    values = {"import": imported, "build": built} | _times(line, steps)
    values["memory"] = peak_memory()
    if prepared.load is not None:
        begin = time.perf_counter()
        prepared.load()
        values["loader"] = time.perf_counter() - begin
    facts = bench.versions() | prepared.facts
    return {"values": values, "steps_per_epoch": steps, "facts": facts}


def _task(
    suite: Suite, job: BenchJob, side: Side, twin: ModuleType, framework: Framework | None
) -> BenchTask:
    spec = suite.find(job.example)
    assert spec.training is not None
    pair = spec.pairs[0]
    way = spec.training.way(pair.left if pair.left.startswith(f"{side}/") else pair.right)
    training = spec.training.of(way)
    if job.batch_size is not None:
        training = dataclasses.replace(training, batch_size=job.batch_size)
        way = dataclasses.replace(way, batch_size=None)
    size = job.size
    loaded = suite.load(training.dataset, size.part, train=size.train, test=size.test)
    dataset = loaded.of_classes(training.classes).first(training.samples)
    if framework is not None:
        framework.use_names(training)
    program = importlib.import_module(f"{SIDE_PACKAGES[side]}.program").Program
    made = program(twin, way.stepwise, training)
    return BenchTask(job, side, made, training, way, dataset, suite.draw, framework)


def _times(line: Timeline, steps: int) -> dict[str, float]:
    """One number a quantity: of several epochs and steps in one process the median."""
    epochs, pieces = steady(line.marks, steps)
    if not epochs:
        raise UsageError(
            f"The training ended after {line.marks[-1][1]} steps, before a whole epoch of {steps} "
            "behind the first. Expected a training that does not stop by itself."
        )
    values = {"epoch": statistics.median(epochs), "step": statistics.median(pieces)}
    if line.first is not None:
        values["first_step"] = line.first
    return values


def peak_memory() -> float:
    """Largest resident memory of this process so far, in MiB."""
    # A child begins with its parent's largest in ru_maxrss, were that gigabytes; not so here.
    status = Path("/proc/self/status")
    if status.is_file():
        words = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(words.split()[1]) / 2**10
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 2**20 if sys.platform == "darwin" else most / 2**10
