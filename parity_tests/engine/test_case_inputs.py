"""What a case is given: numbers of its spec, and real data."""

import numpy as np

from parity.spec.cases import Case, Samples
from parity.training import case_inputs
from parity.training.recorder import arguments
from parity.verdict.judgement import expected_of
from shared import data


def middle(images, labels, mean, at):
    return {"y": images[at, 14, 14] + labels[at] + mean}


CASE = Case(
    "ease",
    {"mean": 0.1},
    integers={"at": (3, 1)},
    samples=Samples("fashion_mnist", 5),
    reference=middle,
)


class Boxes:
    side = "torch"

    def tensor(self, array):
        return [array]


def test_real_data_is_the_first_of_the_set_as_it_is():
    found = case_inputs.real(CASE, data.load)
    whole = data.load("fashion_mnist", train=9)
    np.testing.assert_array_equal(found["images"], whole.train_images[:5], strict=True)
    np.testing.assert_array_equal(found["labels"], whole.train_labels[:5], strict=True)
    assert (found["images"].dtype, found["labels"].dtype) == ("uint8", "int64")
    assert case_inputs.real(Case("ease", {}), data.load) == {}


def test_what_one_function_does_to_the_data_the_next_does_not_see():
    case_inputs.real(CASE, data.load)["images"][:] = 0
    assert case_inputs.real(CASE, data.load)["images"].any()


def test_real_data_comes_first_and_is_no_tensor_yet():
    called = arguments(Boxes(), CASE, "float32", data.load)
    assert tuple(called) == CASE.arguments == ("images", "labels", "mean", "at")
    assert isinstance(called["images"], np.ndarray)
    assert [called[name][0].dtype for name in ("mean", "at")] == ["float32", "int64"]


def test_the_reference_is_given_the_same():
    images, labels = case_inputs.real(CASE, data.load).values()
    wanted = [int(images[i, 14, 14]) + labels[i] + 0.1 for i in (3, 1)]
    assert expected_of(CASE, data.load)["y"] == tuple(wanted)


def test_the_data_is_part_of_the_question():
    other = Case("ease", {"mean": 0.1}, integers={"at": (3, 1)}, samples=Samples("mnist", 5))
    without = Case("ease", {"mean": 0.1}, integers={"at": (3, 1)})
    assert CASE.question != other.question
    assert without.question == ["ease", {"mean": 0.1}, {"at": (3, 1)}, {}]
