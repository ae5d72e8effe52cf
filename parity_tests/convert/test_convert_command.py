"""`parity convert` as people type it."""

import contextlib
import json
import subprocess
import sys

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

from parity.cli.main import app
from parity.convert import conversion
from parity.convert.expressions import Transpose, Weight
from parity.convert.weight_map import Made, WeightMap
from parity.core.errors import UsageError
from parity_tests.convert.pairs import FOLDER

MODELS = ["--torch", f"{FOLDER}/torch_models.py:Cnn", "--keras", f"{FOLDER}/keras_models.py:cnn"]


def parity(*arguments):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def complaint(*arguments):
    done = parity(*arguments)
    assert isinstance(done.exception, UsageError), done.output
    return str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (MODELS, "Neither model comes with weights"),
        (MODELS[:2], "--keras is missing"),
        ([*MODELS, "--torch-weights", "no.pt"], "there is no such file"),
        ([*MODELS, "--weights-from", "jax"], "No side named 'jax'"),
        ([*MODELS, "--weights-from", "torch", "--script", "no/convert.py"], "there is no folder"),
        ([*MODELS, "--weights-from", "keras"], r"Expected a name that ends in .safetensors, .pt"),
        ([*MODELS, "--weights-from", "torch", "--pair-layer", "a"], "--pair-layer 'a' pairs"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_runs(arguments, told, tmp_path):
    assert told.replace("\\", "") in complaint(*arguments, "--out", tmp_path / "x.weights.h5")
    assert not list(tmp_path.iterdir())


def test_two_files_are_one_too_many(tmp_path):
    (tmp_path / "a.pt").touch()
    (tmp_path / "b.weights.h5").touch()
    files = ["--torch-weights", tmp_path / "a.pt", "--keras-weights", tmp_path / "b.weights.h5"]
    assert "Expected one" in complaint(*MODELS, *files, "--out", tmp_path / "x.pt")


@pytest.fixture
def a_map(tmp_path):
    weights = {"fc/kernel": Made(Transpose(Weight("fc.weight"), (1, 0)), (3, 2), "float32")}
    found = WeightMap("torch", {"torch": "Net", "keras": "net"}, {"fc.weight": (2, 3)}, weights)
    found.write(tmp_path / "net.map.json")
    save_file(
        {"fc.weight": np.arange(6, dtype=np.float32).reshape(2, 3), "extra": np.zeros(1)},
        tmp_path / "old.safetensors",
    )
    return tmp_path


def test_a_map_needs_no_model(a_map):
    old, new = a_map / "old.safetensors", a_map / "new.safetensors"
    done = parity("--map", a_map / "net.map.json", "--torch-weights", old, "--out", new)
    assert done.exit_code == 0
    assert "Not in the map, and left out: extra." in done.output
    assert "1 weights" in done.output
    assert np.array_equal(load_file(new)["fc/kernel"], np.arange(6).reshape(2, 3).T)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--keras-weights", "old.safetensors"], "is of torch weights: --torch-weights"),
        (["--torch-weights", "no.safetensors"], "there is no such file"),
        (["--torch-weights", "old.safetensors", *MODELS], "Leave out --torch and --keras"),
        ([], "is of torch weights"),
    ],
)
def test_what_does_not_go_with_a_map_is_refused(a_map, monkeypatch, arguments, told):
    monkeypatch.chdir(a_map)
    words = complaint("--map", "net.map.json", *arguments, "--out", "new.safetensors")
    assert told in words
    assert not (a_map / "new.safetensors").exists()


def test_a_place_that_the_map_lacks_is_named(a_map):
    """Planted: a map that does not say where a .weights.h5 has its weights."""
    old, new = a_map / "old.safetensors", a_map / "new.weights.h5"
    given = ["--map", a_map / "net.map.json", "--torch-weights", old, "--out", new]
    assert "does not say where a .weights.h5 has fc/kernel" in complaint(*given)


CONVERTED = [*MODELS, "--input", "4,3,8,12", "--torch-weights"]


def test_all_of_it_in_one_command(checkpoints, tmp_path):
    out, script = tmp_path / "net.safetensors", tmp_path / "convert.py"
    command = [sys.executable, "-c", "from parity.cli.main import main; main()", "convert"]
    command += [*CONVERTED, checkpoints / "Cnn.pt", "--out", out]
    command += ["--map-out", tmp_path / "net.map.json", "--script", script]
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert "the same function to rounding" in done.stdout
    assert "Taken across: 8 weights of 8, 1,007 numbers in all." in done.stdout
    assert "bn.num_batches_tracked" in done.stdout
    assert "it gives the same outputs" in done.stdout
    assert script.is_file()


def test_what_differs_is_told_and_not_written(remotes, checkpoints, tmp_path, monkeypatch):
    monkeypatch.setattr(conversion, "processes", lambda request: contextlib.nullcontext(remotes))
    wrong = ["--keras-args", json.dumps({"epsilon": 1e-3}), "--json"]
    beside = ["--map-out", tmp_path / "net.map.json", "--script", tmp_path / "convert.py"]
    out = tmp_path / "other.safetensors"
    done = parity(*CONVERTED, checkpoints / "Cnn.pt", "--out", out, *beside, *wrong)
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert told["written"] is None
    assert told["check"]["causes"][0]["kind"] == "epsilon"
    assert not list(tmp_path.iterdir())
