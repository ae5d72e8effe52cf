"""`parity convert`: both directions, what is refused, and what the new file is worth by itself."""

import os
import subprocess
import sys
from dataclasses import replace

import h5py
import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from parity.checker.graph import model_inputs
from parity.checker.graph.target import ModelError
from parity.checker.workers.request import CheckRequest
from parity.convert import by_map, loaded_alone, written_script
from parity.convert.by_map import convert_by_map
from parity.convert.conversion import ConversionRequest, convert_in, expect_writable
from parity.convert.tensor_files import TensorFile
from parity.convert.weight_map import WeightMap
from parity.core.errors import UsageError
from parity_tests.convert.pairs import FOLDER, PAIRS, Pair
from parity_tests.draws import draw

GONE = draw([name for name in PAIRS if name != "mlp"], lambda name: (), 0.4)
BACK = {"cnn": "safetensors", "recurrent": "pt", "attention": "pth.tar", "tied": "safetensors"}
THERE = {"cnn": "weights.h5", "attention": "keras", "tied": "weights.h5", "fused": "weights.h5"}
ATTACK = """
class Runs:
    def __reduce__(self):
        return (print, ("it ran",))
torch.save({{"state_dict": Runs()}}, {path!r})
"""
WRAPPED = """
weights = {{"module." + k: v for k, v in torch.load({plain!r}).items()}}
torch.save({{"epoch": 3, "state_dict": weights, "optimizer": {{"state": {{}}}}}}, {wrapped!r})
"""


def asked_of(pair, out, source="torch", **more):
    inputs = tuple(map(model_inputs.parse, pair.inputs.split()))
    check = CheckRequest(inputs=inputs, weights_from=source)
    weights = {source: more.pop("weights")} if "weights" in more else {}
    return ConversionRequest(pair.targets(**weights), check, out, **more)


def as_its_map_says(found, old, new, folder, state):
    """The map, read from its file, and its script give the same file as the conversion gave."""
    found.write(folder / "net.map.json")
    found = WeightMap.read(folder / "net.map.json")
    written_script.write(found, folder / "convert.py")
    source = by_map._plain(found, old, folder, {})
    plain, scripted = folder / "plain.safetensors", folder / "scripted.safetensors"
    convert_by_map(found, source, plain, {})
    run([sys.executable, str(folder / "convert.py"), str(source), str(scripted)], cwd=folder)
    assert scripted.read_bytes() == plain.read_bytes()
    other = plain
    if new.suffix in (".h5", ".pt"):
        other = folder / f"mapped{''.join(new.suffixes)}"
        convert_by_map(found, source, other, {})
    if new.suffix != ".keras":
        assert tensors_of(other, found, state) == tensors_of(new, found, state)


def tensors_of(path, found, state):
    """Name → type, shape and bytes, of a file of the map's other side."""
    if path.suffix == ".h5":
        with h5py.File(path) as file:
            arrays = {n: file[place][()] for n, place in found.datasets["keras"].items()}
    elif path.suffix == ".safetensors":
        arrays = dict(TensorFile(path))
    else:
        arrays = state(path)
    return {n: (a.dtype.name, a.shape, a.tobytes()) for n, a in arrays.items()}


def run(command, **more):
    """A command in an environment that lacks this project."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    subprocess.run(command, check=True, timeout=300, env=env, **more)


@pytest.fixture(params=GONE)
def name(request):
    """Of a pair; the files of the first are loaded by new processes, one of each side."""
    if request.param != GONE[0]:
        request.getfixturevalue("quickly_loaded")
    return request.param


def test_there_and_back_again(name, remotes, checkpoints, state, tmp_path):
    pair = PAIRS[name]
    there = tmp_path / f"net.{THERE.get(name, 'safetensors')}"
    first = checkpoints / f"{pair.torch}.pt"
    done = convert_in(remotes, asked_of(pair, there, weights=first, mapped=True))
    assert done.agrees
    assert done.again.agrees
    assert not done.kept
    assert not done.computed
    as_its_map_says(done.map, first, there, tmp_path, state)
    back = tmp_path / f"back.{BACK.get(name, 'pt')}"
    done = convert_in(remotes, asked_of(pair, back, "keras", weights=there, mapped=True))
    assert done.agrees
    assert done.again.agrees
    as_its_map_says(done.map, there, back, tmp_path, state)
    before = state(checkpoints / f"{pair.torch}.pt")
    after = load_file(back) if back.suffix == ".safetensors" else state(back)
    assert set(after) == set(before)
    if name == "recurrent":  # of two biases that are only ever added one takes both
        before["lstm.bias_ih_l0"] = before["lstm.bias_ih_l0"] + before["lstm.bias_hh_l0"]
        before["lstm.bias_hh_l0"] = np.zeros_like(before["lstm.bias_hh_l0"])
    for key, array in before.items():
        assert np.array_equal(array, after[key]), key
    assert sorted(x.name for x in tmp_path.iterdir() if x.name[0] == ".") == []


@pytest.mark.usefixtures("quickly_loaded")
def test_what_is_another_function_is_not_written(remotes, checkpoints, tmp_path):
    pair = Pair("Cnn", "cnn", "4,3,8,12")
    asked = asked_of(pair, tmp_path / "net.weights.h5", weights=checkpoints / "Cnn.pt")
    wrong = replace(asked.targets[1], arguments={"epsilon": 1e-3})
    asked = replace(asked, targets=(asked.targets[0], wrong))
    done = convert_in(remotes, asked)
    assert not done.agrees
    assert done.again is None
    assert list(tmp_path.iterdir()) == []
    done = convert_in(remotes, replace(asked, anyway=True))
    assert not done.agrees
    assert done.again.agrees  # the file is what went across
    assert asked.out.is_file()


@pytest.mark.usefixtures("quickly_loaded")
def test_halves_stay_halves(remotes, checkpoints, state, tmp_path):
    before = state(checkpoints / "Cnn.pt")
    for dtype in (np.float16, ml_dtypes.bfloat16):
        half = {k: a.astype(dtype) if a.dtype == np.float32 else a for k, a in before.items()}
        save_file(half, tmp_path / "half.safetensors")
        asked = asked_of(
            PAIRS["cnn"], tmp_path / "net.safetensors", weights=tmp_path / "half.safetensors"
        )
        assert convert_in(remotes, asked).again.agrees
        after = dict(TensorFile(tmp_path / "net.safetensors"))
        assert {a.dtype for a in after.values()} == {np.dtype(dtype)}
        kernel = half["conv.weight"].transpose(2, 3, 1, 0)
        assert after["conv/kernel"].tobytes() == np.ascontiguousarray(kernel).tobytes()


@pytest.mark.usefixtures("quickly_loaded")
def test_what_a_model_computes_of_its_weights_goes_across(remotes, checkpoints, state, tmp_path):
    pair = Pair("Normed", "plain", "4,6")
    out = tmp_path / "net.safetensors"
    done = convert_in(remotes, asked_of(pair, out, weights=checkpoints / "Normed.pt"))
    assert done.agrees
    assert done.again.agrees
    assert set(done.computed) == {"fc/kernel"}
    before = state(checkpoints / "Normed.pt")
    direction = before["fc.parametrizations.weight.original1"].astype(np.float64)
    length = np.linalg.norm(direction, axis=1, keepdims=True)
    made = direction / length * before["fc.parametrizations.weight.original0"]
    assert np.allclose(load_file(out)["fc/kernel"], made.T, rtol=1e-6, atol=0)
    with pytest.raises(UsageError, match=r"no map of this pair: fc/kernel"):
        convert_in(remotes, asked_of(pair, out, weights=checkpoints / "Normed.pt", mapped=True))


@pytest.mark.usefixtures("quickly_loaded")
def test_a_wrapped_checkpoint_is_unwrapped(remotes, checkpoints, torch_script, state, tmp_path):
    wrapped, plain = tmp_path / "net.pth.tar", checkpoints / "Mlp.pt"
    torch_script(WRAPPED.format(plain=str(plain), wrapped=str(wrapped)))
    out = tmp_path / "net.safetensors"
    done = convert_in(remotes, asked_of(PAIRS["mlp"], out, weights=wrapped))
    assert done.agrees
    assert any("begin with module." in note for note in done.notes)
    assert np.array_equal(load_file(out)["out/kernel"], state(plain)["out.weight"].T)


def test_what_a_file_would_run_is_not_run(remotes, torch_script, tmp_path):
    path = tmp_path / "net.pt"
    torch_script(ATTACK.format(path=str(path)))
    out = tmp_path / "net.safetensors"
    with pytest.raises(ModelError, match="holds more than numbers") as caught:
        convert_in(remotes, asked_of(PAIRS["mlp"], out, weights=path))
    assert "it ran" not in str(caught.value)
    assert not out.exists()


def test_weights_of_another_model_are_named(remotes, checkpoints, tmp_path):
    out = tmp_path / "net.safetensors"
    with pytest.raises(ModelError, match=r"lacks hidden\.weight.*it has.*conv\.weight"):
        convert_in(remotes, asked_of(PAIRS["mlp"], out, weights=checkpoints / "Cnn.pt"))
    other = PAIRS["mlp"].targets(torch=checkpoints / "Mlp.pt")
    wide = replace(other[0], arguments={"width": 9})
    asked = asked_of(PAIRS["mlp"], out)
    with pytest.raises(ModelError, match=r"hidden\.weight 7 × 6 for 9 × 6"):
        convert_in(remotes, replace(asked, targets=(wide, other[1])))


@pytest.mark.usefixtures("quickly_loaded")
def test_keras_weights_of_another_model_are_named(remotes, checkpoints, tmp_path):
    mlp = tmp_path / "mlp.weights.h5"
    convert_in(remotes, asked_of(PAIRS["mlp"], mlp, weights=checkpoints / "Mlp.pt"))
    out = tmp_path / "net.pt"
    with pytest.raises(ModelError, match=r"lacks .*vars/0.*Expected the weights"):
        convert_in(remotes, asked_of(PAIRS["cnn"], out, "keras", weights=mlp))
    assert not out.exists()


@pytest.mark.parametrize(("name", "side"), [("net.pt", "keras"), ("net.h5", "torch")])
def test_a_name_tells_whose_file_it_is(name, side, tmp_path):
    with pytest.raises(UsageError, match="Expected a name that ends in"):
        expect_writable(tmp_path / name, side)
    with pytest.raises(UsageError, match="there is no folder"):
        expect_writable(tmp_path / "no" / "net.safetensors", side)


# In a fresh process


def test_the_fresh_process_has_nothing_of_this_project():
    for side in ("torch", "keras"):
        text = (FOLDER.parents[1] / f"parity/{side}_side/checker/loaded_alone.py").read_text()
        assert "import parity" not in text
        assert "from parity" not in text


@pytest.mark.parametrize(
    ("found", "agrees"),
    [
        ([1.0, 2.0], True),
        ([1.0, 2.0 + 1e-7], True),
        ([1.0, 2.001], False),
        ([1.0, np.nan], False),
        ([1.0], False),
    ],
)
def test_other_outputs_are_told(found, agrees):
    exact = np.array([1.0, 2.0])
    again = loaded_alone._compared(
        [np.array(found, np.float32)], [exact.astype(np.float32)], [exact]
    )
    assert again.agrees is agrees


@pytest.mark.usefixtures("quickly_loaded")
def test_a_file_that_does_not_load_is_not_kept(remotes, checkpoints, tmp_path, monkeypatch):
    """Planted: what is written is of another model."""
    save = type(remotes[1]).save_weights

    def other(remote, path, types):
        save(remote, path, types)
        if path.endswith(".safetensors") and remote.side == "keras":
            arrays = load_file(path)
            arrays["out/kernel"] = np.ascontiguousarray(arrays["out/kernel"][::-1])
            save_file(arrays, path)

    monkeypatch.setattr(type(remotes[1]), "save_weights", other)
    out = tmp_path / "net.safetensors"
    with pytest.raises(UsageError, match="it gives other outputs"):
        convert_in(remotes, asked_of(PAIRS["mlp"], out, weights=checkpoints / "Mlp.pt"))
    assert not out.exists()
    assert not list(tmp_path.iterdir())
