"""What people see while seeds come in."""

import dataclasses
import io

import numpy as np
import pytest
from rich.console import Console

from parity.cli import sweep_screen
from parity.sweep import plan
from parity.sweep.board import Board
from parity.sweep.plan import SweepRequest
from parity_tests.sweep.fake import summary
from shared.suite import SUITE


def board(done, **asked):
    """A board with the first so many jobs done, two seconds each of PyTorch, four of Keras."""
    request = SweepRequest(
        SUITE, (SUITE.find("fashion_mlp"),), **{"seeds": 4, "train": 300, "test": 500, **asked}
    )
    planned = plan.jobs(request)
    made = Board(request, planned, {"fashion_mlp": np.zeros(500, int)})
    for job in planned[:done]:
        seconds = 2.0 if job.side == "torch" else 4.0
        made.add(job, dataclasses.replace(summary(job), seconds=seconds))
    return made


def text(part):
    console = Console(file=io.StringIO(), width=100)
    console.print(part)
    return console.file.getvalue()


def test_time_left_is_of_jobs_of_the_same_kind():
    assert sweep_screen.seconds_left(board(0), 1) is None
    made = board(8)  # of 16: four of each side are left
    assert sweep_screen.seconds_left(made, 1) == pytest.approx(4 * 2 + 4 * 4)
    assert sweep_screen.seconds_left(made, 4) == pytest.approx(6)
    assert sweep_screen.seconds_left(board(15), 1) == pytest.approx(4)  # one of Keras
    assert sweep_screen.Display(made, 4).words() == "8 of 16 jobs; 6 s left"
    assert sweep_screen.Display(board(16), 4).words() == "16 of 16 jobs"


@pytest.mark.parametrize(("seconds", "words"), [(40, "40 s"), (720, "12 min"), (12_600, "3.5 h")])
def test_durations(seconds, words):
    assert sweep_screen.duration(seconds) == words


def test_a_verdict_before_the_end_is_one_so_far():
    assert "so far: undecided" in text(sweep_screen.table(board(12)))
    assert "so far" not in text(sweep_screen.table(board(16)))
    assert "3/4" in text(sweep_screen.table(board(12)))


def test_a_final_verdict_stands_whatever_the_others_will_give():
    """Holm over both examples: another's small p, while it is open, must not help this one."""
    names = ("fashion_mlp", "softmax_regression")
    request = SweepRequest(
        SUITE, tuple(map(SUITE.find, names)), seeds=4, train=300, test=500, divisions=("native",)
    )
    planned = plan.jobs(request)
    made = Board(request, planned, dict.fromkeys(names, np.zeros(500, int)))

    def add(example, seed, gap):
        for job in planned:
            if (job.example, job.seed) == (example, seed):
                share = 0.8 + gap * (job.side == "torch")
                made.add(job, dataclasses.replace(summary(job), test_accuracy=share))

    for seed, gap in enumerate((0.01, 0.05, 0.03, 0.06), 1):
        add("fashion_mlp", seed, gap)
    alone = made.rows[0].comparison.different_p
    assert 0.025 < alone < 0.05
    for seed in (1, 2, 3):
        add("softmax_regression", seed, 0.1 + 0.001 * seed)
    mlp, other = made.rows
    assert mlp.final
    assert not other.final
    assert other.comparison.different_p < 0.001
    assert mlp.verdict.adjusted_p == pytest.approx(2 * alone)
    assert mlp.verdict.answer == "undecided"
    add("softmax_regression", 4, 0.104)
    assert made.rows[0].verdict.answer == "different"  # more than was promised, never less


def test_what_is_asked_again_is_planned_once():
    every = plan.jobs(SweepRequest(SUITE, (SUITE.find("fashion_mlp"),), seeds=2, attribution=True))
    assert len(every) == len(set(every))
    settings = {(job.side, job.setting) for job in every}
    assert {("keras", "native"), ("keras", "matched"), ("torch", "native~initialiser")} <= settings
    # What decides comes first, then the way from native to matched, then each default alone.
    names = [job.setting for job in every]
    assert set(names[:8]) == {"native", "matched"}
    assert [job.seed for job in every[:8]] == [1] * 4 + [2] * 4
    chain = [at for at, name in enumerate(names) if name == "shuffling"]
    assert max(chain) < names.index("native~initialiser")


@pytest.mark.parametrize(
    ("seeds", "looks"), [(12, (4, 8, 12)), (24, (8, 16, 24)), (5, (3, 4, 5)), (3, (3,)), (2, (2,))]
)
def test_looks_are_fixed_beforehand(seeds, looks):
    asked = SweepRequest(SUITE, (SUITE.find("fashion_mlp"),), seeds=seeds, stop=True)
    assert asked.looks == looks
    assert dataclasses.replace(asked, stop=False).looks == (seeds,)
    looks_at = board(8, seeds=seeds, stop=True).rows[0].comparison.looks
    assert looks_at == len(looks)  # what the p-values are corrected for
    assert board(8, seeds=seeds).rows[0].comparison.looks == 1
