import keras
import numpy as np
from keras import layers, ops


class Attend(layers.Layer):
    def __init__(self, lowest, scale, **kwargs):
        super().__init__(**kwargs)
        self.lowest, self.scale = lowest, scale

    def call(self, qkv, mask):
        first = ops.arange(mask.shape[1]) == 0
        keep = ops.logical_or(ops.cast(mask, "bool"), first)[:, None, :]
        q, k, v = ops.split(qkv, 3, axis=-1)
        scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) * self.scale
        return ops.matmul(ops.softmax(ops.where(keep, scores, self.lowest)), v)


def Net(dim=8, lowest=-1e9, scale=8**-0.5):
    x, mask = keras.Input((7, dim)), keras.Input((7,), dtype="int32")
    y = Attend(lowest, scale, name="attend")(layers.Dense(3 * dim, name="qkv")(x), mask)
    return keras.Model([x, mask], layers.Dense(dim, name="out")(y))


def Infinite():
    return Net(lowest=-np.inf)


def Weak():
    """As old ports have it: not low enough."""
    return Net(lowest=-5.0)


def Unscaled():
    return Net(scale=1.0)
