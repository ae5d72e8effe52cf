"""`parity.diagnosis.optimizer_step`: the optimizer told from its first step."""

import numpy as np
import pytest

from parity.diagnosis.optimizer_step import recognise_step, step_causes

RATES = (1e-4, 1e-3, 0.1)
SHAPE = (20, 30)
B1, B2 = float(np.float32(0.9)), float(np.float32(0.999))


def gradient(size: float, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    random = np.random.default_rng(3)
    return size * random.normal(size=shape) * 10.0 ** random.uniform(-2, 0, shape)


def weights(shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(4).uniform(-0.1, 0.1, shape)


def torch_adam(w, g, rate: float, eps: float):
    m, v = 0.1 * g, (1 - 0.999) * g * g
    return w - rate * (m / (1 - 0.9)) / (np.sqrt(v / (1 - 0.999)) + eps)


def keras_adam(w, g, rate: float, eps: float):
    m, v = 0.1 * g, (1 - 0.999) * g * g
    return w - rate * np.sqrt(1 - B2) / (1 - B1) * m / (np.sqrt(v) + eps)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize(
    ("step", "eps", "equation"),
    [
        (torch_adam, 1e-8, "torch"),
        (torch_adam, 1e-7, "torch"),
        (keras_adam, 1e-7, "keras"),
        (keras_adam, 1e-8, "keras"),
    ],
)
def test_adam(step, eps: float, equation: str, rate: float, size: float) -> None:
    w, g = weights(), gradient(size)
    found = recognise_step(w, step(w, g, rate, eps), g)
    if found is None:
        # Far below epsilon every Adam is SGD, to rounding: then none may be named.
        assert size <= 1e-9
        return
    assert found.settings["rule"] == "adam"
    assert (found.settings["equation"], found.settings["epsilon"]) == (equation, eps)
    assert found.learning_rate == pytest.approx(rate, rel=1e-6)
    assert found.error < 1e-8
    assert found.ratio <= 1


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("size", [1e-6, 1e-3, 1.0])
def test_sgd(rate: float, size: float) -> None:
    w, g = weights(), gradient(size)
    found = recognise_step(w, w - rate * g, g)
    assert found is not None
    assert found.settings["rule"] == "sgd"
    assert found.learning_rate == pytest.approx(rate, rel=1e-4)


def test_adam_is_recognised_where_many_gradients_are_zero() -> None:
    g = gradient(1e-3)
    g[::2] = 0
    found = recognise_step(weights(), torch_adam(weights(), g, 1e-3, 1e-8), g)
    assert found is not None
    assert found.settings["equation"] == "torch"


@pytest.mark.parametrize("size", [1e-12, 1e-6, 1e-3, 1.0])
@pytest.mark.parametrize(
    "change",
    [
        lambda w, g: -1e-3 * np.sign(g),
        lambda w, g: -1e-3 * (g + 0.01 * w),
        lambda w, g: torch_adam(w, g, 1e-3, 1e-6) - w,
        lambda w, g: torch_adam(w, g, 1e-3, 1e-8) - w - 1e-5 * w,
        lambda w, g: np.random.default_rng(9).normal(size=w.shape) * 1e-3,
    ],
    ids=["sign", "decay", "other-eps", "adamw", "noise"],
)
def test_an_unknown_equation_is_none(change, size: float) -> None:
    w, g = weights(), gradient(size)
    assert recognise_step(w, w + change(w, g), g) is None


def test_a_change_that_is_all_rounding_tells_nothing() -> None:
    noise = np.random.default_rng(9).normal(size=SHAPE) * 1e-16
    assert recognise_step(weights(), weights() + noise, gradient(1.0)) is None


def test_a_likeness_is_no_equation() -> None:
    w, g = np.full(SHAPE, 0.1), gradient(1.0)
    about = np.random.default_rng(9).uniform(0.9, 1.1, SHAPE)
    assert recognise_step(w, w - 1e-14 * g * about, g) is None


def test_one_weight_or_equal_gradients_fit_several_equations() -> None:
    one = weights((1,))
    assert recognise_step(one, one - 0.1, np.full(1, 0.5)) is None
    same = np.full(SHAPE, 0.5)
    assert recognise_step(weights(), torch_adam(weights(), same, 1e-3, 1e-8), same) is None


def test_no_change_and_no_gradient() -> None:
    w = weights()
    assert recognise_step(w, w, gradient(1.0)) is None
    assert recognise_step(w, w + 1e-3, np.zeros(SHAPE)) is None
    assert recognise_step(w[:0], w[:0], w[:0]) is None


# --- Why two steps differ -------------------------------------------------------------------------


def told(left, right) -> list[tuple[str, str]]:
    """Values of the causes, of a step from the same weights with the same gradient."""
    w, g = weights(), gradient(1e-3)
    causes = step_causes(
        "a/kernel", *(recognise_step(w, step(w, g, *more), g) for step, *more in (left, right))
    )
    assert {c.kind for c in causes} <= {"optimizer"}
    assert {c.left[0] for c in causes} <= {"a/kernel"}
    return [(c.left[1], c.right[1]) for c in causes]


def sgd(w, g, rate: float):
    return w - rate * g


def test_equation_epsilon_and_rate_are_causes_of_their_own() -> None:
    assert told((torch_adam, 1e-3, 1e-8), (keras_adam, 1e-2, 1e-7)) == [
        (
            "epsilon after the bias correction (PyTorch's equation)",
            "epsilon before the bias correction (Keras' equation)",
        ),
        ("learning rate 0.001", "learning rate 0.01"),
        ("epsilon 1e-08", "epsilon 1e-07"),
    ]
    assert told((torch_adam, 1e-3, 1e-8), (torch_adam, 1e-3, 1e-7)) == [
        ("epsilon 1e-08", "epsilon 1e-07")
    ]


def test_another_rule_is_the_one_cause_with_its_rate_not_compared() -> None:
    assert told((torch_adam, 1e-3, 1e-8), (sgd, 0.1)) == [("Adam", "SGD")]


def test_the_same_steps_have_no_cause() -> None:
    assert told((torch_adam, 1e-3, 1e-8), (torch_adam, 1e-3, 1e-8)) == []
    assert step_causes("a", None, None) == ()


def test_a_step_that_is_not_recognised_is_only_suspected() -> None:
    w, g = weights(), gradient(1e-3)
    (cause,) = step_causes("a", recognise_step(w, sgd(w, g, 0.1), g), None)
    assert (cause.left, cause.right, cause.status) == (("a", "SGD"), ("a", None), "suspected")
