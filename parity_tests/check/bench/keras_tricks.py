"""Keras ports of torch_tricks.py: right, though they look different."""

import keras
import tensorflow as tf
from keras import layers, ops


def odd_sizes():
    return keras.Sequential(
        [
            keras.Input((17, 13, 3)),
            layers.Conv2D(6, 3, strides=2, padding="same", activation="tanh"),
            layers.Conv2D(5, 5, padding="same"),
            layers.MaxPooling2D(3, strides=2, padding="same"),
        ]
    )


class InPlace(keras.Model):
    def __init__(self):
        super().__init__()
        self.pad = layers.ZeroPadding2D(1)
        self.conv1 = layers.Conv2D(5, 3, activation="relu")
        self.conv2 = layers.Conv2D(5, 3)

    def call(self, x):
        x = self.conv1(self.pad(x))
        return tf.nn.relu((x + self.conv2(self.pad(x))) / 2)


def hard_ones():
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(11, activation="hard_sigmoid"),
            layers.Dense(6, activation="relu6"),
            layers.Dense(4),
            layers.Lambda(lambda x: ops.clip(x, -1.0, 1.0)),
        ]
    )


def adaptive_pools():
    return keras.Sequential(
        [
            keras.Input((8, 12, 3)),
            layers.Conv2D(6, 3, padding="same", activation="relu"),
            layers.AveragePooling2D((4, 4)),
            layers.Flatten(),
            layers.Dense(4),
        ]
    )


def one_by_one():
    image = keras.Input((7, 8, 5))
    x = layers.Dense(9, activation="gelu")(image)
    return keras.Model(image, layers.Dense(4, activation="softmax")(x))


def pool_after_relu():
    return keras.Sequential(
        [
            keras.Input((12, 10, 2)),
            layers.Conv2D(6, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.GlobalMaxPooling2D(),
            layers.Dense(3),
        ]
    )


def depth_multiplier():
    image = keras.Input((9, 10, 4))
    x = layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(image)
    x = layers.GroupNormalization(groups=1, epsilon=1e-5)(x)
    return keras.Model(image, layers.Activation("swish")(x))


def identities():
    return keras.Sequential(
        [keras.Input((9,)), layers.Dense(7, activation="elu"), layers.Dense(2, activation="linear")]
    )


def plane_norm():
    x = keras.Input((7, 6))
    return keras.Model(x, layers.Dense(4)(layers.LayerNormalization(axis=[1, 2])(x)))


def scaled_keys():
    """Keras' layer takes query, value, key; the scale is put on the keys."""
    x = keras.Input((6, 8))
    query, value = layers.Dense(8)(x), layers.Dense(8)(x)
    key = layers.Rescaling(8**-0.5)(layers.Dense(8)(x))
    return keras.Model(x, layers.Attention(use_scale=False)([query, value, key]))


def cropped():
    return keras.Sequential(
        [
            keras.Input((15, 5)),
            layers.Conv1D(6, 4, padding="causal", activation="relu"),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3),
        ]
    )


def transposed_same():
    return keras.Sequential(
        [
            keras.Input((5, 7, 3)),
            layers.Conv2DTranspose(6, 4, strides=2, padding="same", activation="relu"),
            layers.Conv2DTranspose(2, 3, padding="same"),
        ]
    )


def swish_by_hand():
    inputs = keras.Input((10,))
    x = layers.Dense(8, activation="silu")(inputs)
    return keras.Model(inputs, layers.Dense(5, activation="log_softmax")(x))


def momentum_words():
    image = keras.Input((10, 8, 3))
    x = layers.ZeroPadding2D((0, 1))(image)
    x = layers.Conv2D(5, 3, use_bias=False)(x)
    x = layers.BatchNormalization(momentum=0.97, center=False, scale=False)(x)
    x = layers.GlobalAveragePooling2D()(layers.Activation("elu")(x))
    return keras.Model(image, layers.Dense(3)(x))
