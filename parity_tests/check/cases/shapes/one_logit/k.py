import keras
from keras import layers, ops


def net(end=None):
    x = keras.Input((5,))
    y = layers.Dense(6, activation="relu", name="hidden")(x)
    y = layers.Dense(1, name="head")(y)
    return keras.Model(x, y if end is None else end(y))


def flat():
    return net(lambda y: y[:, 0])


def probability():
    return net(ops.sigmoid)
