import keras
import numpy as np
from keras import layers

MEAN, STD = np.array([0.5, 0.4, 0.3], "float32"), np.array([0.2, 0.25, 0.3], "float32")


def net(twice=False):
    x = inputs = keras.Input((6, 6, 3))
    x = layers.Rescaling(1 / 255, name="fractions")(x)
    x = x - MEAN
    x = x / STD
    if twice:
        x = x / STD
    return keras.Model(inputs, layers.Conv2D(4, 3, name="conv")(x))


def wrong():
    return net(twice=True)
