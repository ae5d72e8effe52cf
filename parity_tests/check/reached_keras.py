"""Ports of `reached_torch`, right and wrong."""

import math

import keras
from keras import layers, ops


def pooled(bias=True, after="softplus", around="same", padding="zeros"):
    """The maximum over windows with another padding."""
    given = keras.Input((9, 9, 3))
    x = layers.Conv2D(4, 3, padding=around, use_bias=bias)(given)
    if padding == "zeros":
        x = layers.ZeroPadding2D(1)(x)
    else:
        x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=float("-inf"))
    x = layers.Activation(after)(layers.MaxPooling2D(3, 2)(x))
    return keras.Model(given, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))


class Causal(keras.Model):
    """Channels last, which no shape tells before it is run."""

    def __init__(self, padding="causal"):
        super().__init__()
        self.conv = layers.Conv1D(8, 3, padding=padding, activation="relu")
        self.head = layers.Dense(3)

    def call(self, x):
        """Mean and unbiased deviation over time."""
        y = self.conv(x)
        unbiased = math.sqrt(y.shape[1] / (y.shape[1] - 1))
        return self.head(ops.concatenate([ops.mean(y, 1), ops.std(y, 1) * unbiased], -1))


class Dropping(keras.Model):
    """Drops in evaluation, too, or not."""

    def __init__(self, rate=0.3, training=True):
        super().__init__()
        self.body, self.head = layers.Dense(8, activation="relu"), layers.Dense(2)
        self.drop, self.training = layers.Dropout(rate), training

    def call(self, x):
        """Two layers."""
        return self.head(self.drop(self.body(x), training=self.training or None))


def normalised(epsilon=1e-3, momentum=0.99):
    """The first norm as Keras makes it but for momentum, the second with what is given."""
    given = keras.Input((7, 7, 3))
    x = layers.Conv2D(4, 3)(given)
    x = layers.ReLU()(layers.BatchNormalization(epsilon=epsilon, momentum=0.9, name="norm1")(x))
    x = layers.Conv2D(5, 3)(x)
    x = layers.BatchNormalization(epsilon=epsilon, momentum=momentum, name="norm2")(x)
    return keras.Model(given, layers.Dense(2)(ops.mean(ops.relu(x), axis=(1, 2))))
