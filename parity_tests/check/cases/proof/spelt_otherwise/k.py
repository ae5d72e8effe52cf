import keras
from keras import layers, ops


def net(epsilon=1e-5):
    """The length by hand."""
    x = inputs = keras.Input((6,))
    x = layers.Dense(8, name="a")(x)
    x = x * ops.rsqrt(ops.sum(ops.square(x), axis=-1, keepdims=True))
    x = layers.Dense(4, name="b")(x)
    return keras.Model(inputs, layers.LayerNormalization(epsilon=epsilon, name="norm")(x))


def wrong():
    return net(1e-3)
