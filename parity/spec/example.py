"""What an example *is*, said once: frozen dataclasses that both sides, tests and reports read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from parity.core.recording_keys import LADDER, VALUES
from parity.core.sides import Side
from parity.spec.cases import Case, Known


@dataclass(frozen=True)
class Initial:
    """How one parameter is drawn: see `shared.initial_weights`."""

    kind: Literal["constant", "normal", "uniform", "glorot_uniform", "he_normal", "file"]
    scale: float = 0.0
    file: str = ""


ZEROS = Initial("constant", 0.0)
ONES = Initial("constant", 1.0)
GLOROT = Initial("glorot_uniform")
HE = Initial("he_normal")


@dataclass(frozen=True)
class ParameterSpec:
    """One array of a model.

    Attributes:
        name: neutral name ``layer/kernel``.
        shape: in canonical layout.
        initial: how it is drawn.
        trainable: whether the optimizer moves it; running statistics are not.
        frozen: nothing may move it, neither optimizer nor forward pass: what is recorded of it
            later must be its initial value, bit for bit, on each side.
        flattened: for a dense kernel behind a flattened image, that image's ``(h, w, channel)``:
            its rows stand in this order here and in another in PyTorch.
    """

    name: str
    shape: tuple[int, ...]
    initial: Initial
    trainable: bool = True
    frozen: bool = False
    flattened: tuple[int, int, int] | None = None


@dataclass(frozen=True)
class Mask:
    """What dropout multiplies a layer's output by, drawn for both sides: 0, or 1 / (1 - rate).

    Attributes:
        name: of the layer.
        shape: of one sample.
        rate: share of zeros.
    """

    name: str
    shape: tuple[int, ...]
    rate: float


@dataclass(frozen=True)
class Fast:
    """How the fast path of a way is switched. No switch is good everywhere: measure.

    Attributes:
        of: id of the way that it does the same as, with the same public functions.
        jit: TensorFlow compiles the steps with XLA; otherwise they are a plain graph.
        fused: TensorFlow compiles the optimizer's update alone with XLA.
        channels_last: PyTorch keeps images and convolutions with the channels last in memory.
        traced: PyTorch writes down once which operations a step comes to, and runs only these.
        parts: TensorFlow cuts each batch into so many, and computes them side by side, where it has
            so many threads. The loss must be a mean over samples that know nothing of each other.
    """

    of: str
    jit: bool = False
    traced: bool = False
    channels_last: bool = False
    fused: bool = False
    parts: int = 1


@dataclass(frozen=True)
class TrainingVariant:
    """One way of training a lesson's model on one side, from its public functions.

    Attributes:
        side: which side has it.
        name: ``loop``, ``gradient_tape``, ``fit`` …; part of the recording's file name.
        title: words for people.
        model: function that builds the model.
        optimizer: function that gives the model's optimizer, in Keras by compiling the model;
            empty for `make_optimizer` in PyTorch and `compile_model` in Keras.
        step: function that takes one step: ``step(model, optimizer, *batch)`` gives the loss.
        loop: who calls it: nobody but the tool, which looks after every step; ``"fit"``, Keras'
            own loop, which does the same by itself; or a function of the lesson that trains until
            it stops, ``loop(model, optimizer, loader, validation_loader, epochs)``.
        callbacks: function that makes the callbacks of `fit`.
        predict: function that gives probabilities of images.
        evaluate: function that gives mean loss and accuracy of batches. In Keras a compiled model
            does that by itself.
        optimizer_as: whose equation the optimizer is brought to. The lesson has its own
            framework's; a pair that must agree has one framework's on both sides.
        batch_norm_as: whose running variance batch normalisation is brought to.
        batch_size: samples a step, where it is not the example's; 0 takes all at once.
        repeat: how many times the epochs of the size.
        changes: what of the `Training` is otherwise in this way, by field: another model's
            ``parameters`` and ``layers``, other ``classes``. Not the dataset, nor its sizes.
        fast: the switches of a fast path, which takes the same steps many at a time.
    """

    side: Side
    name: str
    title: str
    model: str = "build_model"
    optimizer: str = ""
    step: str = "train_step"
    loop: str = ""
    callbacks: str = ""
    predict: str = "predict"
    evaluate: str = "evaluate"
    optimizer_as: Side | Literal[""] = ""
    batch_norm_as: Side | Literal[""] = ""
    batch_size: int | None = None
    repeat: int = 1
    changes: Mapping[str, Any] = field(default_factory=dict)
    fast: Fast | None = None

    @property
    def id(self) -> str:
        """``torch/loop``."""
        return f"{self.side}/{self.name}"

    @property
    def stepwise(self) -> TrainingVariant:
        """The same without its loop: whoever asks for a step calls the lesson's own."""
        return dataclasses.replace(self, loop="")

    @property
    def by_hand(self) -> TrainingVariant:
        """The same by a `GradientTape` loop, where `fit` trains; see `tape_pair`."""
        name, title = f"{self.name}_tape", f"{self.title}, GradientTape"
        return dataclasses.replace(self.stepwise, name=name, title=title)

    @property
    def makes_optimizer(self) -> str:
        """Name of the function that gives the optimizer."""
        return self.optimizer or {"torch": "make_optimizer", "keras": "compile_model"}[self.side]


@dataclass(frozen=True)
class ComparedPair:
    """Two ways to be compared.

    Attributes:
        left, right: ids of ways, ``torch/loop``.
        levels: rungs that this pair is judged on.
        differs_at: empty when the two must agree. Otherwise they must *not*, and the first
            divergence must have a key that starts with this: a contrast that shows the verdict
            biting, strict both ways.
        reason: why a contrast differs.
        identical: the two must be equal bit for bit, in every number on these rungs. What is equal
            needs no yardstick, so float32 alone is recorded for it.
    """

    name: str
    title: str
    left: str
    right: str
    levels: tuple[str, ...] = LADDER
    differs_at: str = ""
    reason: str = ""
    identical: bool = False


@dataclass(frozen=True)
class Size:
    """How much of the data, and how long.

    Attributes:
        part: of the dataset.
        epochs: passes over what is trained on.
        train: training samples, those held out among them; None for all.
        test: test samples; None for all.
        validation: training samples held out, where it is not the training's number.
    """

    part: Literal["embedded", "full"]
    epochs: int
    train: int | None = None
    test: int | None = None
    validation: int | None = None


@dataclass(frozen=True)
class Reference:
    """A figure that a full-size run is expected to reach.

    Attributes:
        metric: ``test_accuracy``.
        value: the figure.
        margin: how far from it a run with other initial weights may be; None where the figure is
            one that must at least be reached.
        source: whose it is, or that it is nobody's.
    """

    metric: str
    value: float
    margin: float | None
    source: str

    def holds(self, value: float) -> bool:
        """Whether a measured value reaches it."""
        if self.margin is None:
            return value >= self.value
        return abs(value - self.value) <= self.margin


@dataclass(frozen=True)
class Published:
    """A published distance between two frameworks, ‖a − b‖₂ / ‖a‖₂ over all weights, at a step."""

    step: int
    distance: float


@dataclass(frozen=True)
class Training:
    """The trained part of an example.

    Optimizer constants stand in the twins, where people read them; what both sides share, weights,
    data, order of batches, stands here.

    Attributes:
        dataset: name of the dataset.
        batch_size: samples a step.
        parameters: arrays of the model, in forward order.
        layers: names of the layers whose outputs are recorded, in forward order.
        default, full: sizes of a default and of a full run.
        ways: how each side trains.
        pairs: which ways are compared; the headline first.
        references: expected figures.
        input_shape: of one sample, in canonical layout; None leaves the dataset's.
        scaling: ``"unit"`` for bytes to 0…1, ``"none"``, or ``"standard"`` for 0…1 and then
            minus `mean` over `deviation`, a channel each.
        mean, deviation: of each channel.
        classes: labels that are kept, renumbered from 0 in this order; empty for all.
        samples: how many of the training samples are kept, the first of these classes; 0 for all.
        validation: how many training samples are held out, drawn from the seed.
        watched: when the model is evaluated during training, on the held-out samples or else on
            the test set: after every epoch, at the steps whose weights are recorded, or never.
        nudged32: whether float32 is nudged too, to show how far it moves from itself.
        marks: steps whose weights are recorded besides the usual ones.
        published: distances between the frameworks that others measured.
        masks: of dropout, drawn anew for every step; the twin is given them after the labels.
        stops: the training may end by itself before its last epoch, and go back to the best.
        fast: which ways have a fast path, and how it is switched.
    """

    dataset: str
    batch_size: int
    parameters: tuple[ParameterSpec, ...]
    layers: tuple[str, ...]
    default: Size
    full: Size
    ways: tuple[TrainingVariant, ...]
    pairs: tuple[ComparedPair, ...]
    references: tuple[Reference, ...] = ()
    input_shape: tuple[int, ...] | None = None
    scaling: Literal["unit", "standard", "none"] = "unit"
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    classes: tuple[int, ...] = ()
    samples: int = 0
    validation: int = 0
    watched: Literal["", "epochs", "steps"] = ""
    nudged32: bool = False
    marks: tuple[int, ...] = ()
    published: tuple[Published, ...] = ()
    masks: tuple[Mask, ...] = ()
    stops: bool = False
    fast: tuple[Fast, ...] = ()

    def held(self, size: Size) -> int:
        """How many training samples are held out in a run of this size."""
        return self.validation if size.validation is None else size.validation

    def of(self, way: TrainingVariant) -> Training:
        """The training as this way has it."""
        return dataclasses.replace(self, **way.changes)

    def way(self, id_: str) -> TrainingVariant:
        """The way with this id."""
        return next(w for w in (*self.ways, *self.fast_ways) if w.id == id_)

    @property
    def fast_ways(self) -> tuple[TrainingVariant, ...]:
        """``torch/loop_fast`` beside ``torch/loop``: the same functions, written to be fast."""
        own = {way.id: way for way in self.ways}
        return tuple(
            dataclasses.replace(
                own[fast.of].stepwise,
                name=f"{own[fast.of].name}_fast",
                title=f"fast path of: {own[fast.of].title}",
                fast=fast,
            )
            for fast in self.fast
        )

    @property
    def fast_pairs(self) -> tuple[ComparedPair, ...]:
        """Every fast path beside the way that it must be equal to; judged when asked for."""
        return tuple(
            ComparedPair(
                way.id.replace("/", "_"), f"{way.fast.of} ~ its fast path", way.fast.of, way.id
            )
            for way in self.fast_ways
            if way.fast is not None
        )

    @property
    def levels(self) -> tuple[str, ...]:
        """The rungs that some pair is judged on."""
        return tuple(level for level in LADDER if any(level in p.levels for p in self.pairs))

    @property
    def whole(self) -> bool:
        """Whether anything is asked beyond the first optimizer step."""
        return not {"L4", "L5"}.isdisjoint(self.levels)


@dataclass(frozen=True)
class ExampleSpec:
    """One topic: a module of this name in both packages and a page of this name in the reports.

    Attributes:
        name: module name.
        title: heading.
        part: chapter of the catalogue.
        summary: what it shows, in a sentence or two of Markdown.
        cases: the experiments of a values-only example.
        training: the trained part; an example has cases or training.
        known: listed differences.
        nonfinite: keys whose NaN or infinity is meant.
        seed: of everything random.
    """

    name: str
    title: str
    part: str
    summary: str
    cases: tuple[Case, ...] = ()
    training: Training | None = None
    known: tuple[Known, ...] = ()
    nonfinite: tuple[str, ...] = ()
    seed: int = 20

    @property
    def levels(self) -> tuple[str, ...]:
        """The rungs that this example is judged on."""
        values = (VALUES,) if self.cases else ()
        return (*values, *(self.training.levels if self.training else ()))

    @property
    def ways(self) -> tuple[TrainingVariant, ...]:
        """All ways, of both sides."""
        return self.training.ways if self.training else VALUE_WAYS

    @property
    def pairs(self) -> tuple[ComparedPair, ...]:
        """All pairs; the first is the one that the headline is about."""
        return self.training.pairs if self.training else (VALUE_PAIR,)

    @property
    def fast_pairs(self) -> tuple[ComparedPair, ...]:
        """Pairs that show a fast path equal to what people read; on no page."""
        return self.training.fast_pairs if self.training else ()

    def size(self, *, full: bool) -> Size | None:
        """The size of a default or a full run; None for values."""
        if self.training is None:
            return None
        return self.training.full if full else self.training.default

    def digest(
        self,
        size: Size | None,
        seed: int,
        data_checksum: str = "",
        way: TrainingVariant | None = None,
    ) -> str:
        """Fingerprint of the question that a recording made in this way answers.

        Ways (but for what they change), pairs, words and expected numbers are no part of it: two
        recordings with the same digest may be compared, whoever made them and however they are
        written.
        """
        asked = self.training.of(way) if self.training and way else self.training
        training = asked and {
            "batch_size": asked.batch_size,
            "parameters": [dataclasses.asdict(p) for p in asked.parameters],
            "layers": asked.layers,
            "input": [asked.input_shape, asked.scaling, asked.mean, asked.deviation],
            "samples": [asked.classes, asked.samples, asked.validation],
            "watched": [asked.watched, asked.marks],
            "masks": [dataclasses.asdict(m) for m in asked.masks],
            "stops": asked.stops,
            "size": size and dataclasses.asdict(size),
            "data": data_checksum,
        }
        question: dict[str, Any] = {
            "name": self.name,
            "seed": seed,
            "cases": [c.question for c in self.cases],
            "training": training,
        }
        text = json.dumps(question, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


VALUE_WAYS = (
    TrainingVariant("torch", "values", "PyTorch"),
    TrainingVariant("keras", "values", "Keras / TensorFlow"),
)
VALUE_PAIR = ComparedPair("matched", "PyTorch ~ Keras", "torch/values", "keras/values", (VALUES,))


def tape_pair(fit: str = "fit", of: str = "", levels: tuple[str, ...] = LADDER) -> ComparedPair:
    """A `GradientTape` loop beside Keras' `fit`, which takes the same steps: equal bit for bit.

    Args:
        fit: name of the way that `fit` trains; its `by_hand` is named after it, that of ``fit``
            itself just ``tape``.
        of: what is trained, in words, where an example has several such pairs.
        levels: rungs that the pair is judged on.
    """
    name = "tape" if fit == "fit" else f"{fit}_tape"
    title = "Keras GradientTape ~ Keras compile/fit, bit for bit"
    title = f"{of}: {title}" if of else title
    return ComparedPair(name, title, f"keras/{name}", f"keras/{fit}", levels, identical=True)
