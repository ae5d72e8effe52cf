"""Arithmetic, types, order, memory.

Twin: pytorch_impl/differences/arithmetic.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ._common import outcome


def _dtype(tensor):
    return keras.backend.standardize_dtype(tensor.dtype)


def standard_deviation(x):
    """Divided by n."""
    return {"given": tf.math.reduce_std(x), "mapped": tf.math.reduce_std(x)}


def variance(x):
    """Divided by n."""
    return {"given": tf.math.reduce_variance(x), "mapped": tf.math.reduce_variance(x)}


def median(x):
    """The mean of the two in the middle."""
    return {"given": ops.median(x), "mapped": ops.median(x)}


def integer_plus_floating():
    """Refused by TensorFlow; `keras.ops` takes the floating type."""
    a, b = tf.constant([1]), tf.constant([0.5])
    return {"given": outcome(lambda: a + b), "mapped": _dtype(ops.add(a, b))}


def int64_plus_int32():
    """Refused by TensorFlow; `keras.ops` takes the larger type."""
    a, b = tf.constant([1], tf.int64), tf.constant([1], tf.int32)
    return {"given": outcome(lambda: a + b), "mapped": _dtype(ops.add(a, b))}


def scalar_plus_vector():
    """The larger type, in `keras.ops`; TensorFlow refuses."""
    a, b = tf.constant(0.5, tf.float64), tf.ones(2)
    given = _dtype(ops.add(a, b))
    return {"given": given, "mapped": _dtype(tf.cast(a, tf.float32) + b)}


def true_plus_true():
    """Refused."""
    a = tf.constant([True])
    return {"given": outcome(lambda: a + a), "mapped": tf.cast(a, tf.int32) + tf.cast(a, tf.int32)}


def mean_of_integers():
    """A whole number."""
    a = tf.constant([1, 2])
    given = f"{tf.reduce_mean(a).numpy()}"
    return {"given": given, "mapped": tf.reduce_mean(tf.cast(a, keras.config.floatx()))}


def sum_of_int32():
    """In int32, and over its end."""
    a = tf.constant([2**31 - 1, 1], tf.int32)
    return {"given": tf.reduce_sum(a), "mapped": tf.reduce_sum(tf.cast(a, tf.int64))}


def integer_quotient():
    """float64."""
    given = _dtype(tf.constant([1]) / tf.constant([2]))
    return {"given": given, "mapped": _dtype(tf.cast([1], tf.float32) / 2)}


def division_of_negatives():
    """Downwards, and the remainder has the divisor's sign."""
    a = tf.constant(-7)
    return {"given": (int(a // 2), int(a % 3))}


def half_to_even(x):
    """To the even neighbour."""
    return {"given": tf.round(x)}


def negative_to_integer(x):
    """Towards zero."""
    return {"given": tf.cast(x, tf.int32)}


def top_of_equals(x):
    """The first ones."""
    found = tf.cast(tf.math.top_k(x, 2).indices, tf.int64)
    return {"given": found, "mapped": found}


def first_of_equals(x):
    """The first."""
    return {"given": tf.argmax(x)}


def split_in_two(x):
    """Two pieces."""
    parts = tuple(len(part) for part in tf.split(x, 2))
    return {"given": parts, "mapped": parts}


def repeat_twice(x):
    """Each element behind itself."""
    return {"given": tf.repeat(x, 2), "mapped": tf.repeat(x, 2)}


def unique_order(x):
    """As they come."""
    found, _ = tf.unique(x)
    return {"given": found, "mapped": tf.sort(found)}


def one_hot_dtype(words):
    """Floating, float32 whatever Keras' default."""
    hot = tf.one_hot(words, 3, dtype=keras.config.floatx())
    return {"given": _dtype(tf.one_hot(words, 3)), "mapped": hot}


def seed_0():
    """A stream of its own."""
    tf.random.set_seed(0)
    return {"given": f"{float(tf.random.normal([1])[0]):.3f}"}


def assignment(x):
    """Refused: a tensor is a value."""

    def assign():
        x[0] = 7

    mapped = tf.tensor_scatter_nd_update(x, [[0]], tf.constant([7], x.dtype))
    return {"given": outcome(assign), "mapped": mapped}


def numpy_memory():
    """Copied."""
    array = np.zeros(2)
    tensor = tf.convert_to_tensor(array)
    array[0] = 7
    return {"given": bool(tensor[0] == 7), "mapped": bool(tensor[0] == 7)}


def side_effect(x):
    """Once; what a variable counts is part of the graph."""
    runs, counted = [], tf.Variable(0)

    @tf.function
    def step(x):
        runs.append("traced")
        counted.assign_add(1)
        return x * x

    for _ in range(2):
        step(x)
    return {"given": len(runs), "mapped": int(counted)}


def misfit():
    """Shapes that do not fit."""
    return {"given": outcome(lambda: tf.ones((2, 3)) @ tf.ones((2, 3)))}


def nan_in_a_window(x):
    """Passed over, where it does not come first, on the CPU."""
    return {"given": tf.nn.max_pool2d(x, (1, 2), (1, 2), "VALID")}
