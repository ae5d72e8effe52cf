"""Every example, pair and rung that `sizes` has for this run: one test each."""

import numpy as np
import pytest

from parity.comparator.compare import compare
from parity.core import recording_keys
from parity.run import pipeline
from parity.spec.expected import is_zero, matches
from parity.verdict.judgement import expected_of, question
from parity_tests.examples.sizes import SPECS
from shared.suite import SUITE

RUNGS = [
    pytest.param(spec, pair, level, id=f"{spec.name}-{pair.name}-{level}")
    for spec in SPECS
    for pair in spec.pairs
    for level in pair.levels
]
PAIRS = [pytest.param(s, p, id=f"{s.name}-{p.name}") for s in SPECS for p in s.pairs]
CASES = [
    pytest.param(spec, case, name, id=f"{spec.name}-{case.name}-{name}")
    for spec in SPECS
    for case in spec.cases
    for name in expected_of(case, SUITE.load)
]


def skip_without_data(outcome, spec):
    """An example whose data is not here; where CI is set, `outcome` has failed already."""
    if spec.name in outcome.failures:
        pytest.skip(outcome.failures[spec.name])


def judged(outcome, spec, pair):
    skip_without_data(outcome, spec)
    result = next(v for v in outcome.verdicts if v.spec.name == spec.name)
    return next(p for p in result.pairs if p.pair.name == pair.name)


def check_rung(result, pair, level):
    """The rung is as the spec wants it; a contrast agrees up to where it must part."""
    meets = level
    status = result.levels[level].status
    if pair.differs_at:
        parts_at = recording_keys.parse_key(pair.differs_at + "x").level
        wanted = ("identical", "rounding") if meets < parts_at else ("different",)
    else:
        wanted = ("identical", "rounding", "known")
    assert status in wanted, result.text
    assert result.levels[level].keys > 0


def test_nothing_failed_to_record(outcome):
    for spec in SPECS:
        skip_without_data(outcome, spec)
    assert outcome.exit_code == 0
    assert [v.spec.name for v in outcome.verdicts] == [spec.name for spec in SPECS]


@pytest.mark.parametrize(("spec", "pair", "level"), RUNGS)
def test_rung(outcome, spec, pair, level):
    check_rung(judged(outcome, spec, pair), pair, level)


@pytest.mark.parametrize(("spec", "pair"), PAIRS)
def test_pair_is_as_expected(outcome, spec, pair):
    result = judged(outcome, spec, pair)
    assert result.as_expected, result.text
    expected = ("float32",) if pair.identical else ("float32", "float64")
    assert result.precisions == expected
    if "L4" in pair.levels:
        assert result.horizon == result.last_step


@pytest.mark.parametrize(("spec", "case", "name"), CASES)
def test_catalogue_number(outcome, spec, case, name):
    """Both sides, both precisions, against the number from outside."""
    key = f"values/{case.name}/{name}"
    wanted = expected_of(case, SUITE.load)[name]
    if isinstance(wanted, tuple) and is_zero(wanted):
        # Zero to rounding, by the scale of its siblings: the engine has looked at every array.
        found = judged(outcome, spec, spec.pairs[0]).findings
        assert next(f for f in found if f.key == key).agrees
        return
    judged_on_values = {
        id_
        for pair in spec.pairs
        if recording_keys.VALUES in pair.levels
        for id_ in (pair.left, pair.right)
    }
    for runs in (outcome.runs[spec.name][id_] for id_ in judged_on_values):
        for recording in runs.present:
            if key in recording:
                assert matches(recording[key], wanted), (runs.title, recording[key])
            else:
                assert recording.header.facts[key] == str(wanted)


def test_listed_differences_are_all_seen(outcome):
    for spec in (s for s in SPECS if s.name not in outcome.failures):
        seen = [f for f in judged(outcome, spec, spec.pairs[0]).findings if f.status == "known"]
        assert sorted(f.key for f in seen) == sorted(k.key for k in spec.known)


def test_swapping_the_sides_changes_no_verdict(outcome):
    for spec in (s for s in SPECS if s.name not in outcome.failures):
        pair = spec.pairs[0]
        runs = outcome.runs[spec.name]
        one = compare(runs[pair.left], runs[pair.right], question(spec, pair, SUITE.load))
        other = compare(runs[pair.right], runs[pair.left], question(spec, pair, SUITE.load))
        statuses = {f.key: (f.status, f.ratio) for f in one.findings}
        assert statuses == {f.key: (f.status, f.ratio) for f in other.findings}


def test_threads_and_switches_are_on_record(outcome):
    for some in outcome.runs.values():
        for id_, runs in some.items():
            for recording in runs.present:
                header = recording.header
                assert header.environment["threads"] == "1"
                assert header.environment["device"] == "cpu"
                assert {"python", "numpy", id_.split("/")[0]} <= {*header.versions}


def fashion_mlp_reference(recording):
    """Forward, loss and gradients of the first batch once more, in NumPy float64."""

    def initial(name):
        return recording[f"weights/initial/{name}"]

    flat = recording["inputs/images"].reshape(32, 784)
    labels = recording["inputs/labels"]
    hidden = flat @ initial("hidden/kernel") + initial("hidden/bias")
    relu = np.maximum(hidden, 0)
    logits = relu @ initial("logits/kernel") + initial("logits/bias")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = powers / powers.sum(axis=1, keepdims=True)
    upstream = (softmax - np.eye(10)[labels]) / 32
    back = (upstream @ initial("logits/kernel").T) * (hidden > 0)
    return {
        "activations/step0/hidden": hidden,
        "activations/step0/relu": relu,
        "activations/step0/logits": logits,
        "loss/step0": -np.mean(np.log(softmax[np.arange(32), labels])),
        "gradients/step0/logits/kernel": relu.T @ upstream,
        "gradients/step0/logits/bias": upstream.sum(axis=0),
        "gradients/step0/hidden/kernel": flat.T @ back,
        "gradients/step0/hidden/bias": back.sum(axis=0),
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory, forked_workers):
    """The first steps of `fashion_mlp` with every element of its weights."""
    request = pipeline.RunRequest(
        SUITE,
        (SUITE.find("fashion_mlp"),),
        tmp_path_factory.mktemp("whole"),
        train=64,
        test=20,
        epochs=1,
        whole=True,
        options=forked_workers(),
    )
    return pipeline.run_examples(request).runs["fashion_mlp"]


@pytest.mark.parametrize("way", ["torch/loop", "keras/fit"])
def test_fashion_mlp_against_numpy(whole, way):
    """The third witness: agreement is not correctness."""
    recording = whole[way].float64
    assert not recording.header.thinned
    for key, value in fashion_mlp_reference(recording).items():
        scale = np.max(np.abs(value))
        assert np.max(np.abs(recording[key] - value)) <= 32 * 2**-53 * 8 * scale, key
