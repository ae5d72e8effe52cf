"""`parity.cli.screen` on 80 columns, and the sizes that a request refuses."""

import dataclasses
import io

import pytest
from rich.console import Console

from parity.cli import screen
from parity.core.errors import UsageError
from parity.run import pipeline
from parity.run.pipeline import RunOutcome, RunRequest
from parity.verdict.judgement import ExampleVerdict, judge_pair, question
from shared.suite import SUITE


def judged(spec, runs, arrays, pairs):
    sides = [runs(title, arrays, nudged=arrays) for title in ("torch", "keras")]
    found = judge_pair(spec.pairs[0], *sides, question(spec, spec.pairs[0], SUITE.load))
    named = [
        dataclasses.replace(found, pair=dataclasses.replace(found.pair, name=f"pair_of_number_{n}"))
        for n in range(pairs)
    ]
    return ExampleVerdict(spec, tuple(named))


def shown(*verdicts, failures=()):
    text = Console(file=io.StringIO(), width=80)
    failed = {name: f"{name}: no data" for name in failures}
    screen.outcome(text, RunOutcome(verdicts, {}, {}, failed, made=4, reused=0, seconds=1.0))
    return text.file.getvalue()


@pytest.mark.parametrize("pairs", [1, 5, 6, 15])
def test_any_number_of_pairs_fits_80_columns(runs, training_spec, trained, pairs):
    text = shown(judged(training_spec, runs, trained(), pairs))
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("agree") >= pairs
    for n in range(pairs):
        assert str(n) in text
    assert ("L0 inputs and initial weights" in text) is (pairs <= 5)
    assert "examples:" not in text


def test_the_tally_comes_last_and_counts_what_failed(runs, training_spec, trained):
    good = judged(training_spec, runs, trained(), 1)
    bad = dataclasses.replace(good, pairs=(dataclasses.replace(good.pairs[0], verdict="differ"),))
    assert "2 examples: 2 agree\n" in shown(good, good)
    text = shown(good, bad, bad, failures=["other"])
    assert "4 examples: 1 agree, 2 differ, 1 could not be run\n" in text


def test_a_line_an_example_says_what_became_of_it(runs, training_spec, trained):
    good = judged(training_spec, runs, trained(), 2)
    bad = dataclasses.replace(good, pairs=(dataclasses.replace(good.pairs[0], verdict="differ"),))
    lines = [line.split() for line in shown(good, bad, failures=["other"]).splitlines()]
    assert ["made", "agree", "2", "of", "2"] in lines
    assert ["made", "differ", "0", "of", "1"] in lines
    assert ["other", "could", "not", "be", "run"] in lines


@pytest.mark.parametrize("size", [{"train": 5}, {"test": 5}, {"epochs": 1}])
@pytest.mark.parametrize("name", ["autograd", "resnet"])
def test_a_size_that_changes_nothing_is_refused(tmp_path, size, name):
    request = RunRequest(SUITE, (SUITE.find(name),), tmp_path, **size)
    with pytest.raises(UsageError, match=f"--{next(iter(size))} would change nothing.*{name}"):
        pipeline.run_examples(request)
    assert not list(tmp_path.iterdir())
    RunRequest(SUITE, (SUITE.find(name), SUITE.find("fashion_mlp")), tmp_path, **size).check()
