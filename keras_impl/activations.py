"""Activations and their slopes: the functions between the layers, on a grid and at the extremes.

Twin: pytorch_impl/activations.py
Look at: `defaults` (the same name with other constants), `leaky_relu` (a slope passed as a Python
number), `relu` (what becomes of the slope at NaN) and `gelu_by_hand` (why there is one).
"""

import tensorflow as tf
from keras import activations, layers


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
        "sum": tf.reduce_sum(y, axis=-1),
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
