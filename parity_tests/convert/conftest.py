"""A process for each side that has imported its framework, and a checkpoint of each pair."""

from pathlib import Path

import pytest
from safetensors.numpy import load_file

from parity.convert import loaded_alone
from parity_tests.convert.pairs import FOLDER, PAIRS
from parity_tests.forked import ROOT, script

MAKE = """
import sys
sys.path.insert(0, {models!r})
import torch_models
for name in {names}:
    torch.manual_seed(5)
    torch.save(getattr(torch_models, name)().state_dict(), f"{folder}/{{name}}.pt")
"""
READ = """
from safetensors.torch import save_file
save_file({{k: v.clone() for k, v in torch.load({path!r}).items()}}, {out!r})
"""
ALONE = """
import io, sys
sys.stdin = io.StringIO({asked!r})
exec(compile(open({script!r}).read(), {script!r}, "exec"), {{"__name__": "__main__"}})
"""


@pytest.fixture(scope="session")
def torch_script(forked):
    """Runs a script that knows `torch`, in a process of its own."""
    return script(forked["torch"], "import torch")


@pytest.fixture(scope="session")
def keras_script(forked):
    return script(forked["keras"], "import keras, tensorflow")


@pytest.fixture(scope="session")
def checkpoints(torch_script, tmp_path_factory):
    """Folder with a state dict of every PyTorch model, NAME.pt."""
    folder = tmp_path_factory.mktemp("checkpoints")
    names = [*(pair.torch for pair in PAIRS.values()), "Normed"]
    torch_script(MAKE.format(models=str(FOLDER), names=names, folder=folder))
    return folder


@pytest.fixture
def quickly_loaded(torch_script, keras_script, monkeypatch):
    """Files are loaded again by a process that has imported the framework before."""
    scripts = {"torch": torch_script, "keras": keras_script}

    def run(side, python, asked, timeout):
        file = ROOT / f"parity/{side}_side/checker/loaded_alone.py"
        scripts[side](ALONE.format(asked=asked, script=str(file)))

    monkeypatch.setattr(loaded_alone, "_run", run)


@pytest.fixture(scope="session")
def state(torch_script):
    """``state(path)`` of a state dict → its arrays, read by PyTorch."""

    def read(path):
        out = Path(path).parent / "read.safetensors"
        torch_script(READ.format(path=str(path), out=str(out)))
        return load_file(out)

    return read
