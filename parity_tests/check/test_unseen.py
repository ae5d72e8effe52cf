"""Models that run but cannot be traced: seen layer by layer, and what is lost is said."""

import numpy as np
import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.layerwise import UNTRACED
from parity.checker.graph.model_interface import RecordRequest
from parity.checker.graph.target import ModelError, Target
from parity.checker.result import wording
from parity.checker.result.check_result import to_json
from parity.checker.workers.request import CheckRequest
from parity.recording.provenance import ROOT
from parity.report import checks

HERE = ROOT / "parity_tests/check"
ROW, IMAGE, WORDS = "5,8", "4,3,7,7", "5,8:int<20"
SAID = "seen layer by layer"
BOTH = ["PyTorch", "Keras"]


def _targets(left, right, torch=None, keras=None):
    mine = Target(str(HERE / "unseen_torch.py"), left, torch or {})
    return mine, Target(str(HERE / "unseen_keras.py"), right, keras or {})


def _answer(remotes, left, right, shape=ROW, /, *, train=False, **arguments):
    request = CheckRequest(inputs=(model_inputs.parse(shape),), train=train)
    return check_in(remotes, _targets(left, right, **arguments), request)


def _sides(found):
    told = [note for note in found.notes if SAID in note]
    return [s for s in BOTH if any(note.startswith(f"The {s} model runs, but") for note in told)]


UNSEEN = {"unseen": True}
RIGHT = [
    ("Ragged", "Plain", ROW, {}, ["PyTorch"]),
    ("Untouchable", "Plain", ROW, {}, ["PyTorch"]),
    ("Plain", "Graph", ROW, {}, ["Keras"]),
    ("Ragged", "Graph", ROW, {}, BOTH),
    ("Detached", "Through", ROW, {}, ["Keras"]),
    ("Listed", "Detached", ROW, {}, ["PyTorch"]),
    ("Gated", "Gated", ROW, {}, ["PyTorch"]),
    ("Untouchable", "Plain", ROW, {"train": True}, ["PyTorch"]),
    ("Ragged", "Graph", ROW, {"train": True}, BOTH),
    ("Embedded", "Embedded", WORDS, {"torch": {"seen": False}}, ["PyTorch"]),
    ("Images", "Images", IMAGE, {}, ["PyTorch"]),
    ("Images", "Images", IMAGE, {"keras": UNSEEN, "torch": {"seen": True}}, ["Keras"]),
    ("Images", "Images", IMAGE, {"keras": UNSEEN}, BOTH),
]


@pytest.mark.parametrize("port", RIGHT, ids=str)
def test_a_right_port_agrees_and_what_is_lost_is_said(remotes, port):
    left, right, shape, more, unseen = port
    found = _answer(remotes, left, right, shape, **more)
    assert found.verdict == "agree"
    assert _sides(found) == unseen
    assert {x.status for x in found.layers} <= {"agrees", "unmatched"}
    assert not found.keras_only
    # Every layer has found its partner, and with it its weights.
    assert all(x.keras for x in found.layers if x.torch and UNTRACED not in x.torch)


def test_what_is_lost_stands_on_the_screen_the_page_and_in_the_document(remotes, tmp_path):
    found = _answer(remotes, "Ragged", "Plain")
    assert SAID in wording.plain(found)
    assert SAID in str(to_json(found)["notes"])
    checks.write(found, tmp_path / "check.md")
    assert SAID in (tmp_path / "check.md").read_text("utf-8")
    note = next(n for n in found.notes if SAID in n)
    assert "NestedTensorImpl doesn't support sizes" in note
    assert "its 4 layers" in note


TANH, LOOSE, LARGE = {"act": "tanh"}, {"epsilon": 1e-3}, {"factor": 3.0}
BETWEEN = [
    ("Ragged", "Plain", ROW, {"keras": TANH}, (UNTRACED, "model.tanh … model.multiply"), "unknown"),
    ("Ragged", "Plain", ROW, {"keras": LARGE}, (UNTRACED, "model.relu … model.multiply"), "scale"),
    ("Plain", "Graph", ROW, {"keras": TANH}, ("relu … mul", "model.untraced"), "unknown"),
    ("Ragged", "Graph", ROW, {"keras": TANH}, (UNTRACED, "model.untraced"), "unknown"),
    (
        "Plain",
        "Graph",
        ROW,
        {"keras": {"shift": 1.0}},
        ("relu_1 … add", "model.untraced_1"),
        "offset",
    ),
    ("Images", "Images", IMAGE, {"keras": TANH}, (UNTRACED, "model.tanh"), "unknown"),
    (
        "Images",
        "Images",
        IMAGE,
        {"keras": {**TANH, **UNSEEN}, "torch": {"seen": True}},
        ("relu", "model.untraced"),
        "unknown",
    ),
    (
        "Embedded",
        "Embedded",
        WORDS,
        {"torch": {"seen": False}, "keras": {"act": "relu"}},
        (f"{UNTRACED}_1", "model.add … model.relu"),
        "unknown",
    ),
]


@pytest.mark.parametrize("port", BETWEEN, ids=str)
def test_a_fault_between_layers_is_found_between_them(remotes, port):
    left, right, shape, more, place, kind = port
    found = _answer(remotes, left, right, shape, **more)
    assert found.verdict == "differ"
    assert (found.first.torch, found.first.keras) == place
    assert "Its inputs agree" in found.first.text
    assert [c.kind for c in found.causes] == [kind]
    assert not any(c.fix for c in found.causes)  # what to write is not known
    # What runs there on the other side is not taken for something too many.
    assert not any(d.stage == "structure" for d in found.divergences)


IN_LAYERS = [
    ("Ragged", "Plain", ROW, {"keras": LOOSE}, "norm", "epsilon"),
    ("Plain", "Graph", ROW, {"keras": LOOSE}, "norm", "epsilon"),
    ("Ragged", "Graph", ROW, {"keras": {"bias": False}}, "second", "bias"),
    ("Images", "Images", IMAGE, {"keras": LOOSE}, "norm", "epsilon"),
]


@pytest.mark.parametrize("port", IN_LAYERS, ids=str)
def test_a_fault_in_a_layer_is_proven_as_ever(remotes, port):
    left, right, shape, more, layer, kind = port
    found = _answer(remotes, left, right, shape, **more)
    assert found.verdict == "differ"
    assert found.first.torch == layer
    assert [(c.kind, c.status) for c in found.causes] == [(kind, "confirmed")]
    assert found.causes[0].fix
    assert len(found.divergences) == 1  # nothing behind it is accused


def test_places_that_are_counted_from_elsewhere_part(remotes):
    more = {"torch": {"seen": False}, "keras": {"shift": 1}}
    found = _answer(remotes, "Embedded", "Embedded", WORDS, **more)
    assert found.verdict == "differ"


def test_a_stopped_gradient_is_no_less_seen(remotes):
    found = _answer(remotes, "Plain", "Through")
    assert found.verdict == "differ"
    assert found.first.stage == "gradients"


def test_a_dropout_between_layers_is_heard(remotes):
    found = _answer(remotes, "Dropping", "Plain", train=True)
    assert [(c.kind, c.layers) for c in found.causes] == [("dropout", 2)]
    assert {x.status for x in found.layers} == {"agrees"}
    always = _answer(remotes, "Dropping", "Plain", torch={"always": True})
    assert always.verdict == "differ"
    assert "drops in evaluation" in always.first.text
    theirs = _answer(remotes, "Plain", "Dropping", keras={"always": True})
    assert theirs.verdict == "differ"
    assert "drops in evaluation" in theirs.first.text


def test_a_model_that_does_not_run_is_told_by_its_own_error(remotes):
    with pytest.raises(ModelError, match="mat1 and mat2 shapes cannot be multiplied") as error:
        _answer(remotes, "Broken", "Plain")
    assert SAID not in str(error.value)


@pytest.mark.parametrize(
    ("left", "right", "kinds"),
    [
        ("Branching", "Stepped", ["dense", "activation", "activation", "activation", "affine"]),
        ("Plain", "Kept", ["dense", "activation"]),
    ],
)
def test_what_a_tracer_can_follow_is_traced(remotes, left, right, kinds):
    found = _answer(remotes, left, right)
    assert not _sides(found)
    assert [x.kind.split()[0] for x in found.layers if x.keras][: len(kinds)] == kinds


def test_control_flow_by_operators_is_that_by_python(remotes):
    assert _answer(remotes, "Branching", "Stepped").verdict == "agree"
    found = _answer(remotes, "Branching", "Stepped", keras={"factor": 2.0})
    assert [(c.kind, c.status) for c in found.causes] == [("scale", "confirmed")]


def test_a_hook_on_a_tensor_is_run_in_both_precisions(remotes):
    found = _answer(remotes, "Hooked", "Plain")
    assert found.first.stage == "gradients"
    assert not any("float32 only" in note for note in found.notes)


def test_what_is_written_into_a_variable_is_read_from_it(remotes):
    mine, theirs = _targets("Single", "Kept")
    request = CheckRequest(inputs=(model_inputs.parse(ROW),))
    found = check_in(remotes, (mine, theirs), request)
    assert found.verdict == "agree"
    wrong = check_in(remotes, (mine, _targets("", "Kept", keras=TANH)[1]), request)
    assert [(c.kind, c.status) for c in wrong.causes] == [("activation", "confirmed")]


def test_nodes_are_the_same_in_every_run_and_have_values(remotes):
    for remote, target in zip(remotes, _targets("Ragged", "Graph"), strict=True):
        remote.load(target)
        given = [np.random.default_rng(0).standard_normal((5, 8))]
        names = [[n.name for n in remote.trace(given).graph.nodes] for _ in range(2)]
        assert names[0] == names[1]
        assert sum(UNTRACED in name for name in names[0]) == 2


def test_what_is_only_copied_is_what_it_was(remotes):
    for left, right in (("Copied", "Copied"), ("Copied", "Plain")):
        for remote, target in zip(remotes, _targets(left, right), strict=True):
            remote.load(target)
            graph = remote.trace([np.random.default_rng(0).standard_normal((5, 8))]).graph
            if target.name == "Copied":
                assert any(SAID in note for note in graph.notes)
                assert [n.kind for n in graph.nodes] == ["dense", "layer_norm", "dense", "dense"]
    assert _answer(remotes, "Copied", "Copied").verdict == "agree"


def test_autograd_tells_what_unseen_values_are_made_of(remotes):
    remote, target = remotes[0], _targets("Ragged", "Plain")[0]
    remote.load(target)
    graph = remote.trace([np.random.default_rng(0).standard_normal((5, 8))]).graph
    names = {value.id: node.name for node in graph.nodes for value in node.values}
    unseen = next(node for node in graph.nodes if node.name == f"{UNTRACED}_1")
    assert {names[source.value] for source in unseen.sources} == {"second", "norm"}


def test_what_nobody_was_seen_to_take_goes_into_what_is_unseen(remotes):
    found = _answer(remotes, "Gated", "Gated", keras={"act": "tanh"})
    assert found.verdict == "differ"
    remotes[0].load(_targets("Gated", "Gated")[0])
    graph = remotes[0].trace([np.random.default_rng(0).standard_normal((5, 8))]).graph
    names = {value.id: node.name for node in graph.nodes for value in node.values}
    (unseen,) = (node for node in graph.nodes if node.name == UNTRACED)
    assert {names[source.value] for source in unseen.sources} == {"first", "gate"}
    assert not graph.unused


def test_a_checkpoint_that_runs_a_backward_of_its_own_has_gradients(remotes):
    found = _answer(remotes, "Checkpointed", "Plain")
    assert found.verdict == "agree"
    assert found.worst("gradients") is not None


@pytest.mark.parametrize(
    ("at", "names", "nodes"),
    [(0, ("Quantised", ""), 9), (1, ("", "Strange"), 9)],
    ids=["Quantised", "Strange"],
)
def test_what_is_no_array_is_not_in_the_way(remotes, at, names, nodes):
    remote, target = remotes[at], _targets(*names)[at]
    remote.load(target)
    given = [np.random.default_rng(0).standard_normal((5, 8))]
    graph = remote.trace(given).graph
    assert not any(SAID in note for note in graph.notes)
    values = remote.record(RecordRequest("float32", "evaluate", given))
    recorded = [n for n in graph.nodes if f"values/{n.id}:0" in values]
    assert len(recorded) >= nodes


def test_weights_that_a_model_writes_into_are_put_back(remotes):
    found = _answer(remotes, "Writing", "Plain")
    assert found.verdict == "agree"  # what it makes of its weight goes across
    assert any("writes into its own weights" in note for note in found.notes)
    assert _answer(remotes, "Writing", "Plain", keras=TANH).verdict == "differ"


def test_what_is_not_finite_is_named_in_the_headline(remotes):
    found = _answer(remotes, "Single", "Kept", torch={"factor": float("nan")})
    assert found.verdict == "undecided"
    assert "the output is not finite: nan in PyTorch" in wording.headline(found)


def test_a_layer_that_is_fed_no_array_is_not_seen_but_its_weights_are_found(remotes):
    found = _answer(remotes, "Within", "Single")
    assert found.verdict == "agree"
    assert _sides(found) == ["PyTorch"]
    assert any("taken across by their shapes" in note for note in found.notes)
    # None of the ways that its shapes leave makes them agree: a fault, or a way that nobody tried.
    other = _answer(remotes, "Within", "Single", keras=TANH)
    assert other.verdict == "undecided"
    assert any("have no partner" in note for note in other.notes)
