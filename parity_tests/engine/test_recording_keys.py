"""`parity.core.recording_keys`: the grammar of keys, their rungs, and which steps are recorded."""

import hypothesis
import hypothesis.strategies as st
import pytest

from parity.core import recording_keys
from parity.core.errors import RecordingError


@pytest.mark.parametrize(
    ("key", "stage", "when", "rest", "level", "step"),
    [
        ("inputs/images", "inputs", "", "images", "L0", None),
        ("inputs/batches", "inputs", "", "batches", "L0", None),
        ("weights/initial/hidden/kernel", "weights", "initial", "hidden/kernel", "L0", 0),
        ("activations/step0/hidden", "activations", "step0", "hidden", "L1", 0),
        ("activations/step5/hidden", "activations", "step5", "hidden", "L4", 5),
        ("loss/step0", "loss", "step0", "", "L2", 0),
        ("loss/curve", "loss", "curve", "", "L4", None),
        ("loss/step7", "loss", "step7", "", "L4", 7),
        ("gradients/step0/hidden/bias", "gradients", "step0", "hidden/bias", "L2", 0),
        ("gradients/step1/hidden/bias", "gradients", "step1", "hidden/bias", "L4", 1),
        ("weights/step1/hidden/kernel", "weights", "step1", "hidden/kernel", "L3", 1),
        ("state/step1/hidden/kernel/m", "state", "step1", "hidden/kernel/m", "L3", 1),
        ("weights/step10/a.b-c_d", "weights", "step10", "a.b-c_d", "L4", 10),
        ("state/final/hidden/kernel/v", "state", "final", "hidden/kernel/v", "L4", None),
        ("weights/final/hidden/kernel", "weights", "final", "hidden/kernel", "L4", None),
        ("predictions/initial", "predictions", "", "initial", "L1", None),
        ("metrics/initial_loss", "metrics", "", "initial_loss", "L1", None),
        ("predictions/test", "predictions", "", "test", "L5", None),
        ("metrics/test_accuracy", "metrics", "", "test_accuracy", "L5", None),
        ("values/case/df_dx", "values", "", "case/df_dx", "values", None),
    ],
)
def test_parts_of_a_key(*, key, stage, when, rest, level, step) -> None:
    parsed = recording_keys.parse_key(key)
    assert (parsed.text, parsed.stage, parsed.when) == (key, stage, when)
    assert (parsed.rest, parsed.level, parsed.step) == (rest, level, step)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "weights",
        "values/",
        "/values/x",
        "values//x",
        "values/x y",
        "values/ü",
        "weight/step1/x",
        "Values/x",
        "values/x\n",
        "../values/x",
        "values/x/",
    ],
)
def test_keys_outside_the_grammar(key: str) -> None:
    with pytest.raises(RecordingError, match="not in the grammar: expected STAGE/NAME"):
        recording_keys.parse_key(key)


@pytest.mark.parametrize(
    "key",
    [
        "weights/hidden/kernel",
        "loss/total",
        "state/step/x",
        "gradients/stepone/x",
        "activations/step0.5/x",
    ],
)
def test_a_time_is_expected(key: str) -> None:
    with pytest.raises(RecordingError, match=rf"'{key}' says '.*' where a time was expected"):
        recording_keys.parse_key(key)


@hypothesis.given(
    st.sampled_from(("inputs", "predictions", "metrics", "values")),
    st.lists(st.from_regex(r"[A-Za-z0-9_.\-]+", fullmatch=True), min_size=1, max_size=4),
)
def test_every_name_of_the_alphabet_is_a_key(stage: str, parts: list[str]) -> None:
    parsed = recording_keys.parse_key("/".join((stage, *parts)))
    assert parsed.stage == stage
    assert parsed.rest == "/".join(parts)
    assert parsed.step is None


def test_every_level_has_a_title() -> None:
    assert set(recording_keys.LEVEL_TITLES) == {*recording_keys.LADDER, recording_keys.VALUES}


@pytest.mark.parametrize(
    ("total", "steps"),
    [
        (-1, ()),
        (0, ()),
        (1, (1,)),
        (4, (1, 2, 3, 4)),
        (60, (1, 2, 3, 5, 10, 20, 30, 50, 60)),
        (100, (1, 2, 3, 5, 10, 20, 30, 50, 100)),
    ],
)
def test_recorded_steps(total: int, steps: tuple[int, ...]) -> None:
    assert recording_keys.recorded_steps(total) == steps


@hypothesis.given(st.integers(1, 10**7))
def test_recorded_steps_are_few_ordered_and_reach_both_ends(total: int) -> None:
    steps = recording_keys.recorded_steps(total)
    assert list(steps) == sorted(set(steps))
    assert steps[0] == 1
    assert steps[-1] == total
    assert len(steps) <= 30
