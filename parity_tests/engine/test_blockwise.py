"""Block by block the engine finds what the plain formulas find, in little memory."""

import dataclasses
import subprocess
import sys
import textwrap

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.core import blockwise, classification
from parity.core.blockwise import Extent, finite
from parity.diagnosis import array_hypotheses, optimizer_step

SHAPES = [(), (1,), (7,), (8,), (9,), (63,), (64,), (65,), (5, 13), (2, 3, 29)]
ODD = [np.nan, np.inf, -np.inf, 3e38, -3e38, 1e308, -1e308, -0.0, 1e-45, 5e-324]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 8, pages given back after 16."""
    monkeypatch.setattr(blockwise, "BLOCK", 8)
    monkeypatch.setattr(blockwise, "STEP", 16)


def most(array):
    return float(np.max(np.abs(array), initial=0.0))


def plain(*arrays):
    """The formulas as they stand in `parity.comparator.noise`, on whole arrays."""
    l32, r32, l64, r64, left_nudged, right_nudged = arrays
    fl32, fr32, fl64, fr64 = map(finite, arrays[:4])
    moved = [
        None if n is None else most(finite(n) - x)
        for n, x in ((left_nudged, fl64), (right_nudged, fr64))
    ]
    return Extent(
        np.array_equal(l32, r32, equal_nan=True),
        np.array_equal(l64, r64, equal_nan=True),
        all(bool(np.isfinite(a).all()) for a in (l32, r32, l64, r64)),
        most(fl32 - fr32),
        most(fl64 - fr64),
        most(fl32 - fl64),
        most(fr32 - fr64),
        *moved,
        most(fl64),
        most(fr64),
        int(np.argmax(np.abs(fl64 - fr64))) if fl64.size else 0,
    )


def six(random, shape, odd=0, equal=False, dtypes=("f4", "f4", "f8", "f8", "f8", "f8")):
    base = random.normal(size=shape) * 10.0 ** random.integers(-3, 4, shape)
    made = []
    for place, dtype in enumerate(dtypes):
        unit = 2.0**-24 if place < 2 else 2.0**-53
        noise = 0 if equal else unit * random.integers(-3, 4, shape)
        with np.errstate(over="ignore"):
            array = np.array(base * (1 + noise)).astype(dtype)
            for _ in range(odd if array.size else 0):
                array.flat[random.integers(array.size)] = random.choice(ODD)
        made.append(array)
    return made


def measured(arrays):
    return blockwise.measure(arrays[:4], arrays[4:])


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("shape", [*SHAPES, (0,), (3, 0)])
@pytest.mark.parametrize("odd", [0, 1, 3])
@pytest.mark.parametrize("equal", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_one_pass_finds_what_the_formulas_find(shape, odd, equal, seed):
    arrays = six(np.random.default_rng([seed, odd, equal]), shape, odd, equal)
    if seed == 1:
        arrays[4] = None
    if seed == 2:
        arrays[4:] = None, None
    assert measured(arrays) == plain(*arrays)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("dtypes", ["f2 f2 f8 f8 f8 f8", "f8 f8 f8 f8 f8 f8", "f4 f4 f8 f8 i8 f4"])
def test_other_dtypes(dtypes):
    arrays = six(np.random.default_rng(3), (5, 13), dtypes=dtypes.split())
    assert measured(arrays) == plain(*arrays)


@pytest.mark.parametrize("place", [0, 7, 8, 15, 16, 31, 32, 33, 63, 64])
@pytest.mark.parametrize("which", range(6))
@pytest.mark.parametrize("value", [100.0, -100.0, np.nan, np.inf])
def test_an_outlier_on_every_border(place, which, value):
    arrays = six(np.random.default_rng(5), (65,))
    arrays[which][place] = value
    found = measured(arrays)
    assert found == plain(*arrays)
    assert found.finite == (which > 3 or np.isfinite(value))
    if which in (2, 3) and np.isfinite(value):
        assert found.peak == place


def test_the_first_of_equal_differences_is_the_peak():
    left, right = np.zeros(65), np.zeros(65)
    right[[5, 20, 40]] = 1, -1, 1
    left32, right32 = left.astype("f4"), right.astype("f4")
    assert measured([left32, right32, left, right, None, None]).peak == 5
    assert measured([right32, left32, right, left, None, None]).peak == 5


def test_float32_differences_are_those_of_float64():
    """Where the float32 difference rounds, the largest is still found to the last digit."""
    left = np.float32([1.0, 1e-3, 1 + 2.0**-23] * 20)
    right = np.float32([-1e-9, 1.0009999, 3e-9] * 20)
    exact = float(np.max(np.abs(left.astype("f8") - right.astype("f8"))))
    assert exact != float(np.max(np.abs(left - right)))
    wide = [a.astype("f8") for a in (left, right)]
    assert measured([left, right, *wide, None, None]).distance32 == exact


def test_arrays_that_are_not_contiguous():
    arrays = [a.T for a in six(np.random.default_rng(6), (5, 13))]
    assert measured(arrays) == plain(*arrays)


@hypothesis.given(st.integers(0, 2**32), st.integers(1, 40), st.booleans())
@hypothesis.settings(suppress_health_check=list(hypothesis.HealthCheck))
def test_the_small_questions(seed, size, odd):
    random = np.random.default_rng(seed)
    with np.errstate(over="ignore", invalid="ignore"):
        _, _, a, b, c, _ = six(random, (size,), odd=3 * odd, equal=random.random() < 0.3)
        assert blockwise.largest(a) == most(finite(a))
        assert blockwise.apart(a, b) == most(finite(a) - finite(b))
        for x, y in ((a, b), (a, a), (a, c)):
            assert blockwise.identical(x, y) == np.array_equal(x, y, equal_nan=True)
            assert blockwise.identical(x, y, equal_nan=False) == np.array_equal(x, y)
            good = bool(np.isfinite(x).all() and np.isfinite(y).all())
            assert blockwise.alike(x, y) == (np.array_equal(x, y, equal_nan=True), good)
        unequal = np.flatnonzero(a != b)
        first = int(unequal[0]) if len(unequal) else None
        assert blockwise.first(a, b, np.not_equal) == first
        difference = np.abs(a - b)
        place, size_ = blockwise.peak(a, b)
        assert place == int(np.argmax(difference))
        np.testing.assert_equal(size_, float(difference[place]))


@pytest.mark.parametrize("dtype", ["?", "u1", "i8", "f2"])
def test_the_largest_of_other_dtypes(dtype):
    array = np.arange(20).astype(dtype)
    assert blockwise.largest(array) == most(finite(array))
    assert not blockwise.identical(array, array[:-1])


def test_equal_predictions_are_counted_over_all_parts(monkeypatch):
    monkeypatch.setattr(classification, "_ROWS", 4)
    left, right = np.random.default_rng(1).random((2, 13, 3))
    same = int(np.sum(left.argmax(1) == right.argmax(1)))
    assert classification.agreement(left, right) == (same, 13)


# --- Why: from pieces of the arrays ---------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [False, True])
def test_pieces_cover_an_array_once(shape, rows):
    seen = np.zeros(shape, int)
    if rows and not shape:
        return
    for index in array_hypotheses._pieces(shape, rows=rows):
        piece = seen[index]
        assert piece.size <= 8 or (rows and piece.shape[-1] == shape[-1])
        seen[index] += 1
    assert (seen == 1).all()


@pytest.mark.parametrize(
    ("repair", "kind"),
    [
        (lambda a: a.T, "transposed"),
        (lambda a: a * 3, "scale"),
        (lambda a: a + 0.5, "offset"),
        (lambda a: np.roll(a, 1, 0), "shift"),
        (lambda a: np.roll(a, -1, 1), "shift"),
        (lambda a: a * 0, "zero"),
        (lambda a: a[::-1], "reordered"),
        (lambda a: np.exp(a) / np.exp(a).sum(1, keepdims=True), "activation"),
    ],
)
@pytest.mark.parametrize("shape", [(3, 5), (9, 31), (16, 16)])
def test_a_clue_is_found_from_pieces_too(repair, kind, shape, monkeypatch):
    left = np.random.default_rng(2).normal(size=shape)
    right = np.ascontiguousarray(repair(left))
    few = array_hypotheses.find_hypothesis(left, right)
    monkeypatch.setattr(blockwise, "BLOCK", 1 << 16)
    assert few is not None
    assert (few.kind, few) == (kind, array_hypotheses.find_hypothesis(left, right))


def test_a_repair_that_fails_in_the_last_piece_is_none():
    left = np.random.default_rng(2).normal(size=(9, 31))
    right = left * 3
    right[-1, -1] += 1e-6
    assert array_hypotheses.find_hypothesis(left, right) is None


def test_a_step_is_recognised_from_parts(monkeypatch):
    random = np.random.default_rng(4)
    before, gradient = random.normal(size=(2, 100))
    after = before - 0.01 * gradient / (np.abs(gradient) + 1e-8)
    whole = optimizer_step.recognise_step(before, after, gradient)
    monkeypatch.setattr(optimizer_step, "_PART", 7)
    parts = optimizer_step.recognise_step(before, after, gradient)
    assert whole.settings == parts.settings
    assert parts.learning_rate == pytest.approx(whole.learning_rate, rel=1e-14)


# --- Memory ---------------------------------------------------------------------------------------

CHILD = """
    import sys
    from pathlib import Path
    from parity.run import pipeline
    from parity.verdict import judgement
    from parity.bench.child import peak_memory
    from parity.comparator.compare import Question
    from parity.spec.example import ComparedPair
    pair = ComparedPair("made", "made", "", "")
    judged = judgement.judge_pair(pair, *pipeline.gather(sorted(Path(sys.argv[1]).iterdir())),
                                Question())
    print(judged.verdict, round(peak_memory()), judged.text)
"""
LARGE = """
    import sys
    from pathlib import Path
    import numpy as np
    from parity.recording.recording_file import Header, write
    fault = sys.argv[2] == "fault"
    rows, folder = 1_000_000, Path(sys.argv[1])
    for side in ("torch", "keras"):
        random = np.random.default_rng(side == "keras")
        for precision, nudged in (("float32", False), ("float64", False), ("float64", True)):
            array = np.random.default_rng(7).standard_normal((rows, 10))
            unit = 1e-7 if precision == "float32" else 1e-16
            array *= 1 + unit * random.standard_normal(rows)[:, None]
            if fault and side == "keras":
                array *= 3
            write(folder / f"{side}-{precision}-{nudged}", {"predictions/test":
                  array.astype(precision)}, Header("made", side, precision, nudged=nudged))
"""


@pytest.mark.parametrize("kind", ["agree", "fault"])
def test_a_pair_of_400_megabytes_needs_less_than_half_of_it(tmp_path, kind):
    """In a process of its own, one single key, agreeing and not."""
    for code in (LARGE, CHILD):
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), tmp_path, kind],
            capture_output=True,
            text=True,
            check=True,
        )
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) > 390e6
    verdict, megabytes, text = done.stdout.split(" ", 2)
    assert verdict == ("differ" if kind == "fault" else "agree")
    assert int(megabytes) < 200
    assert ("everywhere (then" in text) == (kind == "fault"), text


def test_extents_know_all_their_fields():
    """`join` names the fields one by one: a new one must not be left out."""
    one = Extent(False, False, False, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    whole = Extent()
    whole.join(one)
    assert dataclasses.astuple(whole) == dataclasses.astuple(one)
