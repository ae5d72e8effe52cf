import keras
import numpy as np
from keras import layers, ops


class Bias(layers.Layer):
    def build(self, shape):
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x):
        return x + self.bias


class Table(layers.Layer):
    def build(self, shape):
        self.table = ops.convert_to_tensor(
            np.arange(1, shape[-1] + 1) / 7, dtype=self.compute_dtype
        )

    def call(self, x):
        return x * self.table


def net(dim=8):
    """The same, right: the two biases are layers behind the split (kecam)."""
    i = keras.Input((5, dim))
    q, k, v = ops.split(layers.Dense(3 * dim, use_bias=False, name="qkv")(i), 3, axis=-1)
    q, v = Bias(name="query_bias")(q), Bias(name="value_bias")(v)
    q, k, v = (ops.transpose(ops.reshape(t, (-1, 5, 2, dim // 2)), (0, 2, 1, 3)) for t in (q, k, v))
    a = layers.Softmax()(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))))
    y = ops.reshape(ops.transpose(ops.matmul(a, v), (0, 2, 1, 3)), (-1, 5, dim))
    return keras.Model(i, layers.Dense(dim, name="proj")(Table(name="table")(y)))
