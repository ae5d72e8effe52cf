"""A mask in the other sense is no difference, and one that is meant otherwise is."""

import numpy as np
import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.graph.target import Target
from parity.checker.judge.masking import MASKING, unmasked
from parity.checker.workers.request import CheckRequest
from parity.comparator.key_arrays import KeyArrays
from parity.recording.provenance import ROOT

HERE = ROOT / "parity_tests/check"

WRONG = [
    ({"activation": "relu"}, {"activation"}),
    ({"padding": 1}, {"constant"}),
    ({"fault": "filled"}, {"wiring"}),
    ({"fault": "factor"}, {"wiring"}),
    ({"fault": "over"}, {"operation"}),
]


def _answer(remotes, arguments):
    left = Target(str(HERE / "masks_torch.py"), "Masked", {})
    right = Target(str(HERE / "masks_keras.py"), "Masked", arguments)
    return check_in(remotes, (left, right), CheckRequest(inputs=(model_inputs.parse("8,9:int"),)))


def test_the_contrary_of_a_mask_has_its_partner(remotes):
    found = _answer(remotes, {})
    assert found.verdict == "agree"
    assert not found.torch_only
    assert not found.keras_only


def test_a_run_of_one_side_that_is_nudged_stays_that_sides():
    scores, nudged = np.array([1.0, -1e9]), np.array([2.0, -1e9])
    found = unmasked(KeyArrays(scores, scores, scores, scores, None, nudged), MASKING)
    assert found.left_nudged is None
    assert found.right_nudged.tolist() == [2.0, 0.0]


@pytest.mark.parametrize(("arguments", "kinds"), WRONG, ids=str)
def test_only_what_is_wrong_is_a_cause(remotes, arguments, kinds):
    found = _answer(remotes, arguments)
    assert found.verdict == "differ"
    assert {c.kind for c in found.causes if c.status == "confirmed"} == kinds
