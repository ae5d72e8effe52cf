import keras
import numpy as np
from keras import layers, ops


def sines(length, width):
    angle = np.arange(length)[:, None] / 10000 ** (np.arange(0, width, 2) / width)
    return np.concatenate([np.sin(angle), np.cos(angle)], 1).astype("float32")


class Positions(layers.Layer):
    def call(self, x):
        return x + ops.cast(sines(x.shape[1], x.shape[2]), x.dtype)


def Net():
    ids = keras.Input((7,), dtype="int32")
    x = Positions(name="positions")(layers.Embedding(30, 6)(ids))
    return keras.Model(ids, layers.Dense(4)(x))
