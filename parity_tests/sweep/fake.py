"""A side's process that trains nothing: made-up results, always the same for a job.

``python -m parity_tests.sweep.fake torch``. By environment: FAKE_LOG is a file that gets a line a
job begun, FAKE_SECONDS how long each takes, FAKE_FAULT what goes wrong at which seed, FAKE_GAP how
much better PyTorch is, FAKE_START at which start of a side its process dies. With FAKE_HOLD every
job after so many waits until there is a file FAKE_LOG.released; with FAKE_TOGETHER every job waits
until so many processes are at one.
"""

import os
import sys
import time
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np

from parity.core.errors import DataError
from parity.native.summary import Summary
from parity.sweep import child
from shared.data import load
from shared.suite import SUITE

SPREAD = 0.02
CHANNEL = 3
"""The descriptor that `parity.workers.channel.Channel` gets, the first that is free."""


def train(job, progress):
    line = f"{job.side} {job.setting} {job.seed}\n"
    log = Path(os.environ["FAKE_LOG"])
    with log.open("a") as file:
        file.write(line)
    fault, _, seed = os.environ.get("FAKE_FAULT", "").partition(" ")
    if fault and job.seed == int(seed):
        trouble(fault, log.read_text().count(line))
    hold(log)
    meet(log)
    time.sleep(float(os.environ.get("FAKE_SECONDS", "0")))
    return wrong(fault, job) if fault and job.seed == int(seed) else summary(job)


def hold(log):
    """Wait for the word to go on, if this is none of the first jobs."""
    first = os.environ.get("FAKE_HOLD")
    if first and len(log.read_text().splitlines()) > int(first):
        while not log.with_suffix(".released").exists():
            time.sleep(0.01)


def meet(log):
    """Wait for the others, if any are expected; once they were there nobody waits any more."""
    if expected := int(os.environ.get("FAKE_TOGETHER", "0")):
        there = log.with_suffix(".together")
        there.mkdir(exist_ok=True)
        (there / str(os.getpid())).touch()
        while len(list(there.iterdir())) < expected:
            time.sleep(0.01)


def start(side):
    """Die, if it is this start that is to fail."""
    if (at := os.environ.get("FAKE_START")) is None:
        return
    starts = Path(os.environ["FAKE_LOG"]).with_suffix(f".{side}")
    with starts.open("a") as file:
        file.write("started\n")
    if at == str(len(starts.read_text().splitlines())):
        os._exit(7)


def wrong(fault, job):
    """An answer that is none."""
    made = summary(job)
    match fault:
        case "other":
            return replace(made, seed=99)
        case "short":
            return replace(made, predictions=made.predictions[1:])
        case "boast":
            return replace(made, test_accuracy=1.0)
        case "empty":
            return Nothing()
    return made


class Nothing:
    """What has no field of a summary."""

    def to_dict(self):
        return {}


def trouble(fault, times):
    match fault:
        case "raise":
            raise DataError("no such data here")
        case "die":
            os._exit(9)
        case "die_once" if times == 1:
            os._exit(9)
        case "rubbish":
            os.write(CHANNEL, b"hello\n")
        case "hang":
            time.sleep(600)


def summary(job):
    """Predictions that are right with a probability drawn for the job."""
    spec, size = SUITE.find(job.example), job.size
    labels = load(spec.training.dataset, size.part, train=size.train, test=size.test).test_labels
    random = np.random.default_rng([zlib.crc32(f"{job.side} {job.setting}".encode()), job.seed])
    share = 0.8 + SPREAD * random.standard_normal()
    share += float(os.environ.get("FAKE_GAP", "0")) * (job.side == "torch")
    right = random.random(len(labels)) < share
    predicted = np.where(right, labels, (labels + 1) % 10).astype(np.uint8)
    return Summary(
        job.example,
        job.pair,
        job.side,
        job.setting,
        job.seed,
        test_accuracy=float(right.mean()),
        test_loss=0.5,
        per_class=tuple(float(right[labels == c].mean()) for c in range(10)),
        predictions=predicted,
        epoch_losses=(1.0, 0.5),
        step1_distance=0.1,
        seconds=0.1,
    )


if __name__ == "__main__":
    start(sys.argv[1])
    child.answer(lambda: sys.argv[1], train)
