"""`parity check` answers for real pairs of public packages; their truth was established without it.

A draw of them; ``PARITY_LONG=1``, and `make zoo`: all.
"""

import pytest

from parity_tests.check.zoo.answers import answer, missing, wrong
from parity_tests.check.zoo.pair import all_pairs
from parity_tests.check.zoo.truth import stored
from parity_tests.draws import draw

PAIRS = all_pairs()
TRUTHS = stored()
ASKED = draw(PAIRS, lambda pair: (), share=0.06)


def test_every_pair_has_its_truth():
    assert [pair.name for pair in PAIRS] == list(TRUTHS)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.name)
def test_a_pair_made_to_correspond_agrees_and_one_that_differs_says_why(pair):
    """In truth, not in the tool's answer."""
    differs = TRUTHS[pair.name].verdict == "differ"
    assert bool(pair.why) == bool(pair.kinds) == differs
    assert not (differs and pair.name.endswith("matched"))


@pytest.mark.parametrize("pair", ASKED, ids=lambda pair: pair.name)
def test_the_answer_is_right(remotes, pair, request):
    if names := missing(pair):
        pytest.skip(f"{', '.join(names)} is not installed: pip install '.[zoo]'")
    if pair.open:
        request.applymarker(pytest.mark.xfail(strict=True, reason="not answered rightly yet"))
    assert wrong(pair, TRUTHS[pair.name].verdict, answer(remotes, pair)) == []
