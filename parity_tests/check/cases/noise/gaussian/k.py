import keras
from keras import layers


def net(deviation=0.1):
    return keras.Sequential(
        [
            keras.Input((8,)),
            layers.GaussianNoise(deviation, name="noise"),
            layers.Dense(5, activation="tanh", name="encoder"),
            layers.Dense(8, name="decoder"),
        ]
    )
