"""The map without models: what its file says, what is refused, and how much memory it takes."""

import json
import subprocess
import sys
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from parity.convert import conversion, derive, written_script
from parity.convert.by_map import convert_by_map
from parity.convert.expressions import (
    Add,
    Broadcast,
    Concatenate,
    Constant,
    Flip,
    Kept,
    Reshape,
    Slice,
    Take,
    Transpose,
    Weight,
)
from parity.convert.tensor_files import TensorFile
from parity.convert.weight_map import Made, WeightMap, kept_path
from parity.core.errors import UsageError
from parity_tests.convert.pairs import PAIRS
from parity_tests.convert.test_convert import asked_of, run

A, B = Weight("layers.0.a"), Weight("layers.0.b")
SHAPES = {"layers.0.a": (6, 4), "layers.0.b": (6, 4), "c": (5,)}
EVERY = {
    "same": (A, (6, 4)),
    "turned": (Transpose(A, (1, 0)), (4, 6)),
    "cut": (Slice(A, 1, 1, 3), (6, 2)),
    "shaped": (Reshape(A, (2, 12)), (2, 12)),
    "backwards": (Flip(A, (0, 1)), (6, 4)),
    "chosen": (Take(A, 0, (3, 0, 0)), (3, 4)),
    "spread": (Broadcast(Reshape(Weight("c"), (1, 5)), (3, 5)), (3, 5)),
    "joined": (Concatenate((A, B), 1), (6, 8)),
    "padded": (Concatenate((A, Constant(0, (1, 4), "float32")), 0), (7, 4)),
    "summed": (Add((A, B)), (6, 4)),
    "both": (Concatenate((Add((A, B)), A), 0), (12, 4)),
    "count": (Constant(3, (), "int64"), ()),
    "own": (Kept("own"), (3,)),
    "mixed": (Concatenate((Weight("c"), Kept("own")), 0), (8,)),
}


def made_map():
    weights = {name: Made(one, shape, "float32") for name, (one, shape) in EVERY.items()}
    weights["count"] = replace(weights["count"], dtype="int64")
    return WeightMap(
        "keras",
        {"torch": "models.py:Net", "keras": "models.py:net"},
        SHAPES,
        weights,
        kept={"own": np.arange(3, dtype=np.float32)},
        checked="agree",
    )


def checkpoint(dtype=np.float32):
    rng = np.random.default_rng(0)
    return {name: rng.standard_normal(shape).astype(dtype) for name, shape in SHAPES.items()}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.float16, ml_dtypes.bfloat16])
def test_a_script_gives_the_same_bytes(tmp_path, dtype):
    """Every word of the language, in every type: read again, by the map and by the script."""
    save_file(checkpoint(dtype), tmp_path / "old.safetensors")
    made_map().write(tmp_path / "net.map.json")
    found = WeightMap.read(tmp_path / "net.map.json")
    convert_by_map(found, tmp_path / "old.safetensors", tmp_path / "new.safetensors", {})
    written_script.write(found, tmp_path / "convert.py")
    run([sys.executable, "convert.py", "old.safetensors", "out.safetensors"], cwd=tmp_path)
    assert (tmp_path / "out.safetensors").read_bytes() == (
        tmp_path / "new.safetensors"
    ).read_bytes()
    new = dict(TensorFile(tmp_path / "new.safetensors"))
    wide = np.float64 if dtype == np.float64 else np.float32
    assert {n: a.dtype for n, a in new.items() if n not in ("count", "own")} == {
        n: np.dtype(wide if n in ("summed", "both") else dtype)
        for n in EVERY
        if n not in ("count", "own")
    }
    old = checkpoint(dtype)
    total = sum(old[n].astype(np.float64) for n in ("layers.0.a", "layers.0.b"))
    assert np.array_equal(new["summed"], total.astype(wide))
    assert np.array_equal(new["mixed"][5:], np.arange(3))


def test_what_is_alike_is_a_loop(tmp_path):
    shapes = {f"net.{i}.weight": (3, 2) for i in range(12)} | {"head": (3,)}
    weights = {
        f"block{i}/kernel": Made(Transpose(Weight(f"net.{i}.weight"), (1, 0)), (2, 3), "float32")
        for i in range(12)
    }
    weights["head"] = Made(Weight("head"), (3,), "float32")
    found = WeightMap("torch", {"torch": "Net", "keras": "net"}, shapes, weights)
    text = written_script.script(found, "convert.py")
    assert 'made[f"block{i}/kernel"] = w[f"net.{i}.weight"].T' in text
    assert "for i in range(12):" in text
    assert text.count("made[") == 2
    save_file(
        {n: np.random.default_rng(0).random(s) for n, s in shapes.items()},
        tmp_path / "old.safetensors",
    )
    (tmp_path / "convert.py").write_text(text, "utf-8")
    run([sys.executable, "convert.py", "old.safetensors", "out.safetensors"], cwd=tmp_path)
    convert_by_map(found, tmp_path / "old.safetensors", tmp_path / "new.safetensors", {})
    assert (tmp_path / "out.safetensors").read_bytes() == (
        tmp_path / "new.safetensors"
    ).read_bytes()


def test_another_checkpoint_is_held_to_the_map(tmp_path):
    found, old, new = made_map(), tmp_path / "old.safetensors", tmp_path / "new.safetensors"
    save_file({f"module.{n}": a for n, a in checkpoint().items()}, old)
    assert convert_by_map(found, old, new, {}).prefix == "module."
    new.unlink()
    save_file({n: a for n, a in checkpoint().items() if n != "c"}, old)
    with pytest.raises(UsageError, match="it lacks c"):
        convert_by_map(found, old, new, {})
    save_file(checkpoint() | {"c": np.zeros(7)}, old)
    with pytest.raises(UsageError, match="c 7 for 5"):
        convert_by_map(found, old, new, {})
    with pytest.raises(UsageError, match="would hold the model, too"):
        convert_by_map(found, old, tmp_path / "new.keras", {})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["old.safetensors"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": "other"}, "no map of weights"),
        ({"version": 2}, "of version 2; this is version 1"),
        ({"weights": {"a": {"is": {"turn": "c"}, "shape": [], "dtype": "int8"}}}, "that is none"),
        ({"weights": {"a": {"is": "d", "shape": [], "dtype": "int8"}}}, "takes d, whose shape"),
        ({"weights": {"a": {"is": "c", "shape": "?", "dtype": "int8"}}}, "is damaged"),
        ({"of": None}, "is damaged"),
        ({"from": "jax"}, "No side named"),
    ],
)
def test_a_map_that_is_none_is_refused(tmp_path, change, words):
    path = tmp_path / "net.map.json"
    made_map().write(path)
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | change), "utf-8")
    with pytest.raises(UsageError, match=words):
        WeightMap.read(path)


def test_what_lies_beside_a_map_is_missed(tmp_path):
    path = tmp_path / "net.map.json"
    made_map().write(path)
    kept_path(path).unlink()
    with pytest.raises(UsageError, match=r"needs net\.map\.kept\.safetensors beside it"):
        WeightMap.read(path)


def test_a_wrong_map_is_not_written(remotes, checkpoints, tmp_path, monkeypatch):
    """Planted: the rows of a kernel stand backwards."""
    right = derive.derive

    def wrong(*given):
        found = right(*given)
        swapped = {**found.weights, "hidden/kernel": Flip(found.weights["hidden/kernel"], (0,))}
        return replace(found, weights=swapped)

    monkeypatch.setattr(conversion.derive, "derive", wrong)
    asked = asked_of(
        PAIRS["mlp"], tmp_path / "n.safetensors", weights=checkpoints / "Mlp.pt", mapped=True
    )
    with pytest.raises(UsageError, match="for hidden/kernel it gives other numbers"):
        conversion.convert_in(remotes, asked)
    assert not list(tmp_path.iterdir())


MEASURE = """
import json, resource, sys
from pathlib import Path
from parity.convert.by_map import convert_by_map
from parity.convert.weight_map import WeightMap
folder = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
convert_by_map(WeightMap.read(folder / "net.map.json"), folder / "old.safetensors",
               folder / "new.safetensors", {})
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_is_that_of_the_largest_tensor(tmp_path):
    """160 MB in tensors of 16 MB: 40 MB more than before."""
    shapes = {f"w{k}": (2000, 2000) for k in range(10)}
    weights = {n: Made(Transpose(Weight(n), (1, 0)), s, "float32") for n, s in shapes.items()}
    WeightMap("torch", {"torch": "Net", "keras": "net"}, shapes, weights).write(
        tmp_path / "net.map.json"
    )
    save_file(
        {n: np.full(s, k, np.float32) for k, (n, s) in enumerate(shapes.items())},
        tmp_path / "old.safetensors",
    )
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(tmp_path)],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert int(done.stdout) < 60_000  # kB
    assert float(load_file(tmp_path / "new.safetensors")["w7"][3, 5]) == 7.0
