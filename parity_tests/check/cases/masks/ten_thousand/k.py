import keras
from keras import layers, ops


class Attention(layers.Layer):
    def __init__(self, masked, axis, **kwargs):
        super().__init__(**kwargs)
        self.masked, self.axis = masked, axis
        self.q, self.k, self.v, self.o = (layers.Dense(8, name=name) for name in "qkvo")

    def call(self, x, seen):
        q, k, v = (
            ops.transpose(ops.reshape(f(x), (-1, 7, 2, 4)), (0, 2, 1, 3))
            for f in (self.q, self.k, self.v)
        )
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / 2
        scores = ops.where(ops.cast(seen, "bool")[:, None, None], scores, self.masked)
        y = ops.matmul(ops.softmax(scores, axis=self.axis), v)
        return self.o(ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, 7, 8)))


def net(epsilon=1e-12, masked=-1e9, axis=-1):
    x, seen = keras.Input((7, 8)), keras.Input((7,), dtype="int32")
    y = layers.LayerNormalization(epsilon=epsilon, name="norm")(x)
    return keras.Model([x, seen], x + Attention(masked, axis, name="attend")(y, seen))


def other_axis():
    return net(axis=-2)


def other_norm():
    return net(epsilon=1e-3)


def feeble():
    return net(masked=-3.0)
