"""Pooling over windows of images `(batch, h, w, channel)`.

Twin: pytorch_impl/pooling.py
Look at: `same_windows_of_3`, where "same" says it all and the twin needs two spellings;
`padding_that_counts`; and `ties`, where a global maximum sends its gradient.
"""

import keras
import tensorflow as tf
from keras import ops


def drops_the_rest(x):
    """2×2 on 5×5 gives 2×2: the last row and column fill no window. The stride is the size."""
    return {
        "max_layer": keras.layers.MaxPooling2D(2)(x),
        "max_functional": ops.max_pool(x, 2),
        "average_layer": keras.layers.AveragePooling2D(2)(x),
        "average_functional": ops.average_pool(x, 2),
    }


def valid_and_same(x):
    """Keep the rest: "same" lets the last windows hang over the edge."""
    max_valid, max_same = ops.max_pool(x, 2), ops.max_pool(x, 2, padding="same")
    return {
        "max_valid": max_valid,
        "max_same": max_same,
        "average_valid": ops.average_pool(x, 2),
        "average_same": ops.average_pool(x, 2, padding="same"),
        "valid_size": tuple(max_valid.shape[1:3]),
        "same_size": tuple(max_same.shape[1:3]),
    }


def same_windows_of_3(odd, even):
    """Windows of 3, stride 2: "same" pads both ends of odd sizes, and the end of even ones."""
    return {
        "odd_max": ops.max_pool(odd, 3, strides=2, padding="same"),
        "odd_average": ops.average_pool(odd, 3, strides=2, padding="same"),
        "even_max": ops.max_pool(even, 3, strides=2, padding="same"),
        "even_average": ops.average_pool(even, 3, strides=2, padding="same"),
        "even_max_padding_1": ops.max_pool(even, 3, strides=2, padding="same"),
    }


def padding_that_counts(x):
    """The mean of ones is one: "same" divides by what is inside; zeros put before it count."""
    zeros = keras.layers.ZeroPadding2D(1)(x)
    return {
        "default": ops.average_pool(x, 3, strides=1, padding="same"),
        "not_counted": ops.average_pool(x, 3, strides=1, padding="same"),
        "counted": ops.average_pool(zeros, 3, strides=1),
    }


def padding_below_zero(x):
    """−∞ put before pooling never wins; zeros put before it do, over negatives."""
    edge = ((0, 0), (1, 1), (1, 1), (0, 0))
    return {
        "minus_infinity": ops.max_pool(ops.pad(x, edge, constant_values=-float("inf")), 3, 2),
        "zeros": ops.max_pool(ops.pad(x, edge), 3, strides=2),
    }


def overlapping(x, upstream):
    """Windows 2 high and 3 wide, stride (1, 2): where they overlap, gradients add up."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        maximum = ops.max_pool(x, (2, 3), strides=(1, 2))
        average = ops.average_pool(x, (2, 3), strides=(1, 2))
    dx_max = tape.gradient(maximum, x, output_gradients=upstream)
    dx_average = tape.gradient(average, x, output_gradients=upstream)
    return {"max": maximum, "average": average, "dx_max": dx_max, "dx_average": dx_average}


def global_pooling(x, upstream):
    """One number an image and channel: layers of their own."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        average = keras.layers.GlobalAveragePooling2D()(x)
        maximum = keras.layers.GlobalMaxPooling2D()(x)
    dx_average = tape.gradient(average, x, output_gradients=upstream)
    dx_max = tape.gradient(maximum, x, output_gradients=upstream)
    return {"average": average, "max": maximum, "dx_average": dx_average, "dx_max": dx_max}


def ties(x):
    """Equal maxima: pooling sends the gradient to the first, `ops.max` shares it among all."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        pooled = ops.max_pool(x, 2)
        global_layer = keras.layers.GlobalMaxPooling2D()(x)
        shared = ops.max(x, axis=(1, 2))
    return {
        "pool": tape.gradient(pooled, x),
        "global_layer": tape.gradient(global_layer, x),
        "shared": tape.gradient(shared, x),
    }


def positions(x):
    """Where each maximum stood: TensorFlow counts (row · width + column) · channels + channel."""
    maximum, position = tf.nn.max_pool_with_argmax(x, 2, 2, padding="VALID")
    return {"max": maximum, "position": position // x.shape[-1]}


def nan_in_a_window(x):
    """NaN is contagious in the mean; the maximum passes over it."""
    return {"max": ops.max_pool(x, 2), "average": ops.average_pool(x, 2)}
