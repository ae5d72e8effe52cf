"""The worker's end of the channel."""

import json
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from shared.jobs import Job
from shared.spec import Size

ROOT = Path(__file__).parents[2]
WORKER = """
import os, sys
from shared.jobs import serve
def hello():
    print("a library says hello")
    os.write(1, b"so does its C++ half\\n")
    return {"versions": {"fake": "1"}}
def handle(job, progress):
    progress(1, 2)
    if job.id == "bad": raise ValueError("no luck")
serve(hello, handle)
"""


def line(name):
    return Job(name, "autograd", "values", "float32", False, 1, None, "out").to_json() + "\n"


def talk(text, code=WORKER):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, input=text, text=True,
                          capture_output=True, timeout=60, check=False)  # fmt: skip
    return done, [json.loads(entry) for entry in done.stdout.splitlines()]


def test_only_events_reach_the_channel():
    done, events = talk(line("one") + line("bad") + line("two") + "quit\n")
    assert done.returncode == 0
    assert [e["event"] for e in events] == [
        "ready", "started", "progress", "done", "started", "progress", "failed", "started",
        "progress", "done",
    ]  # fmt: skip
    failed = next(e for e in events if e["event"] == "failed")
    assert failed["message"] == "ValueError: no luck"
    assert "Traceback" in failed["details"]
    assert "a library says hello" in done.stderr
    assert "its C++ half" in done.stderr


def test_the_parents_death_ends_the_worker():
    slow = WORKER.replace("progress(1, 2)", "import time; time.sleep(600)")
    done, _ = talk(line("one"), slow)  # the end of input is the parent's end
    assert done.returncode == 3


def test_a_framework_that_cannot_be_imported_is_said():
    _, events = talk("", WORKER.replace('print("a', 'import no_such_framework; print("a'))
    assert events[0]["event"] == "broken"
    assert "no_such_framework" in events[0]["message"]


@given(
    st.builds(
        Job, st.text(), st.text(), st.text(), st.sampled_from(["float32", "float64"]),
        st.booleans(), st.integers(), st.none() | st.builds(Size), st.text(),
    )
)  # fmt: skip
def test_a_job_survives_the_channel(job):
    assert Job.from_json(job.to_json()) == job
