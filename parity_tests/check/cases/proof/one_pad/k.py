import keras
from keras import layers


def net(pad=((1, 1), (1, 1))):
    """One ZeroPadding2D for both branches."""
    x = inputs = keras.Input((7, 7, 3))
    x = layers.ZeroPadding2D(pad, name="pad")(x)
    a = layers.Conv2D(4, 3, activation="relu", name="a")(x)
    b = layers.Conv2D(5, 3, activation="tanh", name="b")(x)
    x = layers.Concatenate(name="both")([a, b])
    return keras.Model(inputs, layers.Conv2D(2, 1, name="head")(x))


def wrong():
    return net(((2, 0), (1, 1)))
