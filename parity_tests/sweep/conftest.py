"""Sweeps that take no time: the suite's own code, but for what a side's process trains."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from parity.sweep import result, session
from parity.sweep.local import Local
from parity.sweep.plan import SweepRequest
from parity.sweep.store import Store
from parity.workers.options import WorkerOptions
from parity_tests.waiting import PATIENCE
from shared.suite import SUITE

ROOT = Path(__file__).parents[2]
PARITY = [sys.executable, "-c", "from parity.cli.main import main; main()"]
FAKE = {
    side: [sys.executable, "-m", "parity_tests.sweep.fake", side] for side in ("torch", "keras")
}


def _heeds_interrupts():
    """A shell starts background jobs with SIGINT ignored, nohup with SIGHUP; children inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Fakes:
    """Interpreters that answer as Python does, but whose sides are `fake`.

    Attributes:
        log: of jobs begun.
        folder: of results.
    """

    def __init__(self, folder):
        self.home, self.folder, self.log = folder, folder / "out", folder / "log"
        self.commands = FAKE
        self.log.touch()
        for side, command in FAKE.items():
            script = folder / side
            own = " ".join(f'"{word}"' for word in command)
            script.write_text(
                f'#!/bin/sh\n[ "$1" = -c ] && exec "{sys.executable}" "$@"\nexec {own}\n'
            )
            script.chmod(0o755)

    def command(self, *more, seeds=4):
        return [
            *PARITY,
            "sweep",
            "softmax_regression",
            "--seeds",
            str(seeds),
            "--train",
            "300",
            "--test",
            "500",
            "--out",
            str(self.folder),
            "--torch-python",
            str(self.home / "torch"),
            "--keras-python",
            str(self.home / "keras"),
            *map(str, more),
        ]

    def environment(self, **more):
        own = {"FAKE_LOG": str(self.log), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **own, **{name: str(value) for name, value in more.items()}}

    def start(self, *more, seeds=4, **environment):
        return subprocess.Popen(
            self.command(*more, seeds=seeds),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment(**environment),
            preexec_fn=_heeds_interrupts,  # noqa: PLW1509 - nothing else runs in this process
        )

    def run(self, *more, seeds=4, **environment):
        """Exit code, standard output, standard error."""
        process = self.start(*more, seeds=seeds, **environment)
        out, errors = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in errors, errors
        return process.returncode, out, errors

    def sweep(self, *, timeout=PATIENCE, workers=2, resume=True, repair=False, place=None, **asked):
        """The same in this process: the JSON, and the messages of jobs that failed."""
        size = {"train": 300, "test": 500}
        request = SweepRequest(
            SUITE, (SUITE.find("softmax_regression"),), **{"seeds": 4, **size, **asked}
        )
        known = session.tasks(request, {})
        executor = place or Local(workers, WorkerOptions(timeout=timeout, commands=FAKE))
        with Store(self.folder, repair=repair) as store:
            board = session.board(request, known, store, resume=resume)
            session.run_sweep(board, known, store, executor, _unseen)
        self.exit_code = result.exit_code(board)
        return result.to_json(board), list(board.failed.values())

    def release(self):
        """Let the jobs go on that FAKE_HOLD holds."""
        self.log.with_suffix(".released").touch()

    def begun(self):
        return self.log.read_text().splitlines()


@contextlib.contextmanager
def _unseen(board, places):
    yield lambda: None


@pytest.fixture
def fakes(tmp_path, monkeypatch):
    made = Fakes(tmp_path)
    monkeypatch.setenv("FAKE_LOG", str(made.log))
    return made
