"""How a recording is made, in the words both frameworks share.

The order of events, what is drawn, what is kept and when, stands here once. A side brings a
`Framework`: a handful of small functions in the same order, which alone know its tensors.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parity.core import classification, recording_keys
from parity.core.axis_layouts import LAYOUTS, permute
from parity.core.errors import RecordingError
from parity.core.recording_keys import VALUES
from parity.core.sides import Side
from parity.recording import provenance, recording_file, thinning
from parity.recording.thinning import Thinned
from parity.spec.cases import Case
from parity.spec.example import ExampleSpec, Fast, Training, TrainingVariant
from parity.spec.suite import Dataset, Draw, Load, Suite
from parity.training import case_inputs
from parity.training.batches import Batches, scaled
from parity.training.job import RecordingJob
from parity.training.nudge import nudged
from parity.workers.channel import Progress

Array = NDArray[Any]
Arrays = dict[str, Array]
OnStep = Callable[[int, float], None]
"""Called with (optimizer steps taken, loss before the last of them)."""

EVALUATION_BATCH = 1536
"""No divisor of the test sets in use, so that a last, smaller batch is always there."""
INITIAL_SAMPLES = 200
"""Test samples predicted before training, when nothing has been amplified yet."""
ACTIVATED = 64
"""Samples of the first batch whose layers' outputs are kept; gradients come from all."""


class Program(Protocol):
    """A lesson's public functions, called as its own `main` calls them."""

    def model(self) -> Any:
        """A new model."""

    def optimizer(self, model: Any) -> Any:
        """A new optimizer for it."""

    def drop(self, model: Any, masks: Sequence[Any]) -> None:
        """Let dropout multiply by these masks from now on."""

    def loss_and_gradients(self, model: Any, *batch: Any) -> tuple[Any, Sequence[Any]]:
        """Mean loss of a batch of tensors and its gradients, None for what is frozen."""

    def take_step(self, model: Any, optimizer: Any, *batch: Any) -> Any:
        """One step on a batch of tensors; the loss before it."""

    def predict(self, model: Any, images: Any, labels: Any) -> tuple[Any, Any]:
        """Probabilities of a batch of tensors, and its mean loss."""


class Framework(Protocol):
    """What a side must bring. Arrays are NumPy and canonical in layout; the rest is its own."""

    side: Side

    def versions(self) -> dict[str, str]:
        """Framework versions for the header."""

    def environment(self) -> dict[str, str]:
        """Device, threads and precision switches for the header."""

    def use_precision(self, precision: str, seed: int) -> None:
        """Make `precision` the dtype of everything that follows."""

    def use_names(self, training: Training) -> None:
        """Know the layers of the model that comes: their names, which follow a flattened image."""

    def program(self, lesson: ModuleType, way: TrainingVariant, training: Training) -> Program:
        """A way of training a lesson."""

    def tensor(self, array: Array) -> Any:
        """An array as a tensor."""

    def array(self, tensor: Any) -> Array:
        """A tensor as an array."""

    def inputs(self, array: Array) -> Any:
        """A batch in canonical layout as the tensor that this side's models take."""

    def fed(self, tensor: Any) -> Array:
        """A batch as this side's models take it, in canonical layout."""

    def load_weights(self, model: Any, weights: Mapping[str, Array]) -> None:
        """Set every weight; a name too many or too few is an error."""

    def weights(self, model: Any) -> Arrays:
        """Copies of every weight by neutral name."""

    def activations(self, model: Any, images: Any) -> Arrays:
        """Output of every named layer in training mode, in the order of execution."""

    def gradients(self, model: Any, gradients: Sequence[Any]) -> Arrays:
        """Gradients by neutral name; one that the framework did not compute is left out."""

    def slots(self, model: Any, optimizer: Any) -> Arrays:
        """Optimizer state by neutral name and slot, ``hidden/kernel/m``."""

    def train(
        self,
        program: Program,
        model: Any,
        optimizer: Any,
        batches: Batches,
        on_step: OnStep,
    ) -> None:
        """Train, calling `on_step` after every step."""

    def train_fast(
        self,
        program: Program,
        model: Any,
        optimizer: Any,
        batches: Batches,
        on_step: OnStep,
        *,
        fast: Fast,
        pauses: Collection[int],
    ) -> None:
        """Train as fast as the machine allows, with the lesson's own step and optimizer.

        `on_step` is called for every step, but the model is in the state after that step only at
        those in `pauses`.
        """


@dataclasses.dataclass
class RecordingBuilder:
    """What has been recorded so far: arrays in causal order, what they were, and facts."""

    precision: str
    whole: bool = False
    arrays: Arrays = dataclasses.field(default_factory=dict)
    thinned: dict[str, Thinned] = dataclasses.field(default_factory=dict)
    facts: dict[str, str] = dataclasses.field(default_factory=dict)

    def put(self, key: str, value: Any) -> None:
        """Record one array.

        Raises:
            RecordingError: the array is floating but not of the run's precision: a framework
                computed in another one than it was asked to.
        """
        array = np.asarray(value)
        if array.dtype.kind == "f" and array.dtype != self.precision:
            raise RecordingError(
                f"'{key}' came out as {array.dtype} in a {self.precision} run: something computes "
                "in another precision than the run's. Pass the dtype on, or use the inputs' dtype."
            )
        if not self.whole and thinning.is_large(key, array):
            self.thinned[key] = Thinned.of(array)
            self.arrays[key] = thinning.thin(array)
        else:
            self.arrays[key] = array.copy()

    def put_all(self, prefix: str, values: Mapping[str, Any]) -> None:
        """Record ``prefix/name`` for every name."""
        for name, value in values.items():
            self.put(f"{prefix}/{name}", value)


def make_recording(
    suite: Suite,
    framework: Framework,
    twin: ModuleType,
    spec: ExampleSpec,
    job: RecordingJob,
    *,
    progress: Progress,
) -> None:
    """Make the recording that `job` asks for and write it."""
    begin = time.perf_counter()
    framework.use_precision(job.precision, job.seed)
    sheet = RecordingBuilder(job.precision, job.whole)
    checksum = ""
    if _wants_values(spec, framework.side, job):
        record_values(framework, twin, spec, sheet, progress, load=suite.load)
    if spec.training is not None:
        assert job.size is not None
        size = job.size
        dataset = suite.load(spec.training.dataset, size.part, train=size.train, test=size.test)
        checksum = dataset.checksum
        way = spec.training.way(f"{framework.side}/{job.way}")
        training = spec.training.of(way)
        dataset = dataset.of_classes(training.classes).first(training.samples)
        framework.use_names(training)
        program = framework.program(twin, way, training)
        _Run(framework, program, training, way, dataset, suite.draw, sheet, job).record(progress)
    header = recording_file.Header(
        example=spec.name,
        side=framework.side,
        precision=job.precision,
        digest=spec.digest(job.size, job.seed, checksum, _way(spec, framework.side, job)),
        way=job.way,
        nudged=job.nudged,
        seed=job.seed,
        versions=framework.versions() | provenance.base_versions(),
        environment=framework.environment() | provenance.platform_facts(),
        size=dataclasses.asdict(job.size) if job.size else {},
        timings={"seconds": time.perf_counter() - begin},
        facts=sheet.facts,
        thinned=sheet.thinned,
        code=provenance.code_digest(framework.side, spec.name),
    )
    recording_file.write(Path(job.out), sheet.arrays, header)


def _way(spec: ExampleSpec, side: Side, job: RecordingJob) -> TrainingVariant | None:
    return spec.training.way(f"{side}/{job.way}") if spec.training else None


def _wants_values(spec: ExampleSpec, side: Side, job: RecordingJob) -> bool:
    """Whether a pair of this way is judged on values; in others they would be made for nothing."""
    way = f"{side}/{job.way}"
    return any(VALUES in p.levels for p in spec.pairs if way in (p.left, p.right))


def record_values(
    framework: Framework,
    twin: ModuleType,
    spec: ExampleSpec,
    sheet: RecordingBuilder,
    progress: Progress,
    *,
    load: Load,
) -> None:
    """Call every case's function with its inputs; keep every tensor and every fact it returns."""
    for count, case in enumerate(spec.cases, 1):
        function = getattr(twin, case.name)
        for name, result in function(**arguments(framework, case, sheet.precision, load)).items():
            key = f"values/{case.name}/{name}"
            if result is None or isinstance(result, str | bool | int | tuple):
                sheet.facts[key] = str(result)
            else:
                role = case.roles.get(name, "")
                sheet.put(key, from_side(framework.array(result), role, framework.side))
        progress(count, len(spec.cases))


def arguments(framework: Framework, case: Case, precision: str, load: Load) -> dict[str, Any]:
    """What a case's function is called with: tensors, and real data as NumPy arrays."""
    tensors = {
        name: framework.tensor(to_side(array, case.roles.get(name, ""), framework.side))
        for name, array in case_inputs.stated(case, precision).items()
    }
    return case_inputs.real(case, load) | tensors


def to_side(array: Array, role: str, side: Side) -> Array:
    """From canonical layout to a side's own; arrays without a role stay as they are."""
    if not role:
        return array
    return permute(array, LAYOUTS[role].keras, getattr(LAYOUTS[role], side))


def from_side(array: Array, role: str, side: Side) -> Array:
    """From a side's own layout to the canonical one."""
    if not role:
        return array
    return permute(array, getattr(LAYOUTS[role], side), LAYOUTS[role].keras)


@dataclasses.dataclass
class _Run:
    """One training, from initial weights to predictions."""

    framework: Framework
    program: Program
    training: Training
    way: TrainingVariant
    dataset: Dataset
    draw: Draw
    sheet: RecordingBuilder
    job: RecordingJob

    def record(self, progress: Progress) -> None:
        framework, sheet, size = self.framework, self.sheet, self.job.size
        assert size is not None
        batches = Batches.of(
            self.dataset,
            self.training,
            self.way,
            size,
            seed=self.job.seed,
            precision=self.job.precision,
        )
        if len(batches.held):
            sheet.put("inputs/validation", batches.held)
        weights = self.draw(self.training.parameters, self.job.seed)
        if self.job.nudged:
            weights = nudged(weights, self.job.seed, self.job.precision)
        cast = {name: w.astype(self.job.precision) for name, w in weights.items()}
        # Up to the first step noise is the yardstick: nobody asks what a nudge does to it.
        if not self.job.nudged:
            model = self.program.model()
            framework.load_weights(model, cast)
            self._first_batch(model, batches, cast)
        # A model that no probe has touched: what moved in it, and gradients left in it, are gone.
        model = self.program.model()
        framework.load_weights(model, cast)
        self._train(model, batches, progress)
        if self.training.whole:
            sheet.put_all("weights/final", framework.weights(model))
            self._evaluate(model, batches)

    def _first_batch(self, model: Any, batches: Batches, weights: Arrays) -> None:
        framework, sheet = self.framework, self.sheet
        first, truth, *drawn = next(iter(batches))
        images, labels = framework.inputs(first), framework.tensor(truth)
        masks = [framework.tensor(mask) for mask in drawn]
        sheet.put("inputs/images", framework.fed(images))
        sheet.put("inputs/labels", framework.array(labels))
        for mask, tensor in zip(self.training.masks, masks, strict=True):
            sheet.put(f"inputs/masks/{mask.name}", framework.array(tensor))
        sheet.put("inputs/batches", np.zeros(len(batches), np.uint32))  # filled after training
        sheet.put_all("weights/initial", framework.weights(model))
        self.program.drop(model, masks)
        for layer, output in framework.activations(model, images).items():
            sheet.put(f"activations/step0/{layer}", output[:ACTIVATED])
        framework.load_weights(model, weights)
        some = slice(INITIAL_SAMPLES)
        sheet.arrays |= dict(
            zip(
                ("predictions/initial", "metrics/initial_loss"),
                self._predict(
                    model, self.dataset.test_images[some], self.dataset.test_labels[some]
                ),
                strict=True,
            )
        )
        loss, gradients = self.program.loss_and_gradients(model, images, labels, *masks)
        sheet.put("loss/step0", framework.array(loss))
        by_name = framework.gradients(model, gradients)
        # Backwards, as they come to be: the last layer's gradients cause the first layer's.
        sheet.put_all("gradients/step0", dict(reversed(by_name.items())))

    def _train(self, model: Any, batches: Batches, progress: Progress) -> None:
        total = len(batches)
        kept = self._kept(total)
        watched = self._watched(batches)
        seen: list[tuple[float, float]] = []
        losses: list[float] = []
        optimizer = self.program.optimizer(model)
        reported = time.monotonic()

        def on_step(step: int, loss: float) -> None:
            nonlocal reported
            losses.append(loss)
            if step == 1 and not self.job.nudged:
                self.sheet.put_all("state/step1", self.framework.slots(model, optimizer))
            if step in kept:
                self.sheet.put_all(f"weights/step{step}", self.framework.weights(model))
            if step in watched:
                seen.append(self._watch(model, batches))
            if time.monotonic() - reported > 0.2:
                reported = time.monotonic()
                progress(step, total)

        if self.way.fast is None:
            self.framework.train(self.program, model, optimizer, batches, on_step)
        else:
            pauses = {1, total} | kept | watched
            self.framework.train_fast(
                self.program,
                model,
                optimizer,
                batches,
                on_step,
                fast=self.way.fast,
                pauses=pauses,
            )
        progress(total, total)
        self.sheet.put("loss/curve", np.array(losses, dtype=self.job.precision))
        if self.training.stops:
            batches.feed_the_rest(len(losses))
        self.sheet.arrays["inputs/batches"] = np.array(batches.checksums, np.uint32)
        if self.training.whole:
            self.sheet.put_all("state/final", self.framework.slots(model, optimizer))
        if seen:
            losses_seen, accuracies = np.array(seen, dtype=self.job.precision).T
            self.sheet.put("metrics/watched_loss", losses_seen)
            self.sheet.put("metrics/watched_accuracy", accuracies)
        if self.training.stops and seen:
            self.sheet.put("metrics/stopped_epoch", np.int64(len(seen)))
            self.sheet.put("metrics/best_epoch", np.int64(np.argmax(accuracies) + 1))

    def _watched(self, batches: Batches) -> set[int]:
        """Steps after which the model is evaluated."""
        match self.training.watched:
            case "epochs":
                every = batches.steps_per_epoch
                return set(range(every, len(batches) + 1, every))
            case "steps":
                return self._kept(len(batches))
            case _:
                return set()

    def _kept(self, total: int) -> set[int]:
        """Steps after which weights are recorded."""
        return set(recording_keys.recorded_steps(total, self.training.marks))

    def _watch(self, model: Any, batches: Batches) -> tuple[float, float]:
        """Loss and accuracy on the held-out samples, or else on the test set."""
        images, labels = self.dataset.test_images, self.dataset.test_labels
        if len(batches.held):
            images, labels = batches.images[batches.held], batches.labels[batches.held]
        predictions, loss = self._predict(model, images, labels)
        return float(loss), classification.accuracy(predictions, labels)

    def _predict(self, model: Any, images: Array, truth: Array) -> tuple[Array, Array]:
        """Predictions and mean loss of these samples."""
        predictions, losses = [], []
        for chosen in _chunks(len(truth)):
            inputs = scaled(images[chosen], self.training, self.job.precision)
            labels = truth[chosen]
            some, loss = self.program.predict(
                model, self.framework.inputs(inputs), self.framework.tensor(labels)
            )
            predictions.append(self.framework.array(some))
            losses.append(float(loss) * len(labels))
        mean = np.array(sum(losses) / len(truth), self.job.precision)
        return np.concatenate(predictions), mean

    def _evaluate(self, model: Any, batches: Batches) -> None:
        if len(batches.held):
            seen = self._watch(model, batches)
            for name, value in zip(("loss", "accuracy"), seen, strict=True):
                self.sheet.put(f"metrics/validation_{name}", np.array(value, self.job.precision))
        labels = self.dataset.test_labels
        predictions, loss = self._predict(model, self.dataset.test_images, labels)
        accuracy = classification.accuracy(predictions, labels)
        self.sheet.put("predictions/test", predictions)
        self.sheet.put("metrics/test_loss", loss)
        self.sheet.put("metrics/test_accuracy", np.array(accuracy, self.job.precision))


def _chunks(samples: int) -> Iterable[slice]:
    starts = range(0, samples, EVALUATION_BATCH)
    return (slice(at, min(at + EVALUATION_BATCH, samples)) for at in starts)
