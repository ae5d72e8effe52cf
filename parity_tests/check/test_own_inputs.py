"""Inputs and outputs by name, by hand; inputs of one's own; a second size."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from parity.checker.check import check_in
from parity.checker.graph import input_files, input_names, model_inputs, model_outputs
from parity.checker.graph.input_names import Argument, Signature
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.cli.check_command import fed
from parity.core.errors import ParityError, UsageError

TORCH = """
import torch
from torch import nn

class Reads(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.kinds = nn.Embedding(23, 6), nn.Embedding(23, 6)
        self.fc = nn.Linear(6, 5)
    def forward(self, words, kinds=None, keep=None):
        h = torch.tanh(self.fc(self.words(words) - self.kinds(kinds)))
        h = torch.where(keep[..., None], h, torch.zeros_like(h))
        return {"extra": h * 2.0, "last_hidden_state": h, "summary": h.mean(1)}

class Halves(nn.Module):
    def __init__(self, up=False):
        super().__init__()
        self.conv, self.up = nn.Conv2d(3, 5, 3, padding=1), up
    def forward(self, x):
        return nn.functional.max_pool2d(self.conv(x), 2, ceil_mode=self.up)

class Limited(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
    def forward(self, x):
        return self.fc(torch.clamp(x, max=1e6))
"""
KERAS = """
from keras import Input, Model, layers, ops

def reads(swapped=False):
    ids = {n: Input((None,), dtype="int32", name=n) for n in ("type_of", "token_of")}
    keep = Input((None,), dtype="bool", name="valid")
    words, kinds = layers.Embedding(23, 6, name="words"), layers.Embedding(23, 6, name="kinds")
    a, b = words(ids["token_of"]), kinds(ids["type_of"])
    h = layers.Dense(5, activation="tanh", name="fc")(b - a if swapped else a - b)
    h = ops.where(keep[..., None], h, ops.zeros_like(h))
    out = {"pooled": ops.mean(h, 1), "sequence_output": h}
    return Model({**ids, "valid": keep}, out)

def halves():
    x = Input((None, None, 3))
    return Model(x, layers.MaxPooling2D(2)(layers.Conv2D(5, 3, padding="same", name="conv")(x)))

def limited():
    x = Input((4,))
    return Model(x, layers.Dense(3, name="fc")(x))
"""
HAND = {"words": "token_of", "kinds": "type_of", "keep": "valid"}
OUT = {"last_hidden_state": "sequence_output", "summary": "pooled"}
SIZES = ("words=2,7:int", "kinds=2,7:int", "keep=2,7:bool")


@pytest.fixture(scope="module")
def asked(remotes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    (folder / "t.py").write_text(TORCH, "utf-8")
    (folder / "k.py").write_text(KERAS, "utf-8")

    def ask(torch, keras, arguments=({}, {}), **fields):
        targets = (
            Target(str(folder / "t.py"), torch, arguments[0]),
            Target(str(folder / "k.py"), keras, arguments[1]),
        )
        return check_in(remotes, targets, CheckRequest(**fields))

    return ask


def inputs(*texts):
    return tuple(model_inputs.parse(text) for text in texts)


# Pairs by hand


def test_names_of_ones_own_are_paired_by_hand(asked):
    given = {"inputs": inputs(*SIZES), "input_pairs": HAND, "output_pairs": OUT}
    found = asked("Reads", "reads", **given)
    assert found.verdict == "agree"
    assert any("Not compared, for it is in no pair" in n and "extra" in n for n in found.notes)
    assert asked("Reads", "reads", ({}, {"swapped": True}), **given).verdict == "differ"
    # Planted: the two tables' ids change places, and the outputs.
    crossed = {"words": "type_of", "kinds": "token_of", "keep": "valid"}
    assert asked("Reads", "reads", **{**given, "input_pairs": crossed}).verdict == "differ"
    crossed = {"last_hidden_state": "pooled", "summary": "sequence_output"}
    assert asked("Reads", "reads", **{**given, "output_pairs": crossed}).verdict == "differ"


def test_outputs_of_one_meaning_are_proposed(asked):
    with pytest.raises(ParityError, match="--pair-output last_hidden_state=sequence_output"):
        asked("Reads", "reads", inputs=inputs(*SIZES), input_pairs=HAND)


def test_a_pair_of_names_that_are_none_is_refused(asked):
    with pytest.raises(UsageError, match=r"words=ids: the Keras model takes no input.*'ids'"):
        asked("Reads", "reads", inputs=inputs(*SIZES), input_pairs={"words": "ids"})
    wrong = {"logits": "sequence_output"}
    with pytest.raises(UsageError, match=r"returns 3 outputs.* none that is called 'logits'"):
        asked("Reads", "reads", inputs=inputs(*SIZES), input_pairs=HAND, output_pairs=wrong)


def test_pairs_by_hand_go_before_meanings():
    torch = Signature(tuple(Argument(n) for n in ("input_ids", "mask")))
    keras = Signature(tuple(Argument(n) for n in ("token_ids", "padding_mask")))
    found = input_names.matched(["", ""], torch, keras, {"input_ids": "padding_mask"})
    assert found.torch == ("input_ids", "mask")
    assert found.keras == ("padding_mask", "token_ids")


def test_outputs_left_out_have_no_slope():
    chosen = model_outputs.Chosen((2, 0), ((2,), (3,), (4,)))
    given = chosen.given_back([np.full(4, 7.0), np.full(2, 8.0)])
    assert [list(array) for array in given] == [[8, 8], [0, 0, 0], [7, 7, 7, 7]]


# Inputs of one's own


def test_arrays_of_a_file_are_fed(asked, tmp_path):
    """A limit at a million, which no random number reaches."""
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "one.npz", rng.standard_normal((5, 4)).astype(np.float32))
    save_file(
        {"x": np.full((3, 4), 2e6, np.float32) * rng.random((3, 4), np.float32)},
        tmp_path / "two.safetensors",
    )
    first = fed([], [tmp_path / "one.npz"])
    assert asked("Limited", "limited", **first).verdict == "agree"
    found = asked("Limited", "limited", **fed([], [tmp_path / "one.npz", tmp_path / "one.npz"]))
    assert found.verdict == "agree"
    assert any("Compared on 5 × 4, too" in note for note in found.notes)
    two = input_files.read(tmp_path / "two.safetensors")
    assert two.inputs[0].name == "x"
    further = (model_inputs.of_arrays(two.given),)
    found = asked("Limited", "limited", **{**first, "also": further})
    assert found.verdict == "differ"
    assert found.notes[0] == "On 5 × 4 the two agree; this is of 3 × 4."


def test_names_of_a_file_are_the_models(asked, tmp_path):
    rng = np.random.default_rng(0)
    np.savez(
        tmp_path / "batch.npz",
        token_of=rng.integers(0, 23, (2, 7)),
        valid=rng.random((2, 7)) < 0.5,
        type_of=rng.integers(0, 23, (2, 7)),
    )
    given = {"input_pairs": HAND, "output_pairs": OUT}
    found = asked("Reads", "reads", **fed([], [tmp_path / "batch.npz"]), **given)
    assert found.verdict == "agree"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("no.npz", None, "cannot be read"),
        ("text.npz", b"text", "cannot be read"),
        ("text.safetensors", b"text", "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=told):
        input_files.read(tmp_path / name)


def test_arrays_that_are_no_inputs_are_refused(tmp_path):
    np.savez(tmp_path / "words.npz", x=np.array(["a"]))
    with pytest.raises(UsageError, match=r"words\.npz.*dtype <U1"):
        input_files.read(tmp_path / "words.npz")
    np.savez(tmp_path / "objects.npz", x=np.array([{}], object))
    with pytest.raises(UsageError, match="cannot be read"):
        input_files.read(tmp_path / "objects.npz")
    np.savez(tmp_path / "none.npz")
    with pytest.raises(UsageError, match="is empty"):
        input_files.read(tmp_path / "none.npz")


# A second size


def test_a_second_size_tells_what_the_first_does_not(asked):
    pair = ("Halves", "halves", ({"up": True}, {}))
    even = fed(["2,3,8,12"], [])
    assert asked(*pair, **even).verdict == "agree"
    found = asked(*pair, **fed(["2,3,8,12"], [], ["1,3,9,13"]))
    assert found.verdict == "differ"
    assert found.notes[0].startswith("On 2 × 3 × 8 × 12")
    right = asked("Halves", "halves", **fed(["2,3,8,12"], [], ["1,3,9,13"]))
    assert right.verdict == "agree"
    assert any("Compared on 1 × 3 × 9 × 13" in note for note in right.notes)


@pytest.mark.parametrize(
    ("texts", "files", "also", "told"),
    [
        ([], [], ["1,3"], "Expected --input, too"),
        (["2,3", "2,4"], [], ["1,3"], "given 1 times and there are 2 inputs"),
        (["2,3"], [], ["1,3,4"], "has 3 axes where the input 2 × 3 has 2"),
        (["2,3"], ["x.npz"], [], "leave out --input"),
        (["2,3"], [], ["x"], "--also 'x' is no shape"),
    ],
)
def test_what_contradicts_itself_is_refused(texts, files, also, told):
    with pytest.raises(UsageError, match=told):
        fed(texts, files, also)


def test_kinds_stay_what_they_are():
    other = model_inputs.resized(inputs("ids=2,7:int<50", "2,7:bool"), ["1,9", "1,9"])
    assert other[0].inputs == inputs("ids=1,9:int<50", "1,9:bool")
