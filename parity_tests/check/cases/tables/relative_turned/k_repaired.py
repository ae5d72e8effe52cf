import keras
import numpy as np
from keras import layers, ops


class Attention(layers.Layer):
    def __init__(self, n=2, heads=2, **kwargs):
        super().__init__(**kwargs)
        self.n, self.heads = n, heads

    def build(self, shape):
        width = shape[-1]
        self.qkv, self.out = layers.Dense(3 * width, name="qkv"), layers.Dense(width, name="out")
        self.table = self.add_weight(shape=((2 * self.n - 1) ** 2, self.heads), name="table")
        at = np.stack(np.meshgrid(range(self.n), range(self.n), indexing="ij")).reshape(2, -1)
        apart = at[:, :, None] - at[:, None, :] + self.n - 1
        self.index = apart[0] * (2 * self.n - 1) + apart[1]

    def call(self, x):
        n, c = x.shape[1:]
        parts = ops.reshape(self.qkv(x), (-1, n, 3, self.heads, c // self.heads))
        q, k, v = (ops.transpose(parts[:, :, i], (0, 2, 1, 3)) for i in range(3))
        bias = ops.transpose(ops.take(self.table, self.index, axis=0), (2, 0, 1))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * (c // self.heads) ** -0.5 + bias
        mixed = ops.transpose(ops.matmul(ops.softmax(scores), v), (0, 2, 1, 3))
        return self.out(ops.reshape(mixed, (-1, n, c)))


def Net():
    x = keras.Input((4, 6))
    return keras.Model(x, Attention(name="attention")(x))
