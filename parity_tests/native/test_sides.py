"""Native trainings of both sides: each default is the framework's own, and nothing else changes.

Each framework has a process of its own, which runs the checks of its side; a fault planted there
must turn its check red.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BOTH = [
    "repairs",
    "initialiser",
    "other_initialiser",
    "optimizer",
    "norms",
    "shuffling",
    "dropout",
    "alone",
    "epochs",
    "recording",
    "repeatable",
]
TORCH, KERAS = [*BOTH, "training"], [*BOTH, "fit", "loss"]
CHECKS = [*(("torch", name) for name in TORCH), *(("keras", name) for name in KERAS)]
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
}


def start(*command):
    """A process with what a worker's environment is."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", *command],
        cwd=ROOT,
        env=os.environ | ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def printed():
    """Side → lines of its process: one of each fault, and what every check says; and its errors.

    Both sides at the same time.
    """
    started = {side: start("-c", _script(side)) for side in FAULTS}
    ended = {side: process.communicate() for side, process in started.items()}
    for side, process in started.items():
        assert process.returncode == 0, ended[side][1][-2000:]
    return {side: (out.splitlines(), errors[-3000:]) for side, (out, errors) in ended.items()}


@pytest.fixture(scope="module")
def told(printed):
    """Side → check → what went wrong."""
    return {side: json.loads(lines[-1]) for side, (lines, _) in printed.items()}


@pytest.mark.parametrize(("side", "name"), CHECKS, ids=lambda value: value)
def test_a_side_keeps_its_promise(told, side, name):
    assert told[side][name] == "", told[side][name]


def test_no_check_is_forgotten(told):
    assert {side: sorted(found) for side, found in told.items()} == {
        "torch": sorted(TORCH),
        "keras": sorted(KERAS),
    }


FAULTS = {
    "torch": [
        (
            "initialiser",
            "import torch.nn.init as i; from torch import nn\n"
            "own = nn.Linear.reset_parameters\n"
            "import parity.torch_side.native as n\n"
            "build = n.Native.build\n"
            "def wrong(self, make, **more):\n    model = build(self, make, **more)\n"
            "    model.apply(n._as_keras)\n    return model\n"
            "n.Native.build = wrong",
        ),
        (
            "optimizer",
            "import parity.torch_side.native as n\n"
            "n.Native.optimizer = lambda self, made, choice: made",
        ),
        (
            "norms",
            "import parity.native.defaults as d\nfrom dataclasses import replace\n"
            "d.NORMS['torch'] = replace(d.NORMS['torch'], epsilon=1e-3)",
        ),
        (
            "shuffling",
            "import parity.torch_side.native as n, torch, numpy as np\n"
            "n.Native.order = lambda self, samples, epochs, seed, choice: np.stack([torch.randperm("
            "samples, generator=torch.Generator().manual_seed(seed + e)).numpy() "
            "for e in range(epochs)])",
        ),
        (
            "dropout",
            "from torch import nn\nnn.Dropout.forward = lambda self, x: x",
        ),
        (
            "alone",
            "import parity.native.running as r\n"
            "r._Job.optimizer = lambda self, setting, model: self.native.optimizer("
            "self.program.optimizer(model), 'native')",
        ),
        (
            "epochs",
            "import parity.torch_side.native as n, numpy as np\n"
            "n.Native.order = lambda self, samples, epochs, seed, choice: "
            "np.random.default_rng(seed).integers(0, samples, (epochs, samples))",
        ),
        (
            "recording",
            "import parity.native.running as r\n"
            "own = r._Job._ordered\n"
            "from parity.native.settings import Setting\n"
            "r._Job._ordered = lambda self, setting: own(self, Setting('x', ('shuffling',)))",
        ),
    ],
    "keras": [
        (
            "shuffling",
            "import parity.keras_side.native as n, tensorflow as tf, numpy as np\n"
            "n.Native.order = lambda self, samples, epochs, seed, choice: np.stack([np.random"
            ".default_rng([seed, e]).permutation(samples) for e in range(epochs)])",
        ),
        (
            "fit",
            "import parity.keras_side.native as n\nown = n._fit\n"
            "def wrong(feed, model, optimizer):\n    feed.kept = feed.kept[:-8]\n"
            "    return own(feed, model, optimizer)\nn._fit = wrong",
        ),
        (
            "dropout",
            "from keras import layers\n"
            "layers.Dropout.call = lambda self, inputs, training=False: inputs",
        ),
        (
            "norms",
            "import parity.keras_side.native as n\nown = n._normalised\n"
            "n._normalised = lambda model, **more: own(model, **{**more, 'momentum': None})",
        ),
        (
            "other_initialiser",
            "import parity.keras_side.native as n\nn._as_torch = lambda layer: None",
        ),
        (
            "alone",
            "import parity.keras_side.native as n\nn._normalised.__kwdefaults__ = None\n"
            "own = n._normalised\n"
            "n._normalised = lambda model, **more: own(model, **{**more, 'epsilon': 0.5})",
        ),
    ],
}


def _script(side):
    """A fork for each fault, 7 standing for a failed assertion; then the checks themselves."""
    return "\n".join(
        [
            "import json, os, sys",
            f"import parity_tests.native.{side}_checks as checks",
            f"for name, fault in {FAULTS[side]!r}:",
            "    child = os.fork()",
            "    if not child:",
            "        exec(fault, {})",
            "        try:",
            "            checks.CHECKS[name]()",
            "        except AssertionError:",
            "            os._exit(7)",
            "        except BaseException:",
            "            import traceback; traceback.print_exc()",
            "            os._exit(8)",
            "        os._exit(0)",
            "    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)",
            "checks.common.main(checks.CHECKS)",
        ]
    )


@pytest.mark.parametrize(
    ("side", "number"), [(s, n) for s in FAULTS for n in range(len(FAULTS[s]))]
)
def test_a_planted_fault_turns_its_check_red(printed, side, number):
    lines, errors = printed[side]
    assert lines[number : number + 1] == [f"{FAULTS[side][number][0]} 7"], errors
