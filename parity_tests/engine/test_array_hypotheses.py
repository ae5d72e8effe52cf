"""`parity.diagnosis.array_hypotheses`: repairs that were tried and made a difference vanish."""

import dataclasses

import numpy as np
import pytest

from parity.comparator.key_arrays import KeyArrays
from parity.diagnosis.array_hypotheses import (
    COMPUTED,
    RECORDED,
    Affine,
    Hypothesis,
    PerChannel,
    find_hypothesis,
    find_low_precision,
    values,
)
from parity.diagnosis.causes import KINDS


def array(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def find(left, right) -> Hypothesis | None:
    return find_hypothesis(np.asarray(left), np.asarray(right))


def softmax(x: np.ndarray) -> np.ndarray:
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("axes", [(1, 0), (2, 0, 1), (0, 2, 1), (3, 2, 0, 1)])
def test_transposed(axes: tuple[int, ...]) -> None:
    left = array(*(2, 3, 5, 7)[: len(axes)])
    found = find(left, left.transpose(np.argsort(axes)))
    assert found is not None
    assert found == Hypothesis("transposed", tuple(range(len(axes))), axes, 0.0)


def test_a_square_kernel_is_transposed_too() -> None:
    left = array(4, 4)
    assert find(left, left.T) == Hypothesis("transposed", (0, 1), (1, 0), 0.0)


@pytest.mark.parametrize("factor", [255.0, 1 / 32, -1.0, 3.5, 1.0000123])
def test_factor_is_right_over_left(factor: float) -> None:
    found = find(array(6, 7), factor * array(6, 7))
    assert found is not None
    assert (found.kind, found.left) == ("scale", 1)
    assert found.right == pytest.approx(factor, rel=1e-6)
    assert found.ratio < 1


@pytest.mark.parametrize("factor", [32.0, 1 / 32, 255.0, -1.0])
def test_a_telling_factor_of_one_number(factor: float) -> None:
    found = find(1.7, 1.7 * factor)
    assert found is not None
    assert (found.kind, found.right) == ("scale", pytest.approx(factor))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1)])
def test_one_number_proves_nothing(shape: tuple[int, ...]) -> None:
    assert find(np.full(shape, 1.7), np.full(shape, 1.7123)) is None


@pytest.mark.parametrize("offset", [1.0, -0.25])
def test_offset_is_right_minus_left(offset: float) -> None:
    found = find(array(6, 7), array(6, 7) + offset)
    assert found is not None
    assert (found.kind, found.left, found.right) == ("offset", 0, pytest.approx(offset))


def test_softmax_once_more() -> None:
    logits = array(6, 7)
    for left, right, once_more in (
        (logits, softmax(logits), Hypothesis("activation", None, "softmax", side="right")),
        (softmax(logits), logits, Hypothesis("activation", "softmax", None, side="left")),
    ):
        found = find(left, right)
        assert found is not None
        assert dataclasses.replace(found, ratio=0.0) == once_more
    assert find(array(7), softmax(array(7))) is None, "one axis: no classes to sum over"


@pytest.mark.parametrize(("shift", "axis"), [(1, 0), (-1, 0), (1, 1), (-1, 1)])
def test_rolled(shift: int, axis: int) -> None:
    left = array(6, 7)
    found = find(left, np.roll(left, -shift, axis))
    assert found == Hypothesis("shift", 0, -shift, 0.0, where=(axis,))


def test_one_element() -> None:
    right = array(6, 7)
    right[2, 3] += 0.5
    was = float(array(6, 7)[2, 3])
    assert find(array(6, 7), right) == Hypothesis("element", was, was + 0.5, where=(2, 3))
    right[4, 4] += 0.5
    assert find(array(6, 7), right) is None


@pytest.mark.parametrize("zero", ["left", "right"])
def test_zero_everywhere(zero: str) -> None:
    some, none = array(6, 7), np.zeros((6, 7))
    found = find(none, some) if zero == "left" else find(some, none)
    assert found is not None
    assert (found.kind, found.side, found.ratio) == ("zero", zero, 0)
    assert (found.left, found.right) == ((0, None) if zero == "left" else (None, 0))


def test_reordered() -> None:
    left = array(6, 7)
    right = np.random.default_rng(2).permutation(left.ravel()).reshape(6, 7)
    found = find(left, right)
    assert found is not None
    assert (found.kind, found.ratio) == ("reordered", 0)


def test_whole_numbers_have_clues_too() -> None:
    labels = np.array([3, 1, 2, 7])
    found = find(labels, labels + 1)
    assert found is not None
    assert (found.kind, found.right) == ("offset", 1)


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
    assert found is None or found.kind == "activation"


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
    found = find_low_precision(quad)
    assert found is not None
    assert (found.kind, found.side) == ("precision", side)
    coarse, fine = (found.left, found.right) if side == "left" else (found.right, found.left)
    assert (coarse.format, fine) == (name, "float32")
    assert coarse.error == pytest.approx(2.0**-bits, rel=0.05)


def test_coarse_needs_both_precisions() -> None:
    assert find_low_precision(KeyArrays(np.ones(2, "f4"), None, np.ones(2, "f4"), None)) is None


def test_one_precision_uses_its_own_unit() -> None:
    left = array(6, 7).astype("f4")
    right = (left * np.float32(3.3)).astype("f4")
    found = find(left, right)
    assert found is not None
    assert (found.kind, found.right) == ("scale", pytest.approx(3.3, rel=1e-6))


def test_copied_arrays_are_no_finer_than_float32() -> None:
    left = array(6, 7)
    right = np.float64(np.float32(3.3 * left))
    assert find_hypothesis(left, right) is None
    found = find_hypothesis(left, right, copied=True)
    assert found is not None
    assert found.kind == "scale"


# --- Two outputs of a layer -----------------------------------------------------------------------


def first_of(out, target) -> tuple[str, object, object] | None:
    """The first repair of what came out that leaves rounding only."""
    for repair, repaired in values(out, target):
        if np.allclose(repaired, target, rtol=1e-13, atol=1e-13):
            return repair.kind, repair.base, repair.target
    return None


@pytest.mark.parametrize(
    ("fault", "kind", "value"),
    [
        (lambda a: 3.5 * a, "scale", 3.5),
        (lambda a: a + 0.25, "offset", 0.25),
        (lambda a: 2.5 * a - 1, "scale", Affine(2.5, -1.0)),
        (lambda a: a + np.arange(5.0), "offset", PerChannel(1, (0, 1, 2, 3, 4))),
        (lambda a: a * np.arange(1.0, 6), "scale", PerChannel(1, (1, 2, 3, 4, 5))),
        (lambda a: np.float64(np.float16(a)), "precision", "float16"),
    ],
)
def test_what_two_outputs_tell(fault, kind, value) -> None:
    out = array(8, 5)
    if kind == "precision":  # not far from the target, which has fewer digits
        ((found, repaired),) = [v for v in values(out, fault(out)) if v[0].kind == kind]
        np.testing.assert_array_equal(repaired, fault(out))
        assert (found.base, found.target) == ("float32", value)
        return
    found = first_of(out, fault(out))
    assert found is not None
    assert found[:2] == (kind, {"scale": 1, "offset": 0}[kind])
    if isinstance(value, PerChannel):
        assert found[2].axis == value.axis
        assert found[2].numbers == pytest.approx(value.numbers, abs=1e-12)
    else:
        assert found[2] == value


def test_dropout_is_told_with_its_rate() -> None:
    out = array(20, 20)
    kept = np.random.default_rng(5).random(out.shape) > 0.3
    found = first_of(out, np.where(kept, out / 0.7, 0))
    assert found is not None
    assert (found[0], found[1], found[2].rate) == ("dropout", "not active", pytest.approx(0.3))


def test_unlike_outputs_tell_nothing() -> None:
    assert not list(values(array(6, 7), array(6, 8)))
    assert not list(values(array(6, 7), np.full((6, 7), np.nan)))
    assert first_of(array(6, 7), array(6, 7, seed=2)) is None


def test_every_rule_names_a_kind_of_cause() -> None:
    left = array(6, 6)
    dropped = np.where(array(6, 6, seed=2) > 0, 2 * left, 0)
    coarse, one = np.float64(np.float16(left)), left + (left == left.max())
    faults = (left * 2 + 1, softmax(left), left.T, dropped, 0 * left, coarse, one)
    for rule in (*RECORDED, *COMPUTED):
        kinds = {repair.kind for right in faults for repair in rule(right, left)}
        kinds |= {repair.kind for right in faults for repair in rule(left, right)}
        assert kinds, rule.__name__
        assert kinds <= set(KINDS), rule.__name__
