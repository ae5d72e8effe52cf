import keras
from keras import layers


def net(norm=True, sigmoid=True):
    x = inputs = keras.Input((6,))
    x = layers.Dense(8, name="a")(x)
    if norm:
        x = layers.LayerNormalization(epsilon=1e-6, name="norm")(x)
    if sigmoid:
        x = layers.Activation("sigmoid", name="sigmoid")(x)
    return keras.Model(inputs, layers.Dense(3, name="b")(x))


def without_norm():
    return net(norm=False)


def without_sigmoid():
    return net(sigmoid=False)
