import keras
from keras import layers, ops


class Patches(keras.Model):
    def __init__(self, epsilon=1e-5, turned=False):
        super().__init__()
        self.project = layers.Dense(8, name="project")
        self.norm, self.turned = layers.LayerNormalization(epsilon=epsilon, name="norm"), turned

    def call(self, x):
        squares = ops.reshape(x, (-1, 2, 4, 2, 4, 3))
        order = (0, 1, 3, 2, 4, 5)
        if self.turned:
            order = (0, 1, 2, 3, 4, 5)
        rows = ops.reshape(ops.transpose(squares, order), (-1, 4, 48))
        return ops.mean(self.norm(self.project(rows)), 1)


def right():
    return Patches()


def coarse():
    return Patches(epsilon=1e-2)


def not_turned():
    return Patches(turned=True)
