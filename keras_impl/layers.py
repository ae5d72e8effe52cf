"""Normalisation, embedding and convolution: one layer each, with weights in Keras' layout.

Twin: pytorch_impl/layers.py
Look at: ε in `layer_norm`; `momentum`, the variance and what freezing means in
`batch_norm_train`; and `convolutions`, where depthwise is a layer of its own here, and every
kernel is turned on its way across.
Seen in notes, wrong because: evaluating with `training=True`: batch normalisation then goes by
the batch, and the same image gives another result in other company (`alone_and_in_company`).
"""

import keras
import tensorflow as tf
from keras import layers, ops

from shared.plots import Plots


def _build(layer, shape, *weights):
    """Variables are made once the input's shape is known; then they can be set."""
    layer.build(shape)
    layer.set_weights(weights)
    return layer


def layer_norm(x, gamma, beta, upstream):
    """Over the last axis; ε is 1e-3 by default here."""
    default = layers.LayerNormalization()(x)
    layer = _build(layers.LayerNormalization(epsilon=1e-5), x.shape, gamma, beta)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    dx, dgamma, dbeta = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    return {"y": y, "dx": dx, "dgamma": dgamma, "dbeta": dbeta, "default_epsilon": default}


def group_norm(x, gamma, beta, upstream):
    """Over each of two groups of channels; the default is 32 groups."""
    layer = _build(layers.GroupNormalization(groups=2, epsilon=1e-5), x.shape, gamma, beta)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    dx, dgamma, dbeta = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    return {"y": y, "dgamma": dgamma, "dbeta": dbeta, "dx": dx}


def _batch_norm(gamma, beta, mean, variance):
    """`momentum` is the weight of what is old."""
    layer = layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
    return _build(layer, (None, None, None, 3), gamma, beta, mean, variance)


def batch_norm_train(x, gamma, beta, mean, variance, upstream):
    """By the batch's own statistics, which move the moving ones; only if `training=True`."""
    layer = _batch_norm(gamma, beta, mean, variance)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
    dx, dgamma, dbeta = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    frozen = _batch_norm(gamma, beta, mean, variance)
    frozen.trainable = False
    frozen(x, training=True)
    return {
        "y": y,
        "dx": dx,
        "dgamma": dgamma,
        "dbeta": dbeta,
        "moving_mean": layer.moving_mean.value,
        "moving_variance": layer.moving_variance.value,
        "frozen_moves": not bool(ops.all(frozen.moving_mean == mean)),
    }


def batch_norm_eval(x, gamma, beta, mean, variance, upstream):
    """By the moving statistics, which is the default of a call."""
    layer = _batch_norm(gamma, beta, mean, variance)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
    dx, dgamma, dbeta = tape.gradient(y, [x, *layer.trainable_weights], upstream)
    return {"y": y, "dgamma": dgamma, "dbeta": dbeta, "dx": dx}


def alone_and_in_company(x, gamma, beta, mean, variance):
    """The first image alone and in its batch: only in evaluation does it give the same."""
    layer = _batch_norm(gamma, beta, mean, variance)
    in_training = ops.all(ops.isclose(layer(x, training=True)[0], layer(x[:1], training=True)[0]))
    in_evaluation = ops.all(ops.isclose(layer(x)[0], layer(x[:1])[0]))
    return {"same_in_training": bool(in_training), "same_in_evaluation": bool(in_evaluation)}


def embedding(table, upstream, words):
    """Rows by number; the gradient comes as the rows that were touched, and is made dense."""
    layer = _build(layers.Embedding(5, 3), words.shape, table)
    with tf.GradientTape() as tape:
        y = layer(words)
    touched = tape.gradient(y, layer.embeddings.value, upstream)
    return {"y": y, "dembeddings": tf.convert_to_tensor(touched)}


def convolutions(x, depthwise, grouped, transposed):
    """Depthwise is a layer of its own; every kernel begins with height and width.

    A kernel is ``(h, w, in / groups, out)`` here, that of a transposed layer ``(h, w, out, in)``.
    """
    size = {"kernel_size": (3, 2), "use_bias": False}
    one = layers.DepthwiseConv2D(depth_multiplier=2, **size)
    _build(one, x.shape, depthwise)
    two = layers.Conv2D(6, groups=2, **size)
    _build(two, x.shape, grouped)
    three = layers.Conv2DTranspose(5, strides=2, **size)
    _build(three, x.shape, transposed)
    return {"depthwise_y": one(x), "grouped_y": two(x), "transposed_y": three(x)}


def settling(batches, momentum):
    """The moving mean after each batch ``(batch, channels)``, one channel's; it starts at 0."""
    layer = layers.BatchNormalization(momentum=momentum)
    means = []
    for batch in batches:
        layer(batch, training=True)
        means.append(float(layer.moving_mean[0]))
    return means


def main():
    """Each layer on a few numbers: what it does, what it keeps, what its kernel looks like."""
    plots = Plots(__file__)
    keras.utils.set_random_seed(0)
    normal = keras.random.normal
    x = normal((2, 5)) * 0.01
    normed = layer_norm(x, ops.ones(5), ops.zeros(5), ops.ones((2, 5)))
    print(
        f"layer norm, inputs of size 0.01, ε 1e-5: deviation {ops.std(normed['y']):.3f},", end=" "
    )
    print(f"ε 1e-3: {ops.std(normed['default_epsilon']):.3f}")

    images = normal((4, 5, 6, 3)) + 1
    ones, zeros = ops.ones(3), ops.zeros(3)
    kept = batch_norm_train(images, ones, zeros, zeros, ones, ops.ones((4, 5, 6, 3)))
    print(f"batch norm: batch mean {ops.mean(images, axis=(0, 1, 2))[0]:.3f},", end=" ")
    print(f"moving mean from 0 to {kept['moving_mean'][0]:.3f}")
    print("a frozen layer, moving mean moves:", kept["frozen_moves"])
    same = alone_and_in_company(images, ones, zeros, zeros, ones)
    print("an image alone as in its batch: in training", same["same_in_training"], end=", ")
    print("in a plain call", same["same_in_evaluation"])

    words = ops.array([[4, 0, 2], [2, 2, 1]])
    rows = embedding(normal((5, 3)), ops.ones((2, 3, 3)), words)
    counts = rows["dembeddings"].numpy()[:, 0].tolist()
    print("gradient of each row, by how often it was taken:", counts)

    kernels = normal((3, 2, 4, 2)), normal((3, 2, 2, 6)), normal((3, 2, 5, 4))
    for name, y in convolutions(normal((2, 3, 5, 4)), *kernels).items():
        print(f"{name}: {tuple(y.shape)}")

    batches = ops.unstack(normal((100, 16, 1)) + 3)
    means = {f"momentum={m}": settling(batches, m) for m in (0.9, 0.99)}
    for name, values in means.items():
        print(f"{name}: moving mean {values[9]:.2f} after 10 batches, {values[-1]:.2f} after 100")

    plots.curves("running mean", means, "batch", "moving mean; the true one is 3")


if __name__ == "__main__":
    main()
