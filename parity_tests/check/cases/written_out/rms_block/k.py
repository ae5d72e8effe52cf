import keras
from keras import layers, ops


class Norm(layers.Layer):
    """With the root below, and the weight before."""

    def __init__(self, epsilon, **kwargs):
        super().__init__(**kwargs)
        self.epsilon = epsilon

    def build(self, shape):
        self.gain = self.add_weight(shape=shape[-1:], initializer="ones", name="gain")

    def call(self, x):
        return (
            self.gain * x / ops.sqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + self.epsilon)
        )


def net(epsilon=1e-5, factor=1.0):
    x = keras.Input((5, 6))
    y = Norm(epsilon, name="norm")(x)
    gate, up = layers.Dense(9, name="gate")(y), layers.Dense(9, name="up")(y)
    y = gate / (1.0 + ops.exp(-factor * gate)) * up
    return keras.Model(x, x + layers.Dense(6, name="down")(y))


def other_epsilon():
    return net(1e-2)


def other_factor():
    return net(factor=1.5)
