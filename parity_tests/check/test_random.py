"""The check against random architectures: right ports, and ports with one mistake.

``PARITY_LONG=1``: 60 of each, and 200 right ones that hypothesis draws, and shrinks where one
fails. Otherwise 6 and 4 of the 60. ``PARITY_SEED`` says which are drawn.
"""

import os
import random
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import seed as from_seed

from parity.checker.check import check_in
from parity.checker.graph import model_inputs
from parity.checker.workers.request import CheckRequest
from parity_tests.check.bench.scoring import target
from parity_tests.check.random_faults import named, with_fault
from parity_tests.check.random_models import architecture
from parity_tests.check.random_strategy import architectures

LONG = bool(os.environ.get("PARITY_LONG"))
SEED = int(os.environ["PARITY_SEED"])
DRAW = random.Random(SEED)
RIGHT = range(60) if LONG else DRAW.sample(range(60), 6)
EXAMPLES = int(os.environ.get("PARITY_EXAMPLES", "200"))
WRONG = range(1000, 1060) if LONG else DRAW.sample(range(1000, 1060), 4)
SHARE = 0.9
VERDICTS: Counter[str] = Counter()
FAULTS: Counter[str] = Counter()
MISSED: list[str] = []


def answer(remotes, torch, keras):
    """Check the two, built from these architectures."""
    request = CheckRequest(
        inputs=tuple(model_inputs.parse(text) for text in torch["inputs"]), train=torch["train"]
    )
    targets = (
        target("parity_tests/check/random_torch.py:build", {"architecture": torch}),
        target("parity_tests/check/random_keras.py:build", {"architecture": keras}),
    )
    return check_in(remotes, targets, request)


@pytest.mark.parametrize("seed", RIGHT)
def test_a_random_right_port_is_right(remotes, seed):
    drawn = architecture(seed)
    assert answer(remotes, drawn, drawn).verdict == "agree"


@pytest.mark.skipif(not LONG, reason="only in the long run")
@pytest.mark.timeout(5400)
@from_seed(SEED)
@settings(
    max_examples=EXAMPLES,
    derandomize=False,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(drawn=architectures())
def test_right_ports_that_hypothesis_draws_are_right(remotes, drawn):
    verdict = answer(remotes, drawn, drawn).verdict
    VERDICTS[verdict] += 1
    assert verdict == "agree", (
        f"{verdict}: {drawn['family']}, {[n['op'] for n in drawn['nodes']]}: "
        f"parity_tests/check/random_torch.py:build and …_keras.py:build with {{'architecture': …}}"
    )


@pytest.mark.skipif(not LONG, reason="only in the long run")
def test_how_many_agreed(capsys):
    """Prints what the test before has found."""
    with capsys.disabled():
        print(f"\n{VERDICTS.total()} random right ports: {dict(VERDICTS)}")
    assert VERDICTS["agree"] == VERDICTS.total()


@pytest.mark.parametrize("seed", WRONG)
def test_a_random_fault_is_caught(remotes, seed):
    """Each is one that some input shows: `random_faults` leaves out those that none does."""
    made = with_fault(architecture(seed), seed)
    if made is None:
        return
    torch, keras, fault = made
    result = answer(remotes, torch, keras)
    first = result.first
    layer = first is not None and named(fault, keras["nodes"], (first.torch, first.keras))
    kind = any(c.kind in fault.kinds for c in result.causes)
    FAULTS.update(Counter(n=1, caught=result.verdict == "differ", layer=layer, kind=kind))
    if not (layer and kind):
        MISSED.append(f"seed {seed}: {fault.what}: {[c.kind for c in result.causes]}")
    assert result.verdict == "differ"


def test_how_many_faults_were_named(capsys):
    """Of the test before."""
    with capsys.disabled():
        print(f"\n{FAULTS['n']} random faults: {dict(FAULTS)}", *MISSED, sep="\n  ")
    # Of four, one may go wrong.
    assert min(FAULTS["layer"], FAULTS["kind"]) >= SHARE * FAULTS["n"] - (not LONG)
