"""`parity check --apply torch`: where PyTorch's model is the port, its file is repaired."""

import contextlib
from unittest import mock

import pytest
from typer.testing import CliRunner

from parity.checker.apply import rounds
from parity.checker.apply.user_code import UserCode
from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.cli import check_command
from parity.cli.main import app

TORCH = '''import torch
import torch.nn.functional as F
from torch import nn


class Net(nn.Module):
    """Ours."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)  # as in the paper
        self.bn = nn.BatchNorm2d(8)
        self.net = nn.Sequential(
            nn.Linear(8, 8),  # first
            nn.GELU(),
            nn.Linear(8, 4),  # last
        )
        self.fc = nn.Linear(4, 4)

    def forward(self, x):
        x = F.leaky_relu(self.bn(self.conv(x)), 0.1)  # slope
        x = self.net(x.mean((2, 3))).relu()
        return torch.softmax(self.fc(x), dim=0)


class Block(nn.Module):
    def __init__(self, act, eps=1e-5):
        super().__init__()
        self.fc, self.norm = nn.Linear(4, 4), nn.LayerNorm(4, eps)
        self.act = act

    def forward(self, x):
        return self.act(
            self.norm(self.fc(x)),
        )


class Blocks(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(Block(F.relu), nn.Tanh(), Block(torch.tanh, eps=1e-3))

    def forward(self, x):
        return self.blocks(x) * 0.5
'''
KERAS = """import keras
from keras import layers, ops


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(8, 3, padding="same")
        self.bn = layers.BatchNormalization()
        self.fc1 = layers.Dense(8)
        self.fc2 = layers.Dense(4)
        self.fc = layers.Dense(4, activation="softmax")

    def call(self, x):
        x = ops.leaky_relu(self.bn(self.conv(x)), 0.3)
        return self.fc(self.fc2(ops.gelu(self.fc1(ops.mean(x, (1, 2))), approximate=True)))


def blocks():
    x = inputs = keras.Input((4,))
    for k, eps in enumerate((1e-5, 1e-2)):
        x = layers.LayerNormalization(epsilon=eps)(layers.Dense(4)(x))
        x = ops.tanh(x) if k else ops.relu(x)
    return keras.Model(inputs, ops.sigmoid(x) * 0.25)
"""
MENDED = (
    TORCH.replace("Conv2d(3, 8, 3)", "Conv2d(3, 8, 3, padding=1)")
    .replace("BatchNorm2d(8)", "BatchNorm2d(8, eps=0.001, momentum=0.01)")
    .replace("nn.GELU()", 'nn.GELU(approximate="tanh")')
    .replace("(x)), 0.1)", "(x)), 0.3)")
    .replace("self.net(x.mean((2, 3))).relu()", "self.net(x.mean((2, 3)))")
    .replace("dim=0", "dim=1")
)
IMAGE = "2,3,9,9"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "t.py").write_text(TORCH, "utf-8")
    (tmp_path / "k.py").write_text(KERAS, "utf-8")
    return tmp_path


@pytest.fixture
def applied(remotes, folder):
    """What comes of correcting PyTorch's model of a pair."""

    def asked(torch, keras, shape):
        targets = Target(f"{folder}/t.py", torch, {}), Target(f"{folder}/k.py", keras, {})
        request = CheckRequest(inputs=(model_inputs.parse(shape),), corrected="torch")
        return rounds.in_rounds(remotes, targets, request, check_in(remotes, targets, request))

    return asked


def test_lines_are_written_as_pytorch_s_and_change_its_file(applied, folder):
    outcome = applied("Net", "Net", IMAGE)
    assert outcome.last.verdict == "agree"
    assert outcome.texts == {f"{folder}/t.py": MENDED}


def test_steps_of_a_sequential_and_an_argument_of_a_helper(applied, folder):
    outcome = applied("Blocks", "blocks", "5,4")
    assert outcome.last.verdict == "agree"
    wanted = TORCH.replace("nn.Tanh(), ", "").replace("eps=1e-3", "eps=0.01")
    wanted = wanted.replace("self.blocks(x) * 0.5", "self.sigmoid(self.blocks(x)) * 0.25")
    made = "        self.blocks = nn"
    assert outcome.texts == {
        f"{folder}/t.py": wanted.replace(made, f"        self.sigmoid = nn.Sigmoid()\n{made}")
    }


def test_every_operation_of_pytorch_s_has_its_expression(applied):
    """Nested, in a loop of a library's, on several lines, and called of a value."""
    first = applied("Net", "Net", IMAGE).results[0]
    texts = {name: stack[0].text for name, stack in first.called["torch"].items()}
    assert texts["leaky_relu"] == "F.leaky_relu(self.bn(self.conv(x)), 0.1)"
    assert texts["relu"] == "self.net(x.mean((2, 3))).relu()"
    assert first.made["torch"]["net.1"][0].text == "nn.GELU()"
    assert first.places["torch"]["net.1"][1] == TORCH[: TORCH.index("nn.GELU")].count("\n") + 1


def test_an_operation_of_the_wrong_place_is_seen(applied):
    """Planted: what is recorded is where the operation before was called."""
    own = UserCode.stack

    def another(self, sites, layer, what):
        names = list(sites)
        return own(self, sites, names[names.index(layer) - 1] if layer in names else layer, what)

    with mock.patch.object(UserCode, "stack", another):
        outcome = applied("Net", "Net", IMAGE)
    assert outcome.last.verdict != "agree"


def test_a_side_is_named_in_the_command(remotes, folder):
    def run(*options):
        files = ["--torch", f"{folder}/t.py:Net", "--keras", f"{folder}/k.py:Net"]
        there = contextlib.nullcontext(remotes)
        with mock.patch.object(check_command, "processes", return_value=there):
            return CliRunner().invoke(app, ["check", *files, "--input", IMAGE, *options])

    assert "No side named 'pytorch'" in str(run("--apply=pytorch").exception)
    keras = run("--apply")
    assert "+++ b" in keras.stdout
    assert "k.py" in keras.stdout[keras.stdout.index("+++ b") :].splitlines()[0]
    written = run("--apply", "torch", "--write")
    assert written.exit_code == 0
    assert (folder / "t.py").read_text("utf-8") == MENDED
    assert (folder / "k.py").read_text("utf-8") == KERAS
