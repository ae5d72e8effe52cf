import keras
from keras import layers, ops


class Convolution(layers.Layer):
    """A convolution along a sequence in a layer of the user's own."""

    def __init__(self, padding, **kwargs):
        super().__init__(**kwargs)
        self.padding = padding

    def build(self, shape):
        self.kernel = self.add_weight(name="kernel", shape=(3, shape[-1], 8))
        self.bias = self.add_weight(name="bias", shape=(8,))

    def call(self, x):
        x = ops.pad(x, [[0, 0], self.padding, [0, 0]])
        return ops.relu(ops.conv(x, self.kernel, strides=2) + self.bias)


def net(padding):
    inputs = keras.Input((12, 6))
    x = Convolution(padding, name="conv")(inputs)
    return keras.Model(inputs, layers.Dense(3)(ops.mean(x, 1)))


def Net():
    return net([2, 0])


def Repaired():
    return net([2, 2])
