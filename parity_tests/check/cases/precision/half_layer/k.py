import keras
from keras import layers


def Net(precision=None):
    x = keras.Input((8,))
    y = layers.Dense(32, activation="relu", name="a")(x)
    y = layers.Dense(6, name="b", dtype=precision)(y)
    y = keras.ops.tanh(keras.ops.cast(y, "float32"))
    return keras.Model(x, layers.Dense(5, name="c")(y))


def Half():
    return Net("float16")
