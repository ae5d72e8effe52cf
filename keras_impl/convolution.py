"""Convolutions on images `(batch, h, w, channel)` with kernels `(h, w, in, out)`.

Twin: pytorch_impl/convolution.py
Look at: the layout, channel last here and first there; `weights_by_hand` (every way checks the
shape); `same_stride_2`, where "same" padding is not padding 1; and `depthwise`, which here has a
kernel shape and an operation of its own.
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


def rising(*shape):
    """0, 1, 2 … as images `(batch, h, w, channel)` or kernels `(h, w, in, out)`."""
    return ops.reshape(ops.arange(float(np.prod(shape))), shape)


def shapes(results):
    """Only the shapes of tensors, where the numbers are many."""
    return {k: tuple(v.shape) if ops.is_tensor(v) else v for k, v in results.items()}


def one_window(x, kernel, bias):
    """Four products and a bias, as a layer and as a function; the kernel is not flipped."""
    layer = keras.layers.Conv2D(1, kernel_size=2)
    layer.build(x.shape)
    layer.set_weights([kernel, bias])
    return {"layer": layer(x), "functional": ops.conv(x, kernel) + bias}


def weights_by_hand(x, kernel, bias):
    """Three ways to give a layer its weights, which it has once it is built; all look at shapes."""
    by_data, by_copy, all_at_once = (keras.layers.Conv2D(1, kernel_size=2) for _ in range(3))
    for layer in (by_data, by_copy, all_at_once):
        layer.build(x.shape)
    by_data.kernel.assign(kernel)
    by_data.bias.assign(bias)
    for variable, value in zip(by_copy.weights, (kernel, bias), strict=True):
        variable.assign(value)
    all_at_once.set_weights([kernel, bias])
    found = {
        "by_data": by_data(x),
        "by_copy": by_copy(x),
        "all_at_once": all_at_once(x),
        "still_trained": by_data.kernel.trainable,
    }
    wrong, refused = ops.ones((3, 3, 1, 1)), []
    for give in (by_data.kernel.assign, lambda wrong: all_at_once.set_weights([wrong, bias])):
        try:
            give(wrong)
        except ValueError as error:
            refused.append(type(error).__name__)
    return found | {
        "wrong_shape_by_data": tuple(by_data.kernel.shape) == (3, 3, 1, 1),
        "wrong_shape_all_at_once": refused[1],
    }


def mean_filters(small, large, two):
    """Equal weights make each output the mean of its window; a batch goes image by image."""
    mean_2x2 = ops.full((2, 2, 1, 1), 1 / 4, small.dtype)
    mean_3x3 = ops.full((3, 3, 1, 1), 1 / 9, small.dtype)
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
        y = tf.nn.conv2d(x, kernel, 1, "VALID") + bias
    dx, dkernel, dbias = tape.gradient(y, [x, kernel, bias], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel, "dbias": dbias}


def depthwise(x, kernel, upstream):
    """Two filters for each of three channels: the kernel is `(h, w, in, multiplier)`."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "VALID")
    dx, dkernel = tape.gradient(y, [x, kernel], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel}


def grouped(x, kernel, upstream):
    """Two groups, told by the kernel's shape: it has half as many input channels as the image."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = ops.conv(x, kernel)  # `tf.nn.conv2d` has no gradient of groups on a CPU
    dx, dkernel = tape.gradient(y, [x, kernel], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel}


def transposed(x, kernel, upstream):
    """Each pixel stamps the kernel onto a larger image; the kernel here is `(h, w, out, in)`."""
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = tf.nn.conv2d_transpose(x, kernel, upstream.shape, 2, "VALID")
    dx, dkernel = tape.gradient(y, [x, kernel], output_gradients=upstream)
    return {"y": y, "dx": dx, "dkernel": dkernel}


def transposed_same(x, kernel_4, kernel_3):
    """Twice the size: "same" crops both sides for a kernel of 4, the end for one of 3."""
    return {
        "kernel_4_same": ops.conv_transpose(x, kernel_4, strides=2, padding="same"),
        "kernel_3_same": ops.conv_transpose(x, kernel_3, strides=2, padding="same"),
    }


def draw_filters(figure, image):
    """An image under three filters set by hand: its mean, its horizontal and its vertical edges."""
    layer = keras.layers.Conv2D(3, kernel_size=3, use_bias=False)
    layer.build((None, 28, 28, 1))
    edge = np.array([[1.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -2.0, -1.0]])
    layer.set_weights([np.stack([np.full((3, 3), 1 / 9), edge, edge.T], axis=-1)[:, :, None]])
    maps = layer(image[None, :, :, None] / 255.0)[0]
    titles = ("image", "mean of 3×3", "horizontal edges", "vertical edges")
    panes = (image, *ops.transpose(maps, (2, 0, 1)))
    figure.set_size_inches(11, 3)
    for axes, title, values in zip(figure.subplots(1, 4), titles, panes, strict=True):
        axes.imshow(values, cmap="gray")
        axes.set(title=title, xticks=[], yticks=[])


def main():
    """Small images of rising numbers, in the order of this file; then a real one."""
    plots = Plots(__file__)
    small, large = rising(1, 2, 2, 1), rising(1, 4, 4, 1)
    kernel = ops.reshape(tf.constant([-0.1733, -0.4235, 0.1802, 0.4668]), (2, 2, 1, 1))
    bias = tf.constant([0.2037])
    show("One window", one_window(small, kernel, bias))
    show("Weights by hand", weights_by_hand(small, kernel, bias))
    show("Means", mean_filters(small, large, rising(2, 4, 4, 1)))

    show(
        "16 filters",
        shapes(sixteen_filters(rising(2, 4, 4, 1), rising(3, 3, 1, 16), ops.zeros(16))),
    )
    show(
        "32 − 5 + 1 = 28",
        shapes(one_filter(rising(16, 32, 32, 3), rising(5, 5, 3, 1), ops.zeros(1))),
    )
    wide, tall = rising(2, 7, 9, 3), rising(3, 2, 3, 5)
    show("Stride, padding, dilation", shapes(output_sizes(wide, tall)))
    show("Stride and dilation", shapes(stride_and_dilation(wide, tall)))
    odd, even = rising(1, 3, 5, 1), rising(1, 4, 6, 1)
    show("Same size", same_stride_1(odd, rising(3, 3, 1, 1), rising(4, 2, 1, 1)))
    show("Half the size", same_stride_2(odd, even, rising(3, 3, 1, 1)))

    show("Gradients", gradients(large, kernel, bias, rising(1, 3, 3, 1)))
    show("Depthwise", shapes(depthwise(rising(1, 3, 3, 2), rising(2, 2, 2, 2), rising(1, 2, 2, 4))))
    show("Grouped", shapes(grouped(rising(1, 3, 3, 2), rising(2, 2, 1, 2), rising(1, 2, 2, 2))))
    show("Transposed", transposed(rising(1, 2, 2, 1), rising(2, 2, 1, 1), rising(1, 4, 4, 1)))
    show(
        "Twice the size",
        transposed_same(rising(1, 2, 2, 1), rising(4, 4, 1, 1), rising(3, 3, 1, 1)),
    )

    image = load("fashion_mnist").train_images[0]
    plots.draw("filters", lambda figure: draw_filters(figure, image))


if __name__ == "__main__":
    main()
