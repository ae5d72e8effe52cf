"""`shared.initial_weights`: weights drawn in NumPy, exact in float32, and their nudge."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from parity.core.errors import DataError, UsageError
from parity.spec.example import GLOROT, HE, ZEROS, Initial, ParameterSpec
from parity.spec.expected import numbers
from parity.training.nudge import nudged
from shared.initial_weights import draw, drawn, fans

KERNEL = ParameterSpec("hidden/kernel", (300, 200), GLOROT)
BIAS = ParameterSpec("hidden/bias", (200,), ZEROS)


@pytest.mark.parametrize(
    ("shape", "expected"), [((3, 5), (3, 5)), ((2, 7, 3, 5), (42, 70)), ((4, 3, 5), (12, 20))]
)
def test_fans(shape: tuple[int, ...], expected: tuple[int, int]) -> None:
    assert fans(shape) == expected


@pytest.mark.parametrize("shape", [(), (5,)])
def test_fans_need_two_axes(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="needs two axes or more"):
        fans(shape)


def test_the_same_seed_draws_the_same_weights() -> None:
    np.testing.assert_array_equal(draw([KERNEL], 7)[KERNEL.name], draw([KERNEL], 7)[KERNEL.name])


def test_another_seed_or_name_draws_others() -> None:
    one = draw([KERNEL], 7)[KERNEL.name]
    renamed = ParameterSpec("other/kernel", KERNEL.shape, GLOROT)
    assert np.mean(one == draw([KERNEL], 8)[KERNEL.name]) < 0.01
    assert np.mean(one == draw([renamed], 7)[renamed.name]) < 0.01


def test_adding_a_layer_changes_no_other() -> None:
    alone = draw([KERNEL], 7)[KERNEL.name]
    np.testing.assert_array_equal(draw([BIAS, KERNEL], 7)[KERNEL.name], alone)


@pytest.mark.parametrize(
    "initial",
    [GLOROT, Initial("normal", 0.3), Initial("uniform", 0.3), Initial("constant", 0.1), HE],
)
def test_values_are_exact_in_float32(initial: Initial) -> None:
    values = draw([ParameterSpec("a/kernel", (30, 20), initial)], 1)["a/kernel"]
    assert values.dtype == np.float64
    assert values.shape == (30, 20)
    np.testing.assert_array_equal(values.astype(np.float32).astype(np.float64), values)


def test_distributions() -> None:
    def drawn(initial: Initial) -> np.ndarray:
        return draw([ParameterSpec("a/kernel", (300, 200), initial)], 1)["a/kernel"]

    bound = np.sqrt(6 / 500)
    glorot = drawn(GLOROT)
    assert 0.99 * bound < np.abs(glorot).max() <= bound * (1 + 1e-7)
    assert np.var(glorot) == pytest.approx(bound**2 / 3, rel=0.03)
    assert np.std(drawn(HE)) == pytest.approx(np.sqrt(2 / 200), rel=0.01)
    assert abs(glorot.mean()) < 0.01 * bound
    normal = drawn(Initial("normal", 0.3))
    assert normal.std() == pytest.approx(0.3, rel=0.02)
    assert np.abs(normal).max() > 0.9
    uniform = drawn(Initial("uniform", 0.25))
    assert 0.249 < np.abs(uniform).max() <= 0.25
    np.testing.assert_array_equal(drawn(Initial("constant", 0.5)), 0.5)


def test_an_unknown_kind_is_named() -> None:
    with pytest.raises(UsageError, match="No initialiser 'orthogonal': expected constant"):
        draw([ParameterSpec("a/kernel", (2, 3), Initial("orthogonal"))], 1)  # type: ignore[arg-type]


def test_a_nudge_moves_every_weight_by_one_ulp() -> None:
    ones = ParameterSpec("norm/gamma", (200,), Initial("constant", 1.0))
    weights = draw([KERNEL, ones], 7)
    moved = nudged(weights, 7)
    assert moved.keys() == weights.keys()
    for name, values in weights.items():
        down, up = np.nextafter(values, -np.inf), np.nextafter(values, np.inf)
        assert np.all((moved[name] == down) | (moved[name] == up))
        assert 0.3 < np.mean(moved[name] == up) < 0.7


def test_a_nudge_leaves_zeros_alone() -> None:
    """Their neighbours are subnormal, which one framework flushes and the other does not."""
    weights = draw([BIAS], 7)
    np.testing.assert_array_equal(nudged(weights, 7)[BIAS.name], np.zeros(200), strict=True)
    mixed = {"a/kernel": np.where(np.arange(200) % 2, 0.5, 0.0)}
    moved = nudged(mixed, 7)["a/kernel"]
    np.testing.assert_array_equal(moved == mixed["a/kernel"], mixed["a/kernel"] == 0)
    assert not moved[::2].any()


def test_a_nudge_is_reproducible_and_leaves_the_weights_alone() -> None:
    weights = draw([KERNEL], 7)
    before = weights[KERNEL.name].copy()
    first = nudged(weights, 7)[KERNEL.name]
    np.testing.assert_array_equal(first, nudged(weights, 7)[KERNEL.name])
    assert np.any(first != nudged(weights, 8)[KERNEL.name])
    np.testing.assert_array_equal(weights[KERNEL.name], before)


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 3, 4)])
def test_numbers_are_drawn_in_the_shape_asked_for(shape: tuple[int, ...]) -> None:
    assert numbers(drawn("x", shape)).shape == shape


def test_numbers_drawn_are_the_same_for_a_name() -> None:
    assert drawn("x", (4, 5)) == drawn("x", [4, 5]) == drawn("x", (4, 5), 1.0)
    one, other = numbers(drawn("x", (40, 50))), numbers(drawn("y", (40, 50)))
    assert np.mean(one == other) < 0.01
    # Another day, another machine: a spec whose numbers moved would be another question.
    assert drawn("x", (3,)) == (-0.9073569178581238, -0.4284003674983978, -1.0777748823165894)


def test_numbers_drawn_are_exact_in_float32() -> None:
    values = numbers(drawn("x", (30, 20), 0.3))
    np.testing.assert_array_equal(values.astype(np.float32).astype(np.float64), values)


@pytest.mark.parametrize("scale", [1.0, 0.25, 100.0])
def test_numbers_drawn_are_normal(scale: float) -> None:
    values = numbers(drawn("x", (200, 200), scale))
    assert values.std() == pytest.approx(scale, rel=0.02)
    assert abs(values.mean()) < 0.02 * scale
    assert np.abs(values).max() > 3.5 * scale
    np.testing.assert_allclose(values, scale * numbers(drawn("x", (200, 200))), rtol=1e-6)


@pytest.fixture
def pretrained(tmp_path, monkeypatch):
    """A file of pretrained arrays, of which one is not exact in float32."""
    save_file({"hidden/kernel": np.full((2, 3), 0.1)}, tmp_path / "some.safetensors")
    monkeypatch.setattr("shared.initial_weights.PRETRAINED", tmp_path)
    return tmp_path


def loaded(name: str = "hidden/kernel", shape: tuple[int, ...] = (2, 3), file: str = "some"):
    initial = Initial("file", file=f"{file}.safetensors")
    return draw([ParameterSpec(name, shape, initial)], 7)[name]


def test_pretrained_weights_are_read_by_name(pretrained) -> None:
    np.testing.assert_array_equal(loaded(), np.full((2, 3), np.float64(np.float32(0.1))))
    assert loaded().dtype == np.float64


def test_pretrained_weights_that_are_not_there(pretrained) -> None:
    with pytest.raises(DataError, match=r"no pretrained 'other/kernel' can be read.*with git"):
        loaded("other/kernel")
    with pytest.raises(DataError, match=r"none\.safetensors: no pretrained 'hidden/kernel'"):
        loaded(file="none")
    with pytest.raises(DataError, match=r"'hidden/kernel' has shape \(2, 3\), expected \(3, 2\)"):
        loaded(shape=(3, 2))
    (pretrained / "some.safetensors").write_bytes(b"not a safetensors file")
    with pytest.raises(DataError, match="restore it with git"):
        loaded()
