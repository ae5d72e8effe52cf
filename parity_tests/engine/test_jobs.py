"""The worker's end of the channel."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parity.spec.example import Size
from parity.training.job import RecordingJob
from parity_tests.waiting import PATIENCE

ROOT = Path(__file__).parents[2]
WORKER = """
import os, sys
from parity.training.job import RecordingJob
from parity.workers.channel import serve
def hello():
    print("a library says hello")
    os.write(1, b"so does its C++ half\\n")
    return {"versions": {"fake": "1"}}
def handle(job, progress):
    progress(1, 2)
    if job.id == "bad": raise ValueError("no luck")
serve(hello, handle, RecordingJob.from_json)
"""


def line(name):
    return (
        RecordingJob(name, "autograd", "values", "float32", False, 1, None, "out").to_json() + "\n"
    )


def talk(text, code=WORKER):
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        input=text,
        text=True,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    return done, [json.loads(entry) for entry in done.stdout.splitlines()]


def test_only_events_reach_the_channel():
    done, events = talk(line("one") + line("bad") + line("two") + "quit\n")
    assert done.returncode == 0
    assert [e["event"] for e in events] == [
        "ready",
        "started",
        "progress",
        "done",
        "started",
        "progress",
        "failed",
        "started",
        "progress",
        "done",
    ]
    failed = next(e for e in events if e["event"] == "failed")
    assert failed["message"] == "ValueError: no luck"
    assert "Traceback" in failed["details"]
    assert "a library says hello" in done.stderr
    assert "its C++ half" in done.stderr


def test_the_parents_death_ends_the_worker():
    slow = WORKER.replace("progress(1, 2)", "import threading; threading.Event().wait()")
    done, _ = talk(line("one"), slow)  # the end of input is the parent's end
    assert done.returncode == 3


@pytest.fixture
def worker():
    """``worker(code)``: a running worker whose standard input stays open until it is closed."""
    started = []

    def start(code):
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait(timeout=PATIENCE)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


def hear(process, event):
    """Read events up to one of this kind."""
    for entry in process.stdout:
        if json.loads(entry)["event"] == event:
            return
    raise AssertionError(f"{event} never came")


def test_the_parents_death_ends_a_job_in_progress(worker):
    endless = "progress(1, 2); import threading; threading.Event().wait()"
    process = worker(WORKER.replace("progress(1, 2)", endless))
    hear(process, "ready")
    process.stdin.write(line("one"))
    process.stdin.flush()
    hear(process, "progress")
    process.stdin.close()
    assert process.wait(timeout=PATIENCE) == 3
    assert process.stdout.read() == ""


def test_the_parents_death_ends_a_worker_that_waits(worker):
    process = worker(WORKER)
    hear(process, "ready")
    process.stdin.close()
    assert process.wait(timeout=PATIENCE) == 3


def test_the_parents_death_at_the_start_is_noticed_after_it(worker):
    process = worker(WORKER.replace('print("a', 'import time; time.sleep(0.5); print("a'))
    process.stdin.close()
    assert process.wait(timeout=PATIENCE) == 3


BROKEN = WORKER.replace('print("a', 'import no_such_framework; print("a')


@pytest.mark.parametrize("before", ["", "import time; time.sleep(0.5); "])
def test_a_framework_that_cannot_be_imported_is_said(before):
    """The end of input comes first; the event must not be lost to it."""
    done, events = talk("", BROKEN.replace("import no", f"{before}import no"))
    assert [e["event"] for e in events] == ["broken"]
    assert "no_such_framework" in events[0]["message"]
    assert "Traceback" in events[0]["details"]
    assert done.returncode == 0


def test_a_worker_that_is_broken_ends_though_its_parent_lives(worker):
    process = worker(BROKEN)
    hear(process, "broken")
    assert process.wait(timeout=PATIENCE) == 0
    assert process.stdout.read() == ""
    assert "Fatal" not in process.stderr.read()


@given(
    st.builds(
        RecordingJob,
        st.text(),
        st.text(),
        st.text(),
        st.sampled_from(["float32", "float64"]),
        st.booleans(),
        st.integers(),
        st.none() | st.builds(Size),
        st.text(),
    )
)
def test_a_job_survives_the_channel(job):
    assert RecordingJob.from_json(job.to_json()) == job
