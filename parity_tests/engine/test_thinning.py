"""`parity.recording.thinning`: a 32nd part of a large array, by which it is judged as it was."""

import dataclasses
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from parity.comparator.compare import Question, compare
from parity.recording import recording_file, thinning
from parity.recording.recording_file import Header, Recording, Runs
from parity.recording.thinning import CHUNK, Thinned, is_large, thin
from parity.spec.example import ComparedPair
from parity.verdict.judgement import judge_pair

KEY = "gradients/step0/hidden/kernel"
SHAPE = (300, 256)


def test_only_large_arrays_of_the_model_are_thinned() -> None:
    large, small = np.zeros(thinning.WHOLE + 1), np.zeros(thinning.WHOLE)
    for key in ("weights/initial/a/b", "weights/step20/a/b", "state/final/a/b/m", KEY):
        assert is_large(key, large)
        assert not is_large(key, small)
        assert not is_large(key, large.astype(np.int64))
    for key in ("inputs/images", "activations/step0/a", "predictions/test", "values/a/b"):
        assert not is_large(key, large)


@hypothesis.given(st.integers(1, 700), st.sampled_from(["f4", "f8"]))
def test_one_element_and_one_sum_of_every_chunk(size: int, dtype: str) -> None:
    array = np.random.default_rng(size).normal(size=size).astype(dtype)
    told, kept = Thinned.of(array), thin(array)
    assert kept.dtype == array.dtype
    assert kept.shape == (2 * told.kept,)
    for at in range(told.kept):
        place = told.place(at)
        assert place is not None
        assert place[0] // CHUNK == at
        assert kept[at] == array[place]
        signed = np.abs(array[at * CHUNK : (at + 1) * CHUNK])
        assert abs(kept[told.kept + at]) <= signed.sum() / 8 * (1 + 1e-6)
        assert told.place(told.kept + at) is None


@hypothesis.given(st.integers(0, 70), st.integers(2, 300))
def test_few_columns_are_left_out_and_those_are_in_sums(more: int, columns: int) -> None:
    shape = (thinning.WHOLE // columns + 1 + more, columns)
    told = Thinned(shape, "")
    places = np.array([told.place(at) for at in range(told.kept)])
    assert len(set(places[:, 1])) >= 0.8 * columns


def test_digests_are_of_every_element_and_of_the_shape() -> None:
    array = np.zeros(SHAPE)
    assert Thinned.of(array) == Thinned.of(-array)  # −0 is 0
    assert Thinned.of(array).digest != Thinned.of(array.T).digest
    assert Thinned.of(array).digest != Thinned.of(array.astype(np.float32)).digest
    array[7, 7] = 5e-324
    assert Thinned.of(array).digest != Thinned.of(np.zeros(SHAPE)).digest


# --- The verdict on thinned arrays ----------------------------------------------------------------


def runs(title: str, double: np.ndarray, noise: int, *, thinned: bool = True) -> Runs:
    """A side whose float32 is float64 and rounding of its own."""
    rng = np.random.default_rng(noise)
    rounding = 1 + rng.uniform(-1, 1, double.shape) * 2.0**-24
    made = []
    for precision, array in (
        ("float32", (double * rounding).astype(np.float32)),
        ("float64", double * (1 + rng.uniform(-1, 1, double.shape) * 2.0**-53)),
    ):
        header = Header("made", "torch" if title == "left" else "keras", precision)
        if thinned:
            header = dataclasses.replace(header, thinned={KEY: Thinned.of(array)})
        made.append(Recording(header, {KEY: thin(array) if thinned else array}))
    return Runs(title, *made)


@pytest.fixture
def true() -> np.ndarray:
    return np.random.default_rng(0).normal(size=SHAPE)


def verdict(left: Runs, right: Runs):
    (found,) = compare(left, right, Question()).findings
    return found


@pytest.mark.parametrize("thinned", [(True, True), (True, False), (False, True)])
def test_rounding_is_rounding_in_what_is_kept_too(true, thinned) -> None:
    whole = verdict(runs("left", true, 1, thinned=False), runs("right", true, 2, thinned=False))
    found = verdict(
        runs("left", true, 1, thinned=thinned[0]), runs("right", true, 2, thinned=thinned[1])
    )
    assert (whole.status, found.status) == ("rounding", "rounding")
    assert 0.25 * (whole.ratio or 0) < (found.ratio or 0) < 2 * (whole.ratio or 0)


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (150, 77), (299, 255)])
def test_a_single_element_that_is_off(true, place) -> None:
    off = true.copy()
    off[place] *= 1 + 1e-6
    assert verdict(runs("left", true, 1), runs("right", off, 2)).status == "different"


@pytest.mark.parametrize(
    "fault",
    [
        lambda a: a * (1 + 1e-6),
        lambda a: a + 1e-6,
        lambda a: np.concatenate([a[:, :-1], 0.999999 * a[:, -1:]], axis=1),
        lambda a: np.concatenate([a[:-1], a[-1:] + 1e-6]),
        lambda a: np.roll(a, 1, axis=0),
        lambda a: a[:, ::-1],
    ],
)
def test_many_elements_that_are_off(true, fault) -> None:
    assert verdict(runs("left", true, 1), runs("right", fault(true), 2)).status == "different"


def test_equal_is_what_is_equal_in_all_elements(true) -> None:
    left, right = runs("left", true, 1), runs("right", true, 1)
    assert verdict(left, right).status == "identical"
    assert right.float64 is not None
    other = Thinned(SHAPE, "another")
    header = dataclasses.replace(right.float64.header, thinned={KEY: other})
    changed = dataclasses.replace(right.float64, header=header)
    found = verdict(left, dataclasses.replace(right, float64=changed))
    assert (found.status, found.ratio) == ("rounding", 0.0)


def test_the_place_is_that_in_the_whole_array(true) -> None:
    off = true.copy()
    off[2:4] += 1e-3
    found = verdict(runs("left", true, 1), runs("right", off, 2))
    assert found.index
    assert found.index[0] in (2, 3)
    assert float(found.left) == pytest.approx(true[found.index], rel=1e-12)


@pytest.mark.parametrize("thinned", [(True, True), (True, False)])
def test_another_shape_of_the_same_size(true, thinned) -> None:
    left = runs("left", true, 1, thinned=thinned[0])
    right = runs("right", np.ascontiguousarray(true.T), 2, thinned=thinned[1])
    found = verdict(left, right)
    assert (found.status, found.left, found.right) == ("shape", "(300, 256)", "(256, 300)")
    assert not judge_pair(ComparedPair("a", "a ~ b", "x", "y"), left, right, Question()).causes


def test_a_cause_is_looked_for_in_the_elements_and_the_text_says_so(true) -> None:
    pair = ComparedPair("a", "a ~ b", "x", "y")
    judged = judge_pair(pair, runs("left", true, 1), runs("right", true + 0.5, 2), Question())
    assert "left's plus 0.5 everywhere" in judged.text
    turned = np.ascontiguousarray(true[:, ::-1])
    judged = judge_pair(pair, runs("left", true, 1), runs("right", turned, 2), Question())
    assert not judged.causes
    assert "Of its 76,800 elements 1,200 were kept" in judged.text
    assert "parity run made --whole" in judged.text


def test_thinned_arrays_come_back(tmp_path: Path, true) -> None:
    header = Header("made", "torch", "float64", thinned={KEY: Thinned.of(true)})
    recording_file.write(tmp_path / "a", {KEY: thin(true)}, header)
    back = recording_file.read(tmp_path / "a")
    assert back.header.thinned == header.thinned
    np.testing.assert_array_equal(back.elements(KEY), thin(true)[:1200])
