"""Names against names, and safetensors files that are larger than memory."""

import json

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from parity.convert import names, tensor_files
from parity.convert.stored import StoredTensor
from parity.convert.tensor_files import TensorFile
from parity.core.errors import UsageError

WANTED = ("conv.weight", "conv.bias", "model.weight")


@pytest.mark.parametrize("prefix", ["", "module.", "state_dict.model.", "_orig_mod.module."])
def test_a_wrappers_prefix_is_taken_off(prefix):
    fit = names.fitted([prefix + name for name in WANTED], WANTED)
    assert not fit.complaint
    assert fit.prefix == prefix
    assert fit.names["conv.bias"] == f"{prefix}conv.bias"


def test_missing_and_unexpected_names_are_named():
    fit = names.fitted(["module.conv.weight", "module.conv.scale"], WANTED)
    assert fit.missing == ("conv.bias", "model.weight")
    assert fit.unexpected == ("module.conv.scale",)
    with pytest.raises(
        UsageError, match=r"lacks conv\.bias, model\.weight; it has.* module\.conv\.scale"
    ):
        names.expect_all(fit, "net.pt", "Net")
    names.expect_all(fit, "net.pt", "Net", partial=True)


def test_a_file_of_another_model_is_refused_anyway():
    with pytest.raises(UsageError, match="lacks"):
        names.expect_all(names.fitted(["a"], WANTED), "net.pt", "Net", partial=True)


def test_one_name_of_a_shared_weight_is_enough():
    fit = names.fitted(["emb.weight"], ["emb.weight", "head.weight"], {"head.weight": "emb.weight"})
    assert not fit.complaint
    assert fit.names == {"emb.weight": "emb.weight", "head.weight": "emb.weight"}


def arrays():
    rng = np.random.default_rng(0)
    return {
        "b": rng.standard_normal((7, 5)).astype(np.float32),
        "a": rng.standard_normal((3,)).astype(np.float16),
        "half": rng.standard_normal((4, 2)).astype(ml_dtypes.bfloat16),
        "naïve": np.arange(5),
        "one": np.array(3.0),
        "none": np.zeros((0, 4), np.float32),
        "mask": np.array([True, False]),
        "bytes": np.arange(3, dtype=np.uint8),
    }


def specs(tensors):
    return {name: StoredTensor(a.shape, a.dtype.name) for name, a in tensors.items()}


def test_a_file_is_the_library_s_byte_for_byte(tmp_path):
    tensors = arrays()
    save_file(tensors, tmp_path / "theirs", {"format": "pt"})
    tensor_files.write(tmp_path / "ours", specs(tensors), tensors.__getitem__, {"format": "pt"})
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_what_lies_otherwise_is_written_in_order(tmp_path, monkeypatch):
    monkeypatch.setattr(tensor_files, "_BLOCK", 640)
    monkeypatch.setattr(tensor_files, "_TILE", 2)
    every = np.arange(7 * 5 * 37.0).reshape(37, 5, 7)
    tensors = {
        "turned": every.transpose(2, 0, 1),
        "back": every.transpose(2, 1, 0)[:, ::-1],
        "flipped": every[..., ::-1],
        "spread": np.broadcast_to(np.arange(40.0)[:, None], (40, 30)),
    }
    tensor_files.write(tmp_path / "x.safetensors", specs(tensors), tensors.__getitem__)
    written = TensorFile(tmp_path / "x.safetensors")
    assert all(np.array_equal(written[name], array) for name, array in tensors.items())


def test_shards_are_read_by_their_index(tmp_path):
    tensors = arrays()
    index = {}
    for k, name in enumerate(tensors):
        save_file({name: tensors[name]}, tmp_path / f"part-{k}.safetensors")
        index[name] = f"part-{k}.safetensors"
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"weight_map": index}), "utf-8")
    file = TensorFile(path)
    assert file.tensors == specs(tensors)
    assert all(np.array_equal(file[name], tensors[name]) for name in tensors)
    (tmp_path / "part-2.safetensors").unlink()
    with pytest.raises(UsageError, match=r"part-2\.safetensors, which is not beside it"):
        TensorFile(path)


def test_a_file_that_fails_leaves_the_old_one(tmp_path):
    path = tmp_path / "net.pt"
    path.write_bytes(b"old")

    def fails():
        with tensor_files.replacing(path) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("text", [b"", b"no tensors", b"\xff" * 40])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    (tmp_path / "x.safetensors").write_bytes(text)
    with pytest.raises(UsageError, match="cannot be read"):
        TensorFile(tmp_path / "x.safetensors")
