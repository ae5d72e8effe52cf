import keras
from keras import layers, ops


def net(epsilon=1e-3):
    """The norm written out (kecam: l2_normalize); the layer norm has another epsilon."""
    i = keras.Input((5, 6))
    x = layers.Dense(8, name="a")(i)
    x = x / ops.sqrt(ops.maximum(ops.sum(x**2, axis=-1, keepdims=True), 1e-12))
    return keras.Model(
        i, layers.LayerNormalization(epsilon=epsilon, name="norm")(layers.Dense(4, name="b")(x))
    )


def right():
    return net(1e-5)
