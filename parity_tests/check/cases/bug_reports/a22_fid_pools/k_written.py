import keras
from keras import layers


def mixed(x, pool, name):
    left = layers.Conv2D(4, 1, name=f"{name}_branch1x1")(x)
    right = layers.Conv2D(4, 1, name=f"{name}_branch_pool")(pool(x))
    return layers.Concatenate(name=name)([left, right])


def Net():
    inputs = keras.Input((9, 9, 4))
    pool = keras.Sequential(
        [
            layers.ZeroPadding2D(((1, 1), (1, 1))),
            layers.AveragePooling2D(3, strides=1, padding="valid", name="pool_5"),
        ]
    )
    x = mixed(inputs, pool, "mixed_5")
    x = layers.ReLU()(x)
    pool = layers.AveragePooling2D(pool_size=3, strides=1, padding="same", name="pool_7")
    x = mixed(x, pool, "mixed_7")
    return keras.Model(inputs, x)
