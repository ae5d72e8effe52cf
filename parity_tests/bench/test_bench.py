"""A real bench, as small as can be: both sides, all four ways, and what is planted is seen.

Of what is alike some is drawn by ``PARITY_SEED``: a mode of each side, whose processes start their
framework, and on data without images each side and each way once. ``PARITY_LONG=1`` measures all.
"""

import dataclasses
import sys

import pytest

from parity.bench import machine, measuring, session
from parity.bench.job import MODES, WAYS, BenchJob
from parity.bench.result import to_json
from parity.bench.session import BenchRequest
from parity.core.errors import WorkerError
from parity.core.sides import LESSON_PACKAGES, SIDES
from parity.spec.example import Size
from parity.workers.options import WorkerOptions
from parity_tests.bench.synthetic import job
from parity_tests.draws import draw
from shared.suite import SUITE

SIZE = Size("embedded", epochs=1, train=200)
EACH_MODE = [(side, mode) for side in SIDES for mode in MODES[side]]
WITHOUT_IMAGES = [(side, way) for side in SIDES for way in ("tutorial", "fast")]
SLOW = """
import time
from {package} import {example} as twin
from {package}.__main__ import _framework
from parity.bench import child
from shared.suite import SUITE
quick = getattr(twin.train_step, "python_function", twin.train_step)
def slow(*args):
    time.sleep(0.05)
    return quick(*args)
twin.train_step = slow
child.main(SUITE, "{package}", _framework)
"""


@pytest.fixture(scope="module")
def bench(forked):
    """Each process is a fork that has its framework; what an import takes, others show."""
    with pytest.MonkeyPatch.context() as patch:
        # Others may test on this machine; here it is not the seconds that count.
        patch.setattr(machine, "refuse_own_work", lambda: None)
        said = []
        request = BenchRequest(
            SUITE,
            (SUITE.find("fashion_mlp"),),
            runs=2,
            train=SIZE.train,
            options=WorkerOptions(pythons=forked),
        )
        return session.run_bench(request, said.append), said


def test_everything_is_measured(bench):
    result, said = bench
    found = {(m.side, m.way, m.what): m for m in result.measurements}
    for side in SIDES:
        for way in WAYS:
            for what in ("import", "build", "step", "epoch", "memory"):
                assert len(found[side, way, what].runs) == 2, (side, way, what)
                assert all(run > 0 for run in found[side, way, what].runs)
            fed = way != "limit"
            assert ((side, way, "first_step") in found) == fed
            assert ((side, way, "loader") in found) == fed
            assert 100 < found[side, way, "memory"].interval.median < 8000
    assert len(said) == 16
    assert said[0].startswith("1 of 16: fashion_mlp, PyTorch, tutorial")
    assert len(to_json(result)["ratios"]) == 6


def test_steps_add_up_to_the_epoch(bench):
    result, _ = bench
    for side in SIDES:
        for way in WAYS:
            step, epoch = (result.of("fashion_mlp", side, way, w) for w in ("step", "epoch"))
            for one, whole in zip(step.runs, epoch.runs, strict=True):
                # 200 samples are 7 batches of 32. An epoch may wait for others, long; a unit that
                # is wrong is wrong by a thousand.
                assert 0.002 < one * 7 / whole < 2


def test_a_tutorial_takes_longer_than_its_products(bench):
    result, _ = bench
    for side in SIDES:
        tutorial, limit = (
            min(result.of("fashion_mlp", side, w, "epoch").runs) for w in ("tutorial", "limit")
        )
        assert tutorial > 2 * limit


def measure(way, python=sys.executable, example="fashion_mlp", code=None, side="torch", **fields):
    size = dataclasses.replace(SIZE, **fields)
    asked = ["-c", code] if code else ["-m", LESSON_PACKAGES[side], "--bench"]
    return measuring.measure(
        side,
        BenchJob(example, way, 1, size, 20),
        WorkerOptions(commands={side: [python, *asked]}),
    )


def test_a_step_that_dawdles_is_seen_where_it_is_taken(forked):
    python = forked["torch"]
    # A traced fast path calls the twin's step once; that of sequential_cnn is not traced.
    for way, example in (("idiomatic", "fashion_mlp"), ("fast", "sequential_cnn")):
        code = SLOW.format(package="pytorch_impl", example=example)
        found = measure(way, python, example, code)
        assert found.values["step"] >= 0.05
        assert found.values["epoch"] >= found.steps_per_epoch * 0.05
        assert found.values["first_step"] >= 0.05
    code = SLOW.format(package="pytorch_impl", example="fashion_mlp")
    traced = measure("fast", python, code=code).values
    assert traced["step"] < 0.05 <= traced["first_step"]
    limit = measure("limit", python, code=code).values
    assert limit["step"] < 0.05  # it takes the products alone


@pytest.mark.parametrize(("side", "mode"), draw(EACH_MODE, lambda row: {row[0]}))
def test_every_mode_is_measured(side, mode):
    values = measure(mode, side=side, train=100).values
    assert values["step"] > 0
    assert values["import"] > values["step"]  # a whole framework, in a process that had none
    assert values["first_step"] > values["step"] or mode == "eager"


def test_data_without_images_are_measured_too(forked):
    options = WorkerOptions(pythons=forked)
    for side, way in draw(WITHOUT_IMAGES, set):
        size = Size("full", epochs=1)
        asked = BenchJob("iris_mlp", way, 1, size, 20)
        assert measuring.measure(side, asked, options).steps_per_epoch == 28


def test_another_batch_size_and_width_are_really_taken(forked):
    options = WorkerOptions(pythons=forked)
    base = dataclasses.replace(job("fast"), size=SIZE)
    wide = dataclasses.replace(base, way="limit", width=4096)
    large = dataclasses.replace(base, batch_size=100)
    narrow = dataclasses.replace(wide, width=4)
    steps = [measuring.measure("torch", j, options).values["step"] for j in (wide, narrow)]
    assert steps[0] > 4 * steps[1]
    assert measuring.measure("torch", large, options).steps_per_epoch == 2


def test_a_mistake_in_a_process_is_told():
    with pytest.raises(WorkerError, match=r"(?s)exit code 1.*99,999"):
        measure("fast", train=99_999)
