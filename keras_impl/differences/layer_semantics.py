"""What layers mean by words that both frameworks use.

Twin: pytorch_impl/differences/layer_semantics.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import keras
import tensorflow as tf
from keras import layers

from ._common import outcome


def _build(layer, shape, *weights):
    """Variables are made once the input's shape is known; then they can be set."""
    layer.build(shape)
    layer.set_weights(weights)
    return layer


def batch_norm_variance(x):
    """Divided by n."""
    layer = layers.BatchNormalization(momentum=0.0)
    layer(x, training=True)
    return {"given": layer.moving_variance.value, "mapped": layer.moving_variance.value}


def batch_norm_frozen(x):
    """A frozen layer runs as in inference, whatever is asked."""
    layer = layers.BatchNormalization()
    layer.trainable = False
    layer(x, training=True)
    given = bool(layer.moving_mean[0] != 0)
    return {"given": given, "mapped": given}


def mode(x):
    """A call is inference, but for `training=True`."""
    y = layers.Dropout(0.5)(x)
    return {"given": "as it is" if bool(tf.reduce_all(y == x)) else "half dropped", "mapped": y}


def same_stride_2_even(x):
    """The odd zero goes to the end."""
    y = tf.nn.conv2d(x, tf.ones((3, 3, 1, 1), x.dtype), 2, "SAME")
    return {"given": y, "mapped": y}


def same_stride_2_odd(x):
    """A zero at both ends."""
    return {"given": tf.nn.conv2d(x, tf.ones((3, 3, 1, 1), x.dtype), 2, "SAME")}


def same_with_stride(x):
    """Allowed."""
    return {"given": outcome(lambda: layers.Conv2D(1, 3, strides=2, padding="same")(x))}


def same_even_kernel(x):
    """The odd zero goes to the end."""
    return {"given": tf.nn.conv2d(x, tf.ones((2, 2, 1, 1), x.dtype), 1, "SAME")}


def max_pool_same_even(x):
    """What is missing is added at the end."""
    y = layers.MaxPooling2D(3, 2, padding="same")(x)
    return {"given": y, "mapped": y}


def dense_kernel_layout(x, kernel):
    """Input, output."""
    layer = _build(layers.Dense(5, use_bias=False), x.shape, kernel)
    return {"given": tuple(layer.kernel.shape), "mapped": layer(x)}


def conv_kernel_layout(x, kernel):
    """Height, width, input, output."""
    layer = _build(layers.Conv2D(5, (3, 2), use_bias=False), x.shape, kernel)
    return {"given": tuple(layer.kernel.shape), "mapped": layer(x)}


def conv_transpose_kernel_layout(x, kernel):
    """Height, width, output, input."""
    layer = layers.Conv2DTranspose(5, (3, 2), strides=2, use_bias=False)
    _build(layer, x.shape, kernel)
    return {"given": tuple(layer.kernel.shape), "mapped": layer(x)}


def depthwise_kernel_layout(x, kernel):
    """Height, width, input, multiplier."""
    layer = layers.DepthwiseConv2D((3, 2), depth_multiplier=2, use_bias=False)
    _build(layer, x.shape, kernel)
    return {"given": tuple(layer.kernel.shape), "mapped": layer(x)}


def _conv_transpose(x, kernel, padding):
    """One channel, one dimension, stride 2."""
    x, kernel = x[None, :, None], kernel[:, None, None]
    return keras.ops.conv_transpose(x, kernel, strides=2, padding=padding)[0, :, 0]


def conv_transpose_same_k3s2(x, kernel):
    """Cut at the end to twice the size."""
    y = _conv_transpose(x, kernel, "same")
    return {"given": y, "mapped": y}


def conv_transpose_same_k4s2(x, kernel):
    """Cut at both ends to twice the size."""
    return {"given": _conv_transpose(x, kernel, "same")}


def flatten_order(x):
    """Pixel by pixel."""
    y = layers.Flatten()(x)
    return {"given": y, "mapped": y}


def lstm_biases(x, kernel, recurrent_kernel, bias):
    """One."""
    layer = layers.LSTM(2, return_sequences=True)
    _build(layer, x.shape, kernel, recurrent_kernel, bias)
    biases = [weight for weight in layer.weights if weight.name == "bias"]
    return {"given": len(biases), "mapped": layer(x)}


def gru_gates(x, kernel, recurrent_kernel, bias):
    """Update, reset, new."""
    layer = layers.GRU(1, return_sequences=True)
    _build(layer, x.shape, kernel, recurrent_kernel, bias)
    return {"given": layer(x)[0, -1, 0], "mapped": layer(x)}


def gru_reset_before(x, kernel, recurrent_kernel, bias):
    """`reset_after=False`: the state is reset before the product."""
    layer = layers.GRU(1, reset_after=False)
    _build(layer, x.shape, kernel, recurrent_kernel, bias[0] + bias[1])
    return {"given": layer(x)[0, 0]}


def bidirectional_last(x, kernel, recurrent_kernel, bias):
    """The last step of each direction, which is the first position of the backward one."""
    layer = layers.Bidirectional(layers.LSTM(1))
    y = _build(layer, x.shape, *(kernel, recurrent_kernel, bias) * 2)(x)
    return {"given": y, "mapped": y}


def masked_steps(x):
    """Steps of nothing but zeros are passed over behind `Masking`."""
    layer = _build(layers.SimpleRNN(1, use_bias=False), x.shape, tf.ones((1, 1)), tf.ones((1, 1)))
    y = layer(x, mask=layers.Masking().compute_mask(x))[0, 0]
    return {"given": y, "mapped": y}


def _attention(x):
    """One head of size 1 that passes everything on."""
    layer = layers.MultiHeadAttention(1, 1)
    layer.build(x.shape, x.shape)
    layer.set_weights([tf.ones(w.shape) * float("kernel" in w.name) for w in layer.weights])
    return layer


def attention_mask(x):
    """True lets through."""
    y = _attention(x)(x, x, attention_mask=tf.constant([[[True, False], [True, False]]]))
    return {"given": y, "mapped": y}


def attention_nowhere(x):
    """The mask is a large negative number, the same for all: a plain mean."""
    y = _attention(x)(x, x, attention_mask=tf.zeros((1, 2, 2), tf.bool))
    return {"given": "NaN" if bool(tf.reduce_all(tf.math.is_nan(y))) else "finite"}


def attention_scores(x):
    """Of every head."""
    layer = layers.MultiHeadAttention(2, 4)
    _, scores = layer(x, x, return_attention_scores=True)
    return {"given": tuple(scores.shape), "mapped": tuple(scores.shape)}


def pixel_shuffle(x):
    """Places in the block first, channels of the result last."""
    swapped = tf.transpose(tf.reshape(x, (1, 1, 1, 2, 4)), (0, 1, 2, 4, 3))
    return {
        "given": tf.nn.depth_to_space(x, 2),
        "mapped": tf.nn.depth_to_space(tf.reshape(swapped, (1, 1, 1, 8)), 2),
    }


def patches(x):
    """Row, column, channel."""
    y = keras.ops.image.extract_patches(x, (2, 2))[:, 0, 0]
    return {"given": y, "mapped": y}


def bilinear(x):
    """Pixels are squares, not points."""
    return {"given": keras.ops.image.resize(x, (1, 4), interpolation="bilinear")}


def bilinear_corners(x):
    """No argument for it, but in TensorFlow 1."""
    given = outcome(lambda: keras.ops.image.resize(x, (1, 5), align_corners=True))
    old = tf.compat.v1.image.resize_bilinear
    return {"given": given, "mapped": tf.cast(old(x, (1, 5), align_corners=True), x.dtype)}


def nearest(x):
    """By the middle of a pixel."""
    y = keras.ops.image.resize(x, (1, 3), interpolation="nearest")
    return {"given": y, "mapped": y}


def bicubic(x):
    """Keys' kernel with a = −0.5."""
    return {"given": keras.ops.image.resize(x, (1, 4), interpolation="bicubic")}


def index_too_large(table, words):
    """An error on the CPU."""
    return {"given": outcome(lambda: tf.gather(table, words))}


def one_hot_too_large(words):
    """Zeros."""
    return {"given": outcome(lambda: tf.one_hot(words, 3))}


def negative_index(x, words):
    """An error; `keras.ops.take` counts from the end."""
    return {"given": outcome(lambda: tf.gather(x, words)), "mapped": keras.ops.take(x, words)}


def float64_input():
    """Made float32 without a word."""
    layer, x = layers.Dense(2, dtype="float32"), tf.ones((1, 3), tf.float64)
    mapped = keras.backend.standardize_dtype(layer(x).dtype)
    return {"given": outcome(lambda: layer(x)), "mapped": mapped}
