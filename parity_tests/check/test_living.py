"""A process of a side that dies: what it costs, and what is said."""

import os
import signal

import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest, processes
from parity.core.errors import CrashError, WorkerError
from parity_tests.check.written_cases import FOLDER

PAIR = FOLDER / "proof" / "one_for_two"
REQUEST = CheckRequest(inputs=(model_inputs.parse("2,3,6,4"),))
TARGETS = Target(f"{PAIR}/t.py", "Decoder", {}), Target(f"{PAIR}/k.py", "right", {})

CRASHING = """
import os, signal
from pathlib import Path
from torch import nn

class Crashing(nn.Linear):
    def forward(self, x):
        flag = Path(__file__).with_name("crash")
        if flag.exists():
            if flag.read_text() == "once":
                flag.unlink()
            os.kill(os.getpid(), signal.SIGSEGV)
        return super().forward(x)

def build():
    return Crashing(3, 4)
"""
KERAS = """
import keras

def build():
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(4)])
"""


@pytest.fixture(scope="module")
def both():
    """Processes of their own: of a fork only the client would be killed."""
    with processes(CheckRequest()) as remotes:
        yield remotes


@pytest.fixture
def living(both):
    """The two, there again behind each test."""
    yield both
    for remote in both:
        remote.revive()


@pytest.mark.parametrize("side", [0, 1], ids=["torch", "keras"])
def test_checks_behind_one_whose_process_was_killed_are_answered(living, side):
    dying = living[side]
    dying.load(TARGETS[side])
    os.kill(dying._child.pid, signal.SIGKILL)
    with pytest.raises(WorkerError, match="SIGKILL"):
        dying.vocabulary()
    assert check_in(living, TARGETS, REQUEST).verdict == "agree"


@pytest.mark.parametrize("crashes", ["once", "always"])
def test_a_crash_in_native_code_gets_one_more_try(living, tmp_path, crashes):
    (tmp_path / "t.py").write_text(CRASHING)
    (tmp_path / "k.py").write_text(KERAS)
    (tmp_path / "crash").write_text(crashes)
    targets = Target(f"{tmp_path}/t.py", "build", {}), Target(f"{tmp_path}/k.py", "build", {})
    request = CheckRequest(inputs=(model_inputs.parse("2,3"),))
    if crashes == "once":
        result = check_in(living, targets, request)
        assert result.verdict == "agree"
        (note,) = (n for n in result.notes if "The first try broke off" in n)
    else:
        with pytest.raises(CrashError) as caught:
            check_in(living, targets, request)
        note = str(caught.value)
    assert "SIGSEGV" in note
    assert "in forward" in note
