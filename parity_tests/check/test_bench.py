"""The check against ports that are right and ports that are wrong: `parity_tests.check.bench`.

``PARITY_LONG=1`` checks all of them; otherwise a third of those that are right, and of those that
are wrong one of every mistake, or a fifth, drawn by ``PARITY_SEED``. Half of these are checked once
more with their mistake taken out, as right ones.
"""

import os
import re
from collections import Counter

import pytest

from parity_tests.check.bench import page
from parity_tests.check.bench.scoring import ROOT, answer, score
from parity_tests.check.bench.table import CORRECT, FAULTY, KEPT_CORRECT, KEPT_FAULTY
from parity_tests.check.bench.twins import repaired_text, twin
from parity_tests.draws import LONG, draw

LAYERS, CAUSES = 0.95, 0.9
PAGE = ROOT / "reports" / "ports.md"


def mistakes(row):
    """Each kind of cause is to be proven."""
    return {row.causes[0].kinds[0]}


WRONG = draw(FAULTY, mistakes, 0.2)
RIGHT = draw(CORRECT, lambda row: (), 0.33)
TWINS = draw((*WRONG, *KEPT_FAULTY), lambda row: (), 0.5)


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


@pytest.mark.parametrize("row", [*FAULTY, *KEPT_FAULTY], ids=lambda row: row.name)
def test_every_wrong_port_has_a_repaired_twin(row):
    written, repaired = repaired_text(row)
    assert repaired != written
    compile(repaired, row.name, "exec")


@pytest.mark.parametrize("row", TWINS, ids=lambda row: row.name)
def test_its_repaired_twin_is_right(remotes, row, tmp_path):
    repaired = answer(remotes, twin(row, tmp_path), kept=row in KEPT_FAULTY)
    assert repaired.verdict == "agree"
    assert not [cause for cause in repaired.causes if cause.confirmed]


def listed():
    """Wrong port → what the committed page says was not right of the answer to it."""
    rows = re.findall(r"^\| (\w+) \| .* \| not (.*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {name: set(words.split(", not ")) for name, words in rows}


def test_wrong_ports_are_caught_and_named(scores, capsys):
    """All are caught but those whose listed reason no input shows; most are named.

    Of a draw, none is answered worse than the committed page says.
    """
    counted = Counter(word for s in scores.values() for word in page.WORDS if getattr(s, word))
    total = len(scores)
    with capsys.disabled():
        print(f"\n{total} wrong ports: " + ", ".join(f"{counted[w]} {w}" for w in counted))
    assert {name for name, s in scores.items() if not s.caught} <= UNSEEN
    if LONG:
        assert counted["layer"] >= LAYERS * total
        assert counted["named"] >= CAUSES * total
        assert counted["confirmed"] >= CAUSES * total
    else:
        known = listed()
        worse = {
            name: {word for word in page.WORDS if not getattr(s, word)} - known.get(name, set())
            for name, s in scores.items()
        }
        assert not {name: words for name, words in worse.items() if words}


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
