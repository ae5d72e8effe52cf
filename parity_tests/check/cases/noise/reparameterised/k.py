import keras
import tensorflow as tf
from keras import layers, ops


class Sampling(layers.Layer):
    """As TensorFlow's own tutorial writes it."""

    def __init__(self, half=0.5, **kwargs):
        super().__init__(**kwargs)
        self.half = half

    def call(self, inputs):
        mean, log_variance = inputs
        draw = tf.random.normal(tf.shape(mean), dtype=mean.dtype)
        return mean + ops.exp(self.half * log_variance) * draw


def net(half=0.5):
    inputs = keras.Input((10,))
    h = layers.Dense(12, activation="relu", name="encoder")(inputs)
    mean, log_variance = layers.Dense(3, name="mean")(h), layers.Dense(3, name="variance")(h)
    z = Sampling(half, name="sampling")([mean, log_variance])
    return keras.Model(inputs, [layers.Dense(10, name="decoder")(z), mean, log_variance])


def wrong():
    """The variance in place of the deviation."""
    return net(1.0)
