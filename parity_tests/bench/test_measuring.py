"""One process a measurement: whatever becomes of it is one clear error, and nothing is left."""

import sys

import psutil
import pytest

from parity.bench.measuring import measure
from parity.core.errors import WorkerError
from parity.workers.options import WorkerOptions
from parity_tests.bench.synthetic import job
from parity_tests.waiting import PATIENCE, wait_for

ANSWER = '{"values": {"epoch": 2.0}, "steps_per_epoch": 5, "facts": {}}'


def run(code, timeout=PATIENCE):
    commands = {"torch": [sys.executable, "-c", code]}
    return measure("torch", job("limit"), WorkerOptions(commands=commands, timeout=timeout))


def test_an_answer_is_read():
    found = run(f"print('{ANSWER}')")
    assert found.values == {"epoch": 2.0}
    assert found.steps_per_epoch == 5


def test_the_process_has_the_job_and_the_environment_of_a_worker():
    code = (
        "import json, os, sys\n"
        "job = json.loads(sys.stdin.readline())\n"
        "facts = {k: os.environ[k] for k in ('PYTHONSAFEPATH', 'MALLOC_TOP_PAD_')}\n"
        "print(json.dumps({'values': {}, 'steps_per_epoch': 1,\n"
        "                  'facts': {**facts, 'way': job['way']}}))"
    )
    assert run(code).facts == {
        "PYTHONSAFEPATH": "1",
        "MALLOC_TOP_PAD_": str(2**26),
        "way": "limit",
    }


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('no such data')", r"exit code 1.*no such data"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL, perhaps out of memory"),
        ("print('nonsense')", "no measurement: 'nonsense'"),
        ("print('{}')", "no measurement"),
        ("pass", "no measurement.*printed nothing"),
    ],
)
def test_what_is_no_measurement_is_an_error(code, words):
    with pytest.raises(
        WorkerError, match=rf"(?s)PyTorch, measuring fashion_mlp \(limit\).*{words}"
    ):
        run(code)


def test_a_process_that_hangs_is_stopped_with_its_children():
    code = (
        "import subprocess, sys, time\n"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)', 'left-behind'])\n"
        "time.sleep(3600)"
    )
    with pytest.raises(WorkerError, match=r"not done after 1 s; it was stopped.*--timeout"):
        run(code, timeout=1.0)

    def left():
        return [
            process
            for process in psutil.process_iter(["status", "cmdline"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and "left-behind" in (process.info["cmdline"] or [])[-1:]
        ]

    wait_for(lambda: not left(), "the end of its children")


def test_an_interpreter_that_is_not_there_is_named():
    options = WorkerOptions(pythons={"keras": "/nowhere/python"})
    with pytest.raises(WorkerError, match=r"cannot start '/nowhere/python'.*--keras-python"):
        measure("keras", job(), options)
