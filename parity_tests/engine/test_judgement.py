"""`parity.verdict.judgement`: rungs, pairs, contrasts, causes in words, and JSON."""

import dataclasses
import json

import numpy as np
import pytest

from parity.comparator.compare import Question
from parity.reference.optimizers import keras_adam
from parity.spec.cases import Case, Known
from parity.spec.example import GLOROT, VALUE_PAIR, ComparedPair, ExampleSpec, Mask, ParameterSpec
from parity.verdict import judgement
from parity.verdict.judgement import (
    ExampleVerdict,
    PairVerdict,
    example_json,
    expected_of,
    judge_pair,
    pair_json,
    question,
    required_keys,
)
from shared.suite import SUITE

KEY = "values/ease/y"
Y = np.array([2.0, 4.0])
STEP1 = "weights/step1/hidden/kernel"
PAIR = ComparedPair("matched", "left ~ right", "torch/loop", "keras/tape")


@pytest.fixture
def judged(runs, training_spec):
    """``judged(right, left=…)``: the verdict on a training whose right side is `right`."""

    def make(right: dict, left: dict, pair: ComparedPair = PAIR, **more: object) -> PairVerdict:
        sides = (runs("torch", left, **more), runs("keras", right))
        return judge_pair(pair, *sides, question(training_spec, pair, SUITE.load))

    return make


@pytest.fixture
def whole(training_spec, runs, trained):
    """``whole(tape, fit, contrast)``: the example's verdict; each side is trained() by default."""

    def make(tape=None, fit=None, loop=None, **more: object) -> ExampleVerdict:
        ways = {
            "torch/loop": runs("torch", trained() if loop is None else loop),
            "keras/tape": runs("keras", trained() if tape is None else tape),
            "keras/fit": runs(
                "keras/fit", other_step(trained()) if fit is None else fit, side="keras"
            ),
        }
        pairs = tuple(
            judge_pair(p, ways[p.left], ways[p.right], question(training_spec, p, SUITE.load))
            for p in training_spec.pairs
            if p.name != "fit"
        )
        return ExampleVerdict(training_spec, pairs, **more)  # type: ignore[arg-type]

    return make


def other_step(arrays: dict) -> dict:
    """From the first optimizer step on, weights are others: what a contrast should show.

    The first loss, and what is predicted before training, come before it and stay.
    """
    moved = ("weights/step", "weights/final", "predictions/test")
    curve = arrays["loss/curve"] * np.where(np.arange(len(arrays["loss/curve"])), 1.01, 1)
    return {k: v * 1.01 if k.startswith(moved) else v for k, v in arrays.items()} | {
        "loss/curve": curve
    }


# --- Levels ---------------------------------------------------------------------------------------


def test_identical_sides_agree_on_every_rung(judged, trained) -> None:
    result = judged(trained(), trained())
    assert result.verdict == "agree"
    assert {level: state.status for level, state in result.levels.items()} == dict.fromkeys(
        ("L0", "L1", "L2", "L3", "L4", "L5"), "identical"
    )
    assert [state.keys for state in result.levels.values()] == [5, 4, 3, 4, 13, 3]
    assert (result.first, result.text, result.others) == (None, "", ())
    assert (result.horizon, result.last_step) == (None, 20)
    assert result.as_expected


def test_rounding_agrees_and_names_the_worst_key(judged, trained) -> None:
    right = trained()
    right["gradients/step0/hidden/kernel"] = right["gradients/step0/hidden/kernel"] * (1 + 2.0**-52)
    right["gradients/step0/hidden/bias"] = right["gradients/step0/hidden/bias"] * (1 + 2.0**-50)
    result = judged(right, trained())
    assert result.verdict == "agree"
    level = result.levels["L2"]
    assert (level.status, level.worst_key) == ("rounding", "gradients/step0/hidden/bias")
    assert 0 < level.worst_ratio < 1
    assert result.levels["L1"].status == "identical"


def test_a_pair_may_have_to_be_equal_bit_for_bit(judged, trained):
    key, strict = "weights/step5/hidden/kernel", dataclasses.replace(PAIR, identical=True)
    off = trained()
    off[key] = off[key].copy()
    off[key][2, 1] = np.nextafter(off[key][2, 1], 9)
    far = trained() | {"loss/curve": 2 * trained()["loss/curve"]}  # nothing is within the horizon
    assert judged(off, trained(), PAIR).verdict == "agree"
    assert judged(off, trained(), PAIR, nudged=far).verdict == "undecided"
    for more in ({}, {"nudged": far}):
        result = judged(off, trained(), strict, **more)
        assert (result.verdict, result.first.key, result.first.rule) == ("differ", key, "bits")
        assert "of this pair every number must be exactly equal, to the last bit" in result.text
        assert not result.causes
        assert judged(trained(), trained(), strict, **more).as_expected


@pytest.mark.parametrize(
    ("key", "level"),
    [
        ("inputs/images", "L0"),
        ("weights/initial/hidden/kernel", "L0"),
        ("activations/step0/relu", "L1"),
        ("predictions/initial", "L1"),
        ("metrics/initial_loss", "L1"),
        ("loss/step0", "L2"),
        ("gradients/step0/hidden/bias", "L2"),
        ("state/step1/hidden/kernel/m", "L3"),
        (STEP1, "L3"),
        ("weights/step5/hidden/bias", "L4"),
        ("loss/curve", "L4"),
        ("weights/final/hidden/kernel", "L4"),
        ("predictions/test", "L5"),
        ("metrics/test_loss", "L5"),
    ],
)
def test_one_fault_makes_its_rung_and_the_pair_differ(judged, trained, key, level) -> None:
    right = trained()
    right[key] = right[key] * 1.001
    result = judged(right, trained())
    assert result.verdict == "differ"
    assert not result.as_expected
    assert [lv for lv, state in result.levels.items() if state.status == "different"] == [level]
    assert result.levels[level].worst_key == key
    assert result.first is not None
    assert (result.first.key, result.first.guilty) == (key, True)
    assert key in result.text
    assert pair_json(result)["first_divergence"]["key"] == key


def test_a_failing_key_without_a_ratio_is_worse_than_any_number(judged, trained) -> None:
    right = trained()
    right["gradients/step0/hidden/kernel"] = right["gradients/step0/hidden/kernel"] * 2
    del right["gradients/step0/hidden/bias"]
    level = judged(right, trained()).levels["L2"]
    assert (level.status, level.worst_key, level.worst_ratio) == (
        "different",
        "gradients/step0/hidden/bias",
        None,
    )


def test_agreeing_keys_are_never_worse_than_failing_ones(runs) -> None:
    left = {"inputs/a": np.array([1]), "inputs/b": np.array([1])}
    right = {"inputs/a": np.array([1]), "inputs/b": np.array([2])}
    result = judge_pair(PAIR, runs("torch", left), runs("keras", right), Question())
    assert result.levels["L0"].worst_key == "inputs/b"


def test_a_wrong_number_is_worse_than_rounding(runs, values_spec) -> None:
    more = "values/ease/z"
    left = runs("torch", {KEY: Y + 1, more: Y})
    right = runs("keras", {KEY: Y + 1, more: Y * (1 + 2.0**-50)})
    result = judge_pair(VALUE_PAIR, left, right, question(values_spec, VALUE_PAIR, SUITE.load))
    assert {f.key: f.status for f in result.findings} == {KEY: "wrong", more: "rounding"}
    assert result.levels["values"].worst_key == KEY


def test_a_rung_without_keys_is_undecided(runs) -> None:
    some = {"loss/step0": np.array(1.0)}
    result = judge_pair(PAIR, runs("torch", some), runs("keras", some), Question(("L2", "L3")))
    assert {k: v.status for k, v in result.levels.items()} == {"L2": "identical", "L3": "undecided"}
    assert result.verdict == "undecided"
    assert result.levels["L3"].keys == 0
    assert not result.as_expected


def test_no_keys_at_all_are_undecided(runs) -> None:
    result = judge_pair(PAIR, runs("torch", {}), runs("keras", {}), Question())
    assert (result.verdict, result.levels) == ("undecided", {})


def test_levels_that_nobody_asked_for_are_those_present(runs) -> None:
    some = {KEY: Y, "metrics/m": np.array(1.0), "inputs/a": Y}
    result = judge_pair(PAIR, runs("torch", some), runs("keras", some), Question())
    assert list(result.levels) == ["values", "L0", "L5"]


def test_a_required_key_that_both_sides_lack(judged, trained) -> None:
    for key in ("inputs/batches", "loss/curve", "predictions/test", "metrics/test_accuracy"):
        some = trained()
        del some[key]
        result = judged(dict(some), dict(some))
        assert result.verdict == "differ"
        assert "though the example requires it" in result.text


def test_a_known_difference_shows_on_its_rung(runs, values_spec) -> None:
    listed = Known("values/ease/edge", torch=0.0, keras=1.0, reason="why", link="where")
    spec = dataclasses.replace(values_spec, known=(listed,))
    left = runs("torch", {KEY: Y, "values/ease/edge": np.array(0.0)})
    right = runs("keras", {KEY: Y, "values/ease/edge": np.array(1.0)})
    result = judge_pair(VALUE_PAIR, left, right, question(spec, VALUE_PAIR, SUITE.load))
    assert (result.verdict, result.levels["values"].status) == ("agree", "known")
    equal = runs("keras", {KEY: Y, "values/ease/edge": np.array(0.0)})
    gone = judge_pair(VALUE_PAIR, left, equal, question(spec, VALUE_PAIR, SUITE.load))
    assert (gone.verdict, gone.first.status) == ("differ", "stale")
    absent = judge_pair(
        VALUE_PAIR,
        runs("torch", {KEY: Y}),
        runs("keras", {KEY: Y}),
        question(spec, VALUE_PAIR, SUITE.load),
    )
    assert absent.verdict == "differ"


# --- What is asked --------------------------------------------------------------------------------


def test_the_question_of_a_values_example(values_spec: ExampleSpec) -> None:
    spec = dataclasses.replace(values_spec, nonfinite=("values/ease/z",))
    asked = question(spec, VALUE_PAIR, SUITE.load)
    assert asked == Question(
        levels=("values",),
        required=(KEY,),
        expected={KEY: (2.0, 4.0)},
        nonfinite=("values/ease/z",),
    )


def gathered(x: np.ndarray, at: np.ndarray) -> dict[str, np.ndarray]:
    """A reference: rows of `x`, their sum, and how many."""
    assert (x.dtype, at.dtype) == (np.float64, np.int64)
    return {"rows": x[at], "sum": x[at].sum(), "count": len(at), "lost": np.array([np.nan])}


GATHER = Case(
    "gather",
    {"x": ((1.0, "0.5"), (3, 4.0))},
    {"flag": True},
    integers={"at": (1, 0, 1)},
    reference=gathered,
)


def test_what_is_expected_is_what_is_stated() -> None:
    case = Case("ease", {"x": 1.0}, {"y": "2.04", "raised": "RuntimeError", "z": (1, 2)})
    assert expected_of(case, SUITE.load) == case.expected
    assert expected_of(case, SUITE.load) is not case.expected
    assert expected_of(Case("ease", {"x": 1.0}), SUITE.load) == {}


def test_what_is_expected_is_what_the_reference_gives() -> None:
    expected = expected_of(GATHER, SUITE.load)
    assert list(expected) == ["rows", "sum", "count", "lost", "flag"]
    assert expected["rows"] == ((3.0, 4.0), (1.0, 0.5), (3.0, 4.0))
    assert (expected["sum"], expected["count"], expected["flag"]) == (15.5, 3.0, True)
    assert np.isnan(expected["lost"])


def test_what_is_stated_outweighs_the_reference() -> None:
    case = dataclasses.replace(GATHER, expected={"sum": "15.5"})
    assert expected_of(case, SUITE.load)["sum"] == "15.5"
    assert expected_of(case, SUITE.load)["count"] == 3.0


def test_a_reference_gets_its_arguments_by_name_and_in_canonical_layout() -> None:
    def reference(**arrays: np.ndarray) -> dict[str, object]:
        assert list(arrays) == ["kernel", "labels"]
        assert arrays["kernel"].shape == (1, 3)
        return {}

    case = Case(
        "ease",
        {"kernel": ((1, 2, 3),)},
        integers={"labels": (1,)},
        roles={"kernel": "dense/kernel"},
        reference=reference,
    )
    assert expected_of(case, SUITE.load) == {}


def test_the_numbers_of_a_reference_are_required_and_asked_for(values_spec) -> None:
    spec = dataclasses.replace(
        values_spec, cases=(*values_spec.cases, GATHER), nonfinite=("values/gather/lost",)
    )
    keys = [f"values/gather/{name}" for name in ("rows", "sum", "count", "lost", "flag")]
    assert required_keys(spec, SUITE.load) == (KEY, *keys)
    asked = question(spec, VALUE_PAIR, SUITE.load)
    assert asked.required == (KEY, *keys)
    assert list(asked.expected) == [KEY, *keys]
    assert asked.expected["values/gather/sum"] == 15.5


def test_a_reference_is_a_witness_to_rounding(runs, values_spec) -> None:
    spec = dataclasses.replace(values_spec, cases=(GATHER,), nonfinite=("values/gather/lost",))
    asked = question(spec, VALUE_PAIR, SUITE.load)
    rows = np.array([[3, 4], [1, 0.5], [3, 4]])
    good = {"rows": rows, "sum": np.array(15.5), "count": np.array(3), "lost": np.array([np.nan])}

    def judged(left: dict, right: dict) -> PairVerdict:
        sides = [
            runs(
                t,
                {f"values/gather/{k}": v for k, v in (good | some).items()},
                facts={"values/gather/flag": "True"},
            )
            for t, some in (("torch", left), ("keras", right))
        ]
        return judge_pair(VALUE_PAIR, *sides, asked)

    assert judged({}, {}).verdict == "agree"
    assert judged({"sum": np.array(15.5 * (1 + 2.0**-50))}, {}).verdict == "agree"
    wrong = {"rows": rows[:, ::-1].copy()}
    result = judged(wrong, wrong)
    assert (result.verdict, result.first.status) == ("differ", "wrong")
    assert result.first.key == "values/gather/rows"
    assert "torch and keras are off" in result.text
    assert "so keras is wrong" in judged({}, {"sum": np.array(15.6)}).text


def test_the_question_of_a_trained_example(training_spec: ExampleSpec) -> None:
    asked = question(training_spec, training_spec.pairs[0], SUITE.load)
    assert asked.layers == ("hidden", "relu")
    assert asked.required == required_keys(training_spec, SUITE.load)
    short = question(training_spec, dataclasses.replace(PAIR, levels=("L1", "L2")), SUITE.load)
    assert short.required == (
        "activations/step0/hidden",
        "activations/step0/relu",
        "predictions/initial",
        "metrics/initial_loss",
        "loss/step0",
        "gradients/step0/hidden/kernel",
        "gradients/step0/hidden/bias",
    )


def test_a_whole_recording_has_every_required_key(training_spec, trained) -> None:
    assert set(required_keys(training_spec, SUITE.load)) <= set(trained())


# --- Words and causes -----------------------------------------------------------------------------


def test_the_first_divergence_comes_with_its_proven_cause(judged, trained) -> None:
    right = trained()
    right["gradients/step0/hidden/kernel"] = right["gradients/step0/hidden/kernel"] * 4
    result = judged(right, trained())
    assert "would agree with C ≥" in result.text
    assert "keras's is 4 × torch's everywhere" in result.text


def test_transposed_shapes_come_with_their_cause(judged, trained) -> None:
    right = trained()
    right["activations/step0/hidden"] = right["activations/step0/hidden"].T
    result = judged(right, trained())
    assert "they are transposes" in result.text
    assert "with axes transposed (1, 0)" in result.text


def test_a_noisy_side_comes_with_its_unit(runs, trained) -> None:
    arrays = trained()
    low = {k: v.astype("f4") if v.dtype.kind == "f" else v for k, v in arrays.items()}
    rough = low["activations/step0/hidden"].copy()
    rough[0] *= np.float32(1 + 2.0**-8)
    result = judge_pair(
        PAIR,
        runs("torch", arrays, low | {"activations/step0/hidden": rough}),
        runs("keras", arrays, low),
        Question(),
    )
    assert result.first.status == "noisy"
    assert "torch computes in a lower precision" in result.text
    assert "the size of bfloat16" in result.text


def test_a_restless_side_is_not_called_coarse(runs) -> None:
    zeros, key = np.zeros(20), "weights/final/a/kernel"
    left = runs("torch", {key: zeros}, {key: np.float32(zeros + 1e-9)}, {key: zeros + 1e-300})
    right = runs("keras", {key: zeros}, {key: np.float32(zeros)}, {key: zeros})
    result = judge_pair(PAIR, left, right, Question())
    assert (result.first.status, result.first.rule) == ("noisy", "restless")
    assert "not the same program twice" in result.text
    assert "float32 is off" not in result.text
    dump(pair_json(result))


def test_a_sudden_departure_is_not_called_coarse(runs, trained) -> None:
    arrays = trained()
    arrays["loss/curve"] = np.linspace(1.0, 0.5, 20).astype("f4").astype("f8")
    low = {k: v.astype("f4") if v.dtype.kind == "f" else v for k, v in arrays.items()}
    late = low | {"loss/curve": low["loss/curve"] + np.float32(0.01) * (np.arange(20) >= 11)}
    result = judge_pair(PAIR, runs("torch", arrays, low), runs("keras", arrays, late), Question())
    assert result.verdict == "differ"
    assert (result.first.key, result.first.status, result.first.rule) == (
        "loss/curve",
        "noisy",
        "sudden",
    )
    assert "loss/curve at step 12: keras's float32 leaves its float64 all at once" in result.text
    assert "float32 is off" not in result.text
    assert pair_json(result)["first_divergence"]["step"] == 12
    dump(pair_json(result))


def test_a_fault_of_evaluation_alone_shows_before_training(judged, trained) -> None:
    right = trained()
    for key in (
        "predictions/initial",
        "metrics/initial_loss",
        "predictions/test",
        "metrics/test_loss",
    ):
        right[key] = right[key] * 1.001
    result = judged(right, trained())
    assert (result.first.key, result.others) == ("predictions/initial", ())
    assert [k for k, level in result.levels.items() if level.status == "different"] == ["L1", "L5"]


@pytest.mark.parametrize("key", ["predictions/initial", "metrics/initial_loss"])
def test_what_was_not_predicted_before_training_is_missing(judged, trained, key: str) -> None:
    right, left = trained(), trained()
    del right[key]
    result = judged(right, left)
    assert (result.verdict, result.first.key, result.first.status) == ("differ", key, "missing")
    del left[key]
    result = judged(right, left)
    assert (result.verdict, result.first.key, result.first.sides) == (
        "differ",
        key,
        ("torch", "keras"),
    )


def test_a_first_step_names_both_optimizers(judged, trained) -> None:
    right = trained()
    gradient = right["gradients/step0/hidden/kernel"]
    right[STEP1] = right["weights/initial/hidden/kernel"] - 0.01 * gradient
    text = judged(right, trained()).text
    assert "torch's first step is Adam, ε = 1e-08 after the bias correction" in text
    assert "with learning rate 0.001 " in text
    assert "keras's first step is SGD with learning rate 0.01 " in text
    right[STEP1] = right[STEP1] - 1e-3 * np.sign(gradient)
    assert "keras's first step fits none" in judged(right, trained()).text


CAUSE = {"layers": 1, "status": "confirmed", "share": None, "fix": ""}
"""What the causes of a recording's first divergence have in common in JSON."""


def keras_step(arrays: dict, rate: float, epsilon: float) -> dict:
    """The arrays of a side whose first step is Keras' own Adam, as in `fashion_mlp`'s contrast."""
    change = keras_adam(eps=epsilon)
    moved = {}
    for name in ("hidden/kernel", "hidden/bias"):
        before, gradient = arrays[f"weights/initial/{name}"], arrays[f"gradients/step0/{name}"]
        moved[f"weights/step1/{name}"] = before + change(before, gradient, {}, 1, rate)
    return arrays | moved


def causes(result: PairVerdict) -> list:
    """The causes of a pair's document, without their ratio, which must be one of a proof."""
    document = json.loads(dump(pair_json(result)))
    assert document["causes"] == document["first_divergence"]["causes"]
    ratios = [cause.pop("residual_ratio") for cause in document["causes"]]
    assert all(0 <= ratio <= 1 for ratio in ratios)
    return document["causes"]


def test_the_contrast_of_two_adams_has_its_causes_as_data(judged, trained) -> None:
    result = judged(keras_step(trained(), 1e-3, 1e-7), trained())
    assert (result.verdict, result.first.key) == ("differ", "weights/step1/hidden/kernel")
    told = {
        "epsilon after the bias correction (PyTorch's equation)": (
            "epsilon before the bias correction (Keras' equation)"
        ),
        "epsilon 1e-08": "epsilon 1e-07",
    }
    assert causes(result) == [
        {
            "kind": "optimizer",
            "torch": {"layer": "hidden/kernel", "value": mine},
            "keras": {"layer": "hidden/kernel", "value": theirs},
            **CAUSE,
        }
        for mine, theirs in told.items()
    ]


@pytest.mark.parametrize(
    ("fault", "kind", "values"),
    [
        (lambda a: a * 4, "scale", (1.0, 4.0)),
        (lambda a: a + 0.5, "offset", (0.0, 0.5)),
        (lambda a: np.roll(a, 1, 0), "shift", (0, 1)),
        (lambda a: a * 0, "zero", (None, 0.0)),
        (lambda a: a.T, "transposed", ([0, 1], [1, 0])),
    ],
)
def test_a_repair_is_a_cause_as_data(judged, trained, fault, kind, values) -> None:
    arrays = trained()
    arrays["activations/step0/hidden"] = fault(arrays["activations/step0/hidden"])
    (cause,) = causes(judged(arrays, trained()))
    left, right = values
    assert cause["torch"] == {"layer": "hidden", "value": left}
    assert cause["keras"] == {"layer": "hidden", "value": pytest.approx(right)}
    assert cause["kind"] == kind
    assert {key: cause[key] for key in CAUSE} == {**CAUSE, "share": 1.0}


def test_a_document_of_an_agreeing_pair_has_no_causes(judged, trained) -> None:
    document = pair_json(judged(trained(), trained()))
    assert (document["causes"], document["first_divergence"]) == ([], None)


def test_the_causes_of_an_example_are_its_headlines(whole, trained) -> None:
    arrays = trained()
    arrays["loss/step0"] = arrays["loss/step0"] * 32
    document = json.loads(dump(example_json(whole(tape=arrays))))
    assert [(c["kind"], c["keras"]["value"]) for c in document["causes"]] == [("scale", 32.0)]
    assert document["pairs"][0]["causes"] == document["causes"]


def test_a_first_step_without_its_gradient_has_no_words(runs) -> None:
    left, right = runs("torch", {STEP1: Y}), runs("keras", {STEP1: Y * 1.1})
    result = judge_pair(PAIR, left, right, Question())
    assert "first step" not in result.text
    low = [runs(t, None, {STEP1: a.astype("f4")}) for t, a in (("torch", Y), ("keras", Y * 1.1))]
    assert "torch.testing" in judge_pair(PAIR, *low, Question()).text


def test_other_independent_faults_are_listed(judged, trained) -> None:
    right = trained()
    for name in ("kernel", "bias"):
        key = f"gradients/step0/hidden/{name}"
        right[key] = right[key] * np.linspace(1, 2, right[key].size).reshape(right[key].shape)
        for effect in (f"state/step1/hidden/{name}/m", f"weights/step1/hidden/{name}"):
            right[effect] = right[effect] * 1.5
    result = judged(right, trained())
    assert result.first.key == "gradients/step0/hidden/kernel"
    assert result.others == ("gradients/step0/hidden/bias",)
    assert pair_json(result)["other_divergences"] == ["gradients/step0/hidden/bias"]


def test_differing_facts_have_words(runs) -> None:
    left, right = (runs(t, {}, facts={KEY: e}) for t, e in (("torch", "A"), ("keras", "B")))
    result = judge_pair(VALUE_PAIR, left, right, Question(expected={KEY: "A"}))
    assert (result.verdict, result.first.key) == ("differ", KEY)
    assert "is A in torch and B in keras" in result.text
    assert "so keras is wrong" in result.text
    dump(pair_json(result))


# --- Metrics and agreement ------------------------------------------------------------------------


def test_metrics_come_from_float32_where_there_is_one(runs) -> None:
    left = runs("torch", {"metrics/a": np.array(0.75)}, {"metrics/a": np.float32(0.5)})
    right = runs("keras", {"metrics/a": np.array([0.25]), "metrics/b": Y}, None)
    result = judge_pair(PAIR, left, right, Question())
    assert result.metrics == {"torch": {"a": 0.5}, "keras": {"a": 0.25}}


def test_equal_predictions_are_counted(runs) -> None:
    key = "predictions/test"
    left = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    right = np.array([[0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    sides = runs("torch", {key: left}), runs("keras", {key: right}, {key: left.astype("f4")})
    result = judge_pair(PAIR, *sides, Question())
    assert result.agreement == {"float32": (3, 3), "float64": (2, 3)}
    assert pair_json(result)["metrics"]["agreement"] == {
        "same": 2,
        "of": 3,
        "float32": {"same": 3, "of": 3},
        "float64": {"same": 2, "of": 3},
    }
    low = [runs(t, None, {key: left.astype("f4")}) for t in ("torch", "keras")]
    assert judgement.metrics_json(judge_pair(PAIR, *low, Question()))["agreement"]["of"] == 3


@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_equal_predictions_of_two_classes_are_counted(runs, shape) -> None:
    """One probability a sample, that of class 1: beyond a half it is that class."""
    key = "predictions/test"
    left = np.array([0.9, 0.2, 0.5, 0.6]).reshape(shape)
    right = np.array([0.7, 0.6, 0.4, 0.5]).reshape(shape)
    sides = runs("torch", {key: left}), runs("keras", {key: right}, {key: left.astype("f4")})
    result = judge_pair(PAIR, *sides, Question())
    assert result.agreement == {"float32": (4, 4), "float64": (2, 4)}


@pytest.mark.parametrize("right", [np.ones((2, 2)), None, np.ones((3, 2, 2)), np.ones(())])
def test_predictions_that_cannot_be_counted(runs, right) -> None:
    key = "predictions/test"
    left = right if right is not None and right.ndim != 2 else np.ones((3, 2))
    sides = runs("torch", {key: left}), runs("keras", {} if right is None else {key: right})
    result = judge_pair(PAIR, *sides, Question())
    assert result.agreement == {}
    assert "agreement" not in pair_json(result)["metrics"]


# --- Pairs, contrasts, examples -------------------------------------------------------------------


def test_an_example_agrees_when_its_contrast_differs_where_it_should(whole) -> None:
    result = whole()
    assert [p.verdict for p in result.pairs] == ["agree", "differ"]
    assert [p.as_expected for p in result.pairs] == [True, True]
    assert result.verdict == "agree"
    assert result.headline.pair.name == "matched"


def test_a_contrast_that_agrees_is_a_failure(whole, trained) -> None:
    result = whole(fit=trained())
    assert [p.verdict for p in result.pairs] == ["agree", "agree"]
    assert not result.pairs[1].as_expected
    assert result.verdict == "differ"


def test_a_contrast_that_differs_elsewhere_is_a_failure(whole, trained) -> None:
    for key in ("gradients/step0/hidden/kernel", "weights/step5/hidden/kernel"):
        other = trained()
        other[key] = other[key] * 1.01
        assert whole(fit=other).verdict == "differ"
        if key.startswith("gradients"):
            assert whole(fit=other_step(other)).verdict == "differ"


def test_what_a_contrast_did_not_record_was_not_shown_to_differ(whole, trained) -> None:
    lacking = trained()
    del lacking[STEP1]
    result = whole(fit=lacking)
    assert result.pairs[1].first.key == STEP1
    assert not result.pairs[1].as_expected
    assert result.verdict == "differ"


def test_a_contrast_beyond_the_horizon_was_not_shown_to_differ(runs) -> None:
    contrast = ComparedPair(
        "c", "c", "torch/a", "keras/b", ("L4",), differs_at="loss/", reason="why"
    )
    curve = np.linspace(1, 0.5, 20)
    moved = curve + np.where(np.arange(20) > 5, 0.01, 0)
    left = runs("torch", {"loss/curve": curve}, nudged={"loss/curve": moved})
    other = curve + np.where(np.arange(20) > 9, 1.0, 0)
    right = runs("keras", {"loss/curve": other}, nudged={"loss/curve": other + moved - curve})
    result = judge_pair(contrast, left, right, Question(("L4",)))
    assert (result.verdict, result.first.status) == ("undecided", "undecided")
    assert not result.as_expected


def test_a_pair_that_differs_makes_the_example_differ(whole, trained) -> None:
    other = trained()
    other["loss/step0"] = other["loss/step0"] * 1.01
    assert whole(tape=other).verdict == "differ"


def test_a_pair_that_is_undecided_makes_the_example_undecided(whole) -> None:
    result = whole()
    unsure = dataclasses.replace(result.pairs[0], verdict="undecided")
    assert dataclasses.replace(result, pairs=(unsure, result.pairs[1])).verdict == "undecided"
    differs = dataclasses.replace(result.pairs[0], verdict="differ")
    assert dataclasses.replace(result, pairs=(unsure, differs)).verdict == "differ"


def test_contrasts_alone_tell_nothing_but_their_own_failure(whole, trained) -> None:
    result = whole()
    assert dataclasses.replace(result, pairs=result.pairs[1:]).verdict == "undecided"
    failed = whole(fit=trained())
    assert dataclasses.replace(failed, pairs=failed.pairs[1:]).verdict == "differ"


def test_pairs_chosen_by_hand_say_what_they_found(whole, trained) -> None:
    result = whole(chosen=True)
    assert dataclasses.replace(result, pairs=result.pairs[1:]).verdict == "differ"
    assert dataclasses.replace(result, pairs=result.pairs[:1]).verdict == "agree"
    equal = whole(fit=trained(), chosen=True)
    assert dataclasses.replace(equal, pairs=equal.pairs[1:]).verdict == "agree"


# --- JSON -----------------------------------------------------------------------------------------


def dump(document: object) -> str:
    return json.dumps(document, allow_nan=False)


def test_the_document_has_the_fields_of_the_contract(whole) -> None:
    document = json.loads(dump(example_json(whole(seconds={"torch": 1.5, "keras": 2.5}))))
    assert document["example"] == "made"
    assert document["verdict"] == "agree"
    assert list(document["levels"]) == ["L0", "L1", "L2", "L3", "L4", "L5"]
    assert document["levels"]["L1"] == {
        "status": "identical",
        "keys": 4,
        "worst": {"key": "activations/step0/hidden", "ratio": 0.0},
    }
    assert document["first_divergence"] is None
    assert document["horizon"] is None
    assert set(document["metrics"]) == {"torch", "keras", "agreement"}
    assert document["metrics"]["torch"]["test_loss"] == 0.5
    assert document["metrics"]["agreement"]["same"] == document["metrics"]["agreement"]["of"] == 7
    assert document["seconds"] == {"torch": 1.5, "keras": 2.5}
    assert [p["pair"] for p in document["pairs"]] == ["matched", "contrast"]
    contrast = document["pairs"][1]
    assert (contrast["verdict"], contrast["expected"], contrast["as_expected"]) == (
        "differ",
        "differ",
        True,
    )
    assert contrast["first_divergence"]["key"].startswith("weights/step1/")
    assert contrast["first_divergence"]["ratio"] > 1
    assert contrast["first_divergence"]["text"]
    assert contrast["first_divergence"]["status"] == "different"
    assert document["pairs"][0]["expected"] == "agree"
    assert document["pairs"][0]["last_step"] == 20
    assert document["pairs"][0]["precisions"] == ["float32", "float64"]


def test_a_horizon_is_in_the_document(runs) -> None:
    curve = {"loss/curve": np.linspace(1, 0.5, 20)}
    sides = [runs(t, curve, nudged=curve) for t in ("torch", "keras")]
    assert pair_json(judge_pair(PAIR, *sides, Question()))["horizon"] == 20


BROKEN = {
    "missing": lambda a: {k: v for k, v in a.items() if k != "loss/step0"},
    "extra": lambda a: a | {"loss/step1": np.array(1.0)},
    "shape": lambda a: a | {"loss/curve": a["loss/curve"][:7]},
    "dtype": lambda a: a | {"loss/step0": np.array(1)},
    "nan": lambda a: a | {"metrics/test_loss": np.array(np.nan), "loss/step0": np.array(np.nan)},
    "inf": lambda a: a | {"metrics/test_loss": np.array(-np.inf)},
    "copied": lambda a: a | {"inputs/images": a["inputs/images"] + 1},
    "exact": lambda a: a | {"inputs/batches": a["inputs/batches"] + np.uint32(1)},
    "different": lambda a: a | {"loss/step0": a["loss/step0"] + 1},
    "zero": lambda a: a | {STEP1: a[STEP1] * 0},
    "huge": lambda a: a | {STEP1: a[STEP1] * 1e30},
    "tiny": lambda a: a | {STEP1: a[STEP1] * 1e-300},
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("precisions", ["both", "float32", "float64"])
@pytest.mark.parametrize("swap", [False, True])
def test_every_kind_of_finding_is_strict_json(runs, trained, kind, precisions, swap) -> None:
    arrays = [trained(), BROKEN[kind](trained())]
    sides = []
    for title, some in zip(("torch", "keras"), arrays[::-1] if swap else arrays, strict=True):
        made = runs(title, some)
        dropped = {"float32": {"float64": None}, "float64": {"float32": None}}.get(precisions, {})
        sides.append(dataclasses.replace(made, **dropped))
    result = judge_pair(PAIR, *sides, Question())
    assert result.verdict == "differ"
    document = json.loads(dump(pair_json(result)))
    assert document["first_divergence"]["text"]


def test_numbers_that_json_lacks_become_null(judged, trained) -> None:
    result = judged(trained(), trained())
    assert result.first is None
    key, level = next(iter(result.levels.items()))
    finding = dataclasses.replace(result.findings[0], status="different", ratio=float("inf"))
    strange = dataclasses.replace(
        result,
        first=finding,
        levels={key: dataclasses.replace(level, worst_ratio=float("nan"))},
        metrics={"torch": {"test_loss": float("nan")}},
    )
    document = json.loads(dump(pair_json(strange)))
    assert document["first_divergence"]["ratio"] is None
    assert document["levels"][key]["worst"]["ratio"] is None
    assert document["metrics"]["torch"] == {"test_loss": None}


# --- Masks, held-out samples, early stopping ------------------------------------------------------


def stopping_spec(spec: ExampleSpec) -> ExampleSpec:
    return dataclasses.replace(
        spec,
        training=dataclasses.replace(
            spec.training,
            masks=(Mask("dropout", (5,), 0.5),),
            validation=3,
            watched="epochs",
            stops=True,
        ),
    )


def stopped(arrays, steps: int, best: int = 2):
    """Of a training that might have taken 20 steps."""
    kept = {k: v for k, v in arrays.items() if not k.startswith("weights/step2") or "20" not in k}
    return kept | {
        "inputs/masks/dropout": np.ones((4, 5)),
        "inputs/validation": np.arange(3),
        "loss/curve": arrays["loss/curve"][:steps],
        "metrics/watched_loss": np.linspace(1, 0.5, steps // 5),
        "metrics/watched_accuracy": np.linspace(0.5, 0.75, steps // 5),
        "metrics/validation_loss": np.array(0.5),
        "metrics/validation_accuracy": np.array(0.75),
        "metrics/stopped_epoch": np.int64(steps // 5),
        "metrics/best_epoch": np.int64(best),
    }


def test_what_a_stopping_training_must_have_recorded(training_spec, trained) -> None:
    spec = stopping_spec(training_spec)
    more = set(required_keys(spec, SUITE.load)) - set(required_keys(training_spec, SUITE.load))
    assert more == set(stopped(trained(), 15)) - set(trained())


@pytest.mark.parametrize(
    ("right", "first"),
    [
        ((15, 2), ""),
        ((10, 2), "loss/curve"),
        ((20, 2), "loss/curve"),
        ((15, 3), "metrics/best_epoch"),
    ],
)
def test_both_sides_stop_at_the_same_step(runs, training_spec, trained, right, first) -> None:
    spec = stopping_spec(training_spec)
    pair = spec.pairs[0]
    one, other = stopped(trained(), 15), stopped(trained(), *right)
    sides = (runs(t, a, nudged=a) for t, a in (("torch", one), ("keras", other)))
    found = judge_pair(pair, *sides, question(spec, pair, SUITE.load))
    assert found.verdict == ("differ" if first else "agree")
    assert (found.first.key if found.first else "") == first
    if first == "loss/curve":
        assert "they took different numbers of steps" in found.text


def test_a_pair_is_asked_what_its_ways_change(training_spec: ExampleSpec) -> None:
    """Another model, other layers, weights that are frozen: required keys follow."""
    training = training_spec.training
    assert training is not None
    kernel = dataclasses.replace(training.parameters[0], trainable=False, frozen=True)
    head = ParameterSpec("head/kernel", (5, 2), GLOROT)
    changes = {"parameters": (kernel, head), "layers": ("hidden", "head")}
    ways = tuple(dataclasses.replace(way, changes=changes) for way in training.ways[:2])
    changed = dataclasses.replace(training, ways=(*ways, training.ways[2]))
    spec = dataclasses.replace(training_spec, training=changed)
    first, second = (question(spec, pair, SUITE.load) for pair in spec.pairs[:2])
    assert first.frozen == ("hidden/kernel",)
    assert first.layers == ("hidden", "head")
    for key in (
        "weights/step1/hidden/kernel",
        "weights/final/head/kernel",
        "gradients/step0/head/kernel",
        "activations/step0/head",
    ):
        assert key in first.required
    assert not {"gradients/step0/hidden/kernel", "weights/step1/hidden/bias"} & {*first.required}
    assert (
        question(spec, ComparedPair("other", "", "keras/fit", "keras/fit"), SUITE.load).frozen == ()
    )
    assert second.frozen == ("hidden/kernel",)
    assert (
        "activations/step0/relu"
        in question(training_spec, training_spec.pairs[0], SUITE.load).required
    )


@pytest.mark.parametrize("moving", ["torch", "keras", "both"])
def test_a_frozen_weight_that_moves_is_found_at_once(runs, training_spec, trained, moving) -> None:
    """Even if both sides move it alike: they agree with each other, and not with the spec."""
    training = training_spec.training
    kernel = dataclasses.replace(training.parameters[0], frozen=True)
    changed = dataclasses.replace(training, parameters=(kernel, *training.parameters[1:]))
    asked = question(dataclasses.replace(training_spec, training=changed), PAIR, SUITE.load)
    still = trained()
    for key in [k for k in still if k.startswith("weights/") and k.endswith("hidden/kernel")]:
        still[key] = still["weights/initial/hidden/kernel"]
    moved = {k: v.copy() for k, v in still.items()}
    moved[STEP1][1, 2] = np.nextafter(moved[STEP1][1, 2], 1)  # one ulp, no bound would see it
    a, b = (moved if moving in (side, "both") else still for side in ("torch", "keras"))
    calm = judge_pair(PAIR, runs("torch", still), runs("keras", still), asked)
    assert calm.verdict == "agree"
    found = judge_pair(PAIR, runs("torch", a, a), runs("keras", b, b), asked)
    assert found.verdict == "differ"
    assert (found.first.key, found.first.status, found.first.rule) == (STEP1, "wrong", "frozen")
    movers = ("torch", "keras") if moving == "both" else (moving,)
    assert found.first.sides == movers
    assert f"{' and '.join(movers)} moved a weight that the spec says is frozen" in found.text
