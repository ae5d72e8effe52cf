"""Keras' `fit` on other backends: equal to rounding, or parted exactly as it is listed.

On PyTorch nothing more need be installed; on JAX what the extra `backends` brings.
"""

import dataclasses
import importlib.util
import sys

import pytest

from parity import report
from parity.cli import backends
from parity.core.errors import RecordingError, UsageError
from parity.core.recording_keys import LADDER
from parity.core.sides import BACKENDS, on_backend, side_named
from parity.keras_side.backends.no_tensorflow import NoTensorFlow
from parity.report import ReportInput
from parity.report.backends import write
from parity.run import pipeline
from parity.spec.backends import DIFFERENCES, YARDSTICK, on_backends
from parity_tests.draws import draw
from parity_tests.examples.sizes import cut
from shared.examples import ALL
from shared.suite import SUITE

SIDES = tuple(BACKENDS.values())
HERE = tuple(side for side in SIDES if side != "keras-jax" or importlib.util.find_spec("jax"))
FITTED = [spec for spec in ALL if on_backends(spec, SIDES)]
ALONE = ("fashion_mlp", "iris_mlp")
"""Small, and what is listed of Keras shows in them."""
LISTED = [d for d in DIFFERENCES if d.example in ALONE and d.side in HERE]


@pytest.mark.parametrize("spec", FITTED, ids=lambda spec: spec.name)
def test_every_training_by_fit_stands_beside_pytorch_and_beside_tensorflow(spec):
    found = on_backends(spec, SIDES)
    assert len({pair.name for pair in found.pairs}) == len(found.pairs)
    for side in SIDES:
        own = [pair for pair in found.pairs if pair.right.startswith(f"{side}/")]
        beside = [pair.left.partition("/")[0] for pair in own]
        assert beside == ["torch", "keras"] * (len(own) // 2)
        assert own
    assert {level for pair in found.pairs for level in pair.levels} <= set(LADDER)
    for way in found.ways:
        size = found.training.default
        assert found.digest(size, 20, "data", way) == spec.digest(size, 20, "data", way)


def test_a_program_written_in_tensorflow_is_on_no_other_backend():
    alone = {spec.name for spec in ALL if spec.training} - {spec.name for spec in FITTED}
    assert alone == {"backprop", "perceptron"} & {spec.name for spec in ALL if spec.training}


def test_what_is_listed_is_there_to_part():
    for listed in DIFFERENCES:
        found = on_backends(SUITE.find(listed.example), (listed.side,))
        contrasts = [pair for pair in found.pairs if pair.differs_at == listed.differs_at]
        assert len(contrasts) == (2 if listed.undone else 1)
        undone = {frozenset(found.training.way(pair.right).undone) for pair in found.pairs}
        assert frozenset((*YARDSTICK, *filter(None, [listed.undone]))) in undone


@pytest.fixture(scope="module")
def outcome(tmp_path_factory, forked_workers):
    """The examples on the backends that are here, whatever a user has set for Keras."""
    specs = tuple(cut(on_backends(SUITE.find(name), HERE)) for name in ALONE)
    folder = tmp_path_factory.mktemp("backends")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KERAS_BACKEND", "openvino")
        patched.setenv("JAX_ENABLE_X64", "0")
        request = pipeline.RunRequest(SUITE, specs, folder, options=forked_workers())
        made = pipeline.run_examples(request)
    assert not made.failures
    return made


def test_all_agree_but_for_what_is_listed(outcome):
    for verdict in outcome.verdicts:
        assert verdict.verdict == "agree"
        for pair in verdict.pairs:
            assert pair.as_expected, f"{pair.pair.name}: {pair.text}"


def test_a_recording_says_where_it_was_made(outcome):
    for runs in outcome.runs.values():
        for way, found in runs.items():
            header, side = found.present[0].header, way.partition("/")[0]
            assert header.side == side
            if side in BACKENDS.values():
                assert header.environment["backend"] == side.removeprefix("keras-")
                assert side.removeprefix("keras-") in header.versions
                assert "tensorflow" not in header.versions


def inputs(outcome):
    return [ReportInput(v, outcome.runs[v.spec.name], "some data") for v in outcome.verdicts]


def test_the_page_tells_all(outcome, tmp_path):
    page, twin = report.write_backends(inputs(outcome), tmp_path)
    text = page.read_text("utf-8")
    assert twin.is_file()
    assert text.count("### ") == len(LISTED)
    for found in (*(f"### {listed.title}" for listed in LISTED), *(f"{side}:" for side in HERE)):
        assert found in text
    assert "| iris_mlp | Keras / PyTorch | ✗ activations / step0 / norm1" in text
    assert "no longer" not in text
    assert "CAUTION" not in text


def test_of_one_step_the_first_is_followed(outcome, tmp_path):
    short = [
        dataclasses.replace(
            found,
            verdict=dataclasses.replace(
                found.verdict,
                pairs=tuple(dataclasses.replace(p, horizon=None) for p in found.verdict.pairs),
            ),
        )
        for found in inputs(outcome)
    ]
    assert "| the first |" in write(short, tmp_path)[0].read_text("utf-8")


def test_a_listed_difference_that_is_gone_is_said(outcome, tmp_path):
    gone = []
    for found in inputs(outcome):
        pairs = [
            dataclasses.replace(p, verdict="agree", first=None, text="") if p.pair.differs_at else p
            for p in found.verdict.pairs
        ]
        verdict = dataclasses.replace(found.verdict, pairs=tuple(pairs))
        assert verdict.verdict == "differ"
        gone.append(dataclasses.replace(found, verdict=verdict))
    text = write(gone, tmp_path)[0].read_text("utf-8")
    assert text.count("no longer holds") == len(LISTED)


MOMENTUM = """
    twin.compile_model = lambda model: model.compile(
        optimizer=keras.optimizers.SGD(0.001, momentum=0.5), loss=twin.loss_fn
    )
"""
# What was fed is noted in the right order: the batches themselves look right.
SWAPPED = """
    from parity.keras_side.backends import program
    def swapped(batches):
        first, second, *others = batches
        for noted, given in zip(batches, (second, first, *others), strict=True):
            batches.fed(*noted)
            yield given
    program._fed = swapped
"""
NORM = """
    if not hasattr(twin, "own"):
        twin.own = twin.build_model
    def build_model():
        model = twin.own()
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.99
        return model
    twin.build_model = build_model
"""
START = """
import runpy
from parity.training import recorder
own = recorder.make_recording
def make_recording(suite, framework, twin, *rest, **more):
    import keras
{change}
    own(suite, framework, twin, *rest, **more)
recorder.make_recording = make_recording
runpy.run_module("keras_impl", run_name="__main__")
"""
FAULTS = [
    (MOMENTUM, "state/step1/"),
    (SWAPPED, "loss/curve"),
    (NORM, "weights/step1/norm1/moving_mean"),
]


@pytest.mark.parametrize("fault", draw(FAULTS, lambda fault: {"training"}), ids=lambda f: f[-1])
def test_another_training_is_found(tmp_path, forked_workers, fault):
    change, key = fault
    command = [sys.executable, "-c", START.format(change=change), "--worker", "--threads", "1"]
    spec = on_backends(SUITE.find("iris_mlp"), ("keras-torch",))
    pair = next(p for p in spec.pairs if p.name == "matched_torch_moments")
    request = pipeline.RunRequest(
        SUITE,
        (cut(spec, pairs=(pair,)),),
        tmp_path,
        options=forked_workers(**{"keras-torch": command}),
    )
    (found,) = pipeline.run_examples(request).verdicts[0].pairs
    assert found.verdict == "differ"
    assert found.first.key.startswith(key), found.text


def test_a_lesson_finds_no_tensorflow_to_call():
    tf = NoTensorFlow("tensorflow")
    assert tf.function(len) is len
    with pytest.raises(RecordingError, match=r"`tf\.GradientTape` was called.*in TensorFlow"):
        tf.GradientTape()


def test_what_is_left_out_is_said(capsys):
    some = tuple(SUITE.find(name) for name in ("fashion_mlp", "autograd", "backprop"))
    (left,) = backends.portable(some, ["torch"])
    assert left.name == "fashion_mlp"
    assert "Left out, autograd, backprop: on TensorFlow alone" in capsys.readouterr().err
    with pytest.raises(UsageError, match=r"autograd: on TensorFlow alone.*name another example"):
        backends.portable(some[1:2], ["torch"])


def test_a_backend_that_is_not_there_is_said(monkeypatch):
    with pytest.raises(UsageError, match=r"No other backend of Keras named 'theano'.*jax or torch"):
        on_backend("theano")
    assert side_named("keras-tensorflow") == "keras"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "jax" else 1)
    with pytest.raises(UsageError, match=r"needs the package jax, .* '\.\[backends\]'.*PATH"):
        backends.portable([SUITE.find("fashion_mlp")], ["jax"])
    assert backends.portable([SUITE.find("fashion_mlp")], ["jax"], "/some/python")
