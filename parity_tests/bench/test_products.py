"""The limit does the products of the example's step, all of them in every step, and no more."""

import json

import pytest

from parity_tests.forked import script

IMPORTS = {
    "torch": "import json, torch\nfrom parity.torch_side import products",
    "keras": "import json, tensorflow as tf\nfrom parity.keras_side import products",
}
TORCH = """
from pytorch_impl import {example} as twin
model = twin.{model}()
class Still:
    def zero_grad(self): pass
    def step(self): pass
def gradients(model, *batch):
    twin.{step}(model, Still(), *batch)
found = products.find(model, gradients, torch.rand({shape}), [0, 1])
answer = [[list(of), list(to), *flags] for layer, of, to, *flags in found]
"""
KERAS = """
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
FREEZE = "\nmodel.layers[1].trainable = False\n"


@pytest.fixture(scope="module")
def asked(forked):
    """``asked(side, code)`` → the `answer` of the code, in a process of its own."""
    scripts = {side: script(forked[side], IMPORTS[side]) for side in IMPORTS}
    return lambda side, code: json.loads(
        scripts[side](f"{code}\nprint(json.dumps(answer))").splitlines()[-1]
    )


@pytest.fixture(scope="module")
def torch(asked):
    def found(example, shape, model="build_model"):
        step = "own_train_step" if "own" in model else "train_step"
        asked_for = {"example": example, "shape": shape, "model": model, "step": step}
        return asked("torch", TORCH.format(**asked_for))

    return found


@pytest.fixture(scope="module")
def keras(asked):
    def found(example, shape, model="build_model"):
        return asked("keras", KERAS.format(example=example, shape=shape, model=model))

    return found


def test_dense_layers_are_found_with_what_they_need(torch, keras):
    layers = [[[2, 784], [2, 128], True, False], [[2, 128], [2, 10], True, True]]
    assert torch("fashion_mlp", (2, 28, 28)) == layers
    assert keras("fashion_mlp", (2, 28, 28)) == layers


def test_convolutions_are_found_with_what_they_need(torch, keras):
    left, right = torch("fashion_cnn", (2, 1, 28, 28)), keras("fashion_cnn", (2, 28, 28, 1))
    assert left[0][:2] == [[2, 1, 28, 28], [2, 32, 26, 26]]
    assert right[0][:2] == [[2, 28, 28, 1], [2, 26, 26, 32]]
    flags = [[True, False], [True, True], [True, True], [True, True]]
    assert [row[2:] for row in left] == [row[2:] for row in right] == flags


def test_behind_frozen_layers_nothing_goes_back(torch, keras):
    """Only the head of a frozen backbone has a gradient, and nothing needs that of its input."""
    flags = [[False, False], [False, False], [True, False]]
    shapes = {"torch": (2, 1, 28, 28), "keras": (2, 28, 28, 1)}
    for side, find in (("torch", torch), ("keras", keras)):
        found = find("transfer_learning", shapes[side], "frozen_model")
        assert [row[2:] for row in found] == flags


def test_a_layer_of_ones_own_counts(torch, keras):
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
def test_the_compiler_leaves_all_products_in_the_loop(asked, freeze, count):
    """Two outputs, two gradients of weights, one of an input; of a frozen layer its output only."""
    find = "found = products.find"
    code = KERAS.format(example="fashion_mlp", shape=(32, 28, 28), model="build_model")
    text = asked("keras", code.replace(find, f"{freeze}{find}") + LOOP)
    assert products(text) == [count, 0]
