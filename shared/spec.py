"""What an example *is*, said once: frozen dataclasses that both sides, tests and reports read."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from shared.names import LADDER, VALUES

Side = Literal["torch", "keras"]
SIDES: tuple[Side, Side] = ("torch", "keras")
PACKAGES: dict[Side, str] = {"torch": "pytorch_impl", "keras": "keras_impl"}
TITLES: dict[Side, str] = {"torch": "PyTorch", "keras": "Keras / TensorFlow"}

Numbers = float | int | bool | str | tuple["Numbers", ...]
"""A scalar, or nested tuples of scalars. Text stands for a decimal given to so many digits:
``"2.0404"`` means 2.0404 ± 0.00005; ``"nan"`` and ``"inf"`` mean themselves."""


@dataclass(frozen=True)
class Initial:
    """How one parameter is drawn: see `shared.initial`."""

    kind: Literal["constant", "normal", "uniform", "glorot_uniform", "he_normal", "file"]
    scale: float = 0.0
    file: str = ""


ZEROS = Initial("constant", 0.0)
ONES = Initial("constant", 1.0)
GLOROT = Initial("glorot_uniform")
HE = Initial("he_normal")


@dataclass(frozen=True)
class Parameter:
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
class Curves:
    """A pane of the page's plot: results of a case over one of its inputs.

    Attributes:
        x: name of the input along the axis.
        values, slopes: names of the results, one number for each of `x`.
    """

    x: str
    values: str
    slopes: str = ""


@dataclass(frozen=True)
class Samples:
    """Real data for a case: the first so many training samples of a dataset's embedded part.

    The function takes them as NumPy arrays, ``images`` and ``labels``, as they come from a file:
    making tensors of them is what such a case is about.
    """

    dataset: str
    count: int


@dataclass(frozen=True)
class Case:
    """One values-only experiment: a function of the same name on both sides.

    Attributes:
        name: the function's name.
        inputs: name → numbers; each becomes a floating tensor of the run's precision.
        expected: name → the number that both sides must give. Names that the function returns
            and that are neither here nor in the reference are compared between the sides, but
            have no outside witness.
        integers: name → whole numbers; each becomes an int64 tensor (labels, indices).
        roles: name of an input or a result → its role in `shared.layouts.LAYOUTS`. The spec and
            the recording have it in canonical layout; the function sees its framework's own.
        reference: the same in NumPy, from the same arguments as float64 (int64) arrays in
            canonical layout; what it returns is expected of both sides, to rounding.
        curves: what of it is drawn on the page, if anything.
        samples: real data, given before everything else.
    """

    name: str
    inputs: dict[str, Numbers]
    expected: dict[str, Numbers] = field(default_factory=dict)
    integers: dict[str, Numbers] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    reference: Callable[..., Mapping[str, Any]] | None = None
    curves: Curves | None = None
    samples: Samples | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the function, in order."""
        return (*(("images", "labels") if self.samples else ()), *self.inputs, *self.integers)

    @property
    def question(self) -> list[Any]:
        """What decides the answer: its part of the spec's digest."""
        samples = [dataclasses.astuple(self.samples)] if self.samples else []
        return [self.name, self.inputs, self.integers, self.roles, *samples]


@dataclass(frozen=True)
class Known:
    """A listed difference between the frameworks, strict both ways.

    The finding is ``known`` only while each side gives exactly what is listed; when a release
    changes either side, the row fails with these words.
    """

    key: str
    torch: Numbers
    keras: Numbers
    reason: str
    link: str


@dataclass(frozen=True)
class Way:
    """One way of writing the same training on one side.

    Attributes:
        side: which side has it.
        name: ``loop``, ``gradient_tape``, ``fit`` …; part of the recording's file name.
        function: public function of the twin that trains.
        optimizer: public function of the twin that makes the optimizer.
        title: words for people.
        model: public function of the twin that builds the model.
        gradients: public function of the twin that gives loss and gradients of a batch.
        evaluate: public function of the twin that gives predictions and loss.
        batch_size: samples a step, where it is not the example's; 0 takes all at once.
        repeat: how many times the epochs of the size.
        changes: what of the `Training` is otherwise in this way, by field: another model's
            ``parameters`` and ``layers``, other ``classes``. Not the dataset, nor its sizes.
    """

    side: Side
    name: str
    function: str
    optimizer: str
    title: str
    model: str = "build_model"
    gradients: str = "loss_and_gradients"
    evaluate: str = "evaluate"
    batch_size: int | None = None
    repeat: int = 1
    changes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """``torch/loop``."""
        return f"{self.side}/{self.name}"


@dataclass(frozen=True)
class Pair:
    """Two ways to be compared.

    Attributes:
        left, right: ids of ways, ``torch/loop``.
        levels: rungs that this pair is judged on.
        differs_at: empty when the two must agree. Otherwise they must *not*, and the first
            divergence must have a key that starts with this: a contrast that shows the verdict
            biting, strict both ways.
        reason: why a contrast differs.
    """

    name: str
    title: str
    left: str
    right: str
    levels: tuple[str, ...] = LADDER
    differs_at: str = ""
    reason: str = ""


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
    """A published figure that a full-size run must reach.

    Attributes:
        metric: ``test_accuracy``.
        value: the figure.
        margin: how far from it a run with other initial weights may be; None where the figure is
            one that must at least be reached.
        source: whose it is.
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
        references: published figures.
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
    """

    dataset: str
    batch_size: int
    parameters: tuple[Parameter, ...]
    layers: tuple[str, ...]
    default: Size
    full: Size
    ways: tuple[Way, ...]
    pairs: tuple[Pair, ...]
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

    def held(self, size: Size) -> int:
        """How many training samples are held out in a run of this size."""
        return self.validation if size.validation is None else size.validation

    def of(self, way: Way) -> Training:
        """The training as this way has it."""
        return dataclasses.replace(self, **way.changes)

    def way(self, id_: str) -> Way:
        """The way with this id."""
        return next(w for w in self.ways if w.id == id_)

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
    def ways(self) -> tuple[Way, ...]:
        """All ways, of both sides."""
        return self.training.ways if self.training else VALUE_WAYS

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All pairs; the first is the one that the headline is about."""
        return self.training.pairs if self.training else (VALUE_PAIR,)

    def size(self, *, full: bool) -> Size | None:
        """The size of a default or a full run; None for values."""
        if self.training is None:
            return None
        return self.training.full if full else self.training.default

    def digest(
        self, size: Size | None, seed: int, data_checksum: str = "", way: Way | None = None
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
    Way("torch", "values", "", "", "PyTorch"),
    Way("keras", "values", "", "", "Keras / TensorFlow"),
)
VALUE_PAIR = Pair("matched", "PyTorch ~ Keras", "torch/values", "keras/values", (VALUES,))
