"""The limit does the products of the example's step, all of them in every step, and no more."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

TORCH = """
import torch
from parity.torch_side import products
from pytorch_impl import {example} as twin
model = twin.{model}()
found = products.find(model, twin.loss_and_gradients, torch.rand({shape}), [0, 1])
answer = [[list(of), list(to), *flags] for layer, of, to, *flags in found]
"""
KERAS = """
import tensorflow as tf
from parity.keras_side import products
from keras_impl import {example} as twin
model = twin.{model}()
found = products.find(model, tf.random.uniform({shape}))
answer = [[list(of), list(to), *flags] for layer, of, to, *flags in found]
"""
LOOP = """
run, operands, zero = products.looped(found, True)
function = run.experimental_get_compiler_ir(operands, tf.constant(3), zero)
answer = function(stage="optimized_hlo")
"""
FREEZE = "\nmodel.get_layer('hidden').trainable = False\n"


def asked(code, **names):
    code = code.format(**names) if names else code
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport json\nprint(json.dumps(answer))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "CUDA_VISIBLE_DEVICES": "-1",
            "KERAS_BACKEND": "tensorflow",
        },
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def torch(example, shape, model="build_model"):
    return asked(TORCH, example=example, shape=shape, model=model)


def keras(example, shape, model="build_model"):
    return asked(KERAS, example=example, shape=shape, model=model)


def test_dense_layers_are_found_with_what_they_need():
    layers = [[[2, 784], [2, 128], True, False], [[2, 128], [2, 10], True, True]]
    assert torch("fashion_mlp", (2, 28, 28)) == layers
    assert keras("fashion_mlp", (2, 28, 28)) == layers


def test_convolutions_are_found_with_what_they_need():
    left, right = torch("fashion_cnn", (2, 1, 28, 28)), keras("fashion_cnn", (2, 28, 28, 1))
    assert left[0][:2] == [[2, 1, 28, 28], [2, 32, 26, 26]]
    assert right[0][:2] == [[2, 28, 28, 1], [2, 26, 26, 32]]
    flags = [[True, False], [True, True], [True, True], [True, True]]
    assert [row[2:] for row in left] == [row[2:] for row in right] == flags


def test_behind_frozen_layers_nothing_goes_back():
    """Only the head of a frozen backbone has a gradient, and nothing needs that of its input."""
    flags = [[False, False], [False, False], [True, False]]
    shapes = {"torch": (2, 1, 28, 28), "keras": (2, 28, 28, 1)}
    for side, find in (("torch", torch), ("keras", keras)):
        found = find("transfer_learning", shapes[side], "frozen_model")
        assert [row[2:] for row in found] == flags


def test_a_layer_of_ones_own_counts():
    for find in (torch, keras):
        found = find("softmax_regression", (2, 28, 28), "build_own_model")
        assert found == [[[2, 784], [2, 10], True, False]]


def products(text):
    """How many products the compiled code has in all, and how many before and after its loop."""
    entry = text[text.index("\nENTRY ") :]
    return [
        sum(part.count(word) for word in (" dot(", " convolution(", "custom-call("))
        for part in (text, entry)
    ]


@pytest.mark.parametrize(("freeze", "count"), [("", 5), (FREEZE, 3)])
def test_the_compiler_leaves_all_products_in_the_loop(freeze, count):
    """Two outputs, two gradients of weights, one of an input; of a frozen layer its output only."""
    find = "found = products.find"
    code = KERAS.format(example="fashion_mlp", shape=(32, 28, 28), model="build_model")
    text = asked(code.replace(find, f"{freeze}{find}") + LOOP)
    assert products(text) == [count, 0]
