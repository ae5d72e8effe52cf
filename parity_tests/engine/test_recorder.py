"""`parity.training.recorder`: what a values case is given and what is kept of it."""

import dataclasses
import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from parity.core.axis_layouts import LAYOUTS
from parity.core.errors import RecordingError, UsageError
from parity.core.sides import SIDES
from parity.spec.cases import Case
from parity.spec.example import (
    GLOROT,
    ComparedPair,
    ExampleSpec,
    Mask,
    ParameterSpec,
    Size,
    Training,
    TrainingVariant,
)
from parity.training import recorder
from parity.training.batch_order import dropout_mask, held_out
from parity.training.recorder import (
    RecordingBuilder,
    _wants_values,
    arguments,
    from_side,
    record_values,
    to_side,
)
from shared.suite import SUITE

IMAGES = np.arange(2 * 5 * 7 * 3).reshape(2, 5, 7, 3)  # batch h w channel


class Fake:
    """A framework whose tensors are lists of one array, so that an array given raw is noticed."""

    def __init__(self, side):
        self.side = side

    def tensor(self, array):
        return [np.array(array)]

    def array(self, tensor):
        (array,) = tensor
        return array


def spec_of(*cases):
    return ExampleSpec("made", "Made", "Tests", "Made for tests.", cases=cases)


def recorded(side, case, function, precision="float64"):
    sheet = RecordingBuilder(precision)
    record_values(
        Fake(side),
        SimpleNamespace(**{case.name: function}),
        spec_of(case),
        sheet,
        lambda done, total: None,
        load=SUITE.load,
    )
    return sheet


# --- Layouts --------------------------------------------------------------------------------------


def test_images_go_to_each_sides_own_layout():
    there = to_side(IMAGES, "images", "torch")
    assert there.shape == (2, 3, 5, 7)
    assert there[1, 2, 3, 4] == IMAGES[1, 3, 4, 2]
    np.testing.assert_array_equal(from_side(there, "images", "torch"), IMAGES, strict=True)
    for move in (to_side, from_side):
        np.testing.assert_array_equal(move(IMAGES, "images", "keras"), IMAGES, strict=True)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("role", LAYOUTS)
def test_there_and_back(role, side):
    count = len(LAYOUTS[role].keras.split())
    array = np.arange(np.prod(shape := [2, 3, 5, 7][:count])).reshape(shape)
    there = to_side(array, role, side)
    names = LAYOUTS[role].keras.split()
    assert there.shape == tuple(shape[names.index(n)] for n in getattr(LAYOUTS[role], side).split())
    np.testing.assert_array_equal(from_side(there, role, side), array, strict=True)
    np.testing.assert_array_equal(to_side(from_side(array, role, side), role, side), array)


@pytest.mark.parametrize("side", SIDES)
def test_without_a_role_nothing_moves(side):
    assert to_side(IMAGES, "", side) is IMAGES
    assert from_side(IMAGES, "", side) is IMAGES


@pytest.mark.parametrize("move", [to_side, from_side])
def test_a_role_of_another_number_of_axes_is_refused(move):
    with pytest.raises(UsageError, match="names 4 axes, but the array has shape"):
        move(np.zeros((2, 3)), "images", "torch")


# --- Arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_arguments_are_tensors_of_the_runs_precision_and_of_int64(precision):
    case = Case("ease", {"z": (1, "0.5"), "a": 0.1}, integers={"labels": ((2, 0),), "at": True})
    given = arguments(Fake("torch"), case, precision, SUITE.load)
    assert tuple(given) == case.arguments == ("z", "a", "labels", "at")
    arrays = {name: array for name, (array,) in given.items()}
    assert [a.dtype for a in arrays.values()] == [precision, precision, "int64", "int64"]
    np.testing.assert_array_equal(arrays["z"], [1, 0.5])
    assert arrays["a"] == np.array(0.1, precision)
    np.testing.assert_array_equal(arrays["labels"], [[2, 0]])
    assert arrays["at"] == 1


def test_arguments_come_in_the_sides_own_layout():
    kernel = ((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))  # in out
    case = Case(
        "ease",
        {"kernel": kernel, "plain": kernel},
        integers={"whole": ((1, 2),)},
        roles={"kernel": "dense/kernel", "whole": "dense/kernel"},
    )
    for side, axes in (("torch", (1, 0)), ("keras", (0, 1))):
        given = {
            k: array for k, (array,) in arguments(Fake(side), case, "float64", SUITE.load).items()
        }
        np.testing.assert_array_equal(given["kernel"], np.transpose(kernel, axes), strict=True)
        np.testing.assert_array_equal(given["whole"], np.transpose([[1, 2]], axes), strict=True)
        np.testing.assert_array_equal(given["plain"], kernel, strict=True)


# --- What is kept ---------------------------------------------------------------------------------


def test_results_are_kept_in_canonical_layout():
    case = Case("ease", {"x": tuple(map(float, range(6)))}, roles={"y": "dense/kernel"})

    def torch(x):
        grid = [x[0].reshape(2, 3)]
        return {"y": grid, "plain": grid}

    def keras(x):
        return {"y": [x[0].reshape(2, 3).T], "plain": [x[0].reshape(2, 3)]}

    kept = [recorded("torch", case, torch).arrays, recorded("keras", case, keras).arrays]
    for arrays in kept:
        assert list(arrays) == ["values/ease/y", "values/ease/plain"]
        assert arrays["values/ease/y"].shape == (3, 2)
        assert arrays["values/ease/plain"].shape == (2, 3)
    for key, array in kept[0].items():
        np.testing.assert_array_equal(array, kept[1][key], strict=True)


@pytest.mark.parametrize("side", SIDES)
def test_what_goes_in_comes_out_the_same_on_both_sides(side):
    images = Case(
        "ease",
        {"x": ((((1.0, 2.0), (3.0, 4.0)), ((5.0, 6.0), (7.0, 8.0))),)},
        roles={"x": "images", "same": "images"},
    )
    arrays = recorded(side, images, lambda x: {"same": x}).arrays
    np.testing.assert_array_equal(arrays["values/ease/same"], images.inputs["x"], strict=True)


def test_functions_are_called_with_their_arguments_by_name():
    seen = {}

    def ease(*, a, at, z):
        seen.update(a=a, at=at, z=z)
        return {}

    case = Case("ease", {"z": 1.0, "a": 2.0}, integers={"at": 3})
    recorded("torch", case, ease)
    assert {k: float(v) for k, (v,) in seen.items()} == {"a": 2, "at": 3, "z": 1}
    assert set(inspect.signature(ease).parameters) == set(case.arguments)


def test_facts_are_words_and_tensors_are_arrays():
    facts = {"none": None, "raised": "RuntimeError", "flag": True, "count": 3, "shape": (2, 3)}
    sheet = recorded("torch", Case("ease", {}), lambda: facts | {"y": [np.ones(2)]})
    assert sheet.facts == {
        "values/ease/none": "None",
        "values/ease/raised": "RuntimeError",
        "values/ease/flag": "True",
        "values/ease/count": "3",
        "values/ease/shape": "(2, 3)",
    }
    assert list(sheet.arrays) == ["values/ease/y"]


def test_results_must_be_of_the_runs_precision_or_whole():
    case = Case("ease", {"x": (1.0, 2.0)})
    whole = recorded("torch", case, lambda x: {"y": [x[0].astype(np.int64)]}, "float32")
    assert whole.arrays["values/ease/y"].dtype == np.int64
    with pytest.raises(RecordingError, match="values/ease/y' came out as float64 in a float32 run"):
        recorded("torch", case, lambda x: {"y": [x[0].astype(np.float64)]}, "float32")


def test_every_case_is_progress():
    told = []
    cases = [Case(name, {}) for name in ("one", "two", "three")]
    twin = SimpleNamespace(**{case.name: lambda: {"y": [np.ones(1)]} for case in cases})
    sheet = RecordingBuilder("float64")
    record_values(
        Fake("keras"),
        twin,
        spec_of(*cases),
        sheet,
        lambda *some: told.append(some),
        load=SUITE.load,
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert list(sheet.arrays) == ["values/one/y", "values/two/y", "values/three/y"]


# --- A training, step by step ---------------------------------------------------------------------

MASKED = Training(
    dataset="made",
    batch_size=4,
    parameters=(ParameterSpec("out/kernel", (6, 3), GLOROT),),
    layers=("out",),
    default=Size("embedded", epochs=3, validation=2),
    full=Size("full", epochs=1),
    ways=(TrainingVariant("torch", "loop", "loop"),),
    pairs=(ComparedPair("matched", "", "torch/loop", "keras/tape"),),
    validation=5,
    watched="epochs",
    masks=(Mask("dropout", (3,), 0.5),),
    scaling="none",
)


class Model:
    """Adds up what it is trained on; its predictions say how often it was evaluated."""

    def __init__(self):
        self.total = 0.0
        self.evaluated = []


class Trainer(Fake):
    """A framework that trains `Model`s."""

    fed = inputs = staticmethod(lambda array: array)
    tensor = array = staticmethod(np.array)

    def __init__(self, side="torch", steps=None):
        super().__init__(side)
        self.steps = steps

    def load_weights(self, model, weights):
        model.weights = weights

    def weights(self, model):
        return {"out/kernel": np.full((6, 3), model.total)}

    def activations(self, model, images):
        return {"out": images[:, :3] * model.masks[0] if model.masks else images[:, :3]}

    def gradients(self, model, gradients):
        return {"out/kernel": gradients[0]}

    def slots(self, model, optimizer):
        return {}

    def train(self, program, model, optimizer, batches, on_step):
        for step, (images, labels, *masks) in enumerate(batches, 1):
            batches.fed(images, labels, *masks)
            if self.steps and step > self.steps:
                return  # fetched, but not trained on
            model.total += float(images.sum())
            on_step(step, model.total)


class Program:
    """A way of training `Model`s."""

    model = Model

    def optimizer(self, model):
        return None

    def drop(self, model, masks):
        model.masks = masks

    def loss_and_gradients(self, model, images, labels, *masks):
        assert [mask.shape for mask in masks] == [(len(images), 3)] * len(masks)
        return np.array(1.0), [np.ones((6, 3))]

    def predict(self, model, images, labels):
        model.evaluated.append(len(labels))
        # Right about the first few labels only: the third epoch is worse than the second.
        right = [0, 1, 2, 1][min(len(model.evaluated) - 1, 3)]
        guesses = np.where(np.arange(len(labels)) < right, labels, (labels + 1) % 3)
        return np.eye(3)[guesses], np.array(0.5)


def train_made(training, framework=None):
    images, labels = np.arange(60, dtype=np.float64).reshape(10, 6), np.arange(10) % 3
    dataset = SimpleNamespace(
        train_images=images, train_labels=labels, test_images=images, test_labels=labels
    )
    job = SimpleNamespace(size=training.default, seed=3, precision="float64", nudged=False)
    sheet = RecordingBuilder("float64")
    framework = framework or Trainer()
    recorder._Run(
        framework, Program(), training, training.ways[0], dataset, SUITE.draw, sheet, job
    ).record(lambda done, total: None)
    return sheet.arrays


def test_masks_and_held_out_samples_are_on_record():
    arrays = train_made(MASKED)
    np.testing.assert_array_equal(
        arrays["inputs/masks/dropout"], dropout_mask("dropout", (4, 3), 0.5, seed=3, step=1)
    )
    kept, held = held_out(10, 2, seed=3)
    np.testing.assert_array_equal(arrays["inputs/validation"], held)
    first = arrays["inputs/images"][:, 0].astype(int) // 6
    assert set(first) <= set(kept.tolist())
    np.testing.assert_array_equal(
        arrays["activations/step0/out"],
        arrays["inputs/images"][:, :3] * arrays["inputs/masks/dropout"],
    )
    without = train_made(dataclasses.replace(MASKED, masks=()))
    assert "inputs/masks/dropout" not in without
    assert (arrays["inputs/batches"] != without["inputs/batches"]).all()


def test_an_epoch_is_watched_on_the_held_out_samples():
    arrays = train_made(MASKED)
    np.testing.assert_array_equal(arrays["metrics/watched_accuracy"], [0, 0.5, 1])
    np.testing.assert_array_equal(arrays["metrics/watched_loss"], [0.5] * 3)
    assert arrays["metrics/validation_accuracy"] == 0.5
    assert arrays["metrics/test_accuracy"] == 0.1
    assert "metrics/stopped_epoch" not in arrays
    steps = train_made(dataclasses.replace(MASKED, watched="steps"))
    assert len(steps["metrics/watched_loss"]) == 5  # of 6 steps: 1, 2, 3, 5 and 6
    never = train_made(dataclasses.replace(MASKED, watched=""))
    assert "metrics/watched_loss" not in never


def test_without_held_out_samples_the_test_set_is_watched():
    arrays = train_made(dataclasses.replace(MASKED, default=Size("embedded", 3, validation=0)))
    np.testing.assert_array_equal(arrays["metrics/watched_accuracy"], [0, 0.1, 0.2])
    assert "inputs/validation" not in arrays
    assert "metrics/validation_accuracy" not in arrays


def test_a_training_that_stops_says_when_and_what_was_best():
    stopping = dataclasses.replace(MASKED, stops=True)
    every = train_made(stopping)
    assert (every["metrics/stopped_epoch"], every["metrics/best_epoch"]) == (3, 3)
    early = train_made(stopping, Trainer(steps=4))
    assert (early["metrics/stopped_epoch"], early["metrics/best_epoch"]) == (2, 2)
    assert early["metrics/stopped_epoch"].dtype == np.int64  # compared exactly
    assert len(early["loss/curve"]) == 4
    np.testing.assert_array_equal(early["inputs/batches"], every["inputs/batches"])
    assert "weights/step6/out/kernel" not in early


def test_a_training_that_may_not_stop_keeps_what_it_was_fed():
    short = train_made(MASKED, Trainer(steps=4))
    assert len(short["loss/curve"]) == 4
    assert len(short["inputs/batches"]) == 5


def test_values_are_recorded_for_pairs_that_are_judged_on_them(training_spec, values_spec):
    training = training_spec.training
    pairs = (dataclasses.replace(training.pairs[0], levels=("values", "L0")), *training.pairs[1:])
    spec = dataclasses.replace(
        training_spec, cases=values_spec.cases, training=dataclasses.replace(training, pairs=pairs)
    )
    for spec_, side, way, wanted in (
        (spec, "torch", "loop", True),
        (spec, "keras", "tape", True),
        (spec, "keras", "fit", False),
        (training_spec, "torch", "loop", False),
        (values_spec, "torch", "values", True),
    ):
        assert _wants_values(spec_, side, SimpleNamespace(way=way)) is wanted
