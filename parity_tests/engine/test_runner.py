"""Workers that die, hang, babble or never start: one clear error, no child left, results kept.

The fake workers speak the protocol in a few lines of Python and import no framework.
"""

import os
import signal
import sys
import textwrap

import psutil
import pytest

from parity.core.errors import WorkerError
from parity.run import pool
from parity.training.job import RecordingJob
from parity.workers.options import WorkerOptions
from parity_tests.waiting import wait_for

PROLOGUE = """
import glob, json, os, signal, subprocess, sys, time
def say(**event): print(json.dumps(event), flush=True)
say(event="ready", versions={})
for line in sys.stdin:
    if line.strip() == "quit": break
    job = json.loads(line)
    say(event="started", job=job["id"])
"""
GOOD = "    open(job['out'], 'w').write('kept')\n    say(event='done', job=job['id'])\n"


def job(name, folder, example="autograd"):
    return RecordingJob(name, example, "values", "float32", False, 1, None, str(folder / name))


def fake(tmp_path, name, body, prologue=PROLOGUE):
    path = tmp_path / f"{name}.py"
    path.write_text(prologue + textwrap.indent(textwrap.dedent(body), "    ") if prologue else body)
    return [sys.executable, str(path)]


def good(tmp_path, name="good"):
    path = tmp_path / f"{name}.py"
    path.write_text(PROLOGUE + GOOD)
    return [sys.executable, str(path)]


def children():
    return [p for p in psutil.Process().children(recursive=True) if "pytest" not in p.name()]


@pytest.fixture(autouse=True)
def _leaves_no_child():
    before = {p.pid for p in children()}
    yield
    wait_for(
        lambda: all(p.pid in before or p.status() == psutil.STATUS_ZOMBIE for p in children()),
        "the end of all children",
    )


def run(tmp_path, torch, keras=None, jobs=3, **options):
    commands = {"torch": torch, "keras": keras or good(tmp_path)}
    every = {side: [job(f"{side}{n}", tmp_path) for n in range(jobs)] for side in commands}
    events = []
    failures = pool.run_jobs(every, WorkerOptions(commands=commands, **options), events.append)
    return failures, events


def test_both_sides_do_all_their_jobs(tmp_path):
    failures, events = run(tmp_path, good(tmp_path, "torch"))
    assert failures == {}
    for side in ("torch", "keras"):
        kinds = [e.kind for e in events if e.side == side]
        assert kinds == ["ready", *["started", "done"] * 3]
        assert all((tmp_path / f"{side}{n}").read_text() == "kept" for n in range(3))


def test_progress_reaches_the_caller(tmp_path):
    body = "say(event='progress', job=job['id'], done=3, total=9)\nsay(event='done', job=job['id'])"
    _, events = run(tmp_path, fake(tmp_path, "torch", body), jobs=1)
    assert [(e.done, e.total) for e in events if e.kind == "progress"] == [(3, 9)]


def test_a_crash_is_named_with_its_last_lines_and_keeps_what_was_made(tmp_path):
    body = """
    if job['id'] == 'torch1':
        print('the last words', file=sys.stderr, flush=True)
        os._exit(7)
    open(job['out'], 'w').write('kept')
    say(event='done', job=job['id'])
    """
    with pytest.raises(WorkerError) as caught:
        run(tmp_path, fake(tmp_path, "torch", body))
    message = str(caught.value)
    for part in ("PyTorch", "exit code 7", "autograd", "the last words"):
        assert part in message
    assert (tmp_path / "torch0").read_text() == "kept"


def test_a_killed_worker_is_named(tmp_path):
    with pytest.raises(WorkerError, match=r"signal SIGKILL.*out of memory"):
        run(tmp_path, fake(tmp_path, "torch", "os.kill(os.getpid(), signal.SIGKILL)"))


def test_a_hanging_worker_is_stopped_though_the_other_is_busy(tmp_path):
    chatty = """
    while True:
        say(event='progress', job=job['id'], done=1, total=40)
        time.sleep(0.1)
    """
    with pytest.raises(WorkerError, match=r"no sign of life for .* s while recording autograd"):
        run(
            tmp_path,
            fake(tmp_path, "torch", "time.sleep(3600)"),
            fake(tmp_path, "keras", chatty),
            timeout=5.0,  # longer than an interpreter takes to start
        )


def test_a_worker_that_hangs_at_its_start_is_stopped(tmp_path):
    path = tmp_path / "silent.py"
    path.write_text("import time; time.sleep(3600)")
    with pytest.raises(WorkerError, match=r"while starting.*It printed nothing"):
        run(tmp_path, [sys.executable, str(path)], timeout=1.0)


@pytest.mark.parametrize(
    "text", ["Segment fault?", "[1, 2]", '{"no": "event"}', "42", "\\x00\\xff"]
)
def test_garbage_on_the_channel_is_refused(tmp_path, text):
    with pytest.raises(WorkerError, match="printed something that is no event"):
        run(tmp_path, fake(tmp_path, "torch", f"print({text!r}, flush=True); time.sleep(3600)"))


def test_grandchildren_end_too(tmp_path):
    body = """
    made = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])
    open(job['out'], 'w').write(str(made.pid))
    os._exit(1)
    """
    with pytest.raises(WorkerError):
        run(tmp_path, fake(tmp_path, "torch", body))
    grandchild = int((tmp_path / "torch0").read_text())  # an orphan is nobody's child

    def ended():
        try:
            return psutil.Process(grandchild).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    wait_for(ended, "the end of the grandchild")


def test_a_missing_framework_names_the_option(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text(
        "import json; print(json.dumps({'event': 'broken', 'details': '', "
        "'message': \"ModuleNotFoundError: No module named 'torch'\"}), flush=True)"
    )
    with pytest.raises(WorkerError, match=r"No module named 'torch'.*--torch-python PATH"):
        run(tmp_path, [sys.executable, str(path)])


def test_a_missing_interpreter_names_the_option(tmp_path):
    options = WorkerOptions(pythons={"keras": "/no/such/python"})
    with pytest.raises(WorkerError, match=r"cannot start '/no/such/python'.*--keras-python PATH"):
        pool.run_jobs({"keras": [job("k", tmp_path)]}, options)


def test_an_interpreter_that_is_none_is_named(tmp_path):
    options = WorkerOptions(pythons={"torch": "/bin/false"})
    with pytest.raises(WorkerError, match=r"exit code 1.*while starting"):
        pool.run_jobs({"torch": [job("t", tmp_path)]}, options)


def test_a_failed_job_skips_its_example_and_spares_the_others(tmp_path):
    body = """
    if job['example'] == 'bad':
        say(event='failed', job=job['id'], message='no luck', details='Traceback: here')
        continue
    open(job['out'], 'w').write('kept')
    say(event='done', job=job['id'])
    """
    jobs = {"torch": [job("b1", tmp_path, "bad"), job("b2", tmp_path, "bad"), job("a", tmp_path)]}
    command = fake(tmp_path, "torch", body)
    events = []
    failures = pool.run_jobs(jobs, WorkerOptions(commands={"torch": command}), events.append)
    assert list(failures) == ["bad"]
    assert "no luck" in failures["bad"]
    assert "Traceback: here" in failures["bad"]
    assert (tmp_path / "a").read_text() == "kept"
    assert "b2" not in [e.job.id for e in events if e.job]


@pytest.fixture
def interruptible():
    """A shell makes its background jobs ignore SIGINT, and these tests may be one.

    SIGTERM may be handled by a library that another test has loaded into this process.
    """
    defaults = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    before = {number: signal.signal(number, default) for number, default in defaults.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.usefixtures("interruptible")
def test_interrupting_leaves_nothing_behind(tmp_path, number):
    options = WorkerOptions(commands={"torch": fake(tmp_path, "torch", "time.sleep(3600)")})

    def interrupt(event):
        if event.kind == "started":
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        pool.run_jobs({"torch": [job("t", tmp_path)]}, options, interrupt)


def test_nothing_to_do_starts_nothing(tmp_path):
    assert pool.run_jobs({"torch": [], "keras": []}, WorkerOptions(pythons={"torch": "/no"})) == {}


WHO = """
    here = os.path.dirname(job['out'])
    open(f'{here}/{os.getpid()}.pid', 'w')
    while len(glob.glob(f'{here}/*.pid')) < int(sys.argv[1]): time.sleep(0.01)
    open(job['out'], 'a').write(f'{os.getpid()} ')
    say(event='done', job=job['id'])
"""
"""Each job says who did it, and waits until so many processes are at one."""


@pytest.mark.parametrize(("jobs", "processes"), [(40, 2), (8, 1)])
def test_an_idle_core_takes_over_jobs_of_the_other_side(tmp_path, jobs, processes):
    path = tmp_path / "who.py"
    path.write_text(PROLOGUE + WHO)
    command = [sys.executable, str(path), str(processes)]
    options = WorkerOptions(commands={"torch": good(tmp_path), "keras": command})
    many = [job(f"k{n}", tmp_path) for n in range(jobs)]
    done = []

    def listen(event):
        if event.kind == "done":
            done.append(event.job.id)

    failures = pool.run_jobs({"torch": [job("t", tmp_path)], "keras": many}, options, listen)
    assert not failures
    assert sorted(done) == sorted(["t", *(j.id for j in many)])
    told = [(tmp_path / j.id).read_text().split() for j in many]
    assert all(len(pids) == 1 for pids in told), "each job once"
    assert len({pids[0] for pids in told}) == processes


def test_a_second_worker_that_dies_is_an_error_too(tmp_path):
    path = tmp_path / "once.py"
    path.write_text(
        "import os, sys\nif os.path.exists(sys.argv[2]): sys.exit('no memory left')\n"
        "open(sys.argv[2], 'w')\n" + PROLOGUE + WHO
    )
    options = WorkerOptions(
        commands={
            "torch": good(tmp_path),
            "keras": [sys.executable, str(path), "2", str(tmp_path / "flag")],
        }
    )
    with pytest.raises(WorkerError, match="no memory left"):
        pool.run_jobs(
            {"torch": [job("t", tmp_path)], "keras": [job(f"k{n}", tmp_path) for n in range(60)]},
            options,
        )
