"""Right ports that are built of other pieces than the model, and the same with a mistake."""

import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.recording.provenance import ROOT

HERE = ROOT / "parity_tests/check"
STEPS, TEXT, ROW, IMAGE = "3,6,5", "2,6,16", "4,6", "2,3,9,9"
GRU, RNN = {"cell": "GRUCell"}, {"cell": "RNNCell"}

RIGHT = [
    ("CellLoop", {}, "Loop", {}, STEPS),
    ("CellLoop", {}, "layer", {}, STEPS),
    ("CellLoop", GRU, "Loop", {"kind": "GRUCell"}, STEPS),
    ("CellLoop", GRU, "layer", {"kind": "GRU"}, STEPS),
    ("CellLoop", RNN, "Loop", {"kind": "SimpleRNNCell"}, STEPS),
    ("Layers", {}, "Loops", {}, STEPS),
    ("ByHand", {}, "Loop", {}, STEPS),
    ("ByHand", {}, "layer", {}, STEPS),
    ("Rotary", {}, "Rotary", {}, TEXT),
    ("Normed", {}, "plain", {}, ROW),
    ("Normed", {"kind": "spectral_norm"}, "plain", {}, ROW),
    ("Normed", {}, "normed", {}, ROW),
    ("Convolved", {}, "convolved", {}, IMAGE),
    ("Convolved", {"standardised": True}, "convolved", {}, IMAGE),
    ("Convolved", {"standardised": True}, "convolved", {"standardised": True}, IMAGE),
    ("Named", {}, "Named", {}, ROW),
    ("Named", {}, "Named", {"bare": True}, ROW),
    ("Uncounted", {}, "Counted", {}, IMAGE),
    ("Branches", {}, "branches", {}, IMAGE),
    ("Deviating", {}, "Deviating", {}, ROW),
]
WRONG = [
    ("CellLoop", GRU, "Loop", {"kind": "GRUCell", "reset_after": False}, STEPS, "reset_after"),
    ("CellLoop", {}, "Loop", {"recurrent_activation": "hard_sigmoid"}, STEPS, "activation"),
    ("CellLoop", {}, "layer", {"go_backwards": True}, STEPS, "direction"),
    ("Layers", {}, "Loops", {"crossed": True}, STEPS, None),
    ("ByHand", {}, "layer", {"activation": "relu"}, STEPS, None),
    ("Rotary", {}, "Rotary", {"epsilon": 1e-5}, TEXT, "epsilon"),
    ("Rotary", {}, "Rotary", {"halves": True}, TEXT, None),
    ("Normed", {}, "plain", {"use_bias": False}, ROW, "bias"),
    ("Normed", {}, "plain", {"activation": "gelu"}, ROW, "activation"),
    ("Normed", {}, "normed", {"axis": 1}, ROW, None),
    ("Convolved", {}, "convolved", {"activation": "gelu"}, IMAGE, "activation"),
    (
        "Convolved",
        {"standardised": True},
        "convolved",
        {"standardised": True, "small": 1e-2},
        IMAGE,
        "offset",
    ),
    ("Named", {}, "Named", {"swapped": True}, ROW, "wiring"),
    ("Uncounted", {}, "Counted", {"activation": "gelu"}, IMAGE, "activation"),
]


def _answer(remotes, *row):
    torch, torch_arguments, keras, keras_arguments, shape = row
    left = Target(str(HERE / "alarms_torch.py"), torch, torch_arguments)
    right = Target(str(HERE / "alarms_keras.py"), keras, keras_arguments)
    return check_in(remotes, (left, right), CheckRequest(inputs=(model_inputs.parse(shape),)))


@pytest.mark.parametrize("row", RIGHT, ids=str)
def test_a_port_of_other_pieces_is_right(remotes, row):
    assert _answer(remotes, *row).verdict == "agree"


@pytest.mark.parametrize("row", WRONG, ids=str)
def test_a_mistake_in_it_is_seen(remotes, row):
    *pair, kind = row
    found = _answer(remotes, *pair)
    assert found.verdict == "differ"
    assert kind is None or kind in {cause.kind for cause in found.causes}


def test_a_pool_that_is_made_up_for_is_no_cause(remotes):
    found = _answer(remotes, "Uncounted", {}, "Counted", {"activation": "gelu"}, IMAGE)
    assert {cause.kind for cause in found.causes if cause.status == "confirmed"} == {"activation"}


def test_branches_that_are_joined_in_another_order_keep_their_layers(remotes):
    found = _answer(remotes, "Branches", {}, "branches", {"swapped": True}, IMAGE)
    assert {cause.kind for cause in found.causes} == {"order"}


@pytest.mark.parametrize(
    ("fault", "kind"), [({"inside": True}, "epsilon"), ({"number": 8.0}, "normalisation")]
)
def test_a_norm_by_hand_has_one_cause(remotes, fault, kind):
    found = _answer(remotes, "Deviating", {}, "Deviating", fault, ROW)
    assert [(cause.kind, cause.status) for cause in found.causes] == [(kind, "confirmed")]


def test_outputs_without_the_same_names_go_by_position_and_that_is_said(remotes):
    found = _answer(remotes, "Named", {}, "Named", {"bare": True}, ROW)
    assert any("logits and 0, boxes and 1" in note for note in found.notes)
