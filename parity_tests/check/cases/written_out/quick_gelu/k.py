import keras
from keras import layers, ops


def net(number=1.702):
    x = keras.Input((5, 6))
    y = layers.Dense(12, name="up")(x)
    return keras.Model(x, layers.Dense(6, name="down")(ops.sigmoid(y * number) * y))


def other_number():
    return net(1.7)


def slip():
    return net(1.072)
