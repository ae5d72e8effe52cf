import keras
from keras import layers, ops


class Norm(layers.Layer):
    def __init__(self, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * ops.rsqrt(ops.mean(x * x, -1, keepdims=True) + self.epsilon) * self.scale


def Net(dim=16, epsilon=1e-6):
    """Without a cast anywhere: in float32 they do nothing."""
    x = keras.Input((5, dim))
    y = layers.Dense(3 * dim, use_bias=False, name="qkv")(Norm(epsilon, name="norm")(x))
    q, k, v = ops.split(y, 3, axis=-1)
    weights = ops.softmax(ops.matmul(q, ops.transpose(k, (0, 2, 1))) / 4.0, axis=-1)
    y = layers.Dense(dim, use_bias=False, name="out")(ops.matmul(weights, v))
    return keras.Model(x, x + y)


def Wrong():
    return Net(epsilon=1e-5)
