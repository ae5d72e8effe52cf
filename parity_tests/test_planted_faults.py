"""Every planted fault turns the verdict and is named at the right first place; no false alarms."""

import subprocess
import sys
from pathlib import Path

import pytest

from parity_tests.planted.faults import FAULTS, HONEST
from parity_tests.planted.spec import SPEC
from shared import recording, verdict
from shared.recording import Runs
from shared.spec import SIDES

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """All faults of both sides, recorded by one process a side, both at once."""
    folder = tmp_path_factory.mktemp("planted")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "parity_tests.planted", side, str(folder)],
            cwd=ROOT, stderr=subprocess.PIPE, text=True,
        )
        for side in SIDES
    ]  # fmt: skip
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors[-3000:]
    return folder


def judged(folder, left_fault, right_fault):
    sides = []
    for side, fault in (("torch", left_fault), ("keras", right_fault)):
        files = [f"{fault}-{side}-{run}.safetensors"
                 for run in ("float32", "float64", "float64-nudged")]  # fmt: skip
        sides.append(Runs(side, *(recording.read(folder / name) for name in files)))
    pair = SPEC.pairs[0]
    return verdict.judge_pair(pair, *sides, verdict.question(SPEC, pair))


def test_without_a_fault_everything_agrees(recordings):
    result = judged(recordings, "none", "none")
    assert result.verdict == "agree", result.text
    assert result.horizon == result.last_step == 20


@pytest.mark.parametrize("name", HONEST)
def test_honest_variations_raise_no_alarm(recordings, name):
    result = judged(recordings, name, "none")
    assert result.verdict == "agree", result.text


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_fault_is_caught_and_named(fault, recordings, planted_table):
    names = [fault.name if side in fault.sides else "none" for side in SIDES]
    result = judged(recordings, *names)
    found = result.first.key if result.first else "nothing"
    named = found.startswith(fault.key)
    planted_table.append((fault.id, result.verdict, found, result.text, named))
    assert result.verdict == "differ"
    assert found.startswith(fault.key), result.text
    assert result.first.status == fault.status, result.text
    assert fault.words in result.text
    if fault.step is not None:
        assert result.first.step == fault.step, result.text
