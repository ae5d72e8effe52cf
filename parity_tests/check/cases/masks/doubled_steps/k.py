import keras
from keras import layers


def net(epsilon=1e-5):
    x = keras.Input((10, 3))
    y = layers.Conv1D(6, 3, name="one")(x)
    y = layers.BatchNormalization(epsilon=epsilon, name="norm")(y)
    return keras.Model(x, layers.Conv1D(2, 1, name="two")(layers.ReLU(name="relu")(y)))


def other_epsilon():
    return net(1e-3)


def bounded():
    x = keras.Input((10, 3))
    y = layers.Conv1D(6, 3, name="one")(x)
    y = layers.BatchNormalization(epsilon=1e-5, name="norm")(y)
    y = layers.ReLU(max_value=0.5, name="relu")(y)
    return keras.Model(x, layers.Conv1D(2, 1, name="two")(y))
