"""What layers do when nothing is said.

Twin: pytorch_impl/differences/layer_defaults.py
Look at: ``given`` is the framework's own way, ``mapped`` the same with the mapping applied.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from ._common import defaults, outcome


def _bound(weights):
    """The largest of many uniform numbers: the bound that they were drawn from."""
    return tf.reduce_max(tf.abs(weights))


def _built(layer, *shape):
    """Variables are made once the input's shape is known."""
    layer.build(shape)
    return layer


def batch_norm_epsilon(x):
    """Added to the variance."""
    return {
        "given": defaults(layers.BatchNormalization, "epsilon"),
        "mapped": layers.BatchNormalization()(x, training=True),
    }


def batch_norm_momentum(x):
    """The weight of what is old."""
    layer = layers.BatchNormalization()
    layer(x, training=True)
    layer(x, training=True)
    mapped = layer.moving_mean.value
    return {"given": defaults(layers.BatchNormalization, "momentum"), "mapped": mapped}


def layer_norm_epsilon(x):
    """It matters where inputs are small."""
    return {"given": layers.LayerNormalization()(x), "mapped": layers.LayerNormalization()(x)}


def group_norm_groups(x):
    """32, whatever the number of channels."""
    layer = layers.GroupNormalization(groups=2, epsilon=1e-5)
    return {"given": defaults(layers.GroupNormalization, "groups"), "mapped": layer(x)}


def group_norm_epsilon(x):
    """Added to the variance."""
    layer = layers.GroupNormalization(groups=2)
    return {"given": defaults(layers.GroupNormalization, "epsilon"), "mapped": layer(x)}


def rms_norm_epsilon(x):
    """A number, the same in every precision."""
    return {
        "given": defaults(layers.RMSNormalization, "epsilon"),
        "mapped": layers.RMSNormalization()(x),
    }


def instance_norm(x):
    """No layer of this name: as many groups as channels."""
    named = hasattr(layers, "InstanceNormalization")
    layer = layers.GroupNormalization(groups=-1, epsilon=1e-5, center=False, scale=False)
    return {"given": "there is one" if named else "no such layer", "mapped": layer(x)}


def dense_kernel_start():
    """Glorot: uniform, ±√(6/(inputs + outputs))."""
    bound = _bound(_built(layers.Dense(5000), None, 100).kernel)
    return {"given": bound, "mapped": f"{float(bound):.3f}"}


def dense_bias_start():
    """Zero."""
    bound = _bound(_built(layers.Dense(5000), None, 100).bias)
    return {"given": bound, "mapped": bound}


def conv_kernel_start():
    """Glorot, with every pixel of a window an input."""
    bound = _bound(_built(layers.Conv2D(5000, 3), None, 9, 9, 3).kernel)
    return {"given": bound, "mapped": f"{float(bound):.3f}"}


def conv_bias_start():
    """Zero."""
    bound = _bound(_built(layers.Conv2D(5000, 3), None, 9, 9, 3).bias)
    return {"given": bound, "mapped": bound}


def embedding_start():
    """Uniform, ±0.05."""
    deviation = tf.math.reduce_std(_built(layers.Embedding(1000, 1000), None).embeddings)
    return {"given": deviation, "mapped": f"{float(deviation):.3f}"}


def embedding_padding(table, words):
    """`mask_zero` tells the layers behind; the row trains."""
    layer = _built(layers.Embedding(3, 2, mask_zero=True), None)
    layer.set_weights([table])

    def gradient(keep):
        with tf.GradientTape() as tape:
            y = layer(words) * keep[..., None]
        return tf.convert_to_tensor(tape.gradient(y, layer.trainable_weights[0]))

    everything = tf.ones(words.shape, table.dtype)
    mask = tf.cast(layer.compute_mask(words), table.dtype)
    return {"given": gradient(everything), "mapped": gradient(mask)}


def recurrent_kernel_start():
    """Orthogonal."""
    kernel = _built(layers.SimpleRNN(50), None, 4, 7).cell.recurrent_kernel
    square = tf.transpose(kernel) @ kernel
    orthogonal = np.allclose(square, np.eye(50), atol=1e-4)
    given = "orthogonal" if orthogonal else "random"
    return {"given": given, "mapped": given}


def lstm_forget_bias():
    """`unit_forget_bias`: the forget gate begins open."""
    forget = _built(layers.LSTM(50), None, 4, 7).cell.bias[50:100]
    given = "1" if bool(tf.reduce_all(forget == 1)) else "random"
    return {"given": given, "mapped": tf.convert_to_tensor(forget)}


def recurrent_output():
    """Batch first, and the last step only."""
    given = layers.LSTM(5)(tf.zeros((2, 4, 3)))
    mapped = layers.LSTM(5, return_sequences=True)(tf.zeros((2, 4, 3)))
    return {"given": tuple(given.shape), "mapped": tuple(mapped.shape)}


def attention_size():
    """8 is the size of one head."""

    def size(key_dim):
        layer = layers.MultiHeadAttention(num_heads=2, key_dim=key_dim)
        layer.build((None, 4, 8), (None, 4, 8))
        kernel = layer.query_dense.kernel  # (input, head, size)
        return int(kernel.shape[1] * kernel.shape[2])

    return {"given": size(8), "mapped": size(4)}


def leaky_relu_layer(x):
    """The slope below zero; TensorFlow rounds it to float32."""
    return {"given": layers.LeakyReLU()(x), "mapped": layers.LeakyReLU()(x)}


def leaky_relu_function(x):
    """The slope below zero; TensorFlow rounds it to float32."""
    y = keras.activations.leaky_relu(x)
    return {"given": y, "mapped": y}


def prelu_start(x):
    """The learnt slope begins at 0."""
    mapped = layers.PReLU(alpha_initializer=keras.initializers.Constant(0.25))
    return {"given": layers.PReLU()(x), "mapped": mapped(x)}


def prelu_slopes():
    """One for every element of an image of 5 by 5 pixels and 3 channels."""

    def number(layer):
        return int(np.prod(_built(layer, None, 5, 5, 3).alpha.shape))

    return {"given": number(layers.PReLU()), "mapped": number(layers.PReLU(shared_axes=[1, 2]))}


def gelu(x):
    """Exact, with the error function."""
    exact = x * (1 + tf.math.erf(x / 2**0.5)) / 2
    near = np.allclose(keras.activations.gelu(x), exact, atol=1e-6)
    return {"given": "erf" if near else "tanh"}


def hard_sigmoid(x):
    """relu6(x + 3) / 6; it was 0.2·x + 0.5 in Keras 2."""
    return {"given": keras.activations.hard_sigmoid(x)}


def softplus(x):
    """Exact everywhere."""
    y = keras.activations.softplus(x)
    return {"given": y, "mapped": y}


def softmax_axis(x):
    """The last one."""
    y = keras.activations.softmax(x)
    return {"given": y, "mapped": y}


def dropout_rate():
    """It must be said."""
    dropped = layers.Dropout(0.5)(tf.ones(1000, keras.config.floatx()), training=True)
    return {"given": outcome(layers.Dropout), "mapped": tf.sort(tf.unique(dropped)[0])}


def dropout_scale():
    """What is kept is divided by the share kept."""
    dropped = layers.Dropout(0.75)(tf.ones(1000, keras.config.floatx()), training=True)
    return {"given": tf.sort(tf.unique(dropped)[0])}


def average_pool_padding(x):
    """Padded zeros do not count."""
    y = layers.AveragePooling2D(3, 1, padding="same")(x)
    return {"given": y[0, 0, 0, 0], "mapped": y}


def max_pool_padding(x):
    """A layer of zeros before the pooling wins over what is negative."""
    zeros = layers.MaxPooling2D(3, 1)(layers.ZeroPadding2D(1)(x))
    lowest = tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=x.dtype.min)
    return {"given": zeros[0, 0, 0, 0], "mapped": layers.MaxPooling2D(3, 1)(lowest)}


def upsampling(x):
    """Nearest neighbours."""
    return {"given": layers.UpSampling2D()(x)}


def padding_order(x):
    """A pair for every axis, the first one first."""
    y = keras.ops.pad(x, ((1, 2), (3, 4)))
    return {"given": tuple(y.shape), "mapped": y}


def integer_dtype():
    """Of whole numbers in a list."""
    return {"given": tf.constant([1, 2]).dtype.name, "mapped": tf.constant([1, 2], tf.int64)}


def floating_dtype():
    """Of a number, after float64 was made Keras' default; TensorFlow does not ask Keras."""
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    given = tf.constant(1.5).dtype.name
    mapped = keras.ops.convert_to_tensor(1.5, dtype=keras.config.floatx()).dtype.name
    keras.config.set_floatx(before)
    return {"given": given, "mapped": mapped}
