import keras
from keras import layers


def net(epsilon=1e-5):
    x = inputs = keras.Input((6,))
    x = layers.Dense(8, activation="sigmoid", name="gate")(x)
    return keras.Model(inputs, layers.LayerNormalization(epsilon=epsilon, name="norm")(x))


def wrong():
    return net(1e-3)
