import keras
from keras import layers, ops


def Net():
    x = keras.Input((8,))
    y = layers.Dense(16, activation="tanh", name="a")(x)
    y = ops.cast(ops.cast(y, "float16"), "float32")
    return keras.Model(x, layers.Dense(5, name="b")(y))
