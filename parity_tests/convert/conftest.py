"""Two processes for all conversions of a module, and a checkpoint of each pair."""

import subprocess
import sys

import pytest

from parity.checker.workers.request import CheckRequest, processes
from parity_tests.convert.pairs import FOLDER, PAIRS

MAKE = """
import sys, torch
sys.path.insert(0, sys.argv[1])
import torch_models
for name in sys.argv[3:]:
    torch.manual_seed(5)
    torch.save(getattr(torch_models, name)().state_dict(), f"{sys.argv[2]}/{name}.pt")
"""


@pytest.fixture(scope="module")
def remotes():
    with processes(CheckRequest(threads=1)) as both:
        yield both


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory):
    """Folder with a state dict of every PyTorch model, NAME.pt."""
    folder = tmp_path_factory.mktemp("checkpoints")
    wanted = [pair.torch for pair in PAIRS.values()] + ["Normed"]
    command = [sys.executable, "-c", MAKE, str(FOLDER), str(folder), *wanted]
    subprocess.run(command, check=True, timeout=300)
    return folder
