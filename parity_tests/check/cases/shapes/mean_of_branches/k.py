import keras
from keras import layers, ops


def net(epsilon=1e-5, number=7):
    x = keras.Input((7, 6))
    y = layers.average([layers.Dense(5, name=name)(x) for name in "abc"])
    y = layers.LayerNormalization(epsilon=epsilon, name="norm")(y)
    return keras.Model(x, ops.sum(y, axis=1) / number)


def other_epsilon():
    return net(1e-3)


def other_number():
    return net(number=6)
