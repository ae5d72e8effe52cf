"""Gradients where there is more than one answer, and the rules of asking for them.

Twin: pytorch_impl/differences/gradients.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import keras
import tensorflow as tf

from ._common import outcome, slope


def maximum_tie(x):
    """All to the first."""
    gradient = slope(lambda x: tf.maximum(x[0], x[1]), x)
    return {"given": gradient, "mapped": gradient}


def largest_tie(x):
    """Shared by all."""
    gradient = slope(lambda x: tf.reduce_max(x, axis=0), x)
    return {"given": gradient, "mapped": gradient}


def max_pool_tie(x):
    """The first one."""
    return {"given": slope(keras.layers.MaxPooling2D(2), x)}


def global_pool_tie(x):
    """Shared by all."""
    gradient = slope(keras.layers.GlobalMaxPooling2D(), x)
    return {"given": gradient, "mapped": gradient}


def hardtanh_corners(x):
    """1."""
    gradient = slope(keras.activations.hard_tanh, x)
    return {"given": gradient, "mapped": gradient}


def kinks(x):
    """relu, relu6, abs and elu, each at the kink."""
    functions = (tf.nn.relu, tf.nn.relu6, tf.abs, tf.nn.elu)
    return {"given": tf.stack([slope(f, x[i]) for i, f in enumerate(functions)])}


def clip_edges(x):
    """1: the ends belong to the range."""
    gradient = slope(lambda x: tf.clip_by_value(x, -1, 2), x)
    return {"given": gradient, "mapped": gradient}


def relu_at_nan(x):
    """0."""
    return {"given": slope(tf.nn.relu, x)}


def norm_at_zero(x):
    """0/0; `divide_no_nan` behind a root of its own."""

    @tf.custom_gradient
    def norm(x):
        y = tf.norm(x)
        return y, lambda upstream: upstream * tf.math.divide_no_nan(x, y)

    return {"given": slope(tf.norm, x), "mapped": slope(norm, x)}


def deviation_of_equals(x):
    """0/0."""
    return {"given": slope(tf.math.reduce_std, x)}


def power_zero(x):
    """0 · ∞."""
    return {"given": slope(lambda x: x**0, x)}


def normalised_at_zero(x):
    """1/√ε, of the same ε, 1e-12, under the root."""
    gradient = slope(lambda x: tf.math.l2_normalize(x, axis=0), x)
    return {"given": gradient, "mapped": gradient}


def branch_not_taken(x):
    """0: the root's own gradient makes it so."""
    zeros = tf.zeros_like(x)

    def twice(x):
        safe = tf.where(x > 0, x, tf.ones_like(x))
        return tf.where(x > 0, tf.sqrt(safe), zeros)

    return {
        "given": slope(lambda x: tf.where(x > 0, tf.sqrt(x), zeros), x),
        "mapped": slope(twice, x),
    }


def product_with_zero(x):
    """The product of the others."""
    return {"given": slope(tf.reduce_prod, x)}


def rounded(x):
    """None."""
    return {"given": "None" if slope(tf.round, x) is None else "0"}


def not_connected(x):
    """None."""
    return {"given": str(slope(lambda x: tf.ones(1), x))}


def asked_twice(x):
    """Anew every time."""
    gradients = [slope(lambda x: x * x, x) for _ in range(2)]
    return {"given": gradients[-1], "mapped": gradients[-1]}


def graph_used_twice(x):
    """Gone after the first."""
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = x * x
    tape.gradient(y, x)
    return {"given": outcome(lambda: tape.gradient(y, x))}


def not_watched(x):
    """None, without a word."""

    def gradient():
        with tf.GradientTape() as tape:
            y = x * x
        return tape.gradient(y, x)

    return {"given": outcome(gradient)}


def gradient_of_integer():
    """None, with a warning."""
    return {"given": outcome(lambda: slope(lambda x: x * x, tf.constant([1, 2])))}
