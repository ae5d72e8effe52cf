"""One-layer modules with weights in Keras' layout; the twin takes them across.

Twin: pytorch_impl/layers.py
Look at: ε in `layer_norm`; `momentum`, the variance and what freezing means in
`batch_norm_train`; and `convolutions`, where depthwise is a layer of its own here.
"""

import keras
import tensorflow as tf

from parity.reference import weight_layouts


def _build(layer, shape, *weights):
    """Variables are made once the input's shape is known; then they can be set."""
    layer.build(shape)
    layer.set_weights(weights)
    return layer


def _gradients(layer, kind, tape, y, upstream):
    """The gradients of the layer's weights, by name."""
    found = tape.gradient(y, layer.trainable_weights, output_gradients=upstream)
    return {f"d{name}": g for name, g in zip(weight_layouts.KERAS_NAMES[kind], found, strict=False)}


def layer_norm(x, gamma, beta, upstream):
    """Over the last axis; ε is 1e-3 by default here."""
    default = keras.layers.LayerNormalization()(x)
    layer = _build(keras.layers.LayerNormalization(epsilon=1e-5), x.shape, gamma, beta)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x)
    dx = tape.gradient(y, x, output_gradients=upstream)
    found = _gradients(layer, "layer_norm", tape, y, upstream)
    return {"y": y, "dx": dx, **found, "default_epsilon": default}


def group_norm(x, gamma, beta, upstream):
    """Over each of two groups of channels; the default is 32 groups."""
    layer = keras.layers.GroupNormalization(groups=2, epsilon=1e-5)
    _build(layer, x.shape, gamma, beta)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x)
    dx = tape.gradient(y, x, output_gradients=upstream)
    return {"y": y, **_gradients(layer, "group_norm", tape, y, upstream), "dx": dx}


def _batch_norm(gamma, beta, mean, variance):
    """`momentum` is the weight of what is old."""
    layer = keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9)
    return _build(layer, (None, None, None, 3), gamma, beta, mean, variance)


def batch_norm_train(x, gamma, beta, mean, variance, upstream):
    """By the batch's own statistics, which move the moving ones; only if `training=True`."""
    layer = _batch_norm(gamma, beta, mean, variance)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x, training=True)
    dx = tape.gradient(y, x, output_gradients=upstream)
    frozen = _batch_norm(gamma, beta, mean, variance)
    frozen.trainable = False
    frozen(x, training=True)
    return {
        "y": y,
        "dx": dx,
        **_gradients(layer, "batch_norm", tape, y, upstream),
        "moving_mean": layer.moving_mean.value,
        "moving_variance": layer.moving_variance.value,
        "frozen_moves": not bool(tf.reduce_all(frozen.moving_mean == mean)),
    }


def batch_norm_eval(x, gamma, beta, mean, variance, upstream):
    """By the moving statistics, which is the default of a call."""
    layer = _batch_norm(gamma, beta, mean, variance)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = layer(x)
    dx = tape.gradient(y, x, output_gradients=upstream)
    return {"y": y, **_gradients(layer, "batch_norm", tape, y, upstream), "dx": dx}


def embedding(table, upstream, words):
    """Rows by number; the gradient comes as the rows that were touched, and is made dense."""
    layer = _build(keras.layers.Embedding(5, 3), words.shape, table)
    with tf.GradientTape() as tape:
        y = layer(words)
    found = tape.gradient(y, layer.trainable_weights[0], output_gradients=upstream)
    return {"y": y, "dembeddings": tf.convert_to_tensor(found)}


def convolutions(x, depthwise, grouped, transposed):
    """Depthwise is a layer of its own; a transposed kernel is `(h, w, out, in)`."""
    size = {"kernel_size": (3, 2), "use_bias": False}
    one = keras.layers.DepthwiseConv2D(depth_multiplier=2, **size)
    two = keras.layers.Conv2D(6, groups=2, **size)
    three = keras.layers.Conv2DTranspose(5, strides=2, **size)
    for layer, kernel in ((one, depthwise), (two, grouped), (three, transposed)):
        _build(layer, x.shape, kernel)
    return {"depthwise_y": one(x), "grouped_y": two(x), "transposed_y": three(x)}
