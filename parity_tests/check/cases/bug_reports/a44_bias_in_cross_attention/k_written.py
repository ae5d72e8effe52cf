import keras
from keras import layers, ops


class CrossAttention(layers.Layer):
    def __init__(self, dim=8, heads=2, reach=3, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.reach = heads, reach
        self.q = layers.Dense(dim, use_bias=False, name="q")
        self.k = layers.Dense(dim, use_bias=False, name="k")
        self.v = layers.Dense(dim, use_bias=False, name="v")
        self.o = layers.Dense(dim, use_bias=False, name="o")
        self.relative_bias = layers.Embedding(2 * reach + 1, heads, name="relative_bias")

    def split(self, x):
        x = ops.reshape(x, (-1, x.shape[1], self.heads, x.shape[2] // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def call(self, x, memory):
        q, k, v = self.split(self.q(x)), self.split(self.k(memory)), self.split(self.v(memory))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2)))
        y = ops.matmul(ops.softmax(scores), v)
        y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, x.shape[1], x.shape[2]))
        return self.o(y)


def Net():
    x, memory = keras.Input((5, 8)), keras.Input((7, 8))
    return keras.Model([x, memory], x + CrossAttention(name="attention")(x, memory))
