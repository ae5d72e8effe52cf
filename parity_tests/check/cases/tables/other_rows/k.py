import keras
from keras import layers, ops


class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(12, shape[-1]), name="table")

    def call(self, x):
        return x + self.table[: ops.shape(x)[1]]


def Net():
    ids = keras.Input((None,), dtype="int32")
    x = Positions(name="positions")(layers.Embedding(30, 6)(ids))
    return keras.Model(ids, layers.Dense(4)(x))
