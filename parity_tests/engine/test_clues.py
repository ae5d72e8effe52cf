"""`parity.verdict.hypotheses`: repairs that were tried and made a difference vanish."""

import numpy as np
import pytest

from parity.comparator.key_arrays import KeyArrays
from parity.verdict import hypotheses


def array(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def find(left, right) -> hypotheses.Hypothesis | None:
    left, right = np.asarray(left), np.asarray(right)
    return hypotheses.find_hypotheses(KeyArrays(left.astype("f4"), left, right.astype("f4"), right))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("axes", [(1, 0), (2, 0, 1), (0, 2, 1), (3, 2, 0, 1)])
def test_transposed(axes: tuple[int, ...]) -> None:
    left = array(*(2, 3, 5, 7)[: len(axes)])
    found = find(left, left.transpose(np.argsort(axes)))
    assert found is not None
    assert (found.kind, found.value, found.residual) == ("transposed", str(axes), 0)


def test_a_square_kernel_is_transposed_too() -> None:
    left = array(4, 4)
    assert find(left, left.T) == hypotheses.Hypothesis("transposed", "(1, 0)", 0.0)


@pytest.mark.parametrize("factor", [255.0, 1 / 32, -1.0, 3.5, 1.0000123])
def test_factor_is_right_over_left(factor: float) -> None:
    found = find(array(6, 7), factor * array(6, 7))
    assert found is not None
    assert found.kind == "factor"
    assert float(found.value) == pytest.approx(factor, rel=1e-6)
    assert found.residual < 1


@pytest.mark.parametrize("factor", [32.0, 1 / 32, 255.0, -1.0])
def test_a_telling_factor_of_one_number(factor: float) -> None:
    found = find(1.7, 1.7 * factor)
    assert found is not None
    assert (found.kind, float(found.value)) == ("factor", pytest.approx(factor))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_number_proves_nothing(shape: tuple[int, ...]) -> None:
    assert find(np.full(shape, 1.7), np.full(shape, 1.7123)) is None


@pytest.mark.parametrize("offset", [1.0, -0.25])
def test_offset_is_right_minus_left(offset: float) -> None:
    found = find(array(6, 7), array(6, 7) + offset)
    assert found is not None
    assert (found.kind, float(found.value)) == ("offset", pytest.approx(offset))


def test_softmax_once_more() -> None:
    logits = array(6, 7)
    for left, right, value in (
        (logits, softmax(logits), "right"),
        (softmax(logits), logits, "left"),
    ):
        found = find(left, right)
        assert found is not None
        assert (found.kind, found.value) == ("softmax", value)
    assert find(array(7), softmax(array(7))) is None, "one axis: no classes to sum over"


@pytest.mark.parametrize(("shift", "axis"), [(1, 0), (-1, 0), (1, 1), (-1, 1)])
def test_rolled(shift: int, axis: int) -> None:
    left = array(6, 7)
    found = find(left, np.roll(left, -shift, axis))
    assert found is not None
    assert (found.kind, found.value) == ("rolled", f"{shift}|{axis}")


def test_one_element() -> None:
    right = array(6, 7)
    right[2, 3] += 0.5
    assert find(array(6, 7), right) == hypotheses.Hypothesis("element", "(2, 3)", 0.0)
    right[4, 4] += 0.5
    assert find(array(6, 7), right) is None


@pytest.mark.parametrize("zero", ["left", "right"])
def test_zero_everywhere(zero: str) -> None:
    some, none = array(6, 7), np.zeros((6, 7))
    found = find(none, some) if zero == "left" else find(some, none)
    assert found == hypotheses.Hypothesis("zero", zero, 0.0)


def test_reordered() -> None:
    left = array(6, 7)
    right = np.random.default_rng(2).permutation(left.ravel()).reshape(6, 7)
    found = find(left, right)
    assert found is not None
    assert (found.kind, found.residual) == ("reordered", 0)


def test_whole_numbers_have_clues_too() -> None:
    labels = np.array([3, 1, 2, 7])
    found = find(labels, labels + 1)
    assert found is not None
    assert (found.kind, found.value) == ("offset", "1")


@pytest.mark.parametrize("shape", [(), (2,), (7,), (6, 7), (2, 3, 5)])
def test_unrelated_numbers_have_no_clue(shape: tuple[int, ...]) -> None:
    for seed in range(30):
        assert find(array(*shape, seed=seed), array(*shape, seed=seed + 1000)) is None


@pytest.mark.parametrize(
    "repair",
    [lambda a: 3.5 * a, lambda a: a + 1, lambda a: np.roll(a, 1, 0), softmax, lambda a: a.T],
)
def test_a_repair_must_leave_rounding_only(repair) -> None:
    left = array(6, 6)
    right = repair(left) * (1 + 1e-10 * array(6, 6, seed=3))
    found = find(left, right)
    # softmax is checked more loosely: it names the step, not its last digits.
    assert found is None or found.kind == "softmax"


def test_shapes_that_nothing_repairs_and_empty_arrays() -> None:
    assert find(array(6, 7), array(6, 8)) is None
    assert find(array(6), array(6, 1)) is None
    assert find(np.zeros((0, 3)), np.zeros((0, 3))) is None


def test_where_the_largest_meets_a_zero() -> None:
    left, right = np.array([0.0, 5.0, 1.0]), np.array([5.0, 0.0, 2.0])
    assert find(left, right) is None


@pytest.mark.parametrize(
    ("bits", "name"), [(8, "bfloat16 (8 bits)"), (11, "TF32 or float16 (11 bits)"), (17, "")]
)
@pytest.mark.parametrize("side", ["left", "right"])
def test_coarse(bits: int, name: str, side: str) -> None:
    exact = np.array([0.75, 0.5])
    rough = (exact + np.array([0, 0.75 * 2.0**-bits])).astype("f4")
    good = exact.astype("f4")
    quad = (
        KeyArrays(rough, exact, good, exact)
        if side == "left"
        else KeyArrays(good, exact, rough, exact)
    )
    found = hypotheses.coarse(quad)
    assert found is not None
    assert found.kind == "coarse"
    where, error, unit = found.value.split("|")
    assert (where, unit) == (side, name)
    assert float(error) == pytest.approx(2.0**-bits, rel=0.05)


def test_coarse_needs_both_precisions() -> None:
    assert hypotheses.coarse(KeyArrays(np.ones(2, "f4"), None, np.ones(2, "f4"), None)) is None


def test_one_precision_uses_its_own_unit() -> None:
    left = array(6, 7).astype("f4")
    right = (left * np.float32(3.3)).astype("f4")
    found = hypotheses.find_hypotheses(KeyArrays(left, None, right, None))
    assert found is not None
    assert (found.kind, float(found.value)) == ("factor", pytest.approx(3.3, rel=1e-6))
