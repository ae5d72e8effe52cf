import keras
import tensorflow as tf
from keras import layers, ops


class Mix(layers.Layer):
    def __init__(self, part, **kwargs):
        super().__init__(**kwargs)
        self.part = part

    def call(self, x):
        return self.part(tf.signal.fft2d(tf.cast(x, tf.complex64)))


def Net(dim=6, part=tf.math.real):
    x = keras.Input((5, 4))
    y = layers.Dense(dim, name="a")(x)
    y = layers.LayerNormalization(epsilon=1e-5, name="norm")(y + Mix(part, name="mix")(y))
    return keras.Model(x, layers.Dense(3, name="b")(y))


def InKeras(dim=6):
    x = keras.Input((5, 4))
    y = layers.Dense(dim, name="a")(x)
    real, _ = ops.fft2((y, ops.zeros_like(y)))
    y = layers.LayerNormalization(epsilon=1e-5, name="norm")(y + real)
    return keras.Model(x, layers.Dense(3, name="b")(y))


def Size():
    """The absolute value in place of the real part."""
    return Net(part=tf.abs)
