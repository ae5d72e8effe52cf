"""What only another draw, another layout, a pair or a second repair tells."""

import pytest

from parity.checker.check import check_in
from parity.checker.diagnose.combined_fix import together
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.workers.request import CheckRequest
from parity.diagnosis.causes import Cause
from parity.recording.provenance import ROOT

HERE = ROOT / "parity_tests/check"
IMAGE, STEPS, ROW = "4,3,9,9", "5,4,11", "6,8"


def _answer(remotes, left, right, shape, /, *, train=False, **arguments):
    mine = Target(str(HERE / "reached_torch.py"), left, arguments.get("torch", {}))
    theirs = Target(str(HERE / "reached_keras.py"), right, arguments.get("keras", {}))
    return check_in(
        remotes, (mine, theirs), CheckRequest(inputs=(model_inputs.parse(shape),), train=train)
    )


BARE = {"bias": False, "around": 0}, {"bias": False, "around": "valid"}


@pytest.mark.parametrize(("torch", "keras"), [({}, {}), BARE], ids=str)
def test_a_channel_without_a_positive_number_is_reached(remotes, torch, keras):
    found = _answer(remotes, "Pooled", "pooled", IMAGE, torch=torch, keras=keras)
    assert found.verdict == "differ"
    assert found.first.torch == "pool"
    (cause,) = found.causes
    assert (cause.kind, cause.status) == ("padding", "confirmed")
    assert "without the padding of 0 before it" in cause.fix


def test_what_is_not_reached_is_told_all_the_same(remotes):
    bare = {"bias": False}
    found = _answer(remotes, "Pooled", "pooled", IMAGE, torch=bare, keras=bare)
    assert found.verdict == "differ" or [c.kind for c in found.latent] == ["padding"]
    assert not any("pool" in note for note in found.notes)


def test_a_maximum_with_the_same_padding_in_other_words_is_right(remotes):
    found = _answer(remotes, "Pooled", "pooled", IMAGE, keras={"padding": "least"})
    assert found.verdict == "agree"
    assert not found.latent


def test_zeros_around_a_maximum_that_a_relu_follows_change_nothing(remotes):
    relu = {"after": "relu"}
    assert _answer(remotes, "Pooled", "pooled", IMAGE, torch=relu, keras=relu).verdict == "agree"


def test_both_drop_in_evaluation(remotes):
    assert _answer(remotes, "Dropping", "Dropping", ROW).verdict == "agree"


@pytest.mark.parametrize("arguments", [{"training": False}, {"rate": 0.5}], ids=str)
def test_only_one_drops_in_evaluation_or_at_another_rate(remotes, arguments):
    found = _answer(remotes, "Dropping", "Dropping", ROW, keras=arguments)
    assert found.verdict == "differ"
    (cause,) = found.causes
    assert (cause.kind, cause.status) == ("dropout", "confirmed")
    assert all(name for name, _ in (cause.left, cause.right))


def test_the_layout_that_the_weights_fit_is_taken(remotes):
    assert _answer(remotes, "Causal", "Causal", STEPS).verdict == "agree"


def test_a_convolution_of_other_padding_is_still_seen(remotes):
    found = _answer(remotes, "Causal", "Causal", STEPS, keras={"padding": "same"})
    assert found.verdict == "differ"
    cause = found.causes[0]
    assert (cause.kind, cause.status) == ("padding", "confirmed")


@pytest.mark.parametrize("padding", ["causal", "same"])
def test_what_is_built_in_the_wrong_layout_is_built_again(remotes, monkeypatch, padding):
    monkeypatch.setattr(model_inputs, "_as_image", lambda traced, index, wanted: False)
    found = _answer(remotes, "Causal", "Causal", STEPS, keras={"padding": padding})
    assert found.verdict == ("agree" if padding == "causal" else "differ")
    assert any("another layout" in note for note in found.notes)


def test_two_faults_of_a_norm_behind_another_are_both_proven(remotes):
    found = _answer(remotes, "Normalised", "normalised", "4,3,7,7", train=True)
    causes = {cause.kind: cause for cause in found.causes}
    assert {kind: cause.status for kind, cause in causes.items()} == {
        "epsilon": "confirmed",
        "momentum": "confirmed",
    }
    assert causes["momentum"].right[0] == "norm2"
    assert "momentum=0.9" in causes["momentum"].fix
    assert "epsilon=1e-05" in causes["momentum"].fix


def test_a_norm_with_one_fault_has_no_other(remotes):
    found = _answer(
        remotes, "Normalised", "normalised", "4,3,7,7", train=True, keras={"momentum": 0.9}
    )
    assert [cause.kind for cause in found.causes] == ["epsilon"]


def test_a_line_has_all_repairs_of_its_layer():
    code = 'layers.Conv2D(8, 3, strides=1, padding="same", name="c")'
    stride = 'layers.Conv2D(8, 3, strides=2, padding="same", name="c")'
    padding = 'layers.ZeroPadding2D(1)\nlayers.Conv2D(8, 3, strides=1, padding="valid", name="c")'
    causes = [
        Cause(kind, ("c", ""), ("c", ""), fix=fix)
        for kind, fix in (("stride", stride), ("padding", padding))
    ]
    both = 'layers.ZeroPadding2D(1)\nlayers.Conv2D(8, 3, strides=2, padding="valid", name="c")'
    assert [cause.fix for cause in together(causes, {"c": code})] == [both, both]
    assert [c.fix for c in together(causes[:1], {"c": code})] == [stride]
