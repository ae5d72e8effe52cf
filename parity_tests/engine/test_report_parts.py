"""The parts of the reports: words, sources, series, the interval of an accuracy."""

from types import SimpleNamespace

import numpy as np
import pytest

from parity.comparator import noise
from parity.recording import provenance
from parity.recording.recording_file import Header, Recording, Runs
from parity.report import files, formatting, pages, plots, series, sources
from parity.report.classes import interval
from parity.report.documents import strict
from parity.report.sentences import nudged, single, strongest
from parity.report.series import Drift, loss_drift, smooth, weight_drift
from parity.spec.cases import Case, Curves
from parity.verdict.judgement import PairVerdict


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.000137, "0.000137"),
        (1.2213e-13, "1.22e-13"),
        (1.1e9, "1.1e9"),
        (float("nan"), "NaN"),
        (float("inf"), "∞"),
        (None, "–"),
        (0.0, "0"),
    ],
)
def test_number(value, text):
    assert formatting.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0620, "0.06"),
        (7.5, "7.50"),
        (0.0001, "0.0001"),
        (1.09976e9, "1.1e9"),
        (0.0, "0"),
        (42.3, "42"),
        (float(np.finfo(float).max), "> 1e300"),
        (float("inf"), "> 1e300"),
    ],
)
def test_ratio(value, text):
    assert formatting.ratio(value) == text


def test_pipes_are_escaped_once():
    assert formatting.cell("a | b\nc") == r"a \| b c"
    assert formatting.cell(formatting.cell("a|b")) == r"a\|b"


def test_code_spans_hold_backticks():
    assert formatting.code("a`b") == "`` a`b ``"
    assert formatting.code("") == ""


def test_prose_marks_keys_and_escapes_markup():
    text = formatting.prose("weights/step1/hidden/kernel is <b> at 1.1e+09 *x*.")
    assert text == r"`weights/step1/hidden/kernel` is &lt;b> at 1.1e9 \*x\*."
    assert formatting.prose("see loss/curve.") == "see `loss/curve`."


def test_arrays_small_and_large():
    assert formatting.array(np.array([[4.0, 0.5], [np.nan, -1e-9]])) == "[[4, 0.5], [NaN, -1e-9]]"
    assert formatting.array(np.zeros((9, 8))) == "[0, 0, 0, …] of shape (9, 8)"
    assert formatting.array(np.array(3)) == "3"


def test_numbers_of_a_spec_small_and_large():
    assert formatting.spec_numbers(((1.5, "2.0404"), ("nan", 3.0))) == "[[1.5, 2.0404], [NaN, 3]]"
    rows = tuple((row / 7, row + 0.123456) for row in range(9))
    assert formatting.spec_numbers(rows) == "[0, 0.123456, 0.1428571, …] of shape (9, 2)"
    short = tuple((float(row), row + 0.5) for row in range(7))
    assert formatting.spec_numbers(short).endswith("[6, 6.5]]")
    assert formatting.array(np.array(short)) == formatting.spec_numbers(short)
    assert formatting.spec_numbers(((4.0, "0.50"), ("nan", -1e-9))) == "[[4, 0.50], [NaN, -1e-9]]"
    long = formatting.spec_numbers(((1.234567, 2.0, "nan") * 15,))
    assert long == "[1.234567, 2, NaN, …] of shape (1, 45)"


def test_digits_until_the_difference_shows():
    assert formatting.told_apart(0.5, (1.0, 2.0)) == ("0.5", "[1, 2]")
    assert formatting.told_apart(0.1, 0.10000000149) == ("0.1", "0.100000001")
    assert formatting.told_apart(3.0, 3.0) == ("3", "3")


def test_tidy_leaves_code_alone():
    text = "a  \n\n\n\nb\n```python\nx  \n\n\ny\n```\n\n\nc"
    assert files.tidy(text) == "a\n\nb\n```python\nx  \n\n\ny\n```\n\nc\n"


LEFT = '''"""Head."""

import a


# above
@wraps
def one(x):
    """One."""
    return x


class Two:
    """Two."""

    def three(self):
        return 3
'''


def test_blocks_lose_no_line():
    head, one, two = sources.blocks(LEFT)
    assert head.text == '"""Head."""\n\nimport a'
    assert (one.name, one.doc) == ("one", "One.")
    assert one.text == "# above\n@wraps\ndef one(x):\n    return x"
    assert two.doc == "Two."
    for line in LEFT.splitlines():
        bare = line.strip().strip('"')
        assert any(bare in b.text or bare in b.doc for b in (head, one, two))


def test_alignment_by_name_whatever_the_order():
    def cut(*names):
        return [sources.Block(name, f"def {name}") for name in names]

    rows = sources.align(cut("a", "Multiply", "c"), cut("c", "a", "extra", "multiply"))
    assert [r.name for r in rows] == ["a", "extra", "Multiply", "c"]
    assert [bool(r.torch) for r in rows] == [True, False, True, True]
    assert all(r.keras for r in rows)


def test_bridges_are_followed(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    (tmp_path / "pytorch_impl").mkdir()
    (tmp_path / "pytorch_impl" / "ex.py").write_text(
        "from torch.nn import Linear\nfrom parity.torch_side.bridge import Bent\n"
    )
    (tmp_path / "parity" / "torch_side").mkdir(parents=True)
    (tmp_path / "parity" / "torch_side" / "bridge.py").write_text(
        "import x\n\n\nclass Bent:\n    y = 1\n\n\ndef other():\n    pass\n"
    )
    (row,) = sources.bridges("ex")
    assert row.torch == "class Bent:\n    y = 1"
    assert row.keras == ""


def runs(precision_values: dict[str, np.ndarray]) -> Runs:
    made = {
        name: Recording(Header("e", "torch", name[:7]), {"weights/step4/k": v, "loss/curve": v})
        for name, v in precision_values.items()
    }
    return Runs("torch", made.get("float32"), made.get("float64"), made.get("float64n"))


def test_drift_measures_what_it_says():
    left = runs(
        {
            "float32": np.array([1.5, 2]),
            "float64": np.array([1.0, 2]),
            "float64n": np.array([1.0, 2.25]),
        }
    )
    right = runs(
        {
            "float32": np.array([1.0, 4]),
            "float64": np.array([1.0, 3]),
            "float64n": np.array([1.0, 3.5]),
        }
    )
    drift = weight_drift(left, right)
    assert list(drift.steps) == [4]
    assert (drift.apart32[0], drift.apart64[0]) == (2, 1)
    assert (drift.own_left[0], drift.own_right[0]) == (0.5, 1)
    assert (drift.self_left[0], drift.self_right[0]) == (0.25, 0.5)
    assert drift.bound32[0] == 32 * 1
    assert drift.bound64[0] == 32 * 0.5
    assert list(loss_drift(left, right).apart32) == [0.5, 2]


def test_curves_of_unequal_length_are_not_drawn():
    left = runs({"float64": np.array([1.0, 2])})
    right = runs({"float64": np.array([1.0, 2, 3])})
    assert loss_drift(left, right) is None


def curve_runs(y):
    recording = Recording(Header("made", "torch", "float64"), {"values/line/y": np.array(y)}, "")
    return Runs("torch", None, recording)


def test_a_pane_needs_both_sides():
    case = Case("line", {"x": (0.0, 1.0, 2.0)}, curves=Curves(x="x", values="y"))
    one, other = curve_runs([1.0, 2.0, 3.0]), curve_runs([1.0, 2.0, 4.0])
    pane = series.pane(case, one, other)
    assert (pane.title, pane.what, pane.x.tolist()) == ("line", ("values",), [0, 1, 2])
    assert [lines[0].tolist() for lines in pane.lines] == [[1, 2, 3], [1, 2, 4]]
    assert series.pane(case, one, curve_runs([1.0, 2.0])) is None
    assert series.pane(Case("line", case.inputs), one, other) is None


def test_curves_of_equal_panes_are_equal_bytes():
    pane = series.Pane("line", np.arange(3), ([np.ones(3)], [np.ones(3)]), ("values",))
    drawn = [plots.curves([pane] * n, ("PyTorch", "Keras"), ("torch", "keras")) for n in (5, 5, 4)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert drawn[0].startswith(b"\x89PNG")


def test_a_curve_has_a_gap_where_it_jumps():
    x, y = plots._broken(np.arange(4), np.array([0, 0, 1, 1]))
    assert np.array_equal(y, [0, 0, np.nan, 1, 1], equal_nan=True)
    assert np.array_equal(x, [0, 1, np.nan, 2, 3], equal_nan=True)
    assert len(plots._broken(np.arange(4), np.array([0.0, 1, 2, 3]))[1]) == 4


def test_smooth_is_a_running_mean():
    assert list(smooth(np.array([1.0, 3, 5, 7]), 2)) == [1, 2, 4, 6]


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (0.0, "exactly equal."),
        (4.4e-15, "equal to 14 decimal places."),
        (1e-14, "equal to 14 decimal places."),
        (0.009, "equal to 2 decimal places."),
        (0.02, "up to 0.02 apart."),
        (3.0, "up to 3 apart."),
    ],
)
def test_how_near_the_weights_end_in_a_plain_sentence(apart, words):
    one = np.array([1.0])
    drift = Drift(np.array([9]), one, one * apart, one, one, one, one, one, one)
    pair = PairVerdict(None, "", "", "agree", {}, None, "", (), (Finding,), None, 9, ())
    told = strongest(pair, drift, ("PyTorch", "Keras"))
    assert told == f"After 9 steps in float64, the weights of PyTorch and Keras are {words}"


def test_the_distance_stands_beside_what_a_nudge_does():
    one = np.array([1.0])
    drift = Drift(np.array([9]), one, one * 1e-14, one, one, one * 2e-14, one * 0, one, one)
    told = nudged(drift, ("PyTorch", "Keras"))
    assert "end more than 1e-14 apart. For comparison: " in told
    assert told.endswith("the same training moves PyTorch by 2e-14.")


def test_float32_is_told_by_the_largest_single_difference():
    one = np.array([1.0])
    drift = Drift(np.array([9]), one * 0.5, one, one * 2, one * 3, one, one, one, one)
    told = single(drift, ("PyTorch", "Keras"))
    assert "No two weights that should be equal end more than 0.5 apart." in told
    assert "From its own float64 run, PyTorch ends up to 2 away, and Keras up to 3." in told


class Finding:
    status = "rounding"


def test_wilson_interval():
    low, high = interval(0.5, 100)
    assert low == pytest.approx(0.4038, abs=1e-4)  # Wilson (1927); statsmodels gives the same
    assert high == pytest.approx(0.5962, abs=1e-4)
    assert interval(1.0, 10)[1] == pytest.approx(1.0)


def test_strict_json_has_no_nan_and_no_infinity():
    found = strict({"a": np.inf, "b": (np.float32("nan"), -np.inf), "c": np.int64(3)})
    assert found == {"a": "Infinity", "b": [None, "-Infinity"], "c": 3}


@pytest.mark.parametrize(
    ("rule", "sides", "alike"),
    [("frozen", ("torch", "keras"), True), ("frozen", ("torch",), False), ("equation", (), False)],
)
def test_sides_that_err_alike_do_not_part(rule, sides, alike):
    """Then no curve of their distance is drawn: it would show that they agree."""
    first = noise.Finding("weights/step1/a/kernel", "L3", "wrong", rule=rule, sides=sides)
    assert pages._alike(SimpleNamespace(first=first)) is alike
    assert not pages._alike(SimpleNamespace(first=None))
