"""What else loads the machine is seen; beside the suite's own work nothing is timed."""

import os
import subprocess
import sys

import psutil
import pytest

from parity.bench import machine, session
from parity.bench.session import BenchRequest
from parity.cli.main import main
from parity.core.errors import UsageError
from parity_tests.waiting import wait_for
from shared.suite import SUITE

UP = "print(1, flush=True)\n"
SPIN = f"{UP}while True: pass"
REST = f"{UP}import time\ntime.sleep(3600)\n"


def start(code, *names):
    """A Python process whose command line ends with these words."""
    return up([sys.executable, "-c", code, *names])


def up(command, **more):
    """A process that has said that it is there."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, **more)
    process.stdout.readline()
    return process


def end(process):
    with process:  # which closes the pipe, and waits
        process.kill()


@pytest.fixture
def work(tmp_path):
    """A process that looks like a side at work, and does nothing."""
    package = tmp_path / "pytorch_impl"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(REST)
    command = [sys.executable, "-m", "pytorch_impl", "--worker"]
    process = up(command, cwd=tmp_path)
    yield process
    end(process)


@pytest.fixture
def alone(monkeypatch):
    """As if nothing of the suite ran but what the test itself starts."""
    found = machine.own_work
    before = set(psutil.Process().children())

    def own_work():
        started = {child.pid for child in {*psutil.Process().children()} - before}
        return ((pid, command) for pid, command in found() if pid in started)

    monkeypatch.setattr(machine, "own_work", own_work)


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["python", "-m", "pytorch_impl", "--worker"], True),
        (["/usr/bin/python3.11", "-m", "keras_impl", "--bench"], True),
        (["python", "-m", "parity.keras_side.checker", "--threads", "1"], True),
        (["/x/bin/python", "/x/bin/parity", "run", "fashion_mlp"], True),
        (["parity", "report"], True),
        (["/x/bin/python", "/x/bin/parity", "list"], False),
        (["/x/bin/python", "/x/bin/parity", "run", "--help"], False),
        (["python", "-m", "pytest", "parity_tests"], False),
        (["grep", "-m", "pytorch_impl"], False),
        (["vim", "parity", "run"], False),
        (["python"], False),
        ([], False),
    ],
)
def test_own_work_is_known_by_its_command_line(words, own):
    assert machine.is_own(words) == own


def test_work_elsewhere_is_refused(alone, work):
    with pytest.raises(UsageError, match=f"at work elsewhere.*process {work.pid}.*start again"):
        machine.refuse_own_work()
    work.kill()
    work.wait()
    machine.refuse_own_work()


def test_it_is_not_in_its_own_way(monkeypatch):
    """Neither the bench itself nor what waits for it, a shell or a test, is work elsewhere."""
    monkeypatch.setattr(machine, "is_own", lambda command: True)
    assert not {os.getpid(), os.getppid()} & {pid for pid, _ in machine.own_work()}


def test_nothing_is_started_beside_work_elsewhere(alone, work, monkeypatch, capsys):
    started = []
    monkeypatch.setattr(session.measuring, "measure", lambda *args: started.append(args))
    monkeypatch.setattr(sys, "argv", ["parity", "bench", "iris_mlp"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "at work elsewhere" in capsys.readouterr().err
    assert not started


def test_a_busy_process_is_named():
    process = start(SPIN, "a-busy-process")
    try:
        # Beside much else it may get nothing for as long as is watched.
        named = wait_for(lambda: [load for load in machine.others() if load.pid == process.pid])
    finally:
        end(process)
    assert named[0].percent > machine.BUSY
    assert named[0].pid not in {load.pid for load in machine.others()}


def test_an_idle_process_is_not_named():
    process = start(REST)
    try:
        assert process.pid not in {load.pid for load in machine.others()}
    finally:
        end(process)


def test_the_machine_is_described():
    facts = machine.facts(threads=3)
    assert facts["threads"] == 3
    assert facts["cores"] >= 1
    assert facts["memory_gib"] > 0
    assert facts["cpu"]
    assert set(facts["versions"]) == {"python", "numpy"}


def test_an_example_without_training_is_refused():
    with pytest.raises(UsageError, match="autograd has no training to time"):
        session.run_bench(BenchRequest(SUITE, (SUITE.find("autograd"),)))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--way", "fastest"], "expected tutorial, idiomatic, fast, limit"),
        (["--side", "jax"], "jax"),
        (["--runs", "1"], "--runs"),
    ],
)
def test_an_option_that_names_nothing_ends_with_2(words, told, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["parity", "bench", "iris_mlp", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert told in capsys.readouterr().err
