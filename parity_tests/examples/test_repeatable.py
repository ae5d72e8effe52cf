"""The same command on the same machine gives the same recordings, bit for bit.

A quarter of the examples is drawn: see `sizes`.
"""

import dataclasses
import os
import threading

import numpy as np
import pytest

from parity.run import pipeline
from parity_tests.examples.sizes import REPEATED, cut
from shared.examples import ALL
from shared.suite import SUITE

SPECS = tuple(cut(s, pairs=s.training.pairs[:1]) if s.training else s for s in REPEATED)
"""Small, each with its first pair alone: its other ways are made of the same."""


@pytest.fixture(scope="module")
def twice(record, forked_workers, tmp_path_factory):
    """Once as the other tests have it, and once more in processes of their own."""
    folder, options = tmp_path_factory.mktemp("again"), forked_workers()
    again = pipeline.RunRequest(SUITE, SPECS, folder, options=options)
    return record(SPECS), pipeline.run_examples(again)


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_two_runs_are_bit_identical(twice, spec):
    if spec.name in twice[1].failures and not os.environ.get("CI"):
        pytest.skip(twice[1].failures[spec.name])
    first, second = (outcome.runs[spec.name] for outcome in twice)
    for id_, runs in first.items():
        others = [second[id_].float32, second[id_].float64, second[id_].nudged]
        mine = [runs.float32, runs.float64, runs.nudged]
        for one, other in zip(mine, others, strict=True):
            assert (one is None) == (other is None)
            if one is None:
                continue
            assert one.keys() == other.keys()
            assert one.header.facts == other.header.facts
            for key in one.arrays:
                assert np.array_equal(one[key], other[key], equal_nan=one[key].dtype.kind == "f")


def test_reuse_makes_nothing_anew(record):
    record(ALL[:1])
    again = record(ALL[:1])
    assert (again.made, again.reused) == (0, 4)


def test_a_changed_seed_is_recorded_anew(record, example_recordings, forked_workers):
    record(ALL[:1])
    request = pipeline.RunRequest(SUITE, ALL[:1], example_recordings, seed=7, reuse=True)
    other = pipeline.run_examples(dataclasses.replace(request, options=forked_workers()))
    assert (other.made, other.reused) == (4, 0)


def test_a_verdict_is_told_as_soon_as_both_sides_are_recorded(tmp_path, forked_workers):
    specs = tuple(SUITE.find(name) for name in ("tensors", "autograd"))
    request = pipeline.RunRequest(SUITE, specs, tmp_path, options=forked_workers())
    told, first = [], threading.Event()

    def on_verdict(found):
        told.append(found.spec.name)
        first.set()

    def on_event(event):
        # What is done last is not taken note of before the first verdict is there.
        if event.kind == "done" and event.job.out == str(last):
            assert first.wait(timeout=600)

    last = pipeline.recording_path(request, specs[1], specs[1].ways[-1], "float64", nudged=False)
    outcome = pipeline.run_examples(request, on_event, on_verdict)
    assert told == ["tensors", "autograd"]
    assert [v.spec.name for v in outcome.verdicts] == told
