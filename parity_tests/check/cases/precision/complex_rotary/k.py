import keras
import numpy as np
from keras import layers, ops


class Scores(layers.Layer):
    def __init__(self, paired=True, **kwargs):
        super().__init__(**kwargs)
        self.paired = paired

    def build(self, shape):
        _, length, size = shape
        rates = 10000.0 ** (-np.arange(0, size // 2, 2) / (size // 2))
        angles = np.arange(length)[:, None] * rates
        self.cos = np.cos(angles).astype(self.compute_dtype)
        self.sin = np.sin(angles).astype(self.compute_dtype)

    def turned(self, x):
        if self.paired:
            a, b = x[..., 0::2], x[..., 1::2]
        else:
            a, b = ops.split(x, 2, axis=-1)
        parts = a * self.cos - b * self.sin, a * self.sin + b * self.cos
        if self.paired:
            return ops.reshape(ops.stack(parts, axis=-1), x.shape)
        return ops.concatenate(parts, axis=-1)

    def call(self, qk):
        q, k = ops.split(qk, 2, axis=-1)
        return ops.matmul(self.turned(q), ops.transpose(self.turned(k), (0, 2, 1)))


def Net(dim=8, length=7, paired=True):
    x = keras.Input((length, dim), batch_size=2)
    y = Scores(paired, name="scores")(layers.Dense(2 * dim, name="qk")(x))
    return keras.Model(x, layers.Dense(3, name="out")(y))


def Halves():
    """As Hugging Face turns them, without the rows of the weights moved."""
    return Net(paired=False)
