import keras
from keras import layers


def net(slope=0.2):
    x = inputs = keras.Input((8, 8, 3))
    for units, name in ((8, "first"), (12, "second")):
        x = layers.ZeroPadding2D(1)(x)
        inner = layers.Conv2D(units, 3, strides=2)
        x = layers.SpectralNormalization(inner, name=name)(x)
        x = layers.LeakyReLU(slope)(x)
    x = layers.Flatten()(layers.Permute((3, 1, 2))(x))
    return keras.Model(inputs, layers.SpectralNormalization(layers.Dense(1), name="out")(x))


def wrong():
    """Keras' default slope is another."""
    return net(0.3)
