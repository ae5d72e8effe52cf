import keras
from keras import layers, ops


class Pool(keras.Model):
    def __init__(self, least):
        super().__init__()
        self.conv, self.least = layers.Conv2D(5, 3, name="conv"), least

    def call(self, x):
        h = ops.maximum(self.conv(x), self.least)
        return ops.power(ops.mean(ops.power(h, 3.0), (1, 2)), 1 / 3.0)


def right():
    return Pool(1e-6)


def larger():
    return Pool(0.1)
