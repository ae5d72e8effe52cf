import keras
from keras import layers, ops


class Attention(layers.Layer):
    """Places are compared, and a large negative number is added."""

    def __init__(self, strict, **kwargs):
        super().__init__(**kwargs)
        self.strict = strict
        self.qkv, self.out = layers.Dense(24, name="qkv"), layers.Dense(8, name="out")

    def call(self, x):
        q, k, v = ops.split(self.qkv(x), 3, axis=-1)
        at = ops.arange(ops.shape(x)[1])
        seen = at[:, None] > at[None] if self.strict else at[:, None] >= at[None]
        scores = ops.matmul(q, ops.transpose(k, (0, 2, 1))) * 8**-0.5
        scores = scores + ops.where(seen, 0.0, -1e9)[None]
        return self.out(ops.matmul(ops.softmax(scores), v))


def net(epsilon=1e-5, strict=False):
    x = keras.Input((7, 8))
    y = Attention(strict, name="attend")(layers.LayerNormalization(epsilon=epsilon, name="norm")(x))
    return keras.Model(x, layers.add([x, y]))


def other_epsilon():
    return net(1e-3)


def strict():
    return net(strict=True)
