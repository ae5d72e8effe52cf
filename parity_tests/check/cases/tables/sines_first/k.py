import math

import keras
import numpy as np
from keras import layers, ops


class Steps(keras.Model):
    def __init__(self, sines_first, steps=8):
        super().__init__()
        self.out, self.sines_first, self.steps = layers.Dense(8, name="out"), sines_first, steps

    def call(self, t):
        rates = np.exp(-math.log(10000) * np.arange(8) / self.steps).astype("float32")
        angles = ops.cast(t, "float32")[:, None] * rates[None]
        sines, cosines = ops.sin(angles), ops.cos(angles)
        if self.sines_first:
            both = ops.concatenate([sines, cosines], -1)
        else:
            both = ops.concatenate([cosines, sines], -1)
        return self.out(ops.silu(both))


def right():
    return Steps(sines_first=True)


def cosines_first():
    return Steps(sines_first=False)


def to_the_end():
    return Steps(sines_first=True, steps=7)
