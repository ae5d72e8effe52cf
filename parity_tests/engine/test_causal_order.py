"""`parity.comparator.causal_order`: causes before effects; independent faults guilty, no effect."""

import hypothesis
import hypothesis.strategies as st
import pytest

from parity.comparator.causal_order import affects, guilty, order
from parity.core.recording_keys import parse_key

LAYERS = ("flatten", "hidden", "relu", "logits")
CHAIN = (
    "inputs/images",
    "weights/initial/hidden/kernel",
    "activations/step0/hidden",
    "predictions/initial",
    "metrics/initial_loss",
    "loss/step0",
    "gradients/step0/hidden/kernel",
    "state/step1/hidden/kernel/m",
    "weights/step1/hidden/kernel",
    "activations/step2/hidden",
    "gradients/step2/hidden/kernel",
    "state/step2/hidden/kernel/m",
    "weights/step2/hidden/kernel",
    "loss/step3",
    "weights/step10/hidden/kernel",
    "weights/final/hidden/kernel",
    "predictions/test",
    "metrics/test_accuracy",
)


def blamed(*failing: str, steps: dict[str, int] | None = None) -> set[str]:
    """Guilty keys among `failing`, whatever their order."""
    at = {key: (steps or {}).get(key) for key in failing}
    result = guilty(at, failing, LAYERS)
    assert result == guilty(at, failing[::-1], LAYERS)
    return result


def test_the_order_of_stages() -> None:
    ranks = [order(parse_key(key), parse_key(key).step) for key in CHAIN]
    assert ranks == sorted(ranks)
    assert len(set(ranks)) == len(ranks)


def test_values_stand_first_and_curves_at_their_step() -> None:
    assert order(parse_key("values/a/b"), None) == (0, 0, 0)
    assert order(parse_key("loss/curve"), None) < order(parse_key("loss/curve"), 2)
    assert order(parse_key("weights/step5/a"), 5) < order(parse_key("loss/curve"), 6)
    assert order(parse_key("loss/curve"), 5) < order(parse_key("weights/step5/a"), 5)
    assert order(parse_key("weights/step1/a"), 1) < order(parse_key("loss/curve"), 2)
    first = [
        ("loss/step0", 0),
        ("loss/curve", 1),
        ("gradients/step0/a", 0),
        ("state/step1/a/m", 1),
        ("weights/step1/a", 1),
    ]
    ranks = [order(parse_key(key), step) for key, step in first]
    assert ranks == sorted(set(ranks)), "the first loss comes before the first update"
    assert order(parse_key("state/final/a/m"), None) == order(parse_key("weights/final/a"), None)


@pytest.mark.parametrize(
    ("cause", "effect"),
    [
        ("inputs/images", "activations/step0/hidden"),
        ("inputs/labels", "loss/step0"),
        ("inputs/batches", "loss/curve"),
        ("weights/initial/hidden/kernel", "activations/step0/hidden"),
        ("weights/initial/hidden/kernel", "activations/step0/logits"),
        ("weights/initial/hidden/kernel", "gradients/step0/logits/kernel"),
        ("weights/initial/hidden/kernel", "weights/step1/hidden/kernel"),
        ("activations/step0/hidden", "activations/step0/relu"),
        ("activations/step0/hidden", "loss/step0"),
        ("activations/step0/logits", "predictions/initial"),
        ("activations/step0/hidden", "metrics/initial_loss"),
        ("weights/initial/logits/kernel", "predictions/initial"),
        ("predictions/initial", "metrics/initial_loss"),
        ("predictions/initial", "predictions/test"),
        ("loss/step0", "gradients/step0/logits/kernel"),
        ("gradients/step0/logits/kernel", "gradients/step0/hidden/bias"),
        ("gradients/step0/hidden/kernel", "state/step1/hidden/kernel/m"),
        ("gradients/step0/hidden/kernel", "weights/step1/hidden/kernel"),
        ("state/step1/hidden/kernel/m", "weights/step1/hidden/kernel"),
        ("state/step1/iterations", "weights/step1/hidden/kernel"),
        ("weights/step1/hidden/kernel", "weights/step2/logits/kernel"),
        ("weights/step1/hidden/kernel", "loss/curve"),
        ("weights/step2/hidden/kernel", "weights/final/hidden/bias"),
        ("weights/final/hidden/kernel", "predictions/test"),
        ("predictions/test", "metrics/test_accuracy"),
        ("gradients/step0/unknown/kernel", "state/step1/unknown/kernel/m"),
    ],
)
def test_a_cause_has_this_effect(cause: str, effect: str) -> None:
    steps = {"loss/curve": 2}
    assert affects(parse_key(cause), parse_key(effect), LAYERS, steps)
    assert not affects(parse_key(effect), parse_key(cause), LAYERS, steps)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("inputs/labels", "activations/step0/hidden"),
        ("inputs/batches", "activations/step0/hidden"),
        ("inputs/images", "weights/initial/hidden/kernel"),
        ("weights/initial/logits/kernel", "activations/step0/hidden"),
        ("weights/initial/logits/kernel", "weights/step1/hidden/kernel"),
        ("gradients/step0/hidden/kernel", "gradients/step0/hidden/bias"),
        ("gradients/step0/hidden/kernel", "state/step1/hidden/bias/m"),
        ("gradients/step0/hidden/kernel", "weights/step1/hidden/bias"),
        ("gradients/step0/hidden/bias", "weights/step1/hidden/bias_hh"),
        ("state/step1/hidden/kernel/m", "state/step1/hidden/kernel/v"),
        ("state/step1/hidden/kernel/m", "weights/step1/logits/kernel"),
        ("weights/step1/hidden/kernel", "weights/step1/hidden/bias"),
        ("weights/step3/hidden/kernel", "weights/step3/logits/kernel"),
        ("activations/step0/a", "activations/step0/b"),
        ("values/a/b", "values/c/d"),
        ("values/a/b", "metrics/x"),
        ("weights/final/hidden/kernel", "state/final/hidden/kernel/m"),
        ("weights/initial/hidden/kernel", "weights/initial/hidden/bias"),
    ],
)
def test_these_do_not_affect_each_other(one: str, other: str) -> None:
    assert not affects(parse_key(one), parse_key(other), LAYERS)
    assert not affects(parse_key(other), parse_key(one), LAYERS)


def test_only_the_first_of_a_chain_is_guilty() -> None:
    for start in range(len(CHAIN)):
        # What is predicted before training is no part of the way to the trained weights.
        aside = ("inputs/", "predictions/initial", "metrics/initial")
        chain = [key for key in CHAIN[start:] if not key.startswith(aside)]
        assert blamed(*chain) == {chain[0]}


@pytest.mark.parametrize("effect", ["loss/step0", "gradients/step0/logits/bias", "loss/curve"])
def test_a_fault_of_evaluation_hides_none_of_training(effect: str) -> None:
    assert blamed("predictions/initial", effect) == {"predictions/initial", effect}
    assert blamed("metrics/initial_loss", effect) == {"metrics/initial_loss", effect}
    assert blamed("predictions/initial", "predictions/test") == {"predictions/initial"}


def test_independent_faults_are_both_guilty() -> None:
    assert blamed(
        "activations/step0/relu", "activations/step0/logits", "weights/initial/logits/kernel"
    ) == {"activations/step0/relu", "weights/initial/logits/kernel"}
    assert blamed(
        "gradients/step0/hidden/kernel", "gradients/step0/hidden/bias", "weights/step1/hidden/bias"
    ) == {"gradients/step0/hidden/kernel", "gradients/step0/hidden/bias"}
    assert blamed("values/a/b", "values/a/c") == {"values/a/b", "values/a/c"}


def test_gradients_flow_backwards() -> None:
    keys = [f"gradients/step0/{layer}/kernel" for layer in ("hidden", "logits")]
    assert blamed(*keys) == {"gradients/step0/logits/kernel"}


def test_a_curve_is_judged_at_the_step_where_it_fails() -> None:
    keys = ("weights/step5/hidden/kernel", "loss/curve", "weights/step10/hidden/kernel")
    assert blamed(*keys, steps={"loss/curve": 6}) == {keys[0]}
    assert blamed(*keys, steps={"loss/curve": 5}) == {"loss/curve"}
    assert blamed(*keys[1:], steps={"loss/curve": 6}) == {"loss/curve"}


def test_a_curve_that_fails_at_once_causes_the_first_update() -> None:
    update = ("state/step1/hidden/kernel/m", "weights/step1/hidden/kernel")
    for effect in update:
        assert affects(parse_key("loss/curve"), parse_key(effect), LAYERS, {"loss/curve": 1})
        assert not affects(parse_key(effect), parse_key("loss/curve"), LAYERS, {"loss/curve": 1})
        assert not affects(parse_key("loss/curve"), parse_key(effect), LAYERS, {"loss/curve": 2})
    assert blamed("loss/curve", *update, steps={"loss/curve": 1}) == {"loss/curve"}
    assert blamed("loss/curve", *update, steps={"loss/curve": 2}) == {update[0]}
    for cause in ("activations/step0/hidden", "loss/step0"):
        assert blamed(cause, "loss/curve", *update, steps={"loss/curve": 1}) == {cause}


FIRST_STEP = (
    "loss/step0",
    "gradients/step0/hidden/kernel",
    "state/step1/hidden/kernel/m",
    "weights/step1/hidden/kernel",
)
LATER = (
    "weights/step10/hidden/kernel",
    "loss/curve",
    "weights/final/hidden/kernel",
    "predictions/test",
    "metrics/test_accuracy",
)


@pytest.mark.parametrize("effect", FIRST_STEP)
def test_a_later_batch_does_not_explain_the_first_step(effect: str) -> None:
    cause = "inputs/batches"
    for step in (2, 5):
        steps = {cause: step, effect: parse_key(effect).step}
        assert not affects(parse_key(cause), parse_key(effect), LAYERS, steps)
        assert blamed(cause, effect, steps=steps) == {cause, effect}
    for steps in ({cause: 1}, {}):
        assert affects(parse_key(cause), parse_key(effect), LAYERS, steps)
        assert blamed(cause, effect, steps=steps) == {cause}


@pytest.mark.parametrize("effect", ["predictions/initial", "metrics/initial_loss"])
def test_a_later_batch_does_not_explain_what_was_predicted_before_training(effect: str) -> None:
    assert blamed("inputs/batches", effect, steps={"inputs/batches": 2}) == {
        "inputs/batches",
        effect,
    }


@pytest.mark.parametrize("effect", LATER)
def test_a_later_batch_explains_what_comes_after_it(effect: str) -> None:
    steps = {"inputs/batches": 5, effect: 10}
    assert blamed("inputs/batches", effect, steps=steps) == {"inputs/batches"}


def test_a_later_batch_and_a_fault_of_the_first_step_are_two_faults() -> None:
    failing = ("inputs/batches", *FIRST_STEP, *LATER)
    steps = dict.fromkeys(LATER, 10)
    assert blamed(*failing, steps=steps | {"inputs/batches": 2}) == {"inputs/batches", "loss/step0"}
    assert blamed(*failing, steps=steps | {"inputs/batches": 1}) == {"inputs/batches"}
    assert blamed(*failing, steps=steps) == {"inputs/batches"}


@pytest.mark.parametrize("cause", ["inputs/images", "inputs/labels"])
def test_only_batches_have_a_step_of_their_own(cause: str) -> None:
    assert blamed(cause, *FIRST_STEP, steps={cause: 5}) == {cause}


def test_keys_that_do_not_fail_are_never_guilty() -> None:
    failing = {"weights/step1/hidden/kernel": 1}
    assert guilty(failing, CHAIN, LAYERS) == set(failing)
    assert guilty({}, CHAIN, LAYERS) == set()


@hypothesis.given(
    st.sets(
        st.sampled_from(
            [
                *CHAIN,
                "inputs/labels",
                "loss/curve",
                "values/a/b",
                "gradients/step0/logits/kernel",
                "weights/step1/logits/bias",
                "activations/step0/relu",
            ]
        ),
        min_size=1,
    )
)
def test_where_something_fails_something_is_guilty(failing: set[str]) -> None:
    found = blamed(*sorted(failing))
    assert found
    assert found <= failing
