import keras
from keras import layers


def net():
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(12, activation="tanh"), layers.Dense(3)]
    )
