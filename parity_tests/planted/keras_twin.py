"""The Keras side of the small example: fashion_mlp with two layers more."""

from keras_impl.fashion_mlp import *  # noqa: F403
from keras_impl.fashion_mlp import keras, layers


def build_model():
    return keras.Sequential(
        [
            keras.Input((28, 28)),
            layers.Flatten(),
            layers.Dense(16, activation="relu"),
            layers.Dense(16),
            layers.Dense(16),
            layers.Dense(10),
        ]
    )
