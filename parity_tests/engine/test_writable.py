"""What cannot be written is refused before the work begins."""

import os

import pytest
from typer.testing import CliRunner

from parity.cli import writable
from parity.cli.main import app
from parity.core.errors import ParityError
from parity.core.text import did_you_mean

MODELS = ["--torch", "t.py:Net", "--keras", "k.py:Net"]
RECORDED = ["record", "--torch", "t.py:Net", "--input", "4,8"]
CONVERTED = ["convert", *MODELS, "--torch-weights", "net.pt", "--input", "4,8"]


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Where commands are given; any model that was built would fail."""
    monkeypatch.chdir(tmp_path)
    for name in ("t.py", "k.py"):
        (tmp_path / name).write_text("raise SystemExit('the work has begun')\n")
    (tmp_path / "net.pt").write_text("")
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "folder.reference").mkdir()
    (tmp_path / "folder.weights.h5").mkdir()


@pytest.mark.parametrize(
    "place", ["file/below", "/proc/below"], ids=["beneath a file", "not permitted"]
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "autograd", "--out", "{}"],
        ["report", "autograd", "--out", "{}"],
        ["report", "autograd", "--folder", "{}"],
        ["check", *MODELS, "--input", "4,8", "--report", "{}"],
        ["check", *MODELS, "--input", "4,8", "--report", "{}/check.html"],
        ["check", *MODELS, "--input", "4,8", "--model-explorer", "{}"],
        ["bench", "fashion_mlp", "--report", "{}"],
        ["sweep", "fashion_mlp", "--report", "{}"],
        ["sweep", "fashion_mlp", "--details", "{}/details.json"],
        ["sweep", "fashion_mlp", "--out", "{}"],
        [*RECORDED, "--out", "{}.reference"],
        [*CONVERTED, "--out", "{}.weights.h5"],
        [*CONVERTED, "--out", "net.weights.h5", "--script", "{}.py"],
        [*CONVERTED, "--out", "net.weights.h5", "--map-out", "{}.json"],
    ],
    ids=lambda arguments: " ".join([arguments[0], *arguments[-2:]]),
)
def test_no_command_begins_what_it_cannot_write(models, arguments, place):
    option = arguments[-2]
    done = CliRunner().invoke(app, [word.format(place) for word in arguments])
    words = str(done.exception)
    assert isinstance(done.exception, ParityError), words
    assert "has begun" not in words + done.output
    assert option in words
    assert not os.path.exists("net.weights.h5")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sweep", "fashion_mlp", "--details", "folder.json"],
        ["check", *MODELS, "--input", "4,8", "--format", "json=folder.json"],
        [*RECORDED, "--out", "folder.reference"],
        [*CONVERTED, "--out", "folder.weights.h5"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_folder_is_no_file(models, arguments):
    done = CliRunner().invoke(app, arguments)
    assert "is a folder. Expected the name of a file" in str(done.exception)


def test_what_can_be_written_is_left_as_it_is(tmp_path):
    (tmp_path / "old.json").write_text("old")
    writable.expect_file(tmp_path / "old.json", "--out")
    writable.expect_file(tmp_path / "new" / "new.json", "--out")
    writable.expect_file(tmp_path.__class__("/dev/null"), "--out")
    writable.expect_folder(tmp_path / "new" / "newer", "--out")
    assert [path.name for path in tmp_path.iterdir()] == ["old.json"]


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("nope", ""),
        ("otimizers", "Did you mean 'optimizers'?"),
        ("lossse", "Did you mean 'losses'?"),
        ("", ""),
    ],
)
def test_a_name_is_offered_only_where_it_is_near(typed, hint):
    assert did_you_mean(typed, ["losses", "optimizers", "tensors"]) == hint
