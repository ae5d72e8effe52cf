import keras
from keras import layers, ops


def net(epsilon=1e-5, before="tanh"):
    inputs = keras.Input((6,))
    x = layers.Dense(5, activation=before, name="before")(inputs)
    is_open = ops.cast(layers.Dense(1, name="gate")(x) > 0, x.dtype)
    y = layers.Dense(7, activation="relu", name="inner")(x)
    x = x + is_open * layers.Dense(5, name="outer")(y)
    x = layers.LayerNormalization(epsilon=epsilon, name="norm")(x)
    return keras.Model(inputs, layers.Dense(2, name="head")(x))
