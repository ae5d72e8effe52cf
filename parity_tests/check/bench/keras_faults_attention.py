"""Wrong Keras ports of torch_attention.py."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def layer_norm(name, epsilon=1e-5):
    return layers.LayerNormalization(epsilon=epsilon, name=name)


def encoder(
    *,
    heads=3,
    size=4,
    epsilon=1e-5,
    shortcut=True,
    second=True,
    active="gelu",
    raw_value=False,
    normed=False,
    dim=12,
):
    inputs = keras.Input((7, dim))
    y = layer_norm("norm1", epsilon)(inputs)
    attention = layers.MultiHeadAttention(heads, size, name="attn")
    x = layers.Dropout(0.1, name="drop1")(attention(y, inputs if raw_value else y))
    x = layers.Add(name="add1")([y if normed else inputs, x]) if shortcut else x
    y = layer_norm("norm2")(x) if second else x
    y = layers.Dense(20, activation=active, name="fc1")(y)
    y = layers.Dropout(0.1, name="drop2")(layers.Dense(dim, name="fc2")(y))
    return keras.Model(inputs, layers.Add(name="add2")([x, y]))


def head_count():
    return encoder(heads=4, size=3)


def key_size():
    return encoder(size=12)


def encoder_epsilon():
    return encoder(epsilon=1e-3)


def encoder_residual():
    return encoder(shortcut=False)


def second_norm_missing():
    return encoder(second=False)


def relu_for_gelu():
    return encoder(active="relu")


def feed_forward_linear():
    return encoder(active=None)


def value_without_norm():
    return encoder(raw_value=True)


def residual_after_norm():
    return encoder(normed=True)


def two_encoder():
    return encoder(epsilon=1e-3, active="relu")


def norm_last():
    x = keras.Input((7, 12))
    y = layers.MultiHeadAttention(3, 4, name="attn")(x, x)
    y = layer_norm("norm1")(layers.Add(name="add1")([x, layers.Dropout(0.1, name="drop1")(y)]))
    z = layers.Dense(20, activation="gelu", name="fc1")(y)
    z = layers.Dropout(0.1, name="drop2")(layers.Dense(12, name="fc2")(z))
    return keras.Model(x, layer_norm("norm2")(layers.Add(name="add2")([y, z])))


class Positions(layers.Layer):
    def __init__(self, length, dim, **more):
        super().__init__(**more)
        self.table = layers.Embedding(length, dim, name="table")

    def call(self, x):
        return x + self.table(ops.arange(x.shape[1]))


def gpt(causal=True, positions=True, approximate=True, dim=12):
    tokens = keras.Input((10,), dtype="int32")
    x = layers.Embedding(27, dim, name="wte")(tokens)
    x = Positions(10, dim, name="wpe")(x) if positions else x
    y = layer_norm("ln1")(x)
    y = layers.MultiHeadAttention(2, 6, name="attn")(y, y, use_causal_mask=causal)
    x = layers.Add(name="add1")([x, y])
    y = layers.Dense(30, name="fc1")(layer_norm("ln2")(x))
    y = layers.Lambda(lambda x: keras.activations.gelu(x, approximate=approximate), name="act")(y)
    x = layers.Add(name="add2")([x, layers.Dense(dim, name="fc2")(y)])
    return keras.Model(tokens, layers.Dense(27, use_bias=False, name="head")(x))


def mask_missing():
    return gpt(causal=False)


def positions_missing():
    return gpt(positions=False)


def gelu_exact():
    return gpt(approximate=False)


def two_gpt():
    return gpt(causal=False, approximate=False)


def mask_extra():
    x = keras.Input((9, 12))
    attention = layers.MultiHeadAttention(4, 3, name="attention")
    return keras.Model(x, attention(x, x, use_causal_mask=True))


class Masked(keras.Model):
    def __init__(self, turned=True, used=True):
        super().__init__()
        self.turned, self.used = turned, used
        self.attn = layers.MultiHeadAttention(2, 4, name="attn")
        self.norm = layers.LayerNormalization(epsilon=1e-6, name="norm")

    def call(self, inputs):
        x, empty = inputs
        seen = tf.logical_not(empty) if self.turned else empty
        mask = seen[:, tf.newaxis, :] if self.used else None
        return self.norm(x + self.attn(x, x, attention_mask=mask))


def mask_inverted():
    return Masked(turned=False)


def mask_ignored():
    return Masked(used=False)


class ByHand(keras.Model):
    def __init__(self, scale=3**-0.5, axis=-1, back=True, dim=12, heads=4):
        super().__init__()
        self.scale, self.axis, self.back = scale, axis, back
        self.heads, self.size = heads, dim // heads
        self.q, self.k = layers.Dense(dim, name="q"), layers.Dense(dim, name="k")
        self.v, self.out = layers.Dense(dim, name="v"), layers.Dense(dim, name="out")

    def split(self, x):
        x = tf.reshape(x, (-1, x.shape[1], self.heads, self.size))
        return tf.transpose(x, (0, 2, 1, 3))

    def call(self, x):
        q, k, v = self.split(self.q(x)), self.split(self.k(x)), self.split(self.v(x))
        scores = tf.matmul(q, k, transpose_b=True)
        scores = scores if self.scale is None else scores * self.scale
        y = tf.matmul(tf.nn.softmax(scores, axis=self.axis), v)
        y = tf.transpose(y, (0, 2, 1, 3)) if self.back else y
        return self.out(tf.reshape(y, (-1, x.shape[1], self.heads * self.size)))


def scale_missing():
    return ByHand(scale=None)


def scale_of_width():
    return ByHand(scale=12**-0.5)


def scores_axis():
    return ByHand(axis=-2)


def heads_not_back():
    return ByHand(back=False)


def not_divided_but_multiplied():
    return ByHand(scale=3**0.5)


def keys_and_values():
    """The halves of the fused layer are taken in the wrong order."""
    x, memory = keras.Input((6, 7)), keras.Input((9, 9))
    q = layers.Dense(8, name="q")(x)
    v, k = ops.split(layers.Dense(16, name="kv")(memory), 2, axis=-1)
    weights = ops.softmax(ops.einsum("bqd,bkd->bqk", q, k) / 8**0.5)
    y = ops.einsum("bqk,bkd->bqd", weights, v)
    return keras.Model([x, memory], layers.Dense(5, name="out")(y))


class Tokens(layers.Layer):
    def __init__(self, add=True, last=False, **more):
        super().__init__(**more)
        self.add, self.last = add, last

    def build(self, shape):
        self.cls = self.add_weight(shape=(1, 1, shape[-1]), initializer="zeros", name="cls")
        if self.add:
            self.pos = self.add_weight(
                shape=(1, shape[1] + 1, shape[-1]), initializer="random_normal", name="pos"
            )

    def call(self, x):
        cls = ops.broadcast_to(self.cls, (ops.shape(x)[0], 1, x.shape[-1]))
        x = ops.concatenate([x, cls] if self.last else [cls, x], axis=1)
        return x + self.pos if self.add else x


def vit(add=True, last=False, mean=False, dim=12):
    image = keras.Input((16, 12, 3))
    x = layers.Conv2D(dim, 4, strides=4, name="patch")(image)
    x = Tokens(add, last, name="tokens")(layers.Reshape((-1, dim))(x))
    y = layer_norm("norm1")(x)
    x = layers.Add(name="add1")([x, layers.MultiHeadAttention(3, 4, name="attn")(y, y)])
    y = layers.Dense(20, activation="gelu", name="fc1")(layer_norm("norm2")(x))
    x = layers.Add(name="add2")([x, layers.Dense(dim, name="fc2")(y)])
    x = layer_norm("norm", 1e-6)(x)
    x = layers.GlobalAveragePooling1D(name="mean")(x) if mean else x[:, 0]
    return keras.Model(image, layers.Dense(5, name="head")(x))


def no_positions():
    return vit(add=False)


def class_token_last():
    return vit(last=True)


def mean_of_tokens():
    return vit(mean=True)


class Llama(keras.Model):
    def __init__(self, norm=None, other=False, dim=10, hidden=14):
        super().__init__()
        self.norm = norm or layers.RMSNormalization(epsilon=1e-6, name="norm")
        self.gate = layers.Dense(hidden, use_bias=False, name="gate")
        self.up = layers.Dense(hidden, use_bias=False, name="up")
        self.down = layers.Dense(dim, use_bias=False, name="down")
        self.active = keras.activations.sigmoid if other else keras.activations.silu

    def call(self, x):
        y = self.norm(x)
        return x + self.down(self.active(self.gate(y)) * self.up(y))


def layer_for_rms():
    return Llama(norm=layers.LayerNormalization(epsilon=1e-6, center=False, name="norm"))


def rms_epsilon():
    return Llama(norm=layers.RMSNormalization(epsilon=1e-3, name="norm"))


def glu_for_swiglu():
    return Llama(other=True)


def pool_axis():
    """A softmax over an axis of one."""
    x = keras.Input((9, 7))
    scores = layers.Dense(1, name="score")(layers.Dense(10, activation="tanh", name="hidden")(x))
    weights = layers.Softmax(name="softmax")(scores)
    y = ops.sum(layers.Multiply(name="weigh")([weights, x]), axis=1)
    return keras.Model(x, layers.Dense(3, name="fc")(y))


class Embedded(keras.Model):
    def __init__(self, scale=8**0.5, interleaved=False, rows=25, dim=8, length=12):
        super().__init__()
        self.scale = scale
        self.embedding = layers.Embedding(rows, dim, name="embedding")
        angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
        table = np.stack if interleaved else np.concatenate
        self.table = table([np.sin(angle), np.cos(angle)], -1).reshape(length, dim)
        self.fc = layers.Dense(5, name="fc")

    def call(self, tokens):
        x = self.embedding(tokens)
        x = x if self.scale is None else x * self.scale
        table = self.table[: tokens.shape[1]].astype("float32")
        return self.fc(x + tf.cast(table, x.dtype))


def embedding_not_scaled():
    return Embedded(scale=None)


def sines_interleaved():
    return Embedded(interleaved=True)
