"""Every planted fault turns the verdict and is named at the right first place; no false alarms.

All of the small perceptron are planted in each run. Of those of the examples, `rows`, a quarter is
drawn by ``PARITY_SEED``, some in the program of either side, planted in every way, and seen at
every stage of a recording; ``PARITY_LONG=1`` plants all.
"""

import os
import shutil
import subprocess

import pytest

from parity.core.sides import SIDES
from parity.recording import recording_file
from parity.recording.recording_file import Runs
from parity.verdict import judgement
from parity_tests.planted import page, rows
from parity_tests.planted.faults import FAULTS, HONEST
from parity_tests.planted.spec import SPEC
from shared.examples import ALL
from shared.suite import SUITE

SMALL = "a small perceptron"


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, forked):
    """All faults, recorded by a process for each side."""
    folder = tmp_path_factory.mktemp("planted")
    processes = [
        subprocess.Popen(
            [forked[side], "-m", "parity_tests.planted", side, str(folder), *rows.here()],
            stderr=subprocess.PIPE,
            text=True,
        )
        for side in SIDES
    ]
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors[-3000:]
    yield folder
    shutil.rmtree(folder)  # gigabytes


def runs(folder, name, side):
    files = [folder / f"{name}-{run}.safetensors" for run in ("float32", "float64")]
    nudged = folder / f"{name}-float64-nudged.safetensors"
    found = [
        recording_file.read(file) for file in (*files, nudged) if file.exists() or file != nudged
    ]
    return Runs(side, *found)


def judged(folder, left_fault, right_fault):
    faults = (("torch", left_fault), ("keras", right_fault))
    sides = [runs(folder, f"{fault}-{side}", side) for side, fault in faults]
    pair = SPEC.pairs[0]
    return judgement.judge_pair(pair, *sides, judgement.question(SPEC, pair, SUITE.load))


def told(result, example, side, what, named=None):
    return page.Told(
        example, side, what, result.verdict, result.first.key if result.first else "", named
    )


def test_without_a_fault_everything_agrees(recordings):
    result = judged(recordings, "none", "none")
    assert result.verdict == "agree", result.text
    assert result.horizon == result.last_step == 20


@pytest.mark.parametrize("name", HONEST)
def test_honest_variations_raise_no_alarm(recordings, name, plant):
    result = judged(recordings, name, "none")
    plant(told(result, SMALL, "torch", name.replace("_", " ")))
    assert result.verdict == "agree", result.text


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_fault_is_caught_and_named(fault, recordings, plant):
    names = [fault.name if side in fault.sides else "none" for side in SIDES]
    result = judged(recordings, *names)
    found = result.first.key if result.first else "nothing"
    what, sides = fault.name.replace("_", " "), "+".join(fault.sides)
    plant(told(result, SMALL, sides, what, found.startswith(fault.key)))
    assert result.verdict == "differ"
    assert found.startswith(fault.key), result.text
    assert result.first.status == fault.status, result.text
    assert fault.words in result.text
    if fault.step is not None:
        assert result.first.step == fault.step, result.text


def judged_row(folder, row):
    if row.example not in rows.here():
        reason = f"the data of {row.example} is not here: parity data status"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    names = {s: rows.recording(row, s, changed=s == row.side) for s in SIDES}
    pair = rows.pair(row)
    sides = [runs(folder, names[s], s) for s in SIDES]
    return judgement.judge_pair(
        pair, *sides, judgement.question(SUITE.find(row.example), pair, SUITE.load)
    )


def test_every_trained_example_has_faults_of_its_own():
    for spec in (s for s in ALL if s.training):
        kinds = {row.what for row in rows.FAULTS if row.example == spec.name}
        assert len(kinds) >= 2, f"{spec.name}: plant two faults of its own kind or more"
        assert any(row.example == spec.name for row in rows.HONEST)


@pytest.mark.parametrize("row", [r for r in rows.DRAWN if not r.key], ids=lambda row: row.id)
def test_an_honest_variation_of_an_example_raises_no_alarm(recordings, row, plant):
    result = judged_row(recordings, row)
    plant(told(result, row.example, row.side, row.what))
    assert result.verdict == "agree", result.text


@pytest.mark.parametrize("row", [r for r in rows.DRAWN if r.key], ids=lambda row: row.id)
def test_a_fault_of_an_example_is_caught_and_named(recordings, row, plant):
    result = judged_row(recordings, row)
    found = result.first.key if result.first else "nothing"
    named = found.startswith(row.key)
    plant(told(result, row.example, row.side, row.what, named))
    assert result.verdict == "differ"
    assert named, result.text


def test_the_page_says_what_was_measured(planted_rows):
    """Last of all, of what was planted in this run; ``PARITY_PLANTED=1`` writes the page anew."""
    every = len(FAULTS) + len(HONEST) + len(rows.FAULTS) + len(rows.HONEST)
    if len(planted_rows) == every and os.environ.get("PARITY_PLANTED"):
        page.PAGE.write_text(page.text(planted_rows), encoding="utf-8")
    shown = page.PAGE.read_text("utf-8")
    if len(planted_rows) == every:
        assert page.summary(planted_rows) in shown, "write it anew: make planted"
    for row in planted_rows:
        assert f"{row.what} | {page.TITLES[row.side]} | {row.verdict} |" in shown, row
