"""A check holds a layer's weights at a time, in every process, whatever the model's are in all."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
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
    assert float(run.stdout) < 0.6
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
