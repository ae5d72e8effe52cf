import keras
from keras import layers, ops


class Depthwise(layers.Layer):
    """Two channels made of each, with kernels of unit length but for a factor."""

    def __init__(self, axes, stride=1, **kwargs):
        super().__init__(**kwargs)
        self.axes, self.stride = axes, stride

    def build(self, shape):
        self.v = self.add_weight(name="v", shape=(3, 3, shape[-1], 2))
        self.g = self.add_weight(name="g", shape=(1, 1, shape[-1], 2))
        self.bias = self.add_weight(name="bias", shape=(2 * shape[-1],))

    def call(self, x):
        norm = ops.sqrt(ops.sum(ops.square(self.v), axis=self.axes, keepdims=True))
        return ops.depthwise_conv(x, self.g * self.v / norm, strides=self.stride) + self.bias


def net(*arguments):
    inputs = keras.Input((9, 9, 4))
    x = ops.relu(Depthwise(*arguments, name="conv")(inputs))
    return keras.Model(inputs, layers.Dense(3)(ops.mean(x, (1, 2))))


def Net():
    return net((0, 1))


def Strided():
    return net((0, 1), 2)


def AllAxes():
    return net((0, 1, 2))
