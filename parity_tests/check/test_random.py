"""The check against random architectures: right ports, and ports with one mistake.

``PARITY_LONG=1`` draws 200 right and 60 wrong ones; otherwise 6 and 4.
``PARITY_SEED`` draws others.
"""

import os
from collections import Counter
from contextlib import ExitStack

import pytest

from parity_tests.check.bench.scoring import target
from parity_tests.check.random_faults import named, with_fault
from parity_tests.check.random_models import architecture
from shared.check import inputs
from shared.check.session import Request, check_in, processes

LONG = bool(os.environ.get("PARITY_LONG"))
FIRST = int(os.environ.get("PARITY_SEED", "0"))
RIGHT = range(FIRST, FIRST + (200 if LONG else 6))
WRONG = range(FIRST + 1000, FIRST + 1000 + (60 if LONG else 4))
SHARE = 0.9
VERDICTS: Counter[str] = Counter()


@pytest.fixture(scope="module")
def remotes():
    """A process for each side, which serves every architecture."""
    with ExitStack() as stack:
        yield stack.enter_context(processes(Request()))


def answer(remotes, torch, keras):
    """Check the two, built from these architectures."""
    request = Request(
        inputs=tuple(inputs.parse(text) for text in torch["inputs"]), train=torch["train"]
    )
    targets = (
        target("parity_tests/check/random_torch.py:build", {"architecture": torch}),
        target("parity_tests/check/random_keras.py:build", {"architecture": keras}),
    )
    return check_in(remotes, targets, request)


@pytest.mark.parametrize("seed", RIGHT)
def test_a_random_right_port_is_right(remotes, seed):
    drawn = architecture(seed)
    verdict = answer(remotes, drawn, drawn).verdict
    VERDICTS[verdict] += 1
    assert verdict == "agree"


@pytest.mark.skipif(not LONG, reason="only in the long run")
def test_how_many_agreed(capsys):
    """Prints what the test before has found."""
    with capsys.disabled():
        print(f"\n{VERDICTS.total()} random right ports: {dict(VERDICTS)}")
    assert VERDICTS["agree"] == VERDICTS.total()


def test_random_faults_are_caught_and_named(remotes, capsys):
    """Each is one that some input shows: `random_faults` leaves out those that none does."""
    counted, missed = Counter(), []
    for seed in WRONG:
        made = with_fault(architecture(seed), seed)
        if made is None:
            continue
        torch, keras, fault = made
        result = answer(remotes, torch, keras)
        first = result.first
        layer = first is not None and named(fault, keras["nodes"], (first.torch, first.keras))
        kind = any(c.kind in fault.kinds for c in result.causes)
        counted += Counter(n=1, caught=result.verdict == "differ", layer=layer, kind=kind)
        if not (result.verdict == "differ" and layer and kind):
            missed.append(f"seed {seed}: {fault.what}: {[c.kind for c in result.causes]}")
    with capsys.disabled():
        print(f"\n{counted['n']} random faults: {dict(counted)}", *missed, sep="\n  ")
    assert counted["caught"] == counted["n"]
    # Of four, one may go wrong.
    assert min(counted["layer"], counted["kind"]) >= SHARE * counted["n"] - (not LONG)
