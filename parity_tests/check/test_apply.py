"""`parity check --apply`: what is proven is applied to the user's files, and checked once more."""

import contextlib
import json
import os
import re
import time
from dataclasses import replace
from unittest import mock

import pytest
from typer.testing import CliRunner

from parity.checker.apply import rounds, wording
from parity.checker.apply.line_changes import LineChanges
from parity.checker.apply.user_code import UserCode
from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.cli import check_command
from parity.cli.main import app

TORCH = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.fc = nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(self.bn(self.conv(x)).relu().mean((2, 3)))


class Blocks(nn.Module):
    def __init__(self, second=1e-5, joined=False):
        super().__init__()
        self.joined = joined
        self.fc = nn.ModuleList([nn.Linear(12 * (k if joined else 1), 12) for k in (1, 2, 3)])
        self.norm = nn.ModuleList([nn.LayerNorm(12, e) for e in (1e-5, second, 1e-5)])

    def forward(self, x):
        for fc, norm in zip(self.fc, self.norm):
            y = torch.tanh(norm(fc(x)))
            x = torch.cat([x, y], 1) if self.joined else y
        return x


def other_norm():
    return Blocks(second=0.1)


def dense():
    return Blocks(joined=True)
"""
NET = """import keras
from keras import layers


class Net(keras.Model):
    \"\"\"Ours.\"\"\"

    def __init__(self):
        super().__init__()
        self.conv = layers.Conv2D(
            8,
            3,  # as in the paper
            strides=2,
            padding="same",
        )  # first
        self.bn = layers.BatchNormalization()  # default
        self.fc = layers.Dense(4)

    def call(self, x):
        x = self.bn(self.conv(x))  # no activation?
        return self.fc(keras.ops.mean(x, axis=(1, 2)))
"""
MENDED = (
    NET.replace(
        "        self.conv =",
        "        self.relu = layers.ReLU()\n"
        "        self.zero_padding2d = layers.ZeroPadding2D(((1, 1), (1, 1)))\n"
        "        self.conv =",
    )
    .replace('"same"', '"valid"')
    .replace("Normalization()", "Normalization(momentum=0.9, epsilon=1e-05)")
    .replace("self.conv(x)", "self.conv(self.zero_padding2d(x))")
    .replace("ops.mean(x", "ops.mean(self.relu(x)")
)
BLOCKS = """import keras
from keras import layers, ops

from parts import norm


def other_norm():
    x = inputs = keras.Input((12,))
    for i in range(3):
        x = ops.tanh(layers.LayerNormalization(epsilon=1e-5)(layers.Dense(12)(x)))
    return keras.Model(inputs, x)


def imported():
    x = inputs = keras.Input((12,))
    for i in range(3):
        x = ops.tanh(norm()(layers.Dense(12)(x)))
    return keras.Model(inputs, x)


def dense():
    x = inputs = keras.Input((12,))
    for i in range(3):
        y = ops.tanh(layers.LayerNormalization(epsilon=1e-5)(layers.Dense(12)(x)))
        x = layers.Concatenate()([y, x])
    return keras.Model(inputs, x)
"""
PARTS = """from keras import layers


def norm():
    return layers.LayerNormalization()
"""
IMAGE, VECTOR = "2,3,12,10", "5,12"


@pytest.fixture
def folder(tmp_path):
    for name, text in (("t", TORCH), ("net", NET), ("blocks", BLOCKS), ("parts", PARTS)):
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    return tmp_path


@pytest.fixture
def applied(remotes, folder):
    """What comes of applying what a check of a pair finds."""

    def asked(torch, keras, shape):
        targets = [
            Target(f"{folder}/{file}.py", name, {})
            for file, name in (torch.split(":"), keras.split(":"))
        ]
        request = CheckRequest(inputs=(model_inputs.parse(shape),))
        first = check_in(remotes, targets, request)
        return rounds.in_rounds(remotes, targets, request, first)

    return asked


def test_three_causes_in_one_round_and_no_file_is_touched(applied, folder):
    outcome = applied("t:Net", "net:Net", IMAGE)
    assert [r.verdict for r in outcome.results] == ["differ", "agree"]
    assert outcome.texts == {f"{folder}/net.py": MENDED}
    assert (folder / "net.py").read_text() == NET
    assert "With it: agree" in wording.plain(outcome)
    assert wording.diff(outcome).count("\n-        ") == 4


def test_a_line_of_an_imported_file_is_changed_there(applied, folder):
    outcome = applied("t:Blocks", "blocks:imported", VECTOR)
    assert outcome.last.verdict == "agree"
    mended = PARTS.replace("Normalization()", "Normalization(epsilon=1e-05)")
    assert outcome.texts == {f"{folder}/parts.py": mended}


def test_one_of_several_layers_of_a_line_is_not_applied_and_it_says_why(applied):
    outcome = applied("t:other_norm", "blocks:other_norm", VECTOR)
    assert outcome.texts == {}
    assert [r.verdict for r in outcome.results] == ["differ"]
    said = wording.plain(outcome)
    assert re.search(r"Not applied: epsilon of layer_normalization_1: line 10 is also ", said)


def test_a_line_of_several_is_changed_for_all_where_they_agree_then(applied, folder):
    outcome = applied("t:dense", "blocks:dense", VECTOR)
    assert outcome.last.verdict == "agree"
    assert outcome.texts == {f"{folder}/blocks.py": BLOCKS.replace("[y, x]", "[x, y]")}
    assert outcome.attempts[-1][0].along


def test_an_edit_that_changes_nothing_is_none(applied):
    with mock.patch.object(LineChanges, "_fill", return_value=None):
        outcome = applied("t:Blocks", "blocks:imported", VECTOR)
    assert outcome.texts == {}
    assert outcome.last.verdict == "differ"
    assert "Nothing to apply." in wording.plain(outcome)


def test_an_edit_of_the_wrong_call_is_seen(applied):
    """Planted: the argument goes to another layer's call; what is proposed does not agree."""
    own = UserCode.stack

    def another(self, sites, layer, what):
        return own(self, sites, "conv2d" if layer == "batch_normalization" else layer, what)

    with mock.patch.object(UserCode, "stack", another):
        outcome = applied("t:Net", "net:Net", IMAGE)
    assert outcome.last.verdict != "agree" or outcome.error
    assert "With it: agree" not in wording.plain(outcome)


def test_a_suspected_cause_is_shown_and_not_applied(applied):
    outcome = applied("t:Net", "net:Net", IMAGE)
    first = outcome.results[0]
    causes = tuple(replace(cause, status="suspected") for cause in first.causes)
    proposal = rounds.propose(replace(first, causes=causes), lambda path: NET)
    assert proposal.texts == {}
    assert {attempt.refused for attempt in proposal.attempts} == {"suspected, not proven"}


@pytest.fixture
def run(remotes, folder):
    """The command, in processes that are there."""

    def asked(*options):
        @contextlib.contextmanager
        def there(request):
            yield remotes

        files = ["--torch", f"{folder}/t.py:Net", "--keras", f"{folder}/net.py:Net"]
        with mock.patch.object(check_command, "processes", there):
            return CliRunner().invoke(app, ["check", *files, "--input", IMAGE, *options])

    return asked


def test_the_diff_is_shown_and_written_only_if_asked(run, folder):
    path = folder / "net.py"
    windows = NET.replace("\n", "\r\n").encode()
    path.write_bytes(windows)
    shown = run("--apply", "--json")
    assert (shown.exit_code, path.read_bytes()) == (1, windows)
    document = json.loads(shown.stdout)["apply"]
    assert document["verdict"] == "agree"
    assert "+        self.relu = layers.ReLU()\r\n" in document["diff"]
    written = run("--apply", "--write")
    assert (written.exit_code, path.read_bytes()) == (0, MENDED.replace("\n", "\r\n").encode())


def test_a_file_that_changed_while_it_was_checked_is_left_alone(run, folder):
    later = time.time() + 1000
    os.utime(folder / "net.py", (later, later))
    told = run("--apply", "--write")
    assert told.exit_code == 1
    assert "has changed while it was checked" in " ".join(told.stdout.split())
    assert (folder / "net.py").read_text() == NET


def test_write_is_for_apply(run):
    told = run("--write")
    assert "--write is for --apply" in str(told.exception)
