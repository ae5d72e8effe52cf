"""A check holds a layer's weights at a time, in every process, whatever the model's are in all."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from parity.checker.check import check_in
from parity.checker.graph import memory, model_inputs
from parity.checker.graph.graph import Graph, Node, Parameter, Source, Value
from parity.checker.graph.target import Target
from parity.checker.judge import settled_gradients
from parity.checker.judge.judging import RecordedRuns
from parity.checker.transfer.mapping import SAME, WeightMapping
from parity.checker.workers.request import CheckRequest
from parity.core.errors import UsageError
from parity_tests.check.large_models import WEIGHTS, WIDTH

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(sys.platform != "linux", reason="what is held is read from /proc")
@pytest.mark.parametrize("side", ["torch", "keras"])
def test_a_side_holds_fewer_than_its_weights_in_float64(side, tmp_path):
    """A copy of the model in float64 would be 1, its gradients another."""
    command = [sys.executable, "-m", "parity_tests.check.large_models", side, str(tmp_path)]
    settings = {
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "1",
        "CUDA_VISIBLE_DEVICES": "-1",
    }
    run = subprocess.run(
        command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    held, mapped = map(float, run.stdout.split())
    assert held < 0.6
    assert mapped < 0.6
    assert not list(tmp_path.iterdir())


def test_the_comparing_process_holds_fewer_than_one_sides_weights(remotes):
    targets = [
        Target(f"{ROOT}/parity_tests/check/large_{side}.py", "perceptron", {})
        for side in ("torch", "keras")
    ]
    request = CheckRequest(inputs=(model_inputs.parse(f"2,{WIDTH}"),))
    tracemalloc.start()
    try:
        result = check_in(remotes, tuple(targets), request)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert result.verdict == "agree"
    assert most < 0.8 * 4 * WEIGHTS, most / (4 * WEIGHTS)


@pytest.mark.parametrize(("text", "count"), [("8GB", 8e9), ("1.5 gb", 1.5e9), ("500MB", 5e8)])
def test_a_size_is_read_with_its_unit(text, count):
    assert memory.parse(text) == count


@pytest.mark.parametrize("text", ["8", "GB", "-1GB", "0GB", "8 GiB", ""])
def test_another_form_is_refused(text):
    with pytest.raises(UsageError, match="as 8GB or 500MB"):
        memory.parse(text)


def test_more_than_the_limit_is_refused_with_what_can_be_helped():
    weight = Parameter("w", "kernel", (1000, 50_000))
    node = Node("n0", "d", "dense", {}, (), (Value("n0:0", (1000, 10_000)),))
    graphs = [Graph("torch", "t", (), (), (node,), {"w": weight})] * 2
    needed = memory.estimate(graphs, train=False)
    assert needed.weights == 2 * 3 * 8 * 5e7
    assert needed.values == 2 * 2 * 8 * 1e7
    assert memory.estimate(graphs, train=True).weights == 2 * 5 * 8 * 5e7
    needed.expect_within(needed.total)
    with pytest.raises(
        UsageError, match=r"takes about 3\.9 GB .* at most 3\.0 GB .*smaller --input"
    ):
        needed.expect_within(3e9)


def test_training_that_the_machine_cannot_hold_is_refused(remotes, monkeypatch):
    targets = [
        Target(f"{ROOT}/parity_tests/check/large_{side}.py", "perceptron", {})
        for side in ("torch", "keras")
    ]
    request = CheckRequest(inputs=(model_inputs.parse(f"2,{WIDTH}"),), train=True)
    monkeypatch.setattr(memory, "available", lambda: 0.7e9)
    with pytest.raises(
        UsageError, match=r"at most 1\.9 GB \(what this machine has left; --memory 3GB tries it\)"
    ):
        check_in(remotes, tuple(targets), request)


def _mapping(name, of="whole"):
    shape = (512, 1024)
    left, right = Parameter(f"{name}/left", "kernel", shape), Parameter(of, "kernel", shape)
    return WeightMapping(left, right, SAME, None, "kernel")


def _in_float32(change):
    slope = np.random.default_rng(0).standard_normal((512, 1024)).astype(np.float32)
    runs = {"torch": {"gradients/w/left": slope}, "keras": {"gradients/whole": change(slope)}}
    return RecordedRuns({(side, "float32"): run for side, run in runs.items()}, (), ())


@pytest.mark.parametrize(
    ("change", "settled"),
    [
        (lambda slope: slope, True),
        (lambda slope: slope * np.float32(1 + 2**-20), True),
        (lambda slope: slope * np.float32(1 + 2**-18), False),
        (lambda slope: np.where(np.arange(512)[:, None] == 7, np.float32(0), slope), False),
        (lambda slope: np.where(slope == slope.max(), np.float32(np.inf), slope), False),
        (lambda slope: slope[:-1], False),
    ],
    ids=["identical", "rounding", "more than rounding", "a row", "infinite", "shape"],
)
def test_float32_settles_gradients_within_the_least_noise(change, settled):
    comparison = SimpleNamespace(axis_maps=SimpleNamespace(weight_mappings=[_mapping("w")]))
    found = settled_gradients.settled(comparison, _in_float32(change))
    assert list(found) == (["w/left"] if settled else [])
    assert all(finding.agrees and finding.ratio <= 1 for finding in found.values())


def test_a_weight_of_which_a_part_is_open_is_not_skipped():
    mappings = [_mapping(n, of) for n, of in (("a", "q"), ("b", "k"), ("c", "v"))]
    pieces = {f"parameter:{n}": Source("parameter:qk", (512, 2048), "i0") for n in ("q", "k")}
    comparison = SimpleNamespace(
        axis_maps=SimpleNamespace(weight_mappings=mappings),
        torch=SimpleNamespace(pieces={}),
        keras=SimpleNamespace(pieces=pieces),
    )
    found = settled_gradients.skipped(comparison, {"a/left": None, "c/left": None})
    assert found == (["a/left", "c/left"], ["v"])
    whole = settled_gradients.skipped(comparison, dict.fromkeys(["a/left", "b/left", "c/left"]))
    assert whole == (["a/left", "b/left", "c/left"], ["qk", "v"])
