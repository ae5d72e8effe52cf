"""Keras ports of torch_attention.py."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops


def encoder(x, dim=12, heads=3, hidden=20):
    y = layers.LayerNormalization(epsilon=1e-5, name="norm1")(x)
    y = layers.MultiHeadAttention(heads, dim // heads, name="attn")(y, y)
    x = layers.Add()([x, layers.Dropout(0.1)(y)])
    y = layers.LayerNormalization(epsilon=1e-5, name="norm2")(x)
    y = layers.Dense(hidden, activation="gelu", name="fc1")(y)
    y = layers.Dense(dim, name="fc2")(y)
    return layers.Add()([x, layers.Dropout(0.1)(y)])


def encoder_block():
    x = keras.Input((7, 12))
    return keras.Model(x, encoder(x))


class BuiltIn(keras.Model):
    def __init__(self, dim=12, heads=3, hidden=18, rate=0.1):
        super().__init__()
        self.attention = layers.MultiHeadAttention(heads, dim // heads, dropout=rate)
        self.norm1 = layers.LayerNormalization(epsilon=1e-5)
        self.norm2 = layers.LayerNormalization(epsilon=1e-5)
        self.linear1 = layers.Dense(hidden, activation="relu")
        self.linear2 = layers.Dense(dim)
        self.dropout = [layers.Dropout(rate) for _ in range(3)]
        self.fc = layers.Dense(4)

    def call(self, x, training=None):
        y = self.attention(x, x, training=training)
        x = self.norm1(x + self.dropout[0](y, training=training))
        y = self.linear2(self.dropout[1](self.linear1(x), training=training))
        x = self.norm2(x + self.dropout[2](y, training=training))
        return self.fc(x[:, 0])


def hand_written():
    """Keras' own layer where PyTorch's was written out."""
    x = keras.Input((9, 12))
    return keras.Model(x, layers.MultiHeadAttention(num_heads=4, key_dim=3)(x, x))


class HandWritten(keras.Model):
    """Written out here, too."""

    def __init__(self, dim=12, heads=4):
        super().__init__()
        self.heads, self.size = heads, dim // heads
        self.query, self.key, self.value = (layers.Dense(dim) for _ in range(3))
        self.out = layers.Dense(dim)

    def split(self, x):
        x = tf.reshape(x, (-1, x.shape[1], self.heads, self.size))
        return tf.transpose(x, (0, 2, 1, 3))

    def call(self, x):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        weights = tf.nn.softmax(tf.matmul(q, k, transpose_b=True) * self.size**-0.5)
        y = tf.transpose(tf.matmul(weights, v), (0, 2, 1, 3))
        return self.out(tf.reshape(y, (-1, x.shape[1], self.heads * self.size)))


def attend(q, k, v):
    """As TensorFlow's tutorial has it."""
    size = tf.cast(tf.shape(k)[-1], tf.float32)
    scores = tf.matmul(q, k, transpose_b=True) / tf.math.sqrt(size)
    return tf.matmul(tf.nn.softmax(scores, axis=-1), v)


class Tutorial(keras.layers.Layer):
    def __init__(self, d_model=12, num_heads=4):
        super().__init__()
        self.num_heads, self.depth = num_heads, d_model // num_heads
        self.wq, self.wk = layers.Dense(d_model), layers.Dense(d_model)
        self.wv, self.dense = layers.Dense(d_model), layers.Dense(d_model)

    def split_heads(self, x, batch):
        x = tf.reshape(x, (batch, -1, self.num_heads, self.depth))
        return tf.transpose(x, perm=[0, 2, 1, 3])

    def call(self, x):
        batch = tf.shape(x)[0]
        q, k, v = (self.split_heads(w(x), batch) for w in (self.wq, self.wk, self.wv))
        y = tf.transpose(attend(q, k, v), perm=[0, 2, 1, 3])
        return self.dense(tf.reshape(y, (batch, -1, self.num_heads * self.depth)))


def tutorial():
    x = keras.Input((9, 12))
    return keras.Model(x, Tutorial()(x))


class FusedQkv(keras.Model):
    def __init__(self, dim=10, heads=2):
        super().__init__()
        self.dim, self.heads = dim, heads
        self.qkv = layers.Dense(3 * dim)
        self.proj = layers.Dense(dim)

    def call(self, x):
        n, size = x.shape[1], self.dim // self.heads
        qkv = ops.reshape(self.qkv(x), (-1, n, 3, self.heads, size))
        q, k, v = ops.unstack(ops.transpose(qkv, (2, 0, 3, 1, 4)), axis=0)
        weights = ops.softmax(q @ ops.swapaxes(k, -2, -1) / ops.sqrt(float(size)), axis=-1)
        y = ops.transpose(weights @ v, (0, 2, 1, 3))
        return self.proj(ops.reshape(y, (-1, n, self.dim)))


def separate_qkv():
    """The one layer of PyTorch as three."""
    x = keras.Input((8, 10))
    return keras.Model(x, layers.MultiHeadAttention(2, 5)(x, x))


class Positions(layers.Layer):
    def __init__(self, length, dim):
        super().__init__()
        self.table = layers.Embedding(length, dim)

    def call(self, x):
        return x + self.table(ops.arange(x.shape[1]))


def gpt(rows=27, dim=12, length=10):
    tokens = keras.Input((10,), dtype="int32")
    x = Positions(length, dim)(layers.Embedding(rows, dim, name="wte")(tokens))
    y = layers.LayerNormalization(epsilon=1e-5, name="ln1")(x)
    x = x + layers.MultiHeadAttention(2, dim // 2, name="attn")(y, y, use_causal_mask=True)
    y = layers.LayerNormalization(epsilon=1e-5, name="ln2")(x)
    y = keras.activations.gelu(layers.Dense(30, name="fc1")(y), approximate=True)
    x = x + layers.Dense(dim, name="fc2")(y)
    return keras.Model(tokens, layers.Dense(rows, use_bias=False, name="head")(x))


class PaddingMask(keras.Model):
    def __init__(self):
        super().__init__()
        self.attn = layers.MultiHeadAttention(2, 4)
        self.norm = layers.LayerNormalization(epsilon=1e-6)

    def call(self, inputs):
        x, empty = inputs
        seen = tf.logical_not(empty)[:, tf.newaxis, :]
        return self.norm(x + self.attn(x, x, attention_mask=seen))


def cross():
    x, memory = keras.Input((6, 7)), keras.Input((9, 9))
    q = layers.Dense(8)(x)
    k, v = ops.split(layers.Dense(16)(memory), 2, axis=-1)
    weights = ops.softmax(ops.einsum("bqd,bkd->bqk", q, k) / 8**0.5)
    return keras.Model([x, memory], layers.Dense(5)(ops.einsum("bqk,bkd->bqd", weights, v)))


class Tokens(layers.Layer):
    """The class token before the patches, positions added."""

    def build(self, shape):
        self.cls = self.add_weight(shape=(1, 1, shape[-1]), initializer="zeros", name="cls")
        self.pos = self.add_weight(
            shape=(1, shape[1] + 1, shape[-1]), initializer="random_normal", name="pos"
        )

    def call(self, x):
        cls = ops.broadcast_to(self.cls, (ops.shape(x)[0], 1, x.shape[-1]))
        return ops.concatenate([cls, x], axis=1) + self.pos


def vit(dim=12, patch=4):
    image = keras.Input((16, 12, 3))
    x = layers.Conv2D(dim, patch, strides=patch, name="patch")(image)
    x = Tokens(name="tokens")(layers.Reshape((-1, dim))(x))
    x = layers.LayerNormalization(epsilon=1e-6, name="norm")(encoder(x, dim))
    return keras.Model(image, layers.Dense(5, name="head")(x[:, 0]))


def norm_by_hand():
    """Keras' own layer where PyTorch's was written out."""
    inputs = keras.Input((6,))
    x = layers.LayerNormalization(epsilon=1e-5)(layers.Dense(9)(inputs))
    return keras.Model(inputs, layers.Dense(4)(ops.gelu(x)))


class Llama(keras.Model):
    def __init__(self, dim=10, hidden=14):
        super().__init__()
        self.norm = layers.RMSNormalization(epsilon=1e-6)
        self.gate = layers.Dense(hidden, use_bias=False)
        self.up = layers.Dense(hidden, use_bias=False)
        self.down = layers.Dense(dim, use_bias=False)

    def call(self, x):
        y = self.norm(x)
        return x + self.down(tf.nn.silu(self.gate(y)) * self.up(y))


def attention_pool():
    x = keras.Input((9, 7))
    scores = layers.Dense(1)(layers.Dense(10, activation="tanh")(x))
    weights = layers.Softmax(axis=1)(scores)
    return keras.Model(x, layers.Dense(3)(ops.sum(layers.multiply([weights, x]), axis=1)))


class ScaledEmbedding(keras.Model):
    def __init__(self, rows=25, dim=8, length=12):
        super().__init__()
        self.dim = dim
        self.embedding = layers.Embedding(rows, dim)
        angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, dim, 2) / dim)
        self.table = np.concatenate([np.sin(angle), np.cos(angle)], 1).astype("float32")
        self.fc = layers.Dense(5)

    def call(self, tokens):
        x = self.embedding(tokens) * self.dim**0.5
        return self.fc(x + tf.cast(self.table[: tokens.shape[1]], x.dtype))
