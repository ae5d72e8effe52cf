"""One training of a setting, in the words both frameworks share.

Everything random has a stream of its own, seeded anew: which default is native changes nothing of
the luck of the others, so two settings of one seed differ by what their names say.
"""

from __future__ import annotations

import dataclasses
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from parity.core import classification
from parity.core.sides import Side
from parity.native import defaults
from parity.native.defaults import NORMS, Choice
from parity.native.settings import NativePlan, Setting, plan
from parity.native.summary import Summary
from parity.spec.example import Fast, Size, Training, TrainingVariant
from parity.spec.suite import Dataset, Suite
from parity.training.batches import Batches, scaled
from parity.training.recorder import EVALUATION_BATCH, Arrays, Framework, Program
from parity.workers.channel import Progress

Array = NDArray[Any]


@dataclasses.dataclass
class Feed:
    """What a side needs for a whole training.

    Attributes:
        program: the lesson, trained this way.
        batches: with the order of this setting.
        kept: indices of the samples that are trained on.
        masked: whether the masks of dropout are given.
        fit: whether the framework's own loop trains, where it has one.
        shuffles: whether that loop shuffles by itself.
        fast: switches of the fast path.
        seed: to be set before the first step, for what the framework draws while training.
        on_first: called after the first step.
        progress: called with steps done and steps in all.
    """

    program: Program
    batches: Batches
    kept: NDArray[np.int64]
    masked: bool
    fit: bool
    shuffles: bool
    fast: Fast
    seed: int
    on_first: Callable[[], None]
    progress: Progress

    def epoch_losses(self, losses: Array) -> list[float]:
        """Mean loss of each epoch's samples, as `fit` reports it, from the losses of the steps."""
        sizes = np.array([len(chosen) for chosen in self.batches.order], np.float64)
        epochs = zip(*(np.split(a, self.batches.epochs) for a in (losses, sizes)), strict=True)
        return [float(np.average(some, weights=weights)) for some, weights in epochs]


class Native(Protocol):
    """What a side brings; `choice` says whose a default is."""

    def build(
        self,
        build: Callable[[], Any],
        *,
        seed: int,
        initialiser: Choice,
        norm: Mapping[str, float | bool],
        dropout_seed: int,
    ) -> Any:
        """A model of the twin's, weights drawn by the framework, layers set as asked.

        Args:
            build: the twin's function.
            seed: of the framework's initialiser.
            initialiser: ``other`` draws by the other framework's rule; else its own stand.
            norm: fields of `Norm` and what they become.
            dropout_seed: of the masks of dropout, where a layer keeps its own generator.
        """

    def optimizer(self, made: Any, choice: Choice) -> Any:
        """The twin's optimizer, or in its place the framework's or the other's equation."""

    def order(self, samples: int, epochs: int, seed: int, choice: Choice) -> Array:
        """Permutations ``(epochs, samples)`` as this framework shuffles, or as the other does."""

    def step(self, gradients: Callable[..., Any], model: Any, optimizer: Any, *batch: Any) -> None:
        """One step on one batch."""

    def train(self, feed: Feed, model: Any, optimizer: Any) -> list[float]:
        """The whole training; the mean loss of every epoch."""


def run_training(
    suite: Suite,
    framework: Framework,
    native: Native,
    twin: ModuleType,
    setting: str,
    *,
    example: str,
    seed: int,
    size: Size,
    pair: str = "",
    progress: Progress = lambda done, total: None,
) -> Summary:
    """Train one setting with one seed, in this process, in float32.

    Args:
        suite: that the example is of.
        framework: the tool's adapter of the side.
        native: the side's module of native trainings.
        twin: the example's module of that side.
        setting: name of one of `settings(suite, example, framework.side, pair)`.
        example: its name.
        seed: of everything random.
        size: how much of the data, how long.
        pair: whose matched programs the settings are made from; the headline's.
        progress: called with (steps done, steps in all).

    Raises:
        UsageError: no such setting, or no native division of the example.
    """
    begin = time.perf_counter()
    known = plan(suite, example, framework.side, pair)
    chosen = known.find(setting)
    job = _Job.of(suite, framework, native, twin, known, seed=seed, size=size)
    start = job.first_step(known.matched)
    model, own, losses = job.train(chosen, progress)
    predictions, loss = job.predict(model)
    labels = job.dataset.test_labels
    right = predictions == labels
    classes = int(max(labels.max(), job.dataset.train_labels.max())) + 1
    return Summary(
        example=example,
        pair=known.pair,
        side=framework.side,
        setting=chosen.name,
        seed=seed,
        test_accuracy=float(right.mean()),
        test_loss=loss,
        per_class=tuple(
            float(right[labels == c].mean()) if (labels == c).any() else np.nan
            for c in range(classes)
        ),
        predictions=predictions,
        epoch_losses=tuple(losses),
        step1_distance=_distance(own, start),
        seconds=time.perf_counter() - begin,
    )


def stream(seed: int, name: str) -> int:
    """Seed of one of a training's random streams, for generators that take 31 bits."""
    state = np.random.SeedSequence([seed, zlib.crc32(name.encode())]).generate_state(1)
    return int(state[0]) >> 1


@dataclasses.dataclass
class _Job:
    """All that does not depend on the setting."""

    framework: Framework
    native: Native
    program: Program
    own_dropout: Program
    training: Training
    way: TrainingVariant
    fast: Fast
    dataset: Dataset
    batches: Batches
    seed: int
    weights: Arrays
    norms: Mapping[Side, defaults.Norm]

    @classmethod
    def of(
        cls,
        suite: Suite,
        framework: Framework,
        native: Native,
        twin: ModuleType,
        known: NativePlan,
        *,
        seed: int,
        size: Size,
    ) -> _Job:
        spec = suite.find(known.example)
        assert spec.training is not None
        pair = defaults.find(spec, known.pair)
        way = spec.training.way(pair.left if framework.side == "torch" else pair.right)
        training = spec.training.of(way)
        framework.use_precision("float32", seed)
        framework.use_names(training)
        dataset = suite.load(training.dataset, size.part, train=size.train, test=size.test)
        dataset = dataset.of_classes(training.classes).first(training.samples)
        batches = Batches.of(dataset, training, way, size, seed=seed, precision="float32")
        drawn = suite.draw(training.parameters, seed)
        fast = next((f for f in spec.training.fast if f.of == way.id), Fast(way.id))
        way = way.stepwise
        return cls(
            framework,
            native,
            framework.program(twin, way, training),
            framework.program(twin, way, dataclasses.replace(training, masks=())),
            training,
            way,
            fast,
            dataset,
            batches,
            seed,
            {name: w.astype(np.float32) for name, w in drawn.items()},
            NORMS,
        )

    def model(self, setting: Setting) -> Any:
        """A fresh model with the layers and weights of a setting."""
        choice = setting.of("initialiser")
        model = self.native.build(
            self._program(setting).model,
            seed=self.seed,
            initialiser=choice,
            norm=self._norm(setting),
            dropout_seed=stream(self.seed, "dropout"),
        )
        weights = self.weights
        if choice != "matched":  # what comes from a file is stated by the example
            kinds = {p.name: p.initial.kind for p in self.training.parameters}
            own = self.framework.weights(model)
            weights = {n: w if kinds[n] == "file" else own[n] for n, w in weights.items()}
        self.framework.load_weights(model, weights)
        return model

    def _program(self, setting: Setting) -> Program:
        return self.own_dropout if setting.of("dropout") == "native" else self.program

    def _norm(self, setting: Setting) -> dict[str, float | bool]:
        side = self.framework.side
        whose: dict[Choice, Side] = {
            "native": side,
            "other": "keras" if side == "torch" else "torch",
        }
        return {
            field.name: getattr(self.norms[whose[choice]], field.name)
            for field in dataclasses.fields(defaults.Norm)
            if (choice := setting.of(f"batch_norm_{field.name}")) != "matched"
        }

    def optimizer(self, setting: Setting, model: Any) -> Any:
        """The twin's, or what a setting has in its place."""
        return self.native.optimizer(self.program.optimizer(model), setting.of("optimizer"))

    def first_step(self, matched: Setting) -> Arrays:
        """Trained weights after one step of the matched training."""
        model = self.model(matched)
        first, truth, *drawn = next(iter(self.batches))
        batch = self.framework.inputs(first), *map(self.framework.tensor, (truth, *drawn))
        self.program.take_step(model, self.optimizer(matched, model), *batch)
        return self._trained(model)

    def train(self, setting: Setting, progress: Progress) -> tuple[Any, Arrays, list[float]]:
        """Model, its trained weights after the first step, and the losses of the epochs."""
        model = self.model(setting)
        optimizer = self.optimizer(setting, model)
        first: Arrays = {}
        feed = Feed(
            program=self._program(setting),
            batches=self._ordered(setting),
            kept=self._kept,
            masked=bool(self.training.masks) and setting.of("dropout") == "matched",
            fit=setting.of("fit") == "native",
            shuffles=setting.of("shuffling") == "native",
            fast=self.fast,
            seed=stream(self.seed, "shuffling" if self._fits(setting) else "dropout"),
            on_first=lambda: first.update(self._trained(model)),
            progress=progress,
        )
        losses = self.native.train(feed, model, optimizer)
        return model, first, losses

    @staticmethod
    def _fits(setting: Setting) -> bool:
        """Whether the framework's own loop shuffles while it trains."""
        return setting.of("fit") == "native" and setting.of("shuffling") == "native"

    @property
    def _kept(self) -> NDArray[np.int64]:
        return np.sort(np.concatenate(self.batches.order[: self.batches.steps_per_epoch]))

    def _ordered(self, setting: Setting) -> Batches:
        """The batches in the order of a setting."""
        choice = setting.of("shuffling")
        if choice == "matched":
            return self.batches
        kept, per, epochs = self._kept, self.batches.steps_per_epoch, self.batches.epochs
        seed = stream(self.seed, "shuffling")
        ends = np.cumsum([len(chosen) for chosen in self.batches.order[:per]])[:-1]
        shuffled = self.native.order(len(kept), epochs, seed, choice)
        order = [part for row in shuffled for part in np.split(kept[row], ends)]
        return dataclasses.replace(self.batches, order=order)

    def _trained(self, model: Any) -> Arrays:
        moved = {p.name for p in self.training.parameters if p.trainable}
        return {n: w for n, w in self.framework.weights(model).items() if n in moved}

    def predict(self, model: Any) -> tuple[NDArray[np.uint8], float]:
        """Class of every test sample, and the mean loss."""
        images, labels = self.dataset.test_images, self.dataset.test_labels
        classes: list[Array] = []
        losses: list[float] = []
        for at in range(0, len(labels), EVALUATION_BATCH):
            chosen = slice(at, at + EVALUATION_BATCH)
            inputs = scaled(images[chosen], self.training, "float32")
            truth = labels[chosen]
            some, loss = self.program.predict(
                model, self.framework.inputs(inputs), self.framework.tensor(truth)
            )
            classes.append(classification.classes(self.framework.array(some)))
            losses.append(float(loss) * len(truth))
        return np.concatenate(classes).astype(np.uint8), sum(losses) / len(labels)


def _distance(own: Arrays, matched: Arrays) -> float:
    """‖own − matched‖₂ / ‖matched‖₂ over all arrays together."""
    apart, size = (
        np.linalg.norm([np.linalg.norm(a.astype(np.float64)) for a in arrays])
        for arrays in ([own[n] - matched[n] for n in matched], _values(matched))
    )
    return float(apart / size)


def _values(arrays: Arrays) -> Sequence[Array]:
    return list(arrays.values())
