import keras
import numpy as np
from keras import layers, ops


class CausalAttention(layers.Layer):
    def __init__(self, dim=12, heads=3, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.size = heads, dim // heads
        self.query = layers.Dense(dim, name="query")
        self.key = layers.Dense(dim, name="key")
        self.value = layers.Dense(dim, name="value")
        self.out = layers.Dense(dim, name="out")

    def call(self, x):
        n = x.shape[1]
        heads = lambda y: ops.transpose(
            ops.reshape(y, (-1, n, self.heads, self.size)), (0, 2, 1, 3)
        )
        q = heads(self.query(x) * self.size**-0.5)
        k, v = heads(self.key(x)), heads(self.value(x))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))
        seen = np.tril(np.ones((n, n), bool))
        weights = ops.softmax(ops.where(seen, scores, -1e9))
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.out(ops.reshape(y, (-1, n, self.heads * self.size)))


def Net():
    inputs = keras.Input((7, 12))
    return keras.Model(inputs, CausalAttention(name="attention")(inputs))
