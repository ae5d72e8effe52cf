import keras
from keras import layers, ops


def net(before=1.0, behind=1.0):
    x = inputs = keras.Input((6,))
    x = ops.gelu(layers.Dense(8, name="a")(x), approximate=False)
    if before != 1:
        x = layers.Rescaling(before, name="before")(x)
    x = layers.Dense(5, name="b")(x)
    if behind != 1:
        x = layers.Rescaling(behind, name="behind")(x)
    return keras.Model(inputs, layers.LayerNormalization(epsilon=1e-5, name="norm")(x))


def wrong():
    """Twice as much before the layer, half as much behind: only the bias tells."""
    return net(2.0, 0.5)
