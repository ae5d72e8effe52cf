"""Tensors: made, multiplied, rounded and promoted, with NumPy one step away.

Twin: pytorch_impl/tensors.py
Look at: `default_dtypes` and `promotion` (who converts silently, and to what), `numpy_bridge`
(which conversions share memory), `statistics` and `same_words` (one name, two meanings).
"""

import keras
import numpy as np
import tensorflow as tf


def _dtype(tensor):
    """The name of its dtype."""
    return tensor.dtype.name


def _outcome(operation):
    """The dtype that comes out, or what is raised instead."""
    try:
        return _dtype(operation())
    except tf.errors.InvalidArgumentError:
        return "InvalidArgumentError"


def creation(x):
    """From nested lists, filled, and in steps; `dtype=` makes a tensor follow another one."""
    return {
        "nested": tf.constant([[2, 3, 5], [1, 2, 9]]),
        "zeros": tf.zeros((2, 3), dtype=x.dtype),
        "ones": tf.ones((3, 2), dtype=x.dtype),
        "identity": tf.eye(3, dtype=x.dtype),
        "filled": tf.fill((2, 4), tf.cast(7.5, x.dtype)),
        "zeros_like": tf.zeros_like(x),
        "steps": tf.range(1, 3, 0.5, dtype=x.dtype),
        "between": keras.ops.linspace(0, 1, 5, dtype=x.dtype),  # `tf.linspace` takes no dtype
        "shape": tuple(x.shape),
        "axes": x.ndim,
        "elements": int(tf.size(x)),
    }


def products(a, b, c):
    """Two matrices multiplied row by column and element by element, and put into other shapes."""
    return {
        "matrix": a @ b,
        "elementwise": a * c,
        "broadcast": a * c[0],
        "column_sums": tf.reduce_sum(a, axis=0),
        "transposed": tf.transpose(a),
        "reshaped": tf.reshape(a, (3, 2)),
        "stacked": tf.concat([a, c], axis=0),
        "second_column": a[:, 1],
        "misfit": _outcome(lambda: a @ c),
    }


def random_uniform(like):
    """Shape, range and repetition can be had on both sides, equal numbers only from NumPy."""
    # An integer seed always starts anew; without one, keras.utils.set_random_seed rules.
    normal = keras.random.normal((), seed=0, dtype="float32")
    first = keras.random.uniform((300, 200), seed=1, dtype=like.dtype)
    again = keras.random.uniform((300, 200), seed=1, dtype=like.dtype)
    scaled = keras.random.uniform((300, 200), -2, 3, seed=2, dtype=like.dtype)
    array = np.random.default_rng(7).random((2, 3))
    return {
        "shape": tuple(first.shape),
        "in_range": bool(tf.reduce_all((first >= 0) & (first < 1))),
        "scaled_in_range": bool(tf.reduce_all((scaled >= -2) & (scaled < 3))),
        "mean_near_middle": bool(tf.abs(tf.reduce_mean(scaled) - 0.5) < 0.05),
        "same_seed_same_numbers": bool(tf.reduce_all(first == again)),
        "normal_at_seed_0": tf.cast(normal, like.dtype),
        "drawn_in_numpy": tf.constant(array, dtype=like.dtype),
    }


def numpy_bridge(x):
    """Arrays become tensors and come back; a shared memory shows what is written on either side."""
    array = np.array([1.0, 2.0, 3.0])
    copied, wrapped = tf.constant(array), tf.convert_to_tensor(array)  # nothing wraps
    array[0] = 9
    written = wrapped.numpy()
    written[1] = 7
    viewed = np.asarray(wrapped)
    return {
        "there_and_back": tf.constant(x.numpy()),
        "array_dtype_is_kept": _dtype(wrapped),
        "construction_shares": bool(copied[0] == 9),
        "conversion_shares": bool(wrapped[0] == 9),
        "numpy_shares": bool(wrapped[1] == 7),
        "asarray_shares": np.shares_memory(viewed, np.asarray(wrapped)),
        "asarray_is_writeable": viewed.flags.writeable,
    }


def default_dtypes():
    """What Python's numbers become, while the default is float32 and while it is float64."""
    chosen, found = keras.config.floatx(), {}
    for default in ("float32", "float64"):
        keras.config.set_floatx(default)  # Keras' default; plain TensorFlow has none to set
        at = default
        integers = tf.constant([1, 2])
        found[f"integers_at_{at}"] = _dtype(integers)
        found[f"floats_at_{at}"] = _dtype(tf.constant([1.5]))
        found[f"zeros_at_{at}"] = _dtype(keras.ops.zeros(2))
        found[f"quotient_at_{at}"] = _dtype(integers / integers)
        found[f"int_plus_python_float_at_{at}"] = _dtype(keras.ops.add(integers, 1.5))
    keras.config.set_floatx(chosen)
    return found


def promotion(wide, narrow):
    """Mixed operands: TensorFlow's operators refuse them, Keras' functions promote them."""
    integers, singles = tf.constant([1, 2]), tf.constant([0.5, 0.5], dtype=tf.float32)
    byte, signed = tf.constant([250], dtype=tf.uint8), tf.constant([1], dtype=tf.int8)
    true, double = tf.constant([True]), tf.constant(0.25, dtype=tf.float64)
    return {
        "int64_plus_int32": _outcome(lambda: wide + tf.cast(narrow, tf.int32)),
        "int_plus_float32": _outcome(lambda: integers + singles),
        "add_int_and_float32": _outcome(lambda: keras.ops.add(integers, singles)),
        "float32_plus_python_float": _outcome(lambda: singles + 1.5),
        "float64_scalar_and_float32": _outcome(lambda: keras.ops.add(double, singles)),
        "float64_vector_and_float32": _outcome(lambda: keras.ops.add(double[None], singles)),
        "add_uint8_and_int8": _outcome(lambda: keras.ops.add(byte, signed)),
        "true_plus_true": _outcome(lambda: true + true),
        "uint8_overflow": byte + 10,
    }


def integer_arithmetic(a, b):
    """Quotients of whole numbers of either sign: `//` and `%` round down, not towards zero."""
    return {
        "floor": a // b,
        "floor_mod": a % b,
        "truncated": tf.truncatediv(a, b),
        "truncated_mod": tf.truncatemod(a, b),
        "by_zero": _outcome(lambda: a // 0),
    }


def rounding(x):
    """Halves go to the even neighbour; a cast to whole numbers cuts."""
    return {
        "nearest": tf.round(x),
        "two_decimals": keras.ops.round(x, 2),
        "floor": tf.floor(x),
        "ceil": tf.math.ceil(x),
        "trunc": keras.ops.trunc(x),
        "cast": tf.cast(x, tf.int64),
        "floor_division": x // 2,
        "mod": x % 2,
    }


def statistics(x, counts):
    """Standard deviation with n or n − 1, the median of an even count, and of integers."""
    n = len(x)
    large = tf.constant([2**31 - 1, 1], dtype=tf.int32)
    return {
        "mean": tf.reduce_mean(x),
        "std": tf.math.reduce_std(x),
        "std_n": tf.math.reduce_std(x),
        "std_n_minus_1": tf.math.reduce_std(x) * (n / (n - 1)) ** 0.5,  # there is no argument
        "median": keras.ops.median(x),  # half-way between the two in the middle
        "median_between": keras.ops.quantile(x, 0.5),
        "mean_of_integers": _outcome(lambda: tf.reduce_mean(counts)),
        "mean_cut": tf.reduce_mean(counts),
        "mean_of_floats": tf.reduce_mean(tf.cast(counts, x.dtype)),
        "sum_of_int32": tf.reduce_sum(large),
    }


def ties(x):
    """Equal elements: which one is the largest, and in what order do they stand?"""
    return {
        "argmax": tf.argmax(x),
        "argmin": tf.argmin(x),
        "top_values": tf.math.top_k(x, 2).values,
        "top_indices": tf.math.top_k(x, 2).indices,  # of equal elements the first ones, in order
        "stable_order": tf.argsort(x, direction="DESCENDING", stable=True),
    }


def same_words(x, labels):
    """`split`, `repeat`, `one_hot`, `x[0] = …`: the same words for something else."""
    copy = tf.tensor_scatter_nd_update(x, [[0]], tf.constant([9], x.dtype))
    return {
        "split": tuple(tuple(piece.shape) for piece in tf.split(x, 2)),  # so many pieces
        "last_half": tf.split(x, 2)[-1],
        "repeat": tf.repeat(x, 2),
        "tiled": tf.tile(x, [2]),
        "each_twice": tf.repeat(x, 2),
        "one_hot_dtype": _dtype(tf.one_hot(labels, 4)),
        "one_hot": tf.one_hot(labels, 4, dtype=x.dtype),
        "assigned": copy,
        "elements_can_be_assigned": hasattr(x, "__setitem__"),
    }
