import keras
from keras import layers, ops


class Block(keras.layers.Layer):
    def __init__(self, factor=0.5, shift=0.25, approximate=False, twice=False, **more):
        super().__init__(**more)
        self.factor, self.shift, self.twice = factor, shift, twice
        self.approximate = approximate
        self.a = layers.Dense(8, name="a")
        self.b = layers.Dense(8, name="b")
        self.c = layers.Dense(3, name="c")

    def call(self, x):
        h = ops.gelu(self.a(x), approximate=self.approximate)
        h = h + self.factor * self.b(h)
        h = ops.tanh(h - self.shift)
        h = ops.tanh(h) if self.twice else h
        return self.c(h)


def net(**given):
    inputs = keras.Input((6,))
    return keras.Model(inputs, Block(name="block", **given)(inputs))


def factor():
    return net(factor=2.0)


def shift():
    return net(shift=0.75)


def approximate():
    return net(approximate=True)


def twice():
    return net(twice=True)
