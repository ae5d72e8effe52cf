"""The fast paths do what the code that people read does, to rounding, on every trained example.

They are drawn: see `sizes`.
"""

import os

import pytest

from parity.core.sides import LESSON_PACKAGES
from parity.run import pipeline
from parity_tests.draws import draw
from parity_tests.examples.sizes import FAST, TRAINED, cut_fast
from shared.suite import SUITE

PAIRS = [pytest.param(s, p, id=f"{s.name}-{p.name}") for s in FAST for p in s.training.pairs]


@pytest.mark.parametrize(("spec", "pair"), PAIRS)
def test_a_fast_path_agrees_with_what_it_stands_for(fast_outcome, spec, pair):
    if spec.name in fast_outcome.failures and not os.environ.get("CI"):
        pytest.skip(fast_outcome.failures[spec.name])
    found = next(v for v in fast_outcome.verdicts if v.spec.name == spec.name)
    judged = next(p for p in found.pairs if p.pair.name == pair.name)
    assert judged.verdict == "agree", judged.text


IN_PARTS = [s for s in TRAINED if any(fast.parts > 1 for fast in s.training.fast)]


@pytest.mark.parametrize("spec", IN_PARTS, ids=lambda spec: spec.name)
def test_a_batch_in_parts_is_the_same_batch(tmp_path, forked_workers, spec):
    """One of an odd number among them, so that the parts are not alike."""
    parted = {f"{fast.of}_fast" for fast in spec.training.fast if fast.parts > 1}
    chosen = cut_fast(spec, tuple(pair for pair in spec.fast_pairs if pair.right in parted))
    samples, options = 2 * spec.training.batch_size + 7, forked_workers(threads=2)
    found = pipeline.run_examples(
        pipeline.RunRequest(SUITE, (chosen,), tmp_path, train=samples, epochs=1, options=options)
    ).verdicts[0]
    for judged in found.pairs:
        assert judged.verdict == "agree", judged.text
    assert any(f.status == "rounding" for f in found.pairs[0].findings)  # another sum than before


@pytest.mark.parametrize("spec", TRAINED, ids=lambda spec: spec.name)
def test_every_trained_example_has_a_fast_path_on_both_sides(spec):
    headline = spec.pairs[0]
    assert {headline.left, headline.right} <= {fast.of for fast in spec.training.fast}


@pytest.mark.parametrize("spec", TRAINED, ids=lambda spec: spec.name)
def test_fast_paths_stand_on_no_page(spec):
    assert not set(spec.fast_pairs) & set(spec.pairs)


UNCORRECTED = """
import torch
own = torch._fused_adam_
torch._fused_adam_ = lambda *args, lr, **more: own(*args, lr=1e-3, **more)
"""
STRANGERS = """
from parity.torch_side.fast_path import Steps
own = Steps.batch
Steps.batch = lambda self, chosen: own(self, chosen.flip(0) if len(chosen) < 32 else chosen)
"""
NEIGHBOURS = """
import tensorflow as tf
from parity.keras_side.fast_path import Steps
own = Steps.__call__
Steps.__call__ = lambda self, order, masks=(): own(self, tf.roll(order, 1, 0), masks)
"""
ONE_MASK = """
import tensorflow as tf
from parity.keras_side.fast_path import Steps
own = Steps.__call__
Steps.__call__ = lambda self, order, masks=(): own(self, order, [m * 0 + m[:1] for m in masks])
"""
FAULTS = [
    ("torch", "fashion_mlp", "torch_loop_fast", UNCORRECTED, "weights/step1/"),
    ("torch", "fashion_mlp", "torch_loop_fast", STRANGERS, "inputs/batches"),
    ("keras", "fashion_mlp", "keras_fit_fast", NEIGHBOURS, "loss/curve"),
    ("keras", "regularisation", "keras_dropout_fast", ONE_MASK, "loss/curve"),
]


@pytest.mark.parametrize("planted", draw(FAULTS, lambda fault: {fault[0]}), ids=lambda f: f[-1])
def test_a_fault_of_a_fast_path_is_caught(tmp_path, forked, forked_workers, planted):
    side, example, pair, fault, key = planted
    start = (
        f"import runpy\n{fault}\nrunpy.run_module('{LESSON_PACKAGES[side]}', run_name='__main__')"
    )
    options = forked_workers(**{side: [forked[side], "-c", start, "--worker", "--threads", "1"]})
    whole = SUITE.find(example)
    spec = cut_fast(whole, tuple(p for p in whole.fast_pairs if p.name == pair))
    request = pipeline.RunRequest(SUITE, (spec,), tmp_path, options=options)
    found = pipeline.run_examples(request).verdicts[0]
    assert found.pairs[0].verdict == "differ"
    assert found.pairs[0].first.key.startswith(key), found.pairs[0].text
