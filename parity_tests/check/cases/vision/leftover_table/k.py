import keras
import numpy as np
from keras import layers, ops


class QV(layers.Layer):
    def build(self, shape):
        self.bias = self.add_weight(shape=(shape[-1],), initializer="zeros", name="bias")

    def call(self, x):
        return x + self.bias


class Bias(layers.Layer):
    def build(self, shape):
        n = 4
        r = np.arange(-(n - 1), n, dtype="float64")
        t = np.stack(np.meshgrid(r, r, indexing="ij"), -1).reshape(-1, 2) / (n - 1) * 8
        self.coords = ops.convert_to_tensor(
            np.sign(t) * np.log(1 + abs(t)) / np.log(8), dtype=self.compute_dtype
        )
        c = np.stack(np.meshgrid(range(n), range(n), indexing="ij")).reshape(2, -1)
        d = c[:, :, None] - c[:, None, :] + n - 1
        self.index = ops.convert_to_tensor(d[0] * (2 * n - 1) + d[1])
        self.w = self.add_weight(shape=(2, 16), name="hidden_weight")
        self.b = self.add_weight(shape=(16,), initializer="zeros", name="hidden_bias")
        self.out = self.add_weight(shape=(16, 2), name="out")

    def call(self, x):
        y = ops.relu(ops.cast(self.coords, x.dtype) @ self.w + self.b) @ self.out
        return x + ops.transpose(ops.sigmoid(ops.take(y, self.index, axis=0)) * 16.0, (2, 0, 1))


def net(dim=8):
    """The same, right (kecam): q's and v's bias are layers, the table is kept in the dtype of the layer."""
    i = keras.Input((16, dim))
    q, k, v = ops.split(layers.Dense(3 * dim, use_bias=False, name="qkv")(i), 3, axis=-1)
    q, v = QV(name="query_bias")(q), QV(name="value_bias")(v)
    q, k, v = (
        ops.transpose(ops.reshape(t, (-1, 16, 2, dim // 2)), (0, 2, 1, 3)) for t in (q, k, v)
    )
    a = layers.Softmax()(Bias(name="pos")(ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))))
    y = ops.reshape(ops.transpose(ops.matmul(a, v), (0, 2, 1, 3)), (-1, 16, dim))
    return keras.Model(i, layers.Dense(dim, name="proj")(y))
