"""Convolutions on images `(batch, h, w, channel)` with kernels `(h, w, in, out)`.

Twin: pytorch_impl/convolution.py
Look at: the layout, channel last here and first there; `same_stride_2`, where "same" padding is
not padding 1; and `depthwise`, which here has a kernel shape and an operation of its own.
"""

import keras
import tensorflow as tf
from keras import ops


def one_window(x, kernel, bias):
    """Four products and a bias, as a layer and as a function; the kernel is not flipped."""
    layer = keras.layers.Conv2D(1, kernel_size=2)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return {"layer": layer(x), "functional": ops.conv(x, kernel) + bias}


def mean_filters(small, large, two):
    """Equal weights make each output the mean of its window; a batch goes image by image."""
    mean_2x2 = tf.fill((2, 2, 1, 1), tf.constant(1 / 4, small.dtype))
    mean_3x3 = tf.fill((3, 3, 1, 1), tf.constant(1 / 9, small.dtype))
    return {
        "small_2x2": ops.conv(small, mean_2x2),
        "large_2x2": ops.conv(large, mean_2x2),
        "large_3x3": ops.conv(large, mean_3x3),
        "two_3x3": ops.conv(two, mean_3x3),
    }


def sixteen_filters(x, kernel, bias):
    """1 → 16 channels, 3×3: each filter makes a channel of its own."""
    layer = keras.layers.Conv2D(16, kernel_size=3)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    y = layer(x)
    batch, height, width, channels = y.shape
    return {
        "layer": y,
        "functional": ops.conv(x, kernel) + bias,
        "batch_channels_height_width": (batch, channels, height, width),
    }


def one_filter(x, kernel, bias):
    """3 → 1 channel, 5×5: a filter sums over all input channels, and 32 − 5 + 1 = 28."""
    layer = keras.layers.Conv2D(1, kernel_size=5)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    y = layer(x)
    batch, height, width, channels = y.shape
    return {
        "layer": y,
        "functional": ops.conv(x, kernel) + bias,
        "batch_channels_height_width": (batch, channels, height, width),
    }


def output_size(size, kernel, stride, padding, dilation):
    """⌊(size + 2·padding − dilation·(kernel − 1) − 1) / stride⌋ + 1, along one axis."""
    return (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1


def output_sizes(x, kernel):
    """Stride (2, 1), padding 1 and dilation (1, 2), alone and together; kernel 3 high, 2 wide."""
    # Keras pads "valid" or "same"; any other padding is a step, or a layer, before it.
    padded = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    results = {
        "plain": ops.conv(x, kernel),
        "strided": ops.conv(x, kernel, strides=(2, 1)),
        "padded": ops.conv(padded, kernel),
        "dilated": ops.conv(x, kernel, dilation_rate=(1, 2)),
        "all_three": tf.nn.conv2d(
            padded, kernel, strides=(2, 1), padding="VALID", dilations=(1, 2)
        ),
    }
    strides_padding_dilations = [
        ((1, 1), 0, (1, 1)),
        ((2, 1), 0, (1, 1)),
        ((1, 1), 1, (1, 1)),
        ((1, 1), 0, (1, 2)),
        ((2, 1), 1, (1, 2)),
    ]
    (height, width), (tall, wide) = x.shape[1:3], kernel.shape[:2]
    by_formula = tuple(
        (output_size(height, tall, s[0], p, d[0]), output_size(width, wide, s[1], p, d[1]))
        for s, p, d in strides_padding_dilations
    )
    measured = tuple(tuple(y.shape[1:3]) for y in results.values())
    return results | {"by_formula": by_formula, "measured": measured}


def stride_and_dilation(x, kernel):
    """Both above 1 at once: refused by the layer; `tf.nn.conv2d`, below it, takes both."""
    refused = None
    try:
        keras.layers.Conv2D(5, kernel_size=(3, 2), strides=2, dilation_rate=3)
    except ValueError as error:
        refused = type(error).__name__
    functional = tf.nn.conv2d(x, kernel, strides=2, padding="VALID", dilations=3)
    return {"layer": refused, "functional": functional}


def same_stride_1(x, odd_kernel, even_kernel):
    """Padding "same" keeps the size; an even kernel needs one row more, which goes to the end."""
    return {
        "odd_kernel_same": ops.conv(x, odd_kernel, padding="same"),
        "even_kernel_same": ops.conv(x, even_kernel, padding="same"),
    }


def same_stride_2(odd, even, kernel):
    """With a stride, "same" pads as little as it can: one on each side, or one at the end."""
    refused = None
    try:
        keras.layers.Conv2D(1, kernel_size=3, strides=2, padding="same")
    except ValueError as error:
        refused = type(error).__name__
    return {
        "odd_size": ops.conv(odd, kernel, strides=2, padding="same"),
        "even_size": ops.conv(even, kernel, strides=2, padding="same"),
        "even_size_matched": ops.conv(even, kernel, strides=2, padding="same"),
        "same_with_a_stride": refused,
    }


def gradients(x, kernel, bias, upstream):
    """Backwards with respect to the input, the kernel and the bias."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel, bias])
        y = ops.conv(x, kernel) + bias
    dx, dkernel, dbias = tape.gradient(y, [x, kernel, bias], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}


def depthwise(x, kernel, upstream):
    """Two filters for each of three channels: the kernel is `(h, w, in, multiplier)`."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = ops.depthwise_conv(x, kernel)
    dx, dkernel = tape.gradient(y, [x, kernel], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel}


def grouped(x, kernel, upstream):
    """Two groups, told by the kernel's shape: it has half as many input channels as the image."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = ops.conv(x, kernel)
    dx, dkernel = tape.gradient(y, [x, kernel], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel}


def transposed(x, kernel, upstream):
    """Each pixel stamps the kernel onto a larger image; the kernel here is `(h, w, out, in)`."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = ops.conv_transpose(x, kernel, strides=2)
    dx, dkernel = tape.gradient(y, [x, kernel], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel}


def transposed_same(x, kernel_4, kernel_3):
    """Twice the size: "same" crops both sides for a kernel of 4, the end for one of 3."""
    return {
        "kernel_4_same": ops.conv_transpose(x, kernel_4, strides=2, padding="same"),
        "kernel_3_same": ops.conv_transpose(x, kernel_3, strides=2, padding="same"),
    }
