import keras
import numpy as np
import tensorflow as tf
from keras import layers


def table(steps, dim, halves):
    angles = np.arange(steps)[:, None] / np.power(10000, 2 * (np.arange(dim)[None] // 2) / dim)
    if halves:
        half = np.arange(steps)[:, None] / np.power(10000, np.arange(dim // 2)[None] / (dim // 2))
        return np.concatenate([np.sin(half), np.cos(half)], -1)
    angles[:, 0::2], angles[:, 1::2] = np.sin(angles[:, 0::2]), np.cos(angles[:, 1::2])
    return angles


class Positional(layers.Layer):
    def __init__(self, halves=False, **kwargs):
        super().__init__(**kwargs)
        self.halves = halves
        self.embedding = layers.Embedding(11, 8, name="table")
        self.sines = tf.cast(table(20, 8, halves)[None], tf.float32)

    def call(self, ids):
        x = self.embedding(ids)
        x *= tf.math.sqrt(tf.cast(8, tf.float32))
        return x + self.sines[:, : ids.shape[1]]


def net(halves=False):
    ids = keras.Input((6,), dtype="int32")
    return keras.Model(ids, layers.Dense(3, name="out")(Positional(halves, name="pos")(ids)))


def halves():
    return net(True)
