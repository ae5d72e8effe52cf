import keras
from keras import layers, ops


class Attention(layers.Layer):
    def __init__(self, heads=2, **kwargs):
        super().__init__(**kwargs)
        self.heads = heads

    def build(self, shape):
        width = shape[-1]
        self.query, self.value = (layers.Dense(width, name=n) for n in ("query", "value"))
        self.key = layers.Dense(width, use_bias=False, name="key")
        self.out = layers.Dense(width, name="out")

    def call(self, x):
        n, c = x.shape[1:]
        shape = (-1, n, self.heads, c // self.heads)
        q, k, v = (
            ops.transpose(ops.reshape(f(x), shape), (0, 2, 1, 3))
            for f in (self.query, self.key, self.value)
        )
        a = ops.softmax(ops.matmul(q * (c // self.heads) ** -0.5, ops.transpose(k, (0, 1, 3, 2))))
        return self.out(ops.reshape(ops.transpose(ops.matmul(a, v), (0, 2, 1, 3)), (-1, n, c)))


def Net():
    x = keras.Input((5, 6))
    y = Attention(name="attention")(x)
    y = layers.Activation(lambda y: ops.gelu(y, approximate=True), name="gelu")(y)
    return keras.Model(x, layers.Dense(6, name="second")(y))
