"""The Keras side of the small example: fashion_mlp with two layers more."""

from keras_impl.fashion_mlp import *  # noqa: F403
from keras_impl.fashion_mlp import keras, layers


def build_model():
    model = keras.Sequential()
    model.add(keras.Input((28, 28)))
    model.add(layers.Flatten(name="flatten"))
    model.add(layers.Dense(16, name="hidden"))
    model.add(layers.ReLU(name="relu"))
    model.add(layers.Dense(16, name="first"))
    model.add(layers.Dense(16, name="second"))
    model.add(layers.Dense(10, name="logits"))
    return model
