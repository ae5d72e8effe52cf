"""Activations and their slopes: the functions between the layers, on a grid and at the extremes.

Twin: pytorch_impl/activations.py
Look at: `stacked_linear` (why they are there at all), `defaults` (the same name with other
constants), `leaky_relu` (a slope passed as a Python number), `relu` (what becomes of the slope at
NaN) and `gelu_by_hand` (why there is one).
"""

import numpy as np
import tensorflow as tf
from keras import activations, layers, ops

from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if ops.is_tensor(value):
            print(head + np.array2string(ops.convert_to_numpy(value), precision=4, prefix=head))
        else:
            print(head + str(value))


def stacked_linear(x, first_kernel, first_bias, second_kernel, second_bias):
    """Linear layers on top of each other are one linear layer: x·W₁W₂ + (b₁W₂ + b₂).

    Only what bends between them makes the second layer worth having.
    """
    stacked = (x @ first_kernel + first_bias) @ second_kernel + second_bias
    kernel = first_kernel @ second_kernel  # kernels are (in, out)
    bias = ops.matmul(first_bias, second_kernel) + second_bias
    one = x @ kernel + bias
    bent = ops.relu(x @ first_kernel + first_bias) @ second_kernel + second_bias
    return {
        "stacked": stacked,
        "one_layer": one,
        "are_the_same": np.allclose(stacked, one, atol=1e-5),
        "with_relu_between": bent,
        "with_relu_are_the_same": np.allclose(bent, one, atol=1e-5),
    }


def everywhere(activation, x, extremes):
    """y and dy/dx on the grid and at the extremes; the tape sums over y by itself."""
    found = {}
    for suffix, points in (("", x), ("_extreme", extremes)):
        with tf.GradientTape() as tape:
            tape.watch(points)
            y = activation(points)
        found[f"y{suffix}"] = y
        found[f"dy_dx{suffix}"] = tape.gradient(y, points)
    return found


def step(x, extremes):
    """1 from 0 upwards, 0 below and for NaN: a comparison, which has no gradient at all."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = tf.cast(x >= 0, x.dtype)
    return {
        "y": y,
        "y_extreme": tf.cast(extremes >= 0, extremes.dtype),
        "has_gradient": tape.gradient(y, x) is not None,
    }


def sigmoid(x, extremes):
    """1/(1 + e⁻ˣ): flat at both ends, where learning stops."""
    return everywhere(activations.sigmoid, x, extremes)


def tanh(x, extremes):
    """A sigmoid from −1 to 1."""
    return everywhere(activations.tanh, x, extremes)


def relu(x, extremes):
    """max(x, 0); the slope at 0 is 0, and NaN loses its slope here but not there."""
    return everywhere(activations.relu, x, extremes)


def relu_example(x):
    """[2, −4] → [2, 0], as a function and as a layer."""
    return {"function": activations.relu(x), "layer": layers.ReLU()(x)}


def leaky_relu(x, extremes):
    """A slope of 1/8 below 0, which every precision holds exactly; see `leaky_relu_tenth`."""
    return everywhere(lambda x: activations.leaky_relu(x, 0.125), x, extremes)


def elu(x, extremes):
    """eˣ − 1 below 0."""
    return everywhere(activations.elu, x, extremes)


def gelu(x, extremes):
    """x·Φ(x), Φ the normal distribution: the default on both sides."""
    return everywhere(activations.gelu, x, extremes)


def gelu_by_hand(x):
    """The same formula written out, so that its constant has the precision of the run."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * tf.math.erfc(-x / 2**0.5) / 2
    return {"y": y, "dy_dx": tape.gradient(y, x)}


def gelu_tanh(x, extremes):
    """The approximation of GELU by tanh; on request only."""
    return everywhere(lambda x: activations.gelu(x, approximate=True), x, extremes)


def silu(x, extremes):
    """x·σ(x), also called swish; −∞·0 is NaN."""
    return everywhere(activations.silu, x, extremes)


def softplus(x, extremes):
    """log(1 + eˣ), a soft ReLU."""
    return everywhere(activations.softplus, x, extremes)


def softmax(x, weights, extremes):
    """Probabilities along the last axis, which is the default here."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = activations.softmax(x)
        weighted = tf.reduce_sum(weights * y)
    return {
        "y": y,
        "sum": ops.sum(y, axis=-1),
        "gradient": tape.gradient(weighted, x),
        "log": activations.log_softmax(x),
        "y_extreme": activations.softmax(extremes),
        "log_extreme": activations.log_softmax(extremes),
    }


def defaults(x, large):
    """What you get when you pass nothing; `large` lies around 20, where PyTorch turns linear."""
    return {
        "leaky_relu_function": activations.leaky_relu(x),
        "leaky_relu_layer": layers.LeakyReLU()(x),
        # TensorFlow stores the slope as a float32 attribute, in a float64 program too.
        "leaky_relu_tenth": activations.leaky_relu(x, 0.1),
        "prelu": layers.PReLU()(x),
        "elu": layers.ELU()(x),
        "hard_sigmoid": activations.hard_sigmoid(x),
        "softplus": activations.softplus(large),
    }


CURVES = {
    "step": step,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "ReLU": relu,
    "leaky ReLU": leaky_relu,
    "ELU": elu,
    "GELU": gelu,
    "GELU by tanh": gelu_tanh,
    "SiLU": silu,
    "softplus": softplus,
}


def draw_curves(figure):
    """The ten, each with its slope; the step has none."""
    figure.set_size_inches(12, 5)
    for axes, (name, activation) in zip(figure.subplots(2, 5).flat, CURVES.items(), strict=True):
        grid = np.linspace(-5, 5, 201, dtype="float32")
        found = activation(tf.constant(grid), tf.constant([0.0]))
        axes.plot(grid, found["y"], label="y")
        if "dy_dx" in found:
            axes.plot(grid, found["dy_dx"], label="dy/dx")
        axes.set(title=name, ylim=(-1.2, 3))
        axes.grid(alpha=0.3)
    figure.axes[1].legend()


def main():
    """Why there are activations, then every one at five points and at the extremes."""
    plots = Plots(__file__)
    layers_of_numbers = (
        [[1.0, 2.0], [-3.0, 0.5]],
        [[1.0, 0.5, -1.0], [-1.0, 2.0, 0.0]],
        [0.1, 0.2, 0.3],
        [[1.0], [-2.0], [0.5]],
        [1.0],
    )
    show("Two linear layers, and one", stacked_linear(*map(tf.constant, layers_of_numbers)))

    x, extremes = [-2.0, -0.5, 0.0, 0.5, 2.0], [float("-inf"), -88.0, 88.0, float("inf")]
    for name, activation in CURVES.items():
        show(f"{name} at {x} and {extremes}", activation(tf.constant(x), tf.constant(extremes)))
    show("ReLU of 2 and −4", relu_example(tf.constant([2.0, -4.0])))
    show("GELU by hand", gelu_by_hand(tf.constant(x)))
    scores = [[1.0, 2.0, 3.0], [-1.0, 0.0, 5.0]]
    weights, large = [[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], [[1000.0, 1001.0, 1002.0]]
    show("softmax", softmax(*map(tf.constant, (scores, weights, large))))
    show(
        "Constants you do not pass",
        defaults(tf.constant([-2.0, -1.0, 0.5]), tf.constant([19.0, 21.0])),
    )

    plots.draw("curves", draw_curves)


if __name__ == "__main__":
    main()
