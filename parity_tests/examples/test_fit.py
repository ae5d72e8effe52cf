"""Keras' `fit` stands beside PyTorch's loop, and the loop by hand equals `fit` bit for bit."""

import dataclasses

import pytest

from parity.core.sides import LESSON_PACKAGES
from parity.run import pipeline
from parity_tests.draws import draw
from parity_tests.examples.sizes import TRAINED, cut
from shared.examples import ALL
from shared.suite import SUITE


@pytest.mark.parametrize("spec", [s for s in ALL if s.training], ids=lambda spec: spec.name)
def test_pytorchs_loop_is_compared_with_fit(spec):
    left, right = (spec.training.way(id_) for id_ in (spec.pairs[0].left, spec.pairs[0].right))
    assert (left.side, right.side, right.loop) == ("torch", "keras", "fit")


@pytest.mark.parametrize("spec", TRAINED, ids=lambda spec: spec.name)
def test_a_loop_by_hand_must_equal_fit_bit_for_bit(spec):
    by_hand = [pair for pair in spec.pairs if pair.identical]
    assert by_hand
    for pair in by_hand:
        tape, fit = (spec.training.way(id_) for id_ in (pair.left, pair.right))
        assert (tape.loop, fit.loop, pair.differs_at) == ("", "fit", "")
        assert dataclasses.replace(tape, name=fit.name, title=fit.title, loop="fit") == fit
        assert pair.levels == tuple(lv for lv in spec.pairs[0].levels if lv != "values")


SCALED_GRADIENT = """
import types
import keras_impl.fashion_mlp as lesson
own = lesson.train_step.python_function
def train_step(model, optimizer, images, labels):
    def apply(gradients, variables):
        optimizer.apply([(1 + 2**-20) * gradient for gradient in gradients], variables)
    return own(model, types.SimpleNamespace(apply=apply), images, labels)
lesson.train_step = train_step
"""
OTHER_ORDER = """
from parity.keras_side.program import Program
own = Program.train
def train(self, model, optimizer, batches, on_step):
    first, second, *others = batches
    own(self, model, optimizer, iter([second, first, *others]), on_step)
Program.train = train
"""
# The last bits alone: TensorFlow folds a size that it knows into other constants.
KNOWN_SIZE = """
import tensorflow as tf
from parity.keras_side.program import Program
def train(self, model, optimizer, batches, on_step):
    step = tf.function(lambda *batch: self._step(model, optimizer, *batch))
    for count, batch in enumerate(batches, 1):
        on_step(count, float(step(*batch)))
Program.train = train
"""
FORGOTTEN_PENALTY = """
import keras_impl.regularisation as lesson
import tensorflow as tf
def train_step(model, optimizer, images, labels):
    with tf.GradientTape() as tape:
        loss = lesson.loss_fn(labels, model(images, training=True))
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    return loss
lesson.train_step = train_step
"""
FAULTS = [
    ("fashion_mlp", "tape", SCALED_GRADIENT, "gradients/step0/logits/"),
    ("fashion_mlp", "tape", OTHER_ORDER, "loss/curve"),
    ("regularisation", "biased_tape", KNOWN_SIZE, "state/step1/hidden/kernel"),
    ("regularisation", "l2_tape", FORGOTTEN_PENALTY, "gradients/step0/"),
]


@pytest.mark.parametrize("planted", draw(FAULTS, lambda fault: {fault[0]}), ids=lambda f: f[-1])
def test_a_loop_that_is_not_fit_is_found(tmp_path, forked, forked_workers, planted):
    example, name, fault, key = planted
    start = (
        f"import runpy\n{fault}\n"
        f"runpy.run_module('{LESSON_PACKAGES['keras']}', run_name='__main__')"
    )
    options = forked_workers(keras=[forked["keras"], "-c", start, "--worker", "--threads", "1"])
    spec = SUITE.find(example)
    chosen = cut(spec, pairs=tuple(pair for pair in spec.pairs if pair.name == name))
    request = pipeline.RunRequest(SUITE, (chosen,), tmp_path, options=options)
    (found,) = pipeline.run_examples(request).verdicts[0].pairs
    assert found.verdict == "differ"
    assert found.first.key.startswith(key), found.text
