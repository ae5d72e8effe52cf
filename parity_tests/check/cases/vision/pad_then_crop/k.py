import keras
from keras import layers


def net():
    """The same shift in two steps; the epsilon alone is another."""
    i = keras.Input((8, 8, 3))
    a = layers.Conv2D(4, 1, use_bias=False, name="one")(layers.AveragePooling2D(1, 2)(i))
    b = layers.ZeroPadding2D(((0, 1), (0, 1)), name="pad")(i)
    b = layers.Cropping2D(((1, 0), (1, 0)), name="crop")(b)
    b = layers.Conv2D(4, 1, use_bias=False, name="two")(layers.AveragePooling2D(1, 2)(b))
    return keras.Model(
        i, layers.BatchNormalization(epsilon=1e-3, name="bn")(layers.concatenate([a, b]))
    )
