import keras
from keras import layers, ops


class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(shape[-1], 12), name="table")

    def call(self, x):
        return x + ops.transpose(self.table)[: x.shape[1]]


def Net():
    x = keras.Input((7, 6))
    return keras.Model(x, layers.Dense(4)(ops.tanh(Positions(name="positions")(x))))
