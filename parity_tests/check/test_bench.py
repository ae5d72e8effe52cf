"""The check against ports that are right and ports that are wrong: `parity_tests.check.bench`.

``PARITY_LONG=1`` checks every wrong port; otherwise every third, and half of those that are right.
"""

import os
from collections import Counter
from contextlib import ExitStack

import pytest

from parity.checker.workers.request import CheckRequest, processes
from parity_tests.check.bench import page
from parity_tests.check.bench.scoring import ROOT, answer, score
from parity_tests.check.bench.table import CORRECT, FAULTY, KEPT_CORRECT, KEPT_FAULTY

LONG = bool(os.environ.get("PARITY_LONG"))
WRONG = FAULTY if LONG else FAULTY[::3]
RIGHT = CORRECT if LONG else CORRECT[::2]
LAYERS, CAUSES = 0.95, 0.9
PAGE = ROOT / "reports" / "ports.md"


@pytest.fixture(scope="session")
def remotes():
    """A process for each side, which serves every row."""
    with ExitStack() as stack:
        yield stack.enter_context(processes(CheckRequest()))


@pytest.fixture(scope="session")
def scores(remotes):
    """Wrong port → what was right about the answer."""
    return {
        row.name: score(answer(remotes, row, kept=kept), row)
        for rows, kept in ((WRONG, False), (KEPT_FAULTY, True))
        for row in rows
    }


@pytest.mark.parametrize("row", RIGHT, ids=lambda row: row.name)
def test_a_right_port_is_right(remotes, row):
    assert answer(remotes, row, kept=False).verdict == "agree"


@pytest.mark.parametrize("row", KEPT_CORRECT, ids=lambda row: row.name)
def test_a_right_port_with_its_own_weights_is_right(remotes, row):
    assert answer(remotes, row, kept=True).verdict == "agree"


def test_wrong_ports_are_caught_and_named(scores, capsys):
    """All are caught but those whose listed reason no input shows; most are named."""
    counted = Counter(
        word
        for s in scores.values()
        for word in ("caught", "layer", "named", "confirmed")
        if getattr(s, word)
    )
    total = len(scores)
    with capsys.disabled():
        print(f"\n{total} wrong ports: " + ", ".join(f"{counted[w]} {w}" for w in counted))
    assert {name for name, s in scores.items() if not s.caught} <= UNSEEN
    assert counted["layer"] >= LAYERS * total
    assert counted["named"] >= CAUSES * total
    assert counted["confirmed"] >= CAUSES * total


@pytest.mark.skipif(not LONG, reason="PARITY_LONG is not set")
def test_the_page_says_what_was_measured(remotes, scores):
    """With PARITY_PORTS the page is written, otherwise it must hold."""
    kept = {row.name for row in KEPT_CORRECT}
    rows = (*CORRECT, *KEPT_CORRECT)
    agreed = [answer(remotes, row, kept=row.name in kept).verdict == "agree" for row in rows]
    text = page.text((*WRONG, *KEPT_FAULTY), scores, (sum(agreed), len(agreed)))
    if os.environ.get("PARITY_PORTS"):
        PAGE.write_text(text, "utf-8")
    assert PAGE.read_text("utf-8") == text


UNSEEN = {"relu_for_relu6"}
"""No activation of that model comes near 6."""
