"""`parity.spec.expected`: an array against a number of the catalogue, to the digits it states."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.spec.expected import as_numbers, half_digit, is_zero, matches, numbers, stated

FINITE = st.floats(-1e6, 1e6)


def f64(value: object) -> np.ndarray:
    return np.array(value, np.float64)


def test_numbers_take_text_bool_and_nesting() -> None:
    result = numbers((("1.5", 2), (True, -0.5)))
    np.testing.assert_array_equal(result, f64([[1.5, 2], [1, -0.5]]), strict=True)
    assert numbers(0.1, "float32").dtype == np.float32
    assert np.isnan(numbers("nan"))
    assert numbers("-inf") == -np.inf


@pytest.mark.parametrize(
    ("array", "value"),
    [
        (1.5, 1.5),
        (np.float32(0.1), 0.10000000149011612),
        (np.array(2), 2.0),
        (np.array([1, 2]), (1.0, 2.0)),
        ([[1.0, 2.5]], ((1.0, 2.5),)),
        (np.zeros((2, 0)), ((), ())),
        (np.array([True, False]), (1.0, 0.0)),
        (np.arange(4, dtype="f4").reshape(2, 1, 2), (((0.0, 1.0),), ((2.0, 3.0),))),
    ],
)
def test_an_array_as_numbers(array, value) -> None:
    made = as_numbers(array)
    assert made == value
    assert repr(made) == repr(value), "plain floats in plain tuples"


def test_what_is_not_finite_as_numbers() -> None:
    nan, inf = as_numbers([np.nan, -np.inf])
    assert np.isnan(nan)
    assert inf == -np.inf
    assert matches(f64([np.nan, -np.inf]), (nan, inf))


@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (1, 2, 1, 2)])
def test_numbers_and_back(shape: tuple[int, ...]) -> None:
    array = np.random.default_rng(1).normal(size=shape)
    np.testing.assert_array_equal(numbers(as_numbers(array)), array, strict=True)
    assert matches(array, as_numbers(array))
    assert hash(as_numbers(array)) == hash(as_numbers(array.copy()))


@pytest.mark.parametrize(
    ("value", "zero"),
    [
        (0.0, True),
        (-0.0, True),
        (0, True),
        (False, True),
        ((0.0, 0), True),
        (((0.0,), (0.0,)), True),
        (5e-324, False),
        (1, False),
        (True, False),
        ((0.0, 1.0), False),
        (((0.0,), (1e-300,)), False),
        ("0", False),
        ("0.0", False),
        ((0.0, "0"), False),
        ("RuntimeError", False),
        (float("nan"), False),
    ],
)
def test_only_exact_zeros_are_zero(value, zero: bool) -> None:
    assert is_zero(value) is zero


@pytest.mark.parametrize(
    ("text", "half"),
    [
        ("2.0404", 0.5e-4),
        ("2", 0.5),
        ("-2.50", 0.5e-2),
        ("1e-3", 0.5e-3),
        ("1.25E+2", 0.5),
        (".5", 0.05),
        ("nan", 0),
        ("-inf", 0),
        ("+Inf", 0),
        (2.5, 0),
        (3, 0),
        (True, 0),
    ],
)
def test_half_a_unit_in_the_last_digit(text, half: float) -> None:
    assert half_digit(text) == pytest.approx(half, rel=1e-12, abs=0)


def test_half_digits_of_nested_numbers() -> None:
    np.testing.assert_allclose(half_digit((("0.1", 2.0), ("1.00", "nan"))), [[0.05, 0], [0.005, 0]])


@pytest.mark.parametrize(
    ("have", "want", "good"),
    [
        (2.04044, "2.0404", True),
        (2.04036, "2.0404", True),
        (2.04046, "2.0404", False),
        (2.04034, "2.0404", False),
        (-2.04044, "-2.0404", True),
        (2.04044, "-2.0404", False),
        (123.0, "1.2e2", True),
        (126.0, "1.2e2", False),
        (3.4, "3", True),
        (3.6, "3", False),
    ],
)
def test_text_matches_to_half_its_last_digit(have: float, want: str, good: bool) -> None:
    assert matches(f64(have), want) is good


@pytest.mark.parametrize(
    ("have", "want", "good"),
    [
        (np.nan, "nan", True),
        (np.inf, "inf", True),
        (-np.inf, "-inf", True),
        (np.inf, "nan", False),
        (-np.inf, "inf", False),
        (np.nan, "inf", False),
        (1.0, "nan", False),
        (np.nan, 1.0, False),
        (1e308, "inf", False),
        (np.inf, 1e308, False),
        ([np.nan, 1.0], ("nan", 1.0), True),
        ([np.nan, 1.1], ("nan", 1.0), False),
        ([1.0, np.nan], ("nan", 1.0), False),
    ],
)
def test_nan_and_infinity_stand_for_themselves(have, want, good: bool) -> None:
    assert matches(f64(have), want) is good


@pytest.mark.parametrize(
    ("have", "want"),
    [
        ([1.0], 1.0),
        (1.0, (1.0,)),
        ([[1.0], [1.0]], (1.0, 1.0)),
        ([1.0, 1.0, 1.0], (1.0, 1.0)),
        ([], 1.0),
    ],
)
def test_shapes_must_be_equal(have, want) -> None:
    assert not matches(f64(have), want)


def test_empty_is_empty() -> None:
    assert matches(f64([]), ())


@pytest.mark.parametrize(("dtype", "unit"), [("float32", 2.0**-24), ("float64", 2.0**-53)])
def test_an_exact_number_has_32_units_of_room(dtype: str, unit: float) -> None:
    assert matches(np.array(1 + 30 * unit, dtype), 1.0)
    assert not matches(np.array(1 + 36 * unit, dtype), 1.0)
    # The room is relative to the largest element.
    assert matches(np.array([8.0, 200 * unit], dtype), (8.0, 0.0))
    assert not matches(np.array([8.0, 300 * unit], dtype), (8.0, 0.0))


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_whole_numbers_have_no_room(dtype: str) -> None:
    assert matches(np.array([1, 0]).astype(dtype), (1.0, 0.0))
    assert not matches(np.array([1, 1]).astype(dtype), (1.0, 0.0))


def test_a_fact_matches_no_array_but_can_be_shown() -> None:
    assert not matches(f64(0.0), "RuntimeError")
    assert not matches(f64(0.0), "None")
    assert stated("RuntimeError") == "RuntimeError"
    assert stated((1.0, 2.5)) == "[1. , 2.5]"
    assert stated("2.0404") == "2.0404"


@hypothesis.given(FINITE, st.integers(0, 6))
def test_a_rounded_decimal_matches_what_it_was_rounded_from(value: float, digits: int) -> None:
    assert matches(f64(value), f"{value:.{digits}f}")
    assert not matches(f64(value + 1.1 * 10.0**-digits), f"{value:.{digits}f}")


@hypothesis.given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=5),
    st.sampled_from(["float32", "float64"]),
)
def test_a_number_matches_itself_in_each_precision(values: list[float], dtype: str) -> None:
    assert matches(np.array(values, dtype), tuple(values))


@hypothesis.given(st.lists(FINITE, min_size=1, max_size=5), st.integers(0, 4))
def test_one_wrong_element_is_seen(values: list[float], at: int) -> None:
    array = f64(values)
    array[at % len(values)] += 1e-3 * (1 + np.max(np.abs(array)))
    assert not matches(array, tuple(values))
