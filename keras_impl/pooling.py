"""Pooling over windows of images `(batch, h, w, channel)`, and the ReLU that stands before it.

Twin: pytorch_impl/pooling.py
Look at: `in_place` (no layer writes over its input, as no tensor changes); `same_windows_of_3`,
where "same" says it all and the twin needs two spellings; `padding_that_counts`; and `ties`, where
a global maximum sends its gradient.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from shared.data import load
from shared.plots import Plots


def show(title, results):
    """Print what an experiment found; tensors as rounded numbers, without axes one long."""
    print(f"\n{title}")
    for name, value in results.items():
        head = f"  {name}: "
        if ops.is_tensor(value):
            array = np.squeeze(ops.convert_to_numpy(value))
            print(head + np.array2string(array, precision=4, prefix=head))
        else:
            print(head + str(value))


def image(rows):
    """Rows of numbers as one image of one channel."""
    return tf.constant(rows, dtype=tf.float32)[None, :, :, None]


def in_place(x):
    """There is no such layer: a tensor never changes, and every layer makes a new one.

    A skip connection adds what it was given, and a gradient finds what it kept.
    """
    relu = keras.layers.ReLU()
    y = relu(x)
    backward = None
    with tf.GradientTape() as tape:
        tape.watch(x)
        squashed = tf.sigmoid(x)
        loss = tf.reduce_sum(relu(squashed))
    try:
        tape.gradient(loss, x)
    except RuntimeError as error:
        backward = type(error).__name__
    return {
        "y": y,
        "input_afterwards": x,
        "same_memory": bool(np.shares_memory(np.asarray(y), np.asarray(x))),
        "skip": x + relu(x),
        "skip_in_place": relu(x) + x,
        "backward": backward,
    }


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
        maximum = tf.nn.max_pool2d(x, (2, 3), (1, 2), "VALID")
        average = tf.nn.avg_pool2d(x, (2, 3), (1, 2), "VALID")
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
    """Equal maxima: pooling sends the gradient to the first, `reduce_max` shares it among all."""
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        pooled = tf.nn.max_pool2d(x, 2, 2, "VALID")
        global_layer = keras.layers.GlobalMaxPooling2D()(x)
        shared = tf.reduce_max(x, axis=(1, 2))
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


def draw_pooling(figure, picture):
    """An image, and what is left of it behind windows of 4."""
    x = image(picture)
    panes = {
        "image": picture,
        "maximum of 4×4": ops.max_pool(x, 4)[0, :, :, 0],
        "mean of 4×4": ops.average_pool(x, 4)[0, :, :, 0],
    }
    figure.set_size_inches(9, 3)
    for axes, (title, values) in zip(figure.subplots(1, 3), panes.items(), strict=True):
        axes.imshow(values, cmap="gray")
        axes.set(title=title, xticks=[], yticks=[])


def main():
    """Small images, in the order of this file; then a real one."""
    plots = Plots(__file__)
    rising = np.arange(1, 26).reshape(5, 5)
    show("In place", in_place(tf.constant([-1.0, 2.0, -3.0, 4.0])))
    show("5×5 by 2×2", drops_the_rest(image(rising)))
    show("Valid and same", valid_and_same(image(rising)))
    odd, even = np.arange(15).reshape(3, 5), np.arange(24).reshape(4, 6)
    show("Windows of 3, stride 2", same_windows_of_3(image(odd), image(even)))
    show("Padding that counts", padding_that_counts(image(np.ones((3, 4)))))
    show("Padding below zero", padding_below_zero(image(-1 - even)))
    show("Overlapping", overlapping(image(odd), image([[1, 2], [3, 4]])))
    show("One number an image", global_pooling(image(odd), tf.constant([[1.0]])))
    show("Equal maxima", ties(image([[5, 5, 1, 2], [5, 5, 2, 2]])))
    show("Where the maximum stood", positions(image([[1, 7, 3, 2], [5, 0, 4, 9]])))
    show("NaN in a window", nan_in_a_window(image([[1, 2, np.nan, 4], [3, 0, 5, 6]])))

    picture = load("fashion_mnist").train_images[0]
    plots.draw("windows", lambda figure: draw_pooling(figure, picture))


if __name__ == "__main__":
    main()
