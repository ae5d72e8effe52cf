import keras
from keras import layers


def net(approximate=True):
    x = keras.Input((5, 6))
    y = keras.activations.gelu(layers.Dense(12, name="up")(x), approximate=approximate)
    return keras.Model(x, layers.Dense(6, name="down")(y))


def exact():
    return net(False)
