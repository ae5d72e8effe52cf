import keras
from keras import layers


def net(one=1, two=3):
    x = inputs = keras.Input((20, 4))
    x = layers.Conv1D(5, 3, dilation_rate=one, activation="relu", name="one")(x)
    x = layers.Conv1D(6, 3, dilation_rate=two, name="two")(x)
    x = layers.ReLU()(layers.BatchNormalization(epsilon=1e-5, name="norm")(x))
    return keras.Model(inputs, layers.Dense(3, name="head")(layers.GlobalAveragePooling1D()(x)))


def wrong():
    return net(3, 1)


def one_of_them():
    return net(1, 2)
