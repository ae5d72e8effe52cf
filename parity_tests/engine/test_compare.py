"""`parity.comparator.compare`: structure, silence, witnesses, listed differences, horizon."""

import dataclasses

import numpy as np
import pytest

from parity.comparator.compare import Question, compare
from parity.comparator.kinks import count_flips
from parity.core.errors import RecordingError
from parity.recording.recording_file import Runs
from parity.spec.cases import Known

KEY = "values/case/x"
X = np.array([1.0, 0.5, 0.25])
FINAL = "weights/final/a/kernel"


# --- Recordings that may not be compared ----------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "other"), [("example", "else"), ("digest", "abc"), ("seed", 7), ("mode", "native")]
)
@pytest.mark.parametrize("swap", [False, True])
def test_different_questions_are_refused(runs, field: str, other, swap: bool) -> None:
    sides = [runs("torch", {KEY: X}), runs("keras", {KEY: X}, **{field: other})]
    with pytest.raises(RecordingError, match=f"answer different questions: {field} is '.*' in one"):
        compare(*(sides[::-1] if swap else sides))


def test_each_recording_of_a_side_answers_the_same_question(runs) -> None:
    one, other = runs("torch", {KEY: X}, nudged={KEY: X}), runs("torch", {KEY: X}, seed=7)
    right = runs("keras", {KEY: X})
    compare(one, right)
    for mixed in (
        Runs("torch", other.float32, one.float64),
        Runs("torch", one.float32, other.float64),
        Runs("torch", one.float32, one.float64, other.float64),
    ):
        with pytest.raises(RecordingError, match="seed is"):
            compare(mixed, right)
        with pytest.raises(RecordingError, match="seed is"):
            compare(right, mixed)


def test_the_messages_name_both_files(runs) -> None:
    with pytest.raises(RecordingError, match="torch-float32 and keras-float32 answer"):
        compare(runs("torch", {KEY: X}), runs("keras", {KEY: X}, seed=7))


@pytest.mark.parametrize("at", ["float32", "float64", "nudged"])
@pytest.mark.parametrize("swap", [False, True])
def test_a_side_is_recorded_from_one_version_of_its_source(runs, at: str, swap: bool) -> None:
    def side(title: str, code: str, other: str) -> Runs:
        one, two = (runs(title, {KEY: X}, nudged={KEY: X}, code=c) for c in (code, other))
        return dataclasses.replace(one, **{at: getattr(two, at)})

    def both(left: Runs, right: Runs) -> None:
        compare(*((right, left) if swap else (left, right)))

    both(side("torch", "one", "one"), side("keras", "two", "two"))  # sides have their own source
    both(side("torch", "one", ""), side("keras", "", "two"))  # of what is not said nothing is known
    with pytest.raises(RecordingError, match=r"keras's .* different versions .*\(one, two\)"):
        both(side("torch", "one", "one"), side("keras", "two", "one"))


def test_a_side_without_a_nudged_run_has_one_version_too(runs) -> None:
    one, two = (runs("torch", {KEY: X}, code=code) for code in ("one", "two"))
    right = runs("keras", {KEY: X})
    compare(one, right)
    with pytest.raises(RecordingError, match="torch's recordings were made by different versions"):
        compare(Runs("torch", one.float32, two.float64), right)


def test_nothing_to_compare(runs) -> None:
    none = Runs("keras", None, None)
    for sides in ((runs("torch", {KEY: X}), none), (none, runs("torch", {KEY: X})), (none, none)):
        with pytest.raises(RecordingError, match="each side needs at least one recording"):
            compare(*sides)


def test_no_common_precision(runs) -> None:
    low, high = runs("torch", None, {KEY: X.astype("f4")}), runs("keras", {KEY: X}, None)
    with pytest.raises(
        RecordingError, match=r"torch and keras share no precision: \['float32'\] a"
    ):
        compare(low, high)


def test_precisions_that_both_have(runs) -> None:
    both, low = runs("torch", {KEY: X}), runs("keras", None, {KEY: X.astype("f4")})
    assert compare(both, both).precisions == ("float32", "float64")
    result = compare(both, low)
    assert result.precisions == ("float32",)
    assert result.findings[0].status == "identical"
    off = runs("keras", None, {KEY: (X * 1.001).astype("f4")})
    assert compare(both, off).findings[0].rule == "fallback"
    assert compare(off, both).findings[0].status == "different"


# --- Equal bit for bit ----------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_one_bit_is_a_difference_where_none_may_be(runs, precision) -> None:
    last = {precision: X.astype(precision)}
    last[precision][2] = np.nextafter(last[precision][2], last[precision].dtype.type(1))
    single, double = (last.get(p, X.astype(p)) for p in ("float32", "float64"))
    left, right = runs("tape", {KEY: X}), runs("fit", {KEY: double}, {KEY: single}, side="tape")
    assert compare(left, right).findings[0].status == "rounding"
    (strict,) = compare(left, right, Question(identical=True)).findings
    assert (strict.status, strict.rule, strict.index) == ("different", "bits", (2,))
    assert (strict.left, strict.right) == (str(X[2].astype(precision)), str(last[precision][2]))
    assert compare(left, left, Question(identical=True)).findings[0].status == "identical"


def test_the_sign_of_zero_is_a_bit(runs) -> None:
    left, right = (
        runs(title, {KEY: np.array([1.0, zero])}) for title, zero in (("a", 0.0), ("b", -0.0))
    )
    assert compare(left, right).findings[0].status == "identical"
    (strict,) = compare(left, right, Question(identical=True)).findings
    assert (strict.rule, strict.left, strict.right) == ("bits", "0.0", "-0.0")


def test_bits_are_asked_of_one_precision_and_of_every_step(runs) -> None:
    curve = np.linspace(2, 1, 20).astype("f4")
    other = curve.copy()
    other[6] = np.nextafter(other[6], np.float32(2))
    left, right = (runs(t, None, {"loss/curve": a}) for t, a in (("a", curve), ("b", other)))
    (strict,) = compare(left, right, Question(identical=True)).findings
    assert (strict.status, strict.rule, strict.step) == ("different", "bits", 7)


# --- Silence is not agreement ---------------------------------------------------------------------


def test_recordings_without_keys_have_no_findings(runs) -> None:
    assert compare(runs("torch", {}), runs("keras", {})).findings == ()


def test_a_key_on_one_side_only(found) -> None:
    result = found({KEY: X, "values/case/more": X}, {KEY: X})
    assert result[KEY].status == "identical"
    assert (result["values/case/more"].status, result["values/case/more"].sides) == (
        "missing",
        ("keras",),
    )
    result = found({KEY: X}, {KEY: X, "values/case/more": X})
    assert (result["values/case/more"].status, result["values/case/more"].sides) == (
        "extra",
        ("torch",),
    )


def test_a_required_key_that_nobody_recorded(found) -> None:
    result = found({KEY: X}, {KEY: X}, required=("values/case/y", KEY))
    assert (result["values/case/y"].status, result["values/case/y"].sides) == (
        "missing",
        ("torch", "keras"),
    )
    assert result[KEY].status == "identical"


@pytest.mark.parametrize("lacking", ["float32", "float64"])
def test_a_key_that_one_precision_lacks(found, runs, lacking: str) -> None:
    whole, empty = {KEY: X}, {}
    side = {"float64": whole, "float32": {KEY: X.astype("f4")}} | {lacking: empty}
    result = found(whole, runs("keras", side["float64"], side["float32"]))
    assert (result[KEY].status, result[KEY].sides) == ("missing", ("keras",))


def test_an_empty_array_says_nothing(found) -> None:
    assert found({KEY: X[:0]}, {KEY: X[:0]})[KEY].status == "missing"
    assert found({KEY: X}, {KEY: X[:0]})[KEY].sides == ("keras",)
    assert found({KEY: X[:0]}, {KEY: X})[KEY].status == "extra"


def test_only_the_levels_asked_for(found) -> None:
    some = {"inputs/images": X, "loss/step0": X, FINAL: X}
    asked = found(some, some, levels=("L2", "L4"), required=("gradients/step0/a", "metrics/m"))
    assert set(asked) == {"loss/step0", FINAL, "gradients/step0/a"}
    assert set(found(some, some)) == set(some)


# --- Structure ------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(4,), (3, 1), (1, 3), ()])
def test_shapes_are_never_broadcast(found, shape) -> None:
    result = found({KEY: X}, {KEY: np.full(shape, 0.5)})[KEY]
    assert (result.status, result.left, result.right) == ("shape", "(3,)", str(shape))


def test_a_side_must_have_one_shape_in_both_precisions(found, runs) -> None:
    left, right = (runs(t, {KEY: X}, {KEY: X[:2].astype("f4")}) for t in ("torch", "keras"))
    assert found(left, right)[KEY].status == "shape"


def test_fewer_steps_name_the_first_that_is_missing(found) -> None:
    curve = np.linspace(1, 0.5, 20)
    result = found({"loss/curve": curve}, {"loss/curve": curve[:15]})["loss/curve"]
    assert (result.status, result.step) == ("shape", 16)
    result = found({"loss/curve": curve[:15]}, {"loss/curve": curve})["loss/curve"]
    assert (result.status, result.step) == ("shape", 16)
    batches = np.arange(20)
    assert (
        found({"inputs/batches": batches}, {"inputs/batches": batches[:15]})[
            "inputs/batches"
        ].status
        == "shape"
    )


def test_floating_dtypes_must_be_equal(found, runs) -> None:
    right = runs("keras", {KEY: X}, {KEY: X})
    result = found({KEY: X}, right)[KEY]
    assert (result.status, result.left, result.right) == ("dtype", "float32", "float64")
    assert found({KEY: X}, {KEY: X.astype("f4")})[KEY].status == "dtype"


def test_kinds_must_be_equal(found, runs) -> None:
    whole = np.array([1, 2, 3])
    result = found({KEY: whole}, {KEY: whole.astype("f8")})[KEY]
    assert (result.status, result.left, result.right) == ("dtype", "int64", "float32")
    mixed = [runs(t, {KEY: X}, {KEY: whole}) for t in ("torch", "keras")]
    assert found(*mixed)[KEY].status == "dtype"


def test_widths_of_whole_numbers_are_free(found) -> None:
    whole = np.array([1, 2, 3])
    assert found({KEY: whole}, {KEY: whole.astype("i4")})[KEY].status == "identical"


# --- NaN and infinity -----------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize(("sides"), [("torch",), ("keras",), ("torch", "keras")])
def test_nan_never_agrees(found, bad: float, sides) -> None:
    broken = np.array([1.0, bad, 0.25])
    left, right = (broken if s in sides else X for s in ("torch", "keras"))
    result = found({KEY: left}, {KEY: right})[KEY]
    assert (result.status, result.index, result.sides) == ("nonfinite", (1,), sides)
    assert (result.left, result.right) == (str(np.float32(left[1])), str(np.float32(right[1])))


def test_nan_names_the_runs_as_they_are_titled(found, runs) -> None:
    broken = np.array([1.0, np.nan, 0.25])
    tape, fit = (runs(t, {KEY: a}, side="keras") for t, a in (("tape", X), ("fit", broken)))
    assert found(tape, fit)[KEY].sides == found(fit, tape)[KEY].sides == ("fit",)
    low = runs("fit", {KEY: X}, {KEY: broken.astype("f4")}, side="keras")
    assert found(tape, low)[KEY].sides == ("fit",)
    assert found(fit, runs("tape", {KEY: broken}))[KEY].sides == ("fit", "tape")


def test_nan_in_one_precision_never_agrees(found, runs) -> None:
    broken = np.array([1.0, np.nan, 0.25])
    assert (
        found({KEY: X}, runs("keras", broken_ := {KEY: broken}, {KEY: X.astype("f4")}))[KEY].status
        == "nonfinite"
    )
    assert (
        found({KEY: X}, runs("keras", {KEY: X}, {KEY: broken.astype("f4")}))[KEY].status
        == "nonfinite"
    )
    assert broken_


def test_nan_of_a_curve_names_its_step(found) -> None:
    curve = np.linspace(1, 0.5, 20)
    broken = curve.copy()
    broken[7:] = np.nan
    assert found({"loss/curve": curve}, {"loss/curve": broken})["loss/curve"].step == 8


def test_nan_that_is_meant(found) -> None:
    meant = {"nonfinite": (KEY,)}
    nan, inf = np.array([1.0, np.nan, 0.25]), np.array([1.0, np.inf, 0.25])
    assert found({KEY: nan}, {KEY: nan}, **meant)[KEY].status == "identical"
    assert found({KEY: nan}, {KEY: nan * (1 + 2.0**-52)}, **meant)[KEY].status == "rounding"
    assert found({KEY: nan}, {KEY: nan * 1.1}, **meant)[KEY].status == "different"
    for other in (inf, X, np.array([np.nan, 1.0, 0.25])):
        assert found({KEY: nan}, {KEY: other}, **meant)[KEY].status == "nonfinite"
    assert found({KEY: inf}, {KEY: -inf}, **meant)[KEY].status == "nonfinite"
    assert found({KEY: inf}, {KEY: inf})[KEY].status == "nonfinite"


# --- The third witness ----------------------------------------------------------------------------


def test_agreement_on_a_wrong_number(found) -> None:
    result = found({KEY: X}, {KEY: X}, expected={KEY: (1.0, 0.5, 0.75)})[KEY]
    assert (result.status, result.rule, result.sides) == ("wrong", "expected", ("torch", "keras"))
    assert result.expected == "[1. , 0.5 , 0.75]"
    assert result.left == result.right == "[1. , 0.5 , 0.25]"
    assert found({KEY: X}, {KEY: X}, expected={KEY: (1.0, 0.5, 0.25)})[KEY].status == "identical"
    assert found({KEY: X}, {KEY: X}, expected={"values/case/y": 1.0})[KEY].expected == ""


def test_the_witness_names_the_side_that_is_wrong(found) -> None:
    for left, right, side in ((X, X + 0.1, "keras"), (X + 0.1, X, "torch")):
        result = found({KEY: left}, {KEY: right}, expected={KEY: (1.0, 0.5, 0.25)})[KEY]
        assert (result.status, result.sides) == ("different", (side,))
    result = found({KEY: X + 0.1}, {KEY: X + 0.2}, expected={KEY: (1.0, 0.5, 0.25)})[KEY]
    assert (result.status, result.sides) == ("different", ("torch", "keras"))


def test_the_witness_looks_at_both_precisions(found, runs) -> None:
    exact, wanted = np.array([1.0, 0.5, 0.25, 0.125]), {KEY: (1.0, 0.5, 0.25, 0.125)}
    rough = np.array([1.0, 0.5, 0.25 + 2.0**-17, 0.125], "f4")
    result = found({KEY: exact}, runs("keras", {KEY: exact}, {KEY: rough}), expected=wanted)[KEY]
    assert (result.status, result.sides) == ("noisy", ("keras",))
    both = [runs(t, {KEY: exact}, {KEY: rough}) for t in ("torch", "keras")]
    assert found(*both, expected=wanted)[KEY].status == "wrong"


def test_the_witness_sees_what_a_few_numbers_may_hide_from_the_guard(found, runs) -> None:
    """Three numbers can be exact by chance on one side, so that is no noise; but it is wrong."""
    rough = runs("keras", {KEY: X}, {KEY: np.array([1.0, 0.5, 0.25 + 2.0**-17], "f4")})
    assert found({KEY: X}, rough)[KEY].status == "rounding"
    result = found({KEY: X}, rough, expected={KEY: (1.0, 0.5, 0.25)})[KEY]
    assert (result.status, result.rule, result.sides) == ("wrong", "expected", ("keras",))


def test_an_array_where_a_fact_was_expected(found) -> None:
    result = found({KEY: X}, {KEY: X}, expected={KEY: "RuntimeError"})[KEY]
    assert (result.status, result.expected) == ("wrong", "RuntimeError")


# --- Listed differences ---------------------------------------------------------------------------

LISTED = (Known(KEY, torch=0.5, keras=1.0, reason="a tie", link="https://example.org"),)


def test_a_listed_difference_that_holds(found) -> None:
    result = found({KEY: np.array(0.5)}, {KEY: np.array(1.0)}, known=LISTED)[KEY]
    assert (result.status, result.left, result.right) == ("known", "0.5", "1.")
    assert result.agrees


@pytest.mark.parametrize(
    ("left", "right"), [(0.5, 0.5), (1.0, 1.0), (1.0, 0.5), (0.5, 1.1), (0.4, 1.0), (np.nan, 1.0)]
)
def test_a_listed_difference_that_no_longer_holds(found, left: float, right: float) -> None:
    result = found({KEY: np.array(left)}, {KEY: np.array(right)}, known=LISTED)[KEY]
    assert (result.status, result.agrees) == ("stale", False)


def test_a_listed_difference_must_hold_in_both_precisions_and_in_shape(found, runs) -> None:
    off = runs("keras", {KEY: np.array(1.0)}, {KEY: np.float32(1.1)})
    assert found({KEY: np.array(0.5)}, off, known=LISTED)[KEY].status == "stale"
    off = runs("keras", {KEY: np.array(1.1)}, {KEY: np.float32(1.0)})
    assert found({KEY: np.array(0.5)}, off, known=LISTED)[KEY].status == "stale"
    assert found({KEY: np.array([0.5])}, {KEY: np.array(1.0)}, known=LISTED)[KEY].status == "stale"


def test_a_listed_nan_is_known_not_nonfinite(found) -> None:
    listed = (Known(KEY, torch="nan", keras=0.0, reason="why", link="where"),)
    result = found({KEY: np.array(np.nan)}, {KEY: np.array(0.0)}, known=listed)[KEY]
    assert result.status == "known"


def test_a_listed_difference_goes_by_side_not_by_title_or_place(found, runs) -> None:
    torch = runs("loop", {KEY: np.array(0.5)}, side="torch")
    keras = runs("fit", {KEY: np.array(1.0)}, side="keras")
    other = runs("mine", {KEY: np.array(1.0)}, side="jax")
    assert found(torch, keras, known=LISTED)[KEY].status == "known"
    assert found(keras, torch, known=LISTED)[KEY].status == "known"
    assert found(keras, keras, known=LISTED)[KEY].status == "known"
    assert found(torch, other, known=LISTED)[KEY].status == "stale"


def test_a_listed_key_that_is_missing_is_missing(found) -> None:
    result = found({KEY: np.array(0.5)}, {}, known=LISTED)[KEY]
    assert result.status == "missing"


# --- Facts ----------------------------------------------------------------------------------------


def test_facts_are_compared_exactly(found, runs) -> None:
    def side(title: str, **facts: str) -> Runs:
        return runs(title, {}, facts={f"values/case/{k}": v for k, v in facts.items()})

    key = "values/case/raised"
    same = side("torch", raised="RuntimeError")
    assert found(same, side("keras", raised="RuntimeError"))[key].status == "identical"
    result = found(same, side("keras", raised="ValueError"), expected={key: "ValueError"})[key]
    assert (result.status, result.rule) == ("different", "exact")
    assert (result.left, result.right) == ("RuntimeError", "ValueError")
    assert (result.sides, result.expected) == (("torch",), "ValueError")
    assert (found(same, side("keras"))[key].status, found(same, side("keras"))[key].sides) == (
        "missing",
        ("keras",),
    )
    assert found(side("torch"), side("keras", raised="ValueError"))[key].status == "extra"


def test_facts_have_witnesses(found, runs) -> None:
    key = "values/case/flag"
    left, right = (runs(t, {}, facts={key: "False"}) for t in ("torch", "keras"))
    assert found(left, right, expected={key: False})[key].status == "identical"
    result = found(left, right, expected={key: True})[key]
    assert (result.status, result.sides) == ("wrong", ("torch", "keras"))
    assert (result.left, result.expected) == ("False", "True")


def test_a_listed_fact_is_strict_both_ways(found, runs) -> None:
    key = "values/case/dtype"
    listed = Known(key, "int64", "int32", "defaults", "https://example.org")
    torch, keras = (
        runs(t, {}, facts={key: v}) for t, v in (("torch", "int64"), ("keras", "int32"))
    )
    assert found(torch, keras, known=(listed,))[key].status == "known"
    assert found(keras, torch, known=(listed,))[key].status == "known"
    for left, right in (("int64", "int64"), ("int32", "int32"), ("int32", "int64")):
        moved = (runs("torch", {}, facts={key: left}), runs("keras", {}, facts={key: right}))
        result = found(*moved, known=(listed,))[key]
        assert (result.status, result.left, result.right) == ("stale", left, right)
    mixed = Runs("keras", keras.float32, runs("keras", {}, facts={key: "int64"}).float64)
    assert found(torch, mixed, known=(listed,))[key].status == "stale"
    assert found(torch, runs("keras", {}), known=(listed,))[key].status == "missing"


def test_a_fact_must_be_equal_in_every_precision(found, runs) -> None:
    key = "values/case/flag"
    one, other = (runs("keras", {}, facts={key: value}) for value in ("1", "2"))
    mixed = Runs("keras", one.float32, other.float64)
    result = found(runs("torch", {}, facts={key: "1"}), mixed)[key]
    assert (result.status, result.right) == ("different", "1, 2")
    only = Runs("keras", one.float32, runs("keras", {}).float64)
    assert found(runs("torch", {}, facts={key: "1"}), only)[key].status == "missing"


def test_a_fact_against_an_array(found, runs) -> None:
    left = runs("torch", {}, facts={KEY: "RuntimeError"})
    assert found(left, runs("keras", {KEY: X}))[KEY].status == "missing"
    assert (
        found(runs("torch", {KEY: X}), runs("keras", {}, facts={KEY: "1"}))[KEY].status == "extra"
    )


def test_facts_of_other_levels_are_not_asked(found, runs) -> None:
    left = runs("torch", {"loss/step0": np.array(1.0)}, facts={"metrics/a": "1"})
    right = runs("keras", {"loss/step0": np.array(1.0)}, facts={"metrics/a": "2"})
    assert set(found(left, right, levels=("L2",))) == {"loss/step0"}
    assert found(left, right, levels=("L2", "L5"))["metrics/a"].status == "different"


# --- Steps and the horizon ------------------------------------------------------------------------


def training(moved_at: int | None = None, steps: int = 50, by: float = 0.1) -> dict:
    """Loss and weights of a training; from step `moved_at` on it is somewhere else."""
    curve = np.linspace(1.0, 0.5, steps)
    arrays = {"loss/curve": curve}
    if moved_at is not None:
        curve[moved_at - 1 :] += by
    for step in (1, 2, 5, 10, 20, 50):
        here = np.array([1.0, 0.5]) + (by if moved_at is not None and step >= moved_at else 0)
        arrays[f"weights/step{step}/a/kernel"] = here
    arrays[FINAL] = here.copy()
    return arrays


def test_without_a_nudge_there_is_no_horizon(runs) -> None:
    result = compare(runs("torch", training()), runs("keras", training()))
    assert (result.horizon, result.last_step) == (None, 50)
    values = compare(runs("torch", {KEY: X}), runs("keras", {KEY: X}))
    assert (values.horizon, values.last_step) == (None, None)
    low = compare(*(runs(t, None, {KEY: X.astype("f4")}) for t in ("torch", "keras")))
    assert (low.horizon, low.last_step) == (None, None)


@pytest.mark.parametrize(("moved_at", "horizon"), [(None, 50), (50, 49), (12, 11), (2, 1)])
@pytest.mark.parametrize("side", ["torch", "keras", "both"])
def test_the_horizon_comes_from_the_nudged_runs(runs, moved_at, horizon: int, side: str) -> None:
    still, moved = training(), training(moved_at)
    result = compare(
        runs("torch", still, nudged=still if side == "keras" else moved),
        runs("keras", still, nudged=still if side == "torch" else moved),
    )
    assert (result.horizon, result.last_step) == (horizon, 50)


def test_the_earlier_side_sets_the_horizon(runs) -> None:
    left = runs("torch", training(), nudged=training(30))
    right = runs("keras", training(), nudged=training(20))
    assert compare(left, right).horizon == compare(right, left).horizon == 19
    assert compare(left, runs("keras", training())).horizon == 29


@pytest.mark.parametrize(("by", "horizon"), [(0.9 * 2.0**-24, 50), (1.1 * 2.0**-24, 11)])
def test_the_horizon_is_float32s_rounding_of_the_scale(runs, by: float, horizon: int) -> None:
    left = runs("torch", training(), nudged=training(12, by=by))
    assert compare(left, runs("keras", training())).horizon == horizon


def test_weights_alone_can_set_the_horizon(runs) -> None:
    moved = training() | {"weights/step10/a/kernel": np.array([1.0, 0.6])}
    left = runs("torch", training(), nudged=moved)
    assert compare(left, runs("keras", training())).horizon == 9


def test_a_weight_whose_gradient_is_zero_does_not_set_the_horizon(runs) -> None:
    """It moves by noise alone and has no scale of its own: a bias before batch norm, say."""

    def noise(by: float) -> dict:
        return {f"weights/step{s}/b/bias": np.full(2, s * by) for s in (1, 2, 5, 10, 20, 50)}

    left, moved = training() | noise(1e-17), training() | noise(-1e-17)
    assert compare(runs("torch", left, nudged=moved), runs("keras", left)).horizon == 50
    alone, twin = ({k: a for k, a in some.items() if "/a/" not in k} for some in (left, moved))
    assert compare(runs("torch", alone, nudged=twin), runs("keras", alone)).horizon == 0
    there = moved | {"weights/step10/a/kernel": np.array([1.0, 0.6])}
    assert compare(runs("torch", left, nudged=there), runs("keras", left)).horizon == 9


@pytest.mark.parametrize(("by", "horizon"), [(0.9, 50), (1.1, 9)])
@pytest.mark.parametrize("large", [4.0, 64.0])
def test_the_weights_of_a_step_share_their_scale(runs, large: float, *, by, horizon) -> None:
    left = training() | {"weights/step10/b/kernel": np.array([large, 0.0])}
    moved = np.array([1.0, 0.5 + by * large * 2.0**-24])
    left_runs = runs("torch", left, nudged=left | {"weights/step10/a/kernel": moved})
    assert compare(left_runs, runs("keras", left)).horizon == horizon


@pytest.mark.parametrize(("at", "horizon"), [(12, 11), (10, 9)])
def test_large_weights_do_not_veil_the_loss(runs, at: int, horizon: int) -> None:
    left = training() | {"weights/step10/b/kernel": np.array([1e6, 0.0])}
    moved = np.where(np.arange(50) == at - 1, 2.0**-23, 0) + left["loss/curve"]
    result = compare(runs("torch", left, nudged=left | {"loss/curve": moved}), runs("keras", left))
    assert (result.horizon, result.last_step) == (horizon, 50)


@pytest.mark.parametrize(
    "change", [lambda c: np.stack([c, c]), lambda c: c[:, None], lambda c: c[0], lambda c: c[:0]]
)
@pytest.mark.parametrize("nudged", [False, True])
def test_a_curve_of_another_shape_sets_no_horizon(runs, change, nudged: bool) -> None:
    left, right = training(), training()
    right["loss/curve"] = change(right["loss/curve"])
    sides = [
        runs(t, a, nudged=a if nudged else None) for t, a in (("torch", left), ("keras", right))
    ]
    for pair in (sides, sides[::-1]):
        result = compare(*pair)
        assert (result.horizon, result.last_step) == (50 if nudged else None, 50)
        curve = next(f for f in result.findings if f.key == "loss/curve")
        assert curve.status in (("shape",) if right["loss/curve"].size else ("missing", "extra"))
        assert [f.key for f in result.findings if not f.agrees] == ["loss/curve"]


def test_a_nudged_run_of_another_length_sets_no_horizon(runs) -> None:
    left = runs("torch", training(), nudged={"loss/curve": np.ones(7)})
    assert compare(left, runs("keras", training())).horizon == 50


def test_beyond_the_horizon_nothing_is_different(found, runs) -> None:
    left = runs("torch", training(), nudged=training(12, by=0.002))
    right = runs("keras", training(15, by=0.2), nudged=training(15, by=0.2))
    result = found(left, right)
    for key in ("weights/step20/a/kernel", "weights/step50/a/kernel", FINAL, "loss/curve"):
        assert (result[key].status, result[key].agrees) == ("undecided", False)
    for key in ("weights/step1/a/kernel", "weights/step10/a/kernel"):
        assert result[key].agrees


def test_within_the_horizon_a_difference_is_one(found, runs) -> None:
    left = runs("torch", training(), nudged=training(30, by=0.002))
    result = found(left, runs("keras", training(15, by=1e-6)))
    assert result["weights/step20/a/kernel"].status == "different"
    late = result["weights/step50/a/kernel"]
    assert (late.status, late.agrees) == ("undecided", False)
    assert late.ratio < 1, "σ would excuse it there, but that is beyond the horizon"
    assert (result["loss/curve"].status, result["loss/curve"].step) == ("different", 15)


def test_within_the_horizon_the_nudge_excuses_what_comes_after_it(found, runs) -> None:
    left = runs("torch", training(), nudged=training(30, by=0.5 * 2.0**-24))
    result = found(left, runs("keras", training(15, by=1e-9)))
    assert result["weights/step20/a/kernel"].status == "different"
    late = result["weights/step50/a/kernel"]
    assert (late.status, late.agrees) == ("rounding", True), "σ excuses it there"
    assert (result["loss/curve"].status, result["loss/curve"].step) == ("different", 15)


BEYOND = ("weights/step20/a/kernel", "weights/step50/a/kernel", FINAL, "predictions/test")


def drifted(by: float | np.ndarray = 0.0) -> dict:
    """A training of which everything after step 12 is moved by so much."""
    arrays = {f"weights/step{step}/a/kernel": np.ones(20) for step in (1, 2, 5, 10, 20, 50)}
    arrays |= {key: np.ones(20) for key in (FINAL, "predictions/test")}
    moved = {key: array + by for key, array in arrays.items() if key in BEYOND}
    return arrays | {"loss/curve": np.ones(50)} | moved


@pytest.mark.parametrize(
    ("by", "status"),
    [(0.0, "identical"), (2.0**-52, "undecided"), (1e-9, "undecided"), (1.0, "undecided")],
)
@pytest.mark.parametrize("key", BEYOND)
def test_beyond_the_horizon_only_what_is_identical_agrees(found, runs, *, key, by, status) -> None:
    """Whether a difference is rounding cannot be said there any more than that it is none."""
    moved = drifted(0.01)
    left = runs("torch", drifted(), nudged=moved)
    result = found(left, runs("keras", drifted(by)))
    assert compare(left, left).horizon == 19
    assert result[key].status == status
    assert result[key].agrees == (by == 0)
    within = found(drifted(), drifted(by))[key]
    assert within.status == {0.0: "identical", 2.0**-52: "rounding"}.get(by, "different")


@pytest.mark.parametrize("key", BEYOND)
def test_beyond_the_horizon_faults_of_another_kind_stay(found, runs, key: str) -> None:
    moved, other = drifted(0.01), drifted(1e-9)
    left = runs("torch", drifted(), nudged=moved)
    nan = np.where(np.arange(20) == 3, np.nan, 1.0)
    for array, status in (
        (nan, "nonfinite"),
        (np.ones(19), "shape"),
        (np.ones(20, int), "dtype"),
        (None, "missing"),
    ):
        right = {k: a for k, a in (other | {key: array}).items() if a is not None}
        assert found(left, runs("keras", right))[key].status == status
    calm = runs("keras", other, nudged=other)
    restless = found(left, calm)[key]
    assert (restless.status, restless.rule) == ("noisy", "restless")


@pytest.mark.parametrize(("by", "status"), [(2.0**-52, "rounding"), (1e-6, "different")])
def test_a_curve_within_the_horizon_is_decided(found, runs, by: float, status: str) -> None:
    left = runs("torch", training(), nudged=training(12, by=0.002))
    right = training()
    right["loss/curve"][10] += by
    result = found(left, runs("keras", right))["loss/curve"]
    assert (result.status, result.step) == (status, 11)


@pytest.mark.parametrize("by", [1e-9, 1.0])
def test_a_curve_beyond_the_horizon_is_undecided(found, runs, by: float) -> None:
    left = runs("torch", training(), nudged=training(12, by=0.002))
    right = training()
    right["loss/curve"][30] += by
    result = found(left, runs("keras", right))["loss/curve"]
    assert (result.status, result.step) == ("undecided", 31)
    assert (result.ratio > 1) == (by == 1.0)


@pytest.mark.parametrize(("moved_at", "status"), [(20, "undecided"), (21, "different")])
def test_the_horizon_itself_is_within(found, runs, moved_at: int, status: str) -> None:
    curve = {"loss/curve": np.ones(50)}
    left = training(20) | curve
    nudged = training(20) | {"loss/curve": np.where(np.arange(50) + 1 >= moved_at, 1.1, 1.0)}
    result = found(runs("torch", left, nudged=nudged), runs("keras", training() | curve))
    assert result["weights/step20/a/kernel"].status == status


def test_the_first_rungs_have_no_horizon(found, runs) -> None:
    left = runs("torch", training() | {"loss/step0": np.array(1.0)}, nudged=training(1))
    result = found(left, runs("keras", training(1) | {"loss/step0": np.array(1.1)}))
    assert result["loss/step0"].status == "different"
    assert result["weights/step1/a/kernel"].status == "different"
    assert result["weights/step2/a/kernel"].status == "undecided"
    near = found(left, runs("keras", training(1, by=2.0**-53) | {"loss/step0": 1 + 2.0**-52}))
    assert near["loss/step0"].status == near["weights/step1/a/kernel"].status == "rounding"
    assert near["weights/step2/a/kernel"].status == "undecided"


def test_what_stands_at_the_end_is_judged_at_the_last_step(found, runs) -> None:
    some = training() | {"predictions/test": np.array([[0.5, 1.0]]), "loss/step0": np.array(1.0)}
    result = found(some, some)
    assert {key: result[key].step for key in (FINAL, "predictions/test", "loss/step0")} == {
        FINAL: 50,
        "predictions/test": 50,
        "loss/step0": 0,
    }
    bound = 32 * 2.0**-53 * np.sqrt(50)
    for factor, status in ((0.9, "rounding"), (1.1, "different")):
        other = some | {FINAL: some[FINAL] + [0, factor * bound]}
        assert found(some, other)[FINAL].status == status


# --- A test loss and its predictions --------------------------------------------------------------

LOSS = "metrics/test_loss"


@pytest.fixture
def evaluated(found, runs):
    """``evaluated(key, start, by, predictions)``: the finding when one side is nudged so far."""

    def make(key: str, start: float, by: float, predictions: float | None, side: str = "torch"):
        still = {"loss/curve": np.ones(50), key: np.array(start)}
        moved = still | {key: np.array(start + by)}
        other = still | {
            key: np.array(start * (1 + 2.0**-52))
        }  # what is identical is not looked at
        if predictions is not None:
            for arrays, far in ((still, 0), (moved, predictions), (other, 0)):
                arrays["predictions/test"] = np.full(20, 0.5) + far
        calm = other | {k: a for k, a in moved.items() if k != key}
        sides = [runs("torch", still, nudged=moved), runs("keras", other, nudged=calm)]
        if side == "keras":
            sides = [runs("torch", other, nudged=calm), runs("keras", still, nudged=moved)]
        return found(*sides)[key]

    return make


@pytest.mark.parametrize("side", ["torch", "keras"])
@pytest.mark.parametrize("start", [0.5, 8.0])
@pytest.mark.parametrize(
    ("predictions", "limit"),
    [(2.0**-40, 2.0**-28), (2.0**-30, 2.0**-18), (0.0, 2.0**-41 * 50**0.5)],
)
def test_a_test_loss_is_no_more_restless_than_its_predictions(
    evaluated, *, side, start, predictions, limit
) -> None:
    allowed = limit * max(start, 1)
    for factor in (2.0**-12, 0.99):
        calm = evaluated(LOSS, start, factor * allowed, predictions, side)
        assert (calm.status, calm.agrees) == ("rounding", True)
    for factor in (1.01, 1e3):
        wild = evaluated(LOSS, start, factor * allowed, predictions, side)
        assert (wild.status, wild.rule, wild.agrees) == ("noisy", "restless", False)
        assert wild.ratio > 1
        assert (wild.own_left > wild.own_right) == (side == "torch")
        assert max(wild.own_left, wild.own_right) == wild.sigma


@pytest.mark.parametrize(
    ("key", "status"),
    [
        (LOSS, "noisy"),
        ("metrics/final_loss", "noisy"),
        ("metrics/test_accuracy", "rounding"),
        ("metrics/initial_loss", "rounding"),
        ("values/case/loss", "rounding"),
    ],
)
def test_only_losses_are_held_to_their_predictions(evaluated, key: str, status: str) -> None:
    assert evaluated(key, 0.5, 0.1, 2.0**-40).status == status


def test_a_loss_without_predictions_is_out_of_proportion_to_nothing(evaluated) -> None:
    assert evaluated(LOSS, 0.5, 1e-9, None).status == "rounding"


def test_a_test_loss_that_differs_is_different_though_restless(found, runs) -> None:
    still = {"loss/curve": np.ones(50), LOSS: np.array(0.5), "predictions/test": np.full(20, 0.5)}
    left = runs("torch", still, nudged=still | {LOSS: np.array(0.5 + 2.0**-20)})
    result = found(left, runs("keras", still | {LOSS: np.array(0.6)}))[LOSS]
    assert result.status == "different"


# --- Zero to rounding -----------------------------------------------------------------------------

ZERO = {
    "activations/step0/a": "activations/step0/b",
    "gradients/step0/a/kernel": "gradients/step0/a/bias",
    "gradients/step0/b/bias": "gradients/step0/a/kernel",
    "state/step1/a/kernel/m": "state/step1/b/kernel/m",
    "weights/step1/a/kernel": "weights/step1/b/kernel",
    "values/case/x": "values/case/y",
}
"""A key → a sibling of it."""
ROOM32, ROOM64 = 32 * 2.0**-24, 32 * 2.0**-53


@pytest.fixture
def zeros(found, runs):
    """``zeros(key, {sibling: …}, left=(f32, f64), right=(f32, f64))``: the finding."""

    def make(key, siblings, left, right, **question):
        sides = []
        for title, (low, high) in (("torch", left), ("keras", right)):
            float64 = {key: np.asarray(high, "f8")} | siblings
            float32 = {k: np.asarray(v).astype("f4") for k, v in float64.items()}
            sides.append(runs(title, float64, float32 | {key: np.asarray(low, "f4")}))
        return found(*sides, **question)[key]

    return make


def softmax_and_sum(rows: np.ndarray, dtype: str, order: int) -> dict[str, np.ndarray]:
    """Softmax, its sum, which is 1 whatever the logits, and the gradient of that, which is 0."""
    logits = rows.astype(dtype)
    powers = np.exp(logits - logits.max())
    total = np.cumsum(powers[::order], dtype=dtype)[-1]
    softmax = powers / total
    sum_ = np.cumsum(softmax[::order], dtype=dtype)[-1]
    return {"softmax": softmax, "sum": sum_, "gradient": softmax * (softmax.dtype.type(1) - sum_)}


@pytest.mark.parametrize(
    ("gradient", "sibling"),
    [
        ("values/case/gradient", "values/case/softmax"),
        ("gradients/step0/a/kernel", "gradients/step0/b/kernel"),
    ],
)
def test_a_gradient_whose_true_value_is_zero_passes(found, runs, gradient, sibling) -> None:
    """∂Σ softmax(x)/∂x in two orders of summation, both correct."""
    excused = 0
    for seed in range(300):
        random = np.random.default_rng(seed)
        rows = random.normal(scale=random.uniform(0.1, 10), size=random.integers(2, 60))
        rows = rows.astype("f4").astype("f8")

        def side(title: str, order: int, alone: bool, rows: np.ndarray = rows) -> Runs:
            made = {d: softmax_and_sum(rows, d, order) for d in ("float64", "float32")}
            keys = {gradient: "gradient"} | ({} if alone else {sibling: "softmax"})
            return runs(title, *({k: some[n] for k, n in keys.items()} for some in made.values()))

        result = found(side("torch", 1, False), side("keras", -1, False))[gradient]
        assert result.agrees, (seed, result)
        alone = found(side("torch", 1, True), side("keras", -1, True))[gradient]
        assert (result.rule == "zero") == (not alone.agrees)
        excused += result.rule == "zero"
    assert excused > 30, "without siblings many of these would be findings"


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("key", ZERO)
def test_a_small_real_difference_is_no_zero(zeros, key: str, scale: float) -> None:
    siblings = {ZERO[key]: scale * np.array([0.5, 1.0])}
    for size in (1e-14, 1e-12, 1e-9, 1e-3):
        small = scale * size * np.ones(5)
        for left, right in ((0 * small, small), (small, 0 * small), (small, -small)):
            result = zeros(key, siblings, (left, left), (right, right))
            assert (result.status, result.rule, result.agrees) == ("different", "equation", False)
            assert result.ratio > 1
    tiny = scale * 1e-16 * np.ones(5)
    result = zeros(key, siblings, (0 * tiny, 0 * tiny), (1e8 * tiny, tiny))
    assert (result.status, result.rule, result.agrees) == ("rounding", "zero", True)
    # The same number in both precisions is no noise, however large its siblings are.
    result = zeros(key, siblings, (0 * tiny, 0 * tiny), (tiny, tiny))
    assert (result.status, result.agrees) == ("different", False)


@pytest.mark.parametrize("at", [0, 1])
@pytest.mark.parametrize("key", ZERO)
def test_the_boundary_of_zero(zeros, key: str, at: int) -> None:
    """C·2⁻⁵³ of the largest sibling in float64, C·2⁻²⁴ of it in float32, on either side."""
    siblings = {ZERO[key]: np.array([[0.25, -1.0]])}
    over32, over64 = np.nextafter(np.float32(ROOM32), np.float32(1)), np.nextafter(ROOM64, 1)
    for low, high, ratio in (
        (0.0, ROOM64, 1.0),
        (0.0, ROOM64 / 4, 0.25),
        (-ROOM32, 1e-20, 1.0),
        (ROOM32 / 4, -1e-20, 0.25),
        (over32, 1e-20, None),
        (-over32, -1e-20, None),
        (0.0, over64, None),
        (0.0, -over64, None),
    ):
        sides = [(np.zeros(9), np.zeros(9)), (np.full(9, low), np.full(9, high))]
        result = zeros(key, siblings, *(sides if at else sides[::-1]))
        if ratio is None:
            # Far from float64, float32 is noise; in float64 it is another equation.
            expected = ("noisy", "noise") if low else ("different", "equation")
            assert (result.status, result.rule) == expected
        else:
            assert (result.status, result.rule, result.ratio) == ("rounding", "zero", ratio)


TINY = ((np.zeros(9), np.zeros(9)), (np.zeros(9), np.full(9, 1e-17)))


@pytest.mark.parametrize("key", ZERO)
def test_without_siblings_nothing_is_zero(zeros, key: str) -> None:
    none, meant = {}, {"nonfinite": tuple(ZERO.values())}
    assert zeros(key, {ZERO[key]: np.ones(2)}, *TINY).rule == "zero"
    for siblings in (
        none,
        {ZERO[key]: np.zeros(4)},
        {ZERO[key]: np.full(4, np.inf)},
        {f"{key}/below": np.zeros(4)},
    ):
        result = zeros(key, siblings, *TINY, **meant)
        assert (result.status, result.rule) == ("different", "equation")


@pytest.mark.parametrize(
    ("key", "stranger"),
    [
        ("gradients/step0/a/kernel", "activations/step0/a"),
        ("gradients/step0/a/kernel", "gradients/step1/a/kernel"),
        ("gradients/step0/a/kernel", "weights/step1/a/kernel"),
        ("weights/step1/a/kernel", "weights/step10/a/kernel"),
        ("weights/step1/a/kernel", "weights/initial/a/kernel"),
        ("weights/step1/a/kernel", "state/step1/a/kernel/m"),
        ("values/case/x", "values/other/y"),
        ("values/case/x", "values/case2/y"),
        ("loss/step0", "loss/curve"),
    ],
)
def test_these_are_no_siblings(zeros, key: str, stranger: str) -> None:
    result = zeros(key, {stranger: np.ones(30)}, *TINY)
    assert (result.status, result.rule) == ("different", "equation")


@pytest.mark.parametrize("key", ["weights/step5/a/kernel", FINAL, "predictions/test"])
def test_a_training_knows_no_zero(zeros, key: str) -> None:
    siblings = {f"{key}2": np.ones(9), "predictions/more": np.ones(9)}
    assert zeros(key, siblings, *TINY).status == "different"


def test_what_is_identical_needs_no_excuse(zeros) -> None:
    result = zeros(KEY, {"values/case/y": X}, TINY[1], TINY[1])
    assert (result.status, result.rule, result.ratio) == ("identical", "", 0.0)


def test_one_precision_knows_no_zero(found, runs) -> None:
    """There is nothing to measure rounding with; the fallback's absolute tolerance decides."""
    sibling = {"values/case/y": np.full(3, 1e9)}
    sides = [runs(t, {KEY: np.full(3, by)} | sibling, None) for t, by in (("a", 0.0), ("b", 1e-6))]
    assert (found(*sides)[KEY].status, found(*sides)[KEY].rule) == ("different", "fallback")


def test_whole_numbers_and_copies_know_no_zero(found) -> None:
    sibling, zero, one = {"values/case/y": np.full(3, 1e30)}, np.zeros(3, int), np.ones(3, int)
    result = found({KEY: zero} | sibling, {KEY: one} | sibling)[KEY]
    assert (result.status, result.rule) == ("different", "exact")
    sibling = {"inputs/b": np.full(3, 1e30)}
    result = found({"inputs/a": zero * 1.0} | sibling, {"inputs/a": one * 1e-30} | sibling)
    assert (result["inputs/a"].status, result["inputs/a"].rule) == ("different", "copied")


@pytest.mark.parametrize("value", [0.0, 0])
def test_a_witness_of_zero_accepts_zero_to_rounding(zeros, value) -> None:
    sibling = {"values/case/y": X}
    for low, high in ((1e-9, 1e-17), (0.0, 1e-17), (-ROOM32, ROOM64), (1e-9, 0.0), (0.0, 0.0)):
        here = (np.array(low), np.array(high))
        for sides in ((here, here), ((0.0, 0.0), here), (here, (0.0, 0.0))):
            result = zeros(KEY, sibling, *sides, expected={KEY: value})
            assert (result.agrees, result.sides, result.expected) == (True, (), "0."), sides


def test_a_witness_of_zero_refuses_what_is_not(zeros) -> None:
    sibling, zero = {"values/case/y": X}, (0.0, 0.0)
    for low, high in ((0.0, 1e-12), (1e-12, 1e-12), (2 * ROOM32, 0.0), (0.5, 0.5)):
        here, expected = (np.array(low), np.array(high)), {KEY: 0.0}
        result = zeros(KEY, sibling, here, here, expected=expected)
        assert (result.status, result.sides) == ("wrong", ("torch", "keras"))
        result = zeros(KEY, sibling, zero, here, expected=expected)
        assert not result.agrees
        assert "keras" in result.sides


def test_a_witness_of_zero_needs_siblings(zeros) -> None:
    here = (np.array(1e-9), np.array(1e-17))
    result = zeros(KEY, {}, here, here, expected={KEY: 0.0})
    assert (result.status, result.sides) == ("wrong", ("torch", "keras"))
    strange = zeros(KEY, {"values/other/y": X}, here, here, expected={KEY: 0.0})
    assert strange.status == "wrong"


def test_a_witness_of_zeros(zeros) -> None:
    sibling, here = {"values/case/y": X}, (np.full((2, 2), 1e-9), np.full((2, 2), 1e-17))
    for value, status in (
        (((0.0, 0.0), (0.0, 0.0)), "identical"),
        (((0.0, 0.0), (0.0, 1e-10)), "wrong"),
        (((0.0, 0.0), (0.0, 1.0)), "wrong"),
        ((("0.00", "0.00"), ("0.00", "0.00")), "identical"),
        (0.0, "wrong"),
        ((0.0, 0.0), "wrong"),
        ((((0.0, 0.0), (0.0, 0.0)),), "wrong"),
    ):
        assert zeros(KEY, sibling, here, here, expected={KEY: value}).status == status, value


def test_a_witness_of_zero_still_wants_its_shape_and_its_kind(found) -> None:
    sibling = {"values/case/y": np.full(3, 1e18)}
    for array in (np.zeros(3), np.zeros((1,)), np.array(5), np.array(True)):
        some = {KEY: array} | sibling
        result = found(some, some, expected={KEY: 0.0})[KEY]
        assert (result.status, result.sides) == ("wrong", ("torch", "keras"))
    for array in (np.array(0.0), np.array(0), np.array(False)):
        some = {KEY: array} | sibling
        assert found(some, some, expected={KEY: 0.0})[KEY].status == "identical"


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_witness_of_zero_is_no_witness_of_nan(found, bad: float) -> None:
    some = {KEY: np.array(bad), "values/case/y": X}
    result = found(some, some, expected={KEY: 0.0}, nonfinite=(KEY,))[KEY]
    assert (result.status, result.sides) == ("wrong", ("torch", "keras"))


def test_one_precision_has_no_excuse_for_a_witness_of_zero(found, runs) -> None:
    some = {KEY: np.array(1e-17), "values/case/y": X}
    sides = [runs(t, some, None) for t in ("torch", "keras")]
    assert found(*sides, expected={KEY: 0.0})[KEY].status == "wrong"


# --- Order and guilt ------------------------------------------------------------------------------


def test_findings_stand_in_causal_order(runs, trained) -> None:
    arrays = trained()
    shuffled = dict(sorted(arrays.items()))
    result = compare(runs("torch", shuffled), runs("keras", shuffled))
    stages = [f.key.split("/")[0] for f in result.findings]
    assert [s for i, s in enumerate(stages) if i == 0 or stages[i - 1] != s][:8] == [
        "inputs",
        "weights",
        "activations",
        "predictions",
        "metrics",
        "loss",
        "gradients",
        "state",
    ]
    assert stages[-3:] == ["predictions", "metrics", "metrics"]
    assert not any(f.guilty for f in result.findings)


def test_the_cause_is_guilty_and_its_effects_are_not(found, trained) -> None:
    left = trained()
    right = {
        k: v * 1.001 if v.dtype.kind == "f" and not k.startswith("inputs") else v
        for k, v in left.items()
    }
    result = found(left, right, layers=("hidden", "relu"))
    assert [k for k, f in result.items() if f.guilty] == ["weights/initial/hidden/kernel"]


@pytest.mark.parametrize(
    ("fed", "guilty"),
    [
        (0, ["inputs/batches"]),
        (1, ["inputs/batches", "loss/step0"]),
        (9, ["inputs/batches", "loss/step0"]),
    ],
)
def test_a_batch_is_to_blame_from_its_step_on(found, trained, fed: int, guilty: list) -> None:
    """What is fed at a later step cannot have changed the first one."""
    left, right = trained(), trained()
    right["inputs/batches"] = right["inputs/batches"] + (np.arange(20) >= fed).astype(np.uint32)
    first = ("loss/step0", "gradients/step0", "state/step1", "weights/step1/")
    last = ("weights/final", "predictions/test", "metrics/test")
    right |= {k: v * 1.001 for k, v in left.items() if k.startswith((*first, *last))}
    result = found(left, right, layers=("hidden", "relu"))
    batches = result["inputs/batches"]
    assert (batches.status, batches.step) == ("different", fed + 1)
    assert [k for k, f in result.items() if f.guilty] == guilty


STATE = ["state/step1/hidden/bias/m", "state/step1/hidden/kernel/m"]


def test_a_loss_that_differs_at_once_is_to_blame_for_the_first_update(found, trained) -> None:
    """The loss that training reports first is computed before weights are moved."""
    left = trained()
    update = ("state/step1", "weights/step", "weights/final", "predictions/test", "metrics/test")
    right = {k: v * 1.001 if k.startswith(update) else v for k, v in left.items()}
    curve = left["loss/curve"]
    for since, guilty in ((0, ["loss/curve"]), (1, STATE)):
        other = right | {"loss/curve": np.where(np.arange(20) >= since, curve * 1.001, curve)}
        result = found(left, other, layers=("hidden", "relu"))
        assert result["loss/curve"].step == since + 1
        assert [k for k, f in result.items() if f.guilty] == guilty
        assert next(k for k, f in result.items() if not f.agrees) == guilty[0]


def test_what_is_undecided_is_the_cause_of_nothing_decided(found, runs) -> None:
    left = runs("torch", drifted(), nudged=drifted(0.01))
    other = drifted(1e-6)
    undecided = found(left, runs("keras", other))
    assert {k: f.status for k, f in undecided.items() if not f.agrees} == dict.fromkeys(
        BEYOND, "undecided"
    )
    assert [k for k, f in undecided.items() if f.guilty] == [BEYOND[0]], "there is nothing else"
    for decided in (
        {"predictions/test": np.ones(19)},  # after what is undecided
        {"weights/step2/a/kernel": np.full(20, 1.1)},  # before it
        {"weights/step50/a/kernel": np.full(20, np.nan)},  # amid it
    ):
        result = found(left, runs("keras", other | decided))
        assert result[BEYOND[0]].status == "undecided"
        assert [k for k, f in result.items() if f.guilty] == [*decided]


def test_independent_faults_are_all_guilty(found, trained) -> None:
    left, right = trained(), trained()
    right["gradients/step0/hidden/bias"] = right["gradients/step0/hidden/bias"] * 2
    right["gradients/step0/hidden/kernel"] = right["gradients/step0/hidden/kernel"] * 2
    right["state/step1/hidden/bias/m"] = right["state/step1/hidden/bias/m"] * 2
    result = found(left, right, layers=("hidden", "relu"))
    assert {k for k, f in result.items() if f.guilty} == {
        "gradients/step0/hidden/bias",
        "gradients/step0/hidden/kernel",
    }


def test_weights_that_part_before_the_loss_are_guilty(found) -> None:
    left, right = training(), training()
    for step in (5, 10, 20, 50):
        right[f"weights/step{step}/a/kernel"] = right[f"weights/step{step}/a/kernel"] + 1e-6
    right["loss/curve"][5:] += 1e-6
    result = found(left, right)
    assert [k for k, f in result.items() if f.guilty] == ["weights/step5/a/kernel"]
    assert next(k for k, f in result.items() if not f.agrees) == "weights/step5/a/kernel"


def test_a_question_is_optional(runs) -> None:
    left, right = runs("torch", {KEY: X}), runs("keras", {KEY: X})
    assert compare(left, right) == compare(left, right, Question())


# --- Kinks ----------------------------------------------------------------------------------------

HIDDEN, RELU = "activations/step0/hidden", "activations/step0/relu"
GRADIENT = "gradients/step0/hidden/bias"


def kinked(*, flip: bool, loud: str = "keras", at: str = GRADIENT) -> tuple[dict, dict]:
    """Float64 and float32 arrays of a side: one output next to ReLU's kink, one loud key."""
    hidden = np.linspace(0.5, 1.5, 64)
    double = {HIDDEN: hidden, RELU: hidden.copy(), GRADIENT: np.linspace(1, 2, 64)}
    double[RELU][3] = 1e-9
    single = {key: values.astype(np.float32) for key, values in double.items()}
    if flip:
        single[RELU][3] = 0
    if loud:
        single[at] = single[at] + np.float32(1e-3)
    return double, single


@pytest.mark.parametrize("swap", [False, True])
@pytest.mark.parametrize("flip", [False, True])
def test_a_gradient_may_jump_where_an_activation_crossed_a_kink(runs, found, flip, swap) -> None:
    sides = [runs("torch", *kinked(flip=False, loud="")), runs("keras", *kinked(flip=flip))]
    result = found(*(sides[::-1] if swap else sides))[GRADIENT]
    assert result.status == ("rounding" if flip else "noisy")
    assert result.rule == ("numbers" if flip else "noise")
    assert result.ratio == (pytest.approx(1 / 32, rel=0.01) if flip else pytest.approx(131, 0.1))


def test_the_flip_must_be_on_the_loud_side(runs, found) -> None:
    quiet = runs("torch", *kinked(flip=True, loud=""))
    assert found(quiet, runs("keras", *kinked(flip=False)))[GRADIENT].status == "noisy"


def test_a_kink_excuses_no_output(runs, found) -> None:
    """An output is continuous: a lower precision in the forward pass still shows."""
    sides = (
        runs("torch", *kinked(flip=False, loud="")),
        runs("keras", *kinked(flip=True, at=HIDDEN)),
    )
    assert found(*sides)[HIDDEN].status == "noisy"


def test_flips_of_relu_and_of_max_pooling_are_counted(runs) -> None:
    images = np.arange(2 * 5 * 4 * 3, dtype=float).reshape(2, 5, 4, 3) + 1
    pooled = images[:, 1:4:2, 1::2]
    both = {"activations/step0/relu": images, "activations/step0/pool": pooled}
    single = {key: values.astype(np.float32) for key, values in both.items()}
    assert count_flips(runs("torch", both, single)) == 0
    single["activations/step0/relu"] = single["activations/step0/relu"].copy()
    single["activations/step0/relu"][0, 0, 0, 0] = 0  # not the largest of its window
    assert count_flips(runs("torch", both, single)) == 1
    single["activations/step0/relu"][1, 2, 2, 1] = 1e6  # its window has another largest
    assert count_flips(runs("torch", both, single)) == 2
    single["activations/step0/relu"][1, 4, 2, 1] = 1e6  # the fifth row is in no window
    assert count_flips(runs("torch", both, single)) == 2
    assert count_flips(Runs("torch", None, runs("torch", both).float64)) == 0


@pytest.mark.parametrize("flipping", ["torch", "keras"])
@pytest.mark.parametrize("flip", [False, True])
def test_a_float32_run_may_depart_at_once_where_there_are_kinks(
    runs, found, flip, flipping
) -> None:
    """A flip of any step makes it depart; those of the first batch say how common they are."""
    curve = np.linspace(2, 1, 40)
    sides = []
    for title in ("torch", "keras"):
        double, single = kinked(flip=flip and title == flipping, loud="")
        double |= {"loss/curve": curve}
        single |= {"loss/curve": curve.astype(np.float32)}
        if title == "keras":
            single["loss/curve"][20:] += np.float32(1e-3)
        sides.append(runs(title, double, single, nudged=double))
    result = found(*sides)["loss/curve"]
    assert result.status == ("rounding" if flip else "noisy")
