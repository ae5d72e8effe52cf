import keras
from keras import layers


def net():
    return keras.Sequential(
        [keras.Input((7,)), layers.Dense(10, activation="relu"), layers.Dense(4)]
    )
