import math

import keras
import numpy as np
from keras import layers, ops


class Attention(layers.Layer):
    def __init__(self, first=1, sign=-1, **kwargs):
        super().__init__(**kwargs)
        self.first, self.sign = first, sign
        self.qkv, self.o = layers.Dense(24, name="qkv"), layers.Dense(8, name="o")

    def call(self, x):
        t = x.shape[1]
        qkv = ops.reshape(self.qkv(x), (-1, t, 4, 3, 2))
        q, k, v = (ops.transpose(qkv[:, :, :, i], (0, 2, 1, 3)) for i in range(3))
        slopes = 2.0 ** (-8 * (np.arange(4) + self.first) / 4)
        at = np.arange(t)
        distance = self.sign * (at[:, None] - at[None])
        bias = (slopes[:, None, None] * distance).astype("float32")
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / math.sqrt(2) + bias
        scores = ops.where(at[:, None] >= at[None], scores, -1e9)
        y = ops.matmul(ops.softmax(scores), v)
        return self.o(ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, t, 8)))


def net(**more):
    x = keras.Input((6, 8))
    return keras.Model(x, Attention(**more, name="attend")(x))


def steeper():
    return net(first=0)


def turned():
    return net(sign=1)
