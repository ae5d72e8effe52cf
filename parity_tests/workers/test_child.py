"""The one wrapper around child processes, and those who use it: nothing is left, all is said."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import psutil
import pytest

from parity.bench.measuring import measure
from parity.checker.graph.target import Target
from parity.checker.workers.remote_model import RemoteModel
from parity.core.errors import WorkerError
from parity.run import pool
from parity.spec.example import Size
from parity.sweep.crew import Crew
from parity.sweep.job import SweepJob, Task
from parity.training.job import RecordingJob
from parity.workers.child import ChildProcess
from parity.workers.options import WorkerOptions
from parity.workers.signals import signals_as_interrupt
from parity_tests.bench.synthetic import job as bench_job
from parity_tests.waiting import PATIENCE, wait_for

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY = "import json, os, sys, time\nprint(json.dumps({'event': 'ready'}), flush=True)\n"
NOISE = (
    "I0000 00:00:1 some_kernel.cc:1] AVX\n",
    "WARNING: All log messages before absl::InitializeLog()\n",
    "To enable the following instructions: AVX2, rebuild TensorFlow\n",
)
LAST_WORDS = (
    "import sys\n"
    "print('the last words', file=sys.stderr)\n"
    f"sys.stderr.write(''.join({NOISE!r}) * 20)\n"
    "sys.exit(7)\n"
)
GRANDCHILD = (
    "import subprocess, sys\n"
    "held = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    "print(held.pid, flush=True)\n"
)


def child(code, **more):
    return ChildProcess("torch", [sys.executable, "-c", code], **more)


def gone(*processes):
    """Wait for their end."""
    _, alive = psutil.wait_procs(processes, timeout=PATIENCE)
    return not alive


@contextlib.contextmanager
def started(command, **more):
    """A process with pipes, ended with the test."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    with subprocess.Popen(command, **pipes, **more) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def default_handlers():
    """A shell makes its background jobs ignore SIGINT, and these tests may be one."""
    defaults = (signal.default_int_handler, signal.SIG_DFL, signal.SIG_DFL)
    before = [signal.signal(n, new) for n, new in zip(SIGNALS, defaults, strict=True)]
    yield
    for number, old in zip(SIGNALS, before, strict=True):
        signal.signal(number, old)


class TestTheChannel:
    def test_lines_go_both_ways_up_to_its_end(self):
        with child("for line in __import__('sys').stdin: print('got', line, end='')") as process:
            process.send("one")
            process.send("two")
            assert process.receive(PATIENCE) == "got one\n"
            assert process.receive(PATIENCE) == "got two\n"
            with pytest.raises(TimeoutError):
                process.receive(0)
            os.kill(process.pid, signal.SIGKILL)
            assert process.receive(PATIENCE) is None
            process.send("into nothing")
            assert process.receive(PATIENCE) is None, "whoever asks again is not left waiting"

    def test_it_has_ended_though_its_own_child_holds_the_channel(self):
        with child(GRANDCHILD) as process:
            held = psutil.Process(int(process.receive(PATIENCE)))
            assert process.receive(PATIENCE) is None
            assert held.is_running()
        assert gone(held)

    @pytest.mark.parametrize("text", ["fault?", "[1]", '{"no": "event"}', "42", "\\x00\\xff"])
    def test_what_is_no_event_is_an_error(self, text):
        wrong = pytest.raises(WorkerError, match=r"PyTorch: .* is no event while starting: '")
        with child(f"print({text!r})") as process, wrong:
            process.next_event(PATIENCE)

    def test_a_framework_that_is_not_there_names_the_option(self):
        said = {"event": "broken", "message": "No module named 'torch'"}
        wrong = pytest.raises(WorkerError, match=r"No module named 'torch'.*--torch-python PATH")
        with child(f"import json; print(json.dumps({said!r}))") as process, wrong:
            process.next_event(PATIENCE)

    def test_an_interpreter_that_is_not_there_names_the_option(self):
        with pytest.raises(WorkerError, match=r"cannot start '/no/python'.*--keras-python PATH"):
            ChildProcess("keras", ["/no/python"])


class TestItsEnd:
    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("raise SystemExit(3)", r"\(exit code 3\)"),
            ("import os; os.kill(os.getpid(), 9)", "SIGKILL, perhaps out of memory; less work: -n"),
            ("import os; os.kill(os.getpid(), 11)", r"\(signal SIGSEGV\)"),
            ("import os; os.kill(os.getpid(), 40)", r"\(signal 40\)"),
        ],
    )
    def test_it_is_said_how(self, code, words):
        with child(code, less="-n") as process:
            process.doing = "while at it"
            with pytest.raises(
                WorkerError, match=rf"{words}.* while at it\. It printed nothing\.$"
            ):
                process.next_event(PATIENCE)

    def test_only_while_it_starts_the_interpreter_is_asked_about(self):
        with child("raise SystemExit(1)") as process:
            message = str(process.death())
        assert "while starting" in message
        assert f"Is {sys.executable} a Python with this framework" in message

    def test_of_the_last_lines_none_is_noise(self):
        with child(LAST_WORDS) as process:
            assert process.exit_code == 7
            assert process.last_lines() == "Its last lines:\n  the last words"

    def test_a_process_that_hangs_is_said_and_ended(self):
        with child(READY + "time.sleep(600)") as process:
            process.next_event(PATIENCE)
            with pytest.raises(WorkerError, match=r"no sign of life for 0 s .*--timeout SECONDS"):
                process.next_event(0)
            running = psutil.Process(process.pid)
        assert gone(running)
        assert process.exit_code == -signal.SIGKILL

    def test_it_may_end_by_itself_in_the_grace(self):
        with child("import sys; sys.stdin.readline(); sys.exit(5)") as process:
            process.send("quit")
            process.close(PATIENCE)
        assert process.exit_code == 5

    def test_another_thread_may_end_it(self):
        with child("import time; time.sleep(600)") as process:
            closing = threading.Thread(target=process.close)
            closing.start()
            assert process.receive(PATIENCE) is None
            closing.join()

    def test_its_pipes_are_closed(self):
        before = set(os.listdir("/proc/self/fd"))
        with child("print(1)") as process:
            process.receive(PATIENCE)
        assert set(os.listdir("/proc/self/fd")) <= before


PARENT = """
import sys
from parity.workers.child import ChildProcess
child = ChildProcess("torch", [sys.executable, "-c", sys.argv[1]])
while (event := child.next_event(600))["event"] != "progress":
    child.send("a job")
print(child.pid, event["done"], flush=True)
child.receive(600)
"""
WORKER = """
import subprocess, sys, time, types
from parity.workers.channel import serve
def handle(job, progress):
    held = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    progress(held.pid, 0)
    time.sleep(600)
serve(dict, handle, lambda line: types.SimpleNamespace(id=line))
"""


def test_the_parents_death_ends_it_with_what_it_started():
    with started([sys.executable, "-c", PARENT, WORKER]) as parent:
        left = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        parent.kill()
        assert gone(*left)


MEASURING = """
import sys, time
from parity.bench import child
def measure(*args):
    print("measuring", file=sys.stderr, flush=True)
    time.sleep(600)
child._measure = measure
child.main(None, "pytorch_impl", None)
"""


def test_the_parents_death_ends_a_measurement():
    with started([sys.executable, "-c", MEASURING], stdin=subprocess.PIPE) as process:
        process.stdin.write(bench_job("limit").to_json() + "\n")
        process.stdin.flush()
        assert process.stderr.readline() == "measuring\n"
        process.stdin.close()
        assert process.wait(PATIENCE) == 3


class TestSignals:
    pytestmark = pytest.mark.usefixtures("default_handlers")

    @pytest.mark.parametrize("number", SIGNALS)
    def test_the_first_interrupts_and_no_other_disturbs_the_cleaning_up(self, number):
        before = [signal.getsignal(n) for n in SIGNALS]
        cleaned = []

        @contextlib.contextmanager
        def cleaning_up():
            try:
                yield
            finally:
                for other in SIGNALS:
                    signal.raise_signal(other)
                cleaned.append(number)

        inner, outer = signals_as_interrupt(), signals_as_interrupt()
        with pytest.raises(KeyboardInterrupt), outer, cleaning_up(), inner:
            signal.raise_signal(number)
        assert cleaned == [number]
        assert [signal.getsignal(n) for n in SIGNALS] == before

    def test_what_is_ignored_stays_ignored(self):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        with signals_as_interrupt():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN

    def test_in_another_thread_nothing_changes(self):
        found = []

        def look():
            with signals_as_interrupt():
                found.append(signal.getsignal(signal.SIGTERM))

        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        assert found == [signal.SIG_DFL]


def interpreter(folder, code):
    """A Python that runs this, whatever it is asked."""
    (folder / "fake.py").write_text(code)
    script = folder / "python"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{folder}/fake.py"\n')
    script.chmod(0o755)
    return str(script)


def recording(folder):
    out = str(folder / "recording.safetensors")
    return RecordingJob("a", "autograd", "values", "float32", False, 1, None, out)


def run(python, folder):
    options = WorkerOptions(pythons={"torch": python})
    pool.run_jobs({"torch": [recording(folder)]}, options)


def bench(python, folder):
    measure("torch", bench_job("limit"), WorkerOptions(pythons={"torch": python}))


def sweep(python, folder):
    crew = Crew(WorkerOptions(pythons={"torch": python}))
    with contextlib.closing(crew):
        crew.run(Task(SweepJob("autograd", "p", "torch", "native", 1, Size("embedded", 1)), "", {}))


def check(python, folder):
    with RemoteModel("torch", folder, python=python) as remote:
        remote.load(Target("models", "Net", {}))


def test_a_closed_side_writes_nothing_into_a_folder_that_is_removed(tmp_path):
    """A thread that was asking it may go on for a moment."""
    (folder := tmp_path / "recorded").mkdir()
    python = interpreter(tmp_path, "input()")
    with RemoteModel("torch", folder, python=python) as remote:
        pass
    with pytest.raises(WorkerError, match="was stopped"):
        remote.set_weights({"w": np.zeros(3)})
    assert not list(folder.iterdir())


USERS = pytest.mark.parametrize("use", [run, bench, sweep, check])
BY_EVENTS = pytest.mark.parametrize("use", [run, sweep, check])


@USERS
def test_no_user_shows_noise(tmp_path, use):
    with pytest.raises(WorkerError, match=r"exit code 7\).*last lines:\n  the last words") as said:
        use(interpreter(tmp_path, LAST_WORDS), tmp_path)
    assert not any(line.strip() in str(said.value) for line in NOISE)


@BY_EVENTS
def test_every_user_refuses_rubbish_on_the_channel(tmp_path, use):
    with pytest.raises(WorkerError, match="printed something that is no event"):
        use(interpreter(tmp_path, READY + "print('rubbish'); time.sleep(600)"), tmp_path)


@USERS
@pytest.mark.usefixtures("default_handlers")
def test_an_interrupt_leaves_no_process(tmp_path, use):
    """The worker itself sends it, once it has its job."""
    code = READY.replace("print", "() if BENCH else print") + (
        "sys.stdin.readline()\nos.kill(os.getppid(), 15)\ntime.sleep(600)\n"
    )
    python = interpreter(tmp_path, f"BENCH = {use is bench}\n{code}")
    with pytest.raises(KeyboardInterrupt), signals_as_interrupt():
        use(python, tmp_path)
    every = psutil.Process().children(recursive=True)
    left = [
        p for p in every if p.status() != psutil.STATUS_ZOMBIE
    ]  # of other tests in this process
    assert not [p for p in left if str(tmp_path) in " ".join(p.cmdline())]


class TestTheCommand:
    """`parity check` with sides that have begun a request and never answer."""

    STUCK = READY + (
        "sys.stdin.readline()\nwith open(f'{__file__}.{os.getpid()}', 'w'): pass\ntime.sleep(600)\n"
    )

    @pytest.mark.parametrize("number", SIGNALS)
    def test_a_signal_leaves_no_folder_and_no_process(self, tmp_path, number):
        (tmp_path / "temporary").mkdir()
        (tmp_path / "models.py").touch()
        python = interpreter(tmp_path, self.STUCK)
        words = [f"--{side}-python={python}" for side in ("torch", "keras")]
        words += [f"--{side}={tmp_path}/models.py:Net" for side in ("torch", "keras")]
        command = "from parity.cli.main import main; main()"
        with started(
            [sys.executable, "-c", command, "check", *words],
            env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
            preexec_fn=heed_signals,
        ) as process:

            def asked():
                assert process.poll() is None, process.stderr.read()
                return (found := [*tmp_path.glob("fake.py.*")])[1:] and found

            files = wait_for(asked, "a request to both sides")
            sides = [psutil.Process(int(file.suffix[1:])) for file in files]
            assert list((tmp_path / "temporary").iterdir()), "the folder of what is recorded"
            process.send_signal(number)
            _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert "Interrupted" in errors
        assert "Traceback" not in errors
        assert not list((tmp_path / "temporary").iterdir())
        assert gone(*sides)


def heed_signals():
    """A shell starts background jobs with SIGINT ignored, nohup with SIGHUP."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.usefixtures("default_handlers")
def test_no_unfinished_recording_is_left(tmp_path, number):
    """A worker that is killed while it writes."""
    job = recording(tmp_path)
    finished, unfinished = tmp_path / "other.safetensors", tmp_path / ".recording-a1b2c3_4"
    finished.touch()
    code = READY + (
        f"sys.stdin.readline()\nopen({str(unfinished)!r}, 'w')\n"
        "print(json.dumps({'event': 'progress', 'done': 1, 'total': 2}), flush=True)\n"
        "time.sleep(600)\n"
    )
    options = WorkerOptions(commands={"torch": [sys.executable, "-c", code]})

    def interrupt(event):
        if event.kind == "progress":
            assert unfinished.exists()
            signal.raise_signal(number)

    with pytest.raises(KeyboardInterrupt):
        pool.run_jobs({"torch": [job]}, options, interrupt)
    assert list(tmp_path.iterdir()) == [finished]
