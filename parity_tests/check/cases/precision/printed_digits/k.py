import math

import keras
from keras import layers, ops


def net(slope, halves, root):
    x = inputs = keras.Input((8,))
    x = layers.Dense(6, name="a")(x)
    x = ops.tanh(slope * (x + 0.1 * x**3))
    x = ops.log(1 + ops.exp(x)) - halves
    return keras.Model(inputs, layers.Dense(3, name="b")(x) / root)


def exact():
    return net(2 / math.sqrt(math.pi), math.log(2), math.sqrt(2))


def printed():
    return net(1.1283792, 0.6931472, 1.4142135)


def cut_off():
    return net(1.1283, math.log(2), math.sqrt(2))
