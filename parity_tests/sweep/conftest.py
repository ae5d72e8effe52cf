"""Sweeps that take no time: the suite's own code, but for what a side's process trains."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARITY = [sys.executable, "-c", "from shared.cli import main; main()"]
FAKE = {side: [sys.executable, "-m", "parity_tests.sweep.fake", side] for side in ("torch", "keras")}


def _heeds_interrupts():
    """A shell starts background jobs with SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Fakes:
    """Interpreters that answer as Python does, but whose sides are `fake`.

    Attributes:
        log: of jobs begun.
        folder: of results.
    """

    def __init__(self, folder):
        self.home, self.folder, self.log = folder, folder / "out", folder / "log"
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
            *PARITY, "sweep", "softmax_regression", "--seeds", str(seeds),
            "--train", "300", "--test", "500", "--out", str(self.folder),
            "--torch-python", str(self.home / "torch"),
            "--keras-python", str(self.home / "keras"), *map(str, more),
        ]  # fmt: skip

    def environment(self, **more):
        own = {"FAKE_LOG": str(self.log), "PYTHONPATH": str(ROOT)}
        return {**os.environ, **own, **{name: str(value) for name, value in more.items()}}

    def start(self, *more, seeds=4, **environment):
        return subprocess.Popen(
            self.command(*more, seeds=seeds), cwd=ROOT, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=self.environment(**environment),
            preexec_fn=_heeds_interrupts,  # noqa: PLW1509 - nothing else runs in this process
        )  # fmt: skip

    def run(self, *more, seeds=4, **environment):
        """Exit code, standard output, standard error."""
        process = self.start(*more, seeds=seeds, **environment)
        out, errors = process.communicate(timeout=120)
        assert "Traceback" not in errors, errors
        return process.returncode, out, errors

    def begun(self):
        return self.log.read_text().splitlines()


@pytest.fixture
def fakes(tmp_path):
    return Fakes(tmp_path)
