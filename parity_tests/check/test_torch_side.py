"""The PyTorch side of the check: what it writes down is what the model computes.

PyTorch runs in processes of its own; `torch_models` says what must hold for each model.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN = [
    "functional",
    "shared",
    "encoder",
    "decoder",
    "recurrent",
    "upscale",
    "writes",
    "hidden",
    "vit",
]
ZOO = ["googlenet", "mobilenet_v2", "shufflenet", "swin_t"] if os.environ.get("PARITY_LONG") else []


def in_torch(*words):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("names", [OWN, *([n] for n in ZOO)], ids=lambda n: n[0])
def test_a_graph_is_what_the_model_computes(names):
    printed = in_torch("-W", "ignore", "-m", "parity_tests.check.torch_models", *names)
    assert printed.count(" nodes, ") == len(names)


def test_an_error_is_told_in_the_lines_of_the_model(tmp_path):
    model = tmp_path / "model.py"
    model.write_text(
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.fc = nn.Linear(3, 2)\n"
        "    def forward(self, x):\n"
        "        return self.fc(x)\n"
    )
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "import numpy as np, model\n"
        "from parity.torch_side.checker import TorchModel\n"
        "from parity.core.errors import ParityError\n"
        "try:\n"
        "    TorchModel(model.Net, 'net').trace([np.zeros((1, 4))])\n"
        "except ParityError as error:\n"
        "    print(error)\n"
    )
    printed = in_torch("-c", code)
    assert "mat1 and mat2 shapes cannot be multiplied" in printed
    assert "At model.py:7 in forward: return self.fc(x)." in printed
