import keras
from keras import layers


def Net():
    return keras.Sequential(
        [
            keras.Input((9, 9, 4)),
            layers.SeparableConv2D(
                6, 3, padding="same", dilation_rate=2, activation="relu", name="separable"
            ),
        ]
    )
