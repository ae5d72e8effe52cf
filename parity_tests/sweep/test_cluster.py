"""A real Dask scheduler and real workers, over TCP on loopback."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys

import psutil
import pytest

from parity.core.errors import UsageError
from parity.sweep.cluster import Cluster, SchedulerError
from parity_tests.sweep.conftest import FAKE, ROOT
from parity_tests.sweep.test_sweep import jobs
from parity_tests.waiting import PATIENCE, wait_for

pytest.importorskip("distributed")


class Dask:
    """A scheduler and workers in processes of their own."""

    def __init__(self, home):
        self.home, self.file = home, home / "scheduler.json"
        self.processes = []
        self.scheduler = self._start(
            "scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            "0",
            "--no-dashboard",
            "--scheduler-file",
            self.file,
        )
        wait_for(lambda: self.file.is_file() and self.file.read_text().endswith("}"))
        self.address = json.loads(self.file.read_text())["address"]

    def _start(self, what, *arguments, root=ROOT):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, arguments)]
        log = (self.home / f"{what}{len(self.processes)}.log").open("w")
        process = subprocess.Popen(
            command,
            cwd=self.home,
            stdout=log,
            stderr=log,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        log.close()
        self.processes.append(process)
        return process

    def worker(self, root=ROOT):
        return self._start(
            "worker",
            self.address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--host",
            "127.0.0.1",
            "--local-directory",
            self.home / "space",
            root=root,
        )

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def dask(tmp_path, fakes, monkeypatch):
    (tmp_path / "dask").mkdir()
    made = Dask(tmp_path / "dask")
    yield made
    made.close()


def cluster(dask, **more):
    return Cluster(dask.address, 60.0, FAKE, **more)


def test_many_workers_give_what_one_machine_gives(fakes, dask):
    for _ in range(2):
        dask.worker()
    there, failures = fakes.sweep(place=cluster(dask))
    assert failures == []
    assert there["jobs"] == {"done": 16, "reused": 0, "failed": 0}
    here, _ = fakes.sweep(resume=False)
    assert here == there


def test_a_worker_killed_in_the_middle_loses_nothing(fakes, dask, monkeypatch):
    expected, _ = fakes.sweep(workers=4)
    monkeypatch.setenv("FAKE_HOLD", str(16 + 6))
    first, _ = dask.worker(), dask.worker()
    killed = []

    def kill():
        children = psutil.Process(first.pid).children(recursive=True)
        if len(fakes.begun()) >= 16 + 4 and children and not killed:
            first.kill()
            killed.extend(children)
            fakes.release()

    with _meanwhile(kill):
        found, failures = fakes.sweep(place=cluster(dask), resume=False)
    assert killed
    assert failures == []
    assert found == expected
    assert not psutil.wait_procs(killed, timeout=PATIENCE)[1]


def test_the_scheduler_gone_is_said_and_what_is_finished_is_kept(fakes, dask, monkeypatch):
    monkeypatch.setenv("FAKE_HOLD", "5")
    dask.worker()

    def kill():
        if len(jobs(fakes)) >= 3:
            dask.scheduler.kill()

    with _meanwhile(kill), pytest.raises(SchedulerError, match=r"scheduler is gone.*is kept"):
        fakes.sweep(place=cluster(dask))
    fakes.release()
    finished = jobs(fakes)
    assert 3 <= len(finished) <= 5
    assert fakes.sweep()[0]["jobs"] == {
        "done": 16 - len(finished),
        "reused": len(finished),
        "failed": 0,
    }


def test_results_that_went_with_their_worker_are_made_again(fakes, dask, monkeypatch):
    """They were finished, but not fetched yet; Dask makes them again and tells nobody."""
    monkeypatch.setattr("parity.sweep.cluster._FETCH", 5.0)
    first = dask.worker()

    class Late(Cluster):
        def outcomes(self):
            wait_for(lambda: all(future.done() for _, future in self._futures.values()))
            first.kill()
            first.wait()
            wait_for(lambda: not self._workers())
            dask.worker()
            yield from super().outcomes()

    found, failures = fakes.sweep(place=Late(dask.address, 60.0, FAKE), seeds=2)
    assert failures == []
    assert found["jobs"] == {"done": 8, "reused": 0, "failed": 0}
    assert len(fakes.begun()) == 16


def test_all_workers_work_at_the_same_time(fakes, dask, monkeypatch):
    """The first jobs end only when three are under way, whatever cores this machine has."""
    monkeypatch.setenv("FAKE_TOGETHER", "3")
    for _ in range(3):
        dask.worker()
    found, failures = fakes.sweep(place=cluster(dask))
    assert failures == []
    assert found["jobs"]["done"] == 16


def test_a_failed_job_is_said_and_the_others_go_on(fakes, dask, monkeypatch):
    monkeypatch.setenv("FAKE_FAULT", "raise 2")
    dask.worker()
    found, failures = fakes.sweep(place=cluster(dask), seeds=3)
    assert found["jobs"] == {"done": 8, "reused": 0, "failed": 4}
    assert all("no such data here" in failure for failure in failures)


def test_a_worker_with_other_sources_leaves_its_jobs_to_others(fakes, dask, tmp_path):
    """It is the quickest of all to answer, and would take every job."""
    other = tmp_path / "other"
    shutil.copytree(ROOT / "parity", other / "parity", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("shared", "pytorch_impl", "keras_impl", "parity_tests"):
        (other / folder).symlink_to(ROOT / folder)
    with open(other / "parity" / "core" / "classification.py", "a") as source:
        source.write("\nOTHER = True\n")
    dask.worker(root=other)
    found, failures = fakes.sweep(place=cluster(dask, workerless=10.0), seeds=2)
    assert found["jobs"] == {"done": 0, "reused": 0, "failed": 8}
    assert all("its sources are others" in failure for failure in failures)
    dask.worker()
    found, failures = fakes.sweep(place=cluster(dask))
    assert failures == []
    assert found["jobs"]["done"] == 16


def test_a_frozen_scheduler_is_said(fakes, dask, monkeypatch):
    monkeypatch.setenv("FAKE_HOLD", "4")
    dask.worker()

    def freeze():
        if len(jobs(fakes)) >= 2:
            dask.scheduler.send_signal(signal.SIGSTOP)

    with _meanwhile(freeze), pytest.raises(SchedulerError, match="no longer answers"):
        fakes.sweep(place=cluster(dask, connect=10.0))
    dask.scheduler.send_signal(signal.SIGCONT)


def test_no_workers_is_said(fakes, dask):
    with pytest.raises(SchedulerError, match=r"had no worker for 2 s.*dask worker tcp"):
        fakes.sweep(place=cluster(dask, workerless=2.0))


def test_no_scheduler_is_said(fakes, tmp_path):
    with pytest.raises(SchedulerError, match="no Dask scheduler answers there"):
        fakes.sweep(place=Cluster("tcp://127.0.0.1:1", 60.0, FAKE, connect=2.0))
    with pytest.raises(UsageError, match="no such file"):
        fakes.sweep(place=Cluster(str(tmp_path / "none.json"), 60.0, FAKE))
    for text in ('{"a": 1}', "[]", "{", '{"address": 3}'):
        (tmp_path / "other.json").write_text(text)
        with pytest.raises(UsageError, match="no scheduler file, it has no address"):
            fakes.sweep(place=Cluster(str(tmp_path / "other.json"), 60.0, FAKE))


def test_a_scheduler_file_will_do(fakes, dask):
    dask.worker()
    found, _ = fakes.sweep(place=Cluster(str(dask.file), 60.0, FAKE), seeds=1)
    assert found["jobs"]["done"] == 4


@contextlib.contextmanager
def _meanwhile(act):
    """Call `act` again and again in a thread."""
    import threading

    over = threading.Event()

    def watch():
        while not over.wait(0.1):
            act()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
