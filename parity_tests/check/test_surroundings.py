"""What a user's models find around them: the other framework, the user's path, the backend."""

import os
import subprocess
import sys

import pytest

from parity.checker.graph.target import Target
from parity.checker.workers.remote_model import RemoteModel
from parity.core.errors import WorkerError
from parity.recording.provenance import ROOT
from parity.workers.environment import environment, own_code
from parity_tests.draws import draw

BOTH = """
{first}
{second}
from mine.sizes import OUT


class TorchNet(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.out = torch.nn.Linear(5, OUT)

    def forward(self, x):
        return self.out(x)


class KerasNet(keras.Model):
    def __init__(self):
        super().__init__()
        self.out = keras.layers.Dense(OUT)

    def call(self, x):
        return self.out(x)
"""


def checked(folder, path):
    command = [
        sys.executable,
        "-c",
        "from parity.cli.main import main; main()",
        "check",
        "--train",
        "--torch",
        "models.py:TorchNet",
        "--keras",
        "models.py:KerasNet",
        "--input",
        "4,5",
    ]
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )


ORDERS = [("torch", "keras"), ("keras", "torch")]


@pytest.mark.parametrize("order", draw(ORDERS, lambda order: (), 0.5))
def test_both_models_in_one_file_that_needs_the_users_path(tmp_path, order):
    """Each process then holds both frameworks, whose two LLVMs would end it."""
    (tmp_path / "path" / "mine").mkdir(parents=True)
    (tmp_path / "path" / "mine" / "sizes.py").write_text("OUT = 3\n")
    first, second = (f"import {name}" for name in order)
    (tmp_path / "models.py").write_text(BOTH.format(first=first, second=second))
    path = os.pathsep.join([str(ROOT), str(tmp_path / "path")])
    done = checked(tmp_path, path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("agree: ")


def test_another_backend_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    words = r"Keras runs on its torch backend here\. Expected TensorFlow's"
    with (
        RemoteModel("keras", tmp_path, python=sys.executable) as remote,
        pytest.raises(WorkerError, match=words),
    ):
        remote.load(Target("models.py", "KerasNet", {}))


def test_the_users_path_comes_behind_the_suite(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/a:/b")
    assert environment()["PYTHONPATH"] == f"{ROOT}:/a:/b"
    monkeypatch.delenv("PYTHONPATH")
    assert environment()["PYTHONPATH"] == str(ROOT)


def test_of_an_installed_suite_no_other_library_is_on_the_path(tmp_path, monkeypatch):
    """Else another interpreter would find this one's libraries before its own."""
    for package in ("parity", "numpy"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    monkeypatch.setattr("parity.workers.environment.ROOT", tmp_path)
    own_code.cache_clear()
    try:
        found = own_code()
    finally:
        own_code.cache_clear()
    assert os.listdir(found) == ["parity"]
    assert os.path.realpath(f"{found}/parity") == str(tmp_path / "parity")
