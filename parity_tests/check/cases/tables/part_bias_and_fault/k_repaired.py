import keras
from keras import layers, ops


class Bias(layers.Layer):
    def build(self, shape):
        self.bias = self.add_weight(shape=(shape[-1],), name="bias")

    def call(self, x):
        return x + self.bias


def heads(x, heads=2):
    n, c = x.shape[1:]
    return ops.transpose(ops.reshape(x, (-1, n, heads, c // heads)), (0, 2, 1, 3))


def Net(width=6, steps=5):
    x = keras.Input((steps, width))
    q, k, v = ops.split(layers.Dense(3 * width, use_bias=False, name="qkv")(x), 3, axis=-1)
    q, k, v = heads(Bias(name="q_bias")(q)), heads(k), heads(Bias(name="v_bias")(v))
    a = layers.Softmax()(ops.matmul(q * (width // 2) ** -0.5, ops.transpose(k, (0, 1, 3, 2))))
    y = ops.reshape(ops.transpose(ops.matmul(a, v), (0, 2, 1, 3)), (-1, steps, width))
    y = layers.Dense(width, name="first")(y)
    y = layers.Activation(lambda y: ops.gelu(y, approximate=False), name="gelu")(y)
    return keras.Model(x, layers.Dense(width, name="second")(y))
