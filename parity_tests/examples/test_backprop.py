"""The back-propagation by hand has a witness of its own: differences of function values."""

import inspect

import numpy as np
import pytest

from parity.spec.expected import numbers
from shared.examples import backprop

STEP = 1e-5


def case(name):
    found = next(c for c in backprop.BACKPROP.cases if c.name == name)
    return {key: numbers(value) for key, value in found.inputs.items()}


def slope(function, inputs, name, index):
    """(f(x + h) − f(x − h)) / 2h for one element of one input."""
    ends = []
    for step in (STEP, -STEP):
        moved = {key: value.copy() for key, value in inputs.items()}
        moved[name][index] += step
        ends.append(function(**moved))
    return (ends[0] - ends[1]) / (2 * STEP)


@pytest.mark.parametrize("gate", ["add", "multiply", "maximum", "relu"])
def test_gates(gate):
    inputs = case(gate)
    if gate == "relu":
        inputs["x"][2] = 1.0  # at 0 there is no slope to measure
    function = getattr(backprop, gate)
    by_hand = function(**inputs)
    output = next(iter(by_hand))

    def loss(**moved):
        return np.sum(function(**moved)[output] * inputs["upstream"])

    for name in (n for n in inspect.signature(function).parameters if n != "upstream"):
        for index in np.ndindex(inputs[name].shape):
            assert slope(loss, inputs, name, index) == pytest.approx(by_hand[f"d{name}"][index])


@pytest.mark.parametrize(
    ("gate", "key"), [("sigmoid", "slope"), ("tanh", "slope"), ("fan_out", "dx")]
)
def test_slopes(gate, key):
    inputs, function = case(gate), getattr(backprop, gate)
    by_hand = function(**inputs)[key]
    for index in np.ndindex(inputs["x"].shape):
        measured = slope(lambda x, i=index: function(x)["y"][i], inputs, "x", index)
        assert measured == pytest.approx(by_hand[index])


def test_through_layers():
    inputs = case("through_layers")
    for name, gate in (("sigmoid", backprop.sigmoid), ("tanh", backprop.tanh)):
        by_hand = backprop.through_layers(**inputs)[name]

        def after(x, layers, gate=gate):
            for _ in range(layers):
                x = gate(x)["y"]
            return x

        for layers in (1, 2, 3, 4):
            measured = slope(lambda x, n=layers, f=after: f(x, n), inputs, "x", ())
            assert measured == pytest.approx(by_hand[layers - 1], rel=1e-5)


@pytest.mark.parametrize("name", ["x", "kernel", "bias"])
def test_jacobians(name):
    inputs = case("jacobians")
    by_hand = backprop.jacobians(**inputs)[f"by_{name}"]

    def outputs(x, kernel, bias):
        return np.tanh(x @ kernel + bias)

    for index in np.ndindex(inputs[name].shape):
        assert slope(outputs, inputs, name, index) == pytest.approx(by_hand[(..., *index)])


@pytest.mark.parametrize("name", ["hidden_kernel", "hidden_bias", "output_kernel", "output_bias"])
def test_two_layers(name):
    inputs = case("two_layers")
    by_hand = backprop.two_layers(**inputs)[f"d_{name}"]
    for index in np.ndindex(inputs[name].shape):
        measured = slope(lambda **moved: backprop.two_layers(**moved)["loss"], inputs, name, index)
        assert measured == pytest.approx(by_hand[index])
