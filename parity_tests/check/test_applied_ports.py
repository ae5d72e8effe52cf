"""What the check writes, applied to wrong ports: how many it makes right, and which not.

Of the bench each port is a plain file, as its author would have it. ``PARITY_LONG=1`` tries all of
them; otherwise a few, drawn by ``PARITY_SEED``.
"""

import ast
from pathlib import Path

import pytest

from parity.checker.apply.rounds import in_rounds
from parity.checker.graph import model_inputs
from parity.checker.workers.request import CheckRequest
from parity_tests.check.bench.faults_others import PYTORCH
from parity_tests.check.bench.plain import written
from parity_tests.check.bench.scoring import answer, target
from parity_tests.check.bench.table import FAULTY, KEPT_FAULTY
from parity_tests.check.bench.unrepaired import OF_WEIGHTS, UNCONFIRMED, UNREPAIRED
from parity_tests.draws import draw

EVERY = (*FAULTY, *KEPT_FAULTY)
TRIED = draw(EVERY, lambda row: (), 0.05)
LEAST, OF_CODE = 0.84, 0.88
"""Shares: of all whose cause is confirmed; of those whose fault is a line of the model's."""


def port(row):
    """The side whose model is the port; of a base pair nothing is wrong."""
    return "torch" if row in PYTORCH else "keras"


@pytest.mark.parametrize("row", TRIED, ids=lambda row: row.name)
def test_what_is_written_makes_it_right(remotes, row, tmp_path):
    side, kept = port(row), row in KEPT_FAULTY
    row = written(row, tmp_path, side)
    first = answer(remotes, row, kept=kept, corrected=side)
    assert first.verdict == "differ" or row.name == "relu_for_relu6"
    request = CheckRequest(
        inputs=tuple(map(model_inputs.parse, row.inputs)),
        train=row.train,
        keep_weights=kept,
        corrected=side,
    )
    outcome = in_rounds(remotes, (target(row.torch, {}), target(row.keras, {})), request, first)
    right = outcome.last.verdict == "agree" and not outcome.error
    assert right == (row.name not in {*UNREPAIRED, *OF_WEIGHTS, *UNCONFIRMED})


def test_the_share_that_is_repaired():
    names = {row.name for row in EVERY}
    assert names >= {*UNREPAIRED, *OF_WEIGHTS, *UNCONFIRMED}
    confirmed = len(names) - len(UNCONFIRMED)
    assert 1 - (len(UNREPAIRED) + len(OF_WEIGHTS)) / confirmed >= LEAST
    assert 1 - len(UNREPAIRED) / (confirmed - len(OF_WEIGHTS)) >= OF_CODE


@pytest.mark.parametrize("row", EVERY, ids=lambda row: row.name)
def test_a_plain_port_is_one_model_of_that_name(row, tmp_path):
    side = port(row)
    file, name = getattr(written(row, tmp_path, side), side).rsplit(":", 1)
    tree = ast.parse(Path(file).read_text("utf-8"))
    assert name in {getattr(node, "name", "") for node in tree.body}
