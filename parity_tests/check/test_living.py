"""A process of a side that dies costs the check that it was at, and no other."""

import os
import signal

import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.core.errors import WorkerError
from parity_tests.check.living import living_processes
from parity_tests.check.written_cases import FOLDER

PAIR = FOLDER / "proof" / "one_for_two"


@pytest.mark.parametrize("side", [0, 1], ids=["torch", "keras"])
def test_checks_behind_one_whose_process_died_are_answered(side):
    targets = Target(f"{PAIR}/t.py", "Decoder", {}), Target(f"{PAIR}/k.py", "right", {})
    request = CheckRequest(inputs=(model_inputs.parse("2,3,6,4"),))
    with living_processes() as remotes:
        dying = remotes[side]
        dying.load(targets[side])
        os.kill(dying._child.pid, signal.SIGKILL)
        with pytest.raises(WorkerError, match="SIGKILL"):
            dying.vocabulary()
        assert check_in(remotes, targets, request).verdict == "agree"
