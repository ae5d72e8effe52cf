import keras
from keras import layers, ops


def net():
    """keras.applications' NASNet: one ZeroPadding2D before both pools."""
    i = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 1, name="conv")(i)
    padded = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = ops.pad(x, ((0, 0), (0, 1), (0, 1), (0, 0)), constant_values=float("-inf"))
    a = layers.MaxPooling2D(pool_size=3, strides=2, padding="valid", name="max")(x)
    b = layers.AveragePooling2D(3, 2, name="avg")(padded)
    return keras.Model(i, layers.Conv2D(4, 1, name="last")(layers.concatenate([a, b])))
