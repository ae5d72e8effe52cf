"""The headline: trainings on the full data, an epoch or, with ``PARITY_LONG=1``, whole."""

import pytest

from parity_tests.draws import LONG
from parity_tests.examples.conftest import HEADLINES
from parity_tests.examples.test_examples import check_rung, judged
from shared.examples import ALL


def headlines(spec):
    return [pair for pair in spec.pairs if pair.name in HEADLINES[spec.name]]


pytestmark = [pytest.mark.full, pytest.mark.timeout(1500)]
TRAINED = [spec for spec in ALL if spec.name in HEADLINES]
RUNGS = [
    pytest.param(spec, pair, level, id=f"{spec.name}-{pair.name}-{level}")
    for spec in TRAINED
    for pair in headlines(spec)
    for level in pair.levels
]
REFERENCES = [
    pytest.param(spec, reference, id=f"{spec.name}-{reference.metric}")
    for spec in TRAINED
    for reference in spec.training.references
]


@pytest.mark.parametrize(("spec", "pair", "level"), RUNGS)
def test_rung(full_outcome, spec, pair, level):
    check_rung(judged(full_outcome, spec, pair), pair, level)


@pytest.mark.parametrize("spec", TRAINED, ids=lambda spec: spec.name)
def test_final_weights_are_as_near_as_a_side_is_to_itself(full_outcome, spec):
    for pair in headlines(spec):
        finals = [
            f
            for f in judged(full_outcome, spec, pair).findings
            if f.key.startswith("weights/final/") and f.status != "identical"
        ]
        for finding in finals:
            assert finding.distance64 <= 32 * finding.sigma, finding


@pytest.mark.parametrize("spec", TRAINED, ids=lambda spec: spec.name)
def test_every_float64_prediction_is_the_same(full_outcome, spec):
    for pair in headlines(spec):
        same, of = judged(full_outcome, spec, pair).agreement["float64"]
        assert (same, of) == (10_000, 10_000)


@pytest.mark.skipif(not LONG, reason="PARITY_LONG is not set")
@pytest.mark.parametrize(("spec", "reference"), REFERENCES)
def test_accuracy_comes_near_the_expected_one(full_outcome, spec, reference):
    metrics = judged(full_outcome, spec, spec.pairs[0]).metrics
    for side in ("torch", "keras"):
        assert reference.holds(metrics[side][reference.metric])
