"""What is drawn has every kind in it, is the same for the same seed, and all in a long run."""

import pytest

from parity_tests import draws
from parity_tests.check import test_bench as ports
from parity_tests.check.bench.table import FAULTY
from parity_tests.draws import draw
from parity_tests.examples import sizes
from parity_tests.lessons import test_notebooks as notebooks
from parity_tests.planted import rows
from shared.examples import ALL
from shared.examples.transfer_learning import TRANSFER_LEARNING

DRAWN = {
    "planted rows": ((*rows.FAULTS, *rows.HONEST), rows.kinds, 0.25, rows.DRAWN),
    "default sizes": (sizes.TRAINED, sizes.layers, 0.0, sizes.UNCUT),
    "pairs": (
        TRANSFER_LEARNING.pairs,
        sizes.roles,
        0.5,
        draw(TRANSFER_LEARNING.pairs, sizes.roles, 0.5),
    ),
    "fast paths": (sizes.FAST_PATHS, sizes.switches, 0.0, sizes.DRAWN_PATHS),
    "wrong ports": (FAULTY, ports.mistakes, 0.2, ports.WRONG),
    "notebooks": (ALL, notebooks.part, 0.25, notebooks.DRAWN),
    "repetitions": (sizes.REPEATABLE, sizes.trains, 0.25, sizes.REPEATED),
}
"""What → all of it, its kinds, the share that is drawn, and what this run has drawn."""


@pytest.mark.parametrize(("every", "kinds", "share", "drawn"), DRAWN.values(), ids=DRAWN)
def test_a_draw_holds_every_kind(every, kinds, share, drawn):
    for some in (drawn, *(draw(every, kinds, share, seed=seed) for seed in range(20))):
        assert set().union(*map(kinds, some)) == set().union(*map(kinds, every))
        assert len(some) >= round(share * len(every))
        assert [item for item in every if item in some] == list(some)


def test_another_seed_draws_others_and_the_same_seed_the_same():
    def some(seed):
        return draw(range(100), lambda number: {number % 3}, 0.1, seed=seed)

    assert some(1) == some(1) != some(2)
    assert {number for seed in range(200) for number in some(seed)} == set(range(100))


def test_a_kind_that_one_item_has_is_always_drawn():
    for seed in range(20):
        assert 7 in draw(range(100), lambda number: {number == 7}, seed=seed)


def test_a_long_run_has_all(monkeypatch):
    monkeypatch.setattr(draws, "LONG", True)
    assert draw(range(9), lambda _: {0}) == tuple(range(9))
