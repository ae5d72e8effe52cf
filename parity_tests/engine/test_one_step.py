"""A training of which only the first optimizer step is asked: what is run, and what is recorded."""

from parity.core.recording_keys import parse_key
from parity.run import pipeline
from parity.verdict.judgement import question
from shared.suite import SUITE


def test_no_nudged_run_and_the_size_of_a_batch(tmp_path):
    spec = SUITE.find("resnet")
    request = pipeline.RunRequest(SUITE, (spec,), tmp_path, train=300, test=100, epochs=4)
    assert request.size(spec) == spec.training.default
    jobs = [job for _, job in pipeline._jobs(request, spec)]
    assert [(j.way, j.precision, j.nudged) for j in jobs] == [
        (way, precision, False) for way in ("loop", "fit") for precision in ("float32", "float64")
    ]


def test_a_whole_training_is_cut_and_nudged(tmp_path):
    spec = SUITE.find("fashion_mlp")
    request = pipeline.RunRequest(SUITE, (spec,), tmp_path, train=300, test=100, epochs=4)
    assert (request.size(spec).train, request.size(spec).epochs) == (300, 4)
    assert any(job.nudged for _, job in pipeline._jobs(request, spec))


def test_what_must_be_equal_bit_for_bit_is_recorded_once(tmp_path):
    spec = SUITE.find("fashion_mlp")
    request = pipeline.RunRequest(SUITE, (spec,), tmp_path)
    runs = [(job.way, job.precision, job.nudged) for _, job in pipeline._jobs(request, spec)]
    assert [run for run in runs if run[0] == "tape"] == [("tape", "float32", False)]
    for way in {way for way, _, _ in runs} - {"tape"}:
        assert sum(run[0] == way for run in runs) == 3


def test_nothing_beyond_the_step_is_required():
    spec = SUITE.find("resnet")
    asked = question(spec, spec.pairs[0], SUITE.load)
    assert asked.levels == ("L0", "L1", "L2", "L3")
    assert {parse_key(key).level for key in asked.required} == set(asked.levels)
    assert "weights/step1/fc/kernel" in asked.required
    shared_relu = {"activations/step0/layer1_0_relu", "activations/step0/layer1_0_relu_2"}
    assert shared_relu <= set(asked.required)
