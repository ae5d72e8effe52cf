"""The check against random models of sequences: right ports, and ports with one mistake.

``PARITY_LONG=1``: 60 of each. Otherwise 4 of each, which ``PARITY_SEED`` draws.
"""

import os
import random
from collections import Counter

import pytest

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.workers.request import CheckRequest
from parity_tests.check.bench.scoring import target
from parity_tests.check.random_sequences import model, with_fault

LONG = bool(os.environ.get("PARITY_LONG"))
DRAW = random.Random(int(os.environ["PARITY_SEED"]))
RIGHT = range(60) if LONG else DRAW.sample(range(60), 4)
WRONG = range(1000, 1060) if LONG else DRAW.sample(range(1000, 1060), 4)
OPEN = {1002, 1006, 1039}
"""Both sides have weights without a partner, as many of as many numbers; nothing else differs, so
nothing is proven, and "I cannot tell" is all that the check says today."""
SHARE = 0.75
NAMED: Counter[str] = Counter()


def answer(remotes, torch, keras):
    """Check the two, built from these models."""
    files = ("random_sequences_torch.py", "random_sequences_keras.py")
    targets = tuple(
        target(f"parity_tests/check/{file}:build", {"model": drawn})
        for file, drawn in zip(files, (torch, keras), strict=True)
    )
    inputs = tuple(model_inputs.parse(text) for text in torch["inputs"])
    return check_in(remotes, targets, CheckRequest(inputs=inputs))


def confirmed(result):
    """Kinds of the causes that are said to be proven."""
    return {cause.kind for cause in result.causes if cause.status == "confirmed"}


@pytest.mark.parametrize("seed", RIGHT)
def test_a_right_port_is_right(remotes, seed):
    drawn = model(seed)
    found = answer(remotes, drawn, drawn)
    assert (found.verdict, confirmed(found)) == ("agree", set())


@pytest.mark.parametrize("seed", WRONG)
def test_a_mistake_is_caught_and_nothing_else_is_proven(remotes, seed):
    fault = with_fault(seed)
    found = answer(remotes, fault.right, fault.model)
    wanted = "undecided" if seed in OPEN else "differ"
    NAMED.update(n=1, named=any(cause.kind in fault.kinds for cause in found.causes))
    assert (found.verdict, confirmed(found) - {*fault.kinds}) == (wanted, set()), fault.what


def test_most_mistakes_are_named():
    """Of the test before; of four, two may have another word."""
    assert NAMED["named"] >= SHARE * NAMED["n"] - (not LONG)
