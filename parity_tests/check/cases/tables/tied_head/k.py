import keras
from keras import layers, ops


class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(12, shape[-1]), name="table")

    def call(self, x):
        return x + self.table[: ops.shape(x)[1]]


def Net():
    ids = keras.Input((None,), dtype="int32")
    tokens = layers.ReversibleEmbedding(30, 6, name="tokens")
    x = layers.LayerNormalization(epsilon=1e-5)(Positions(name="positions")(tokens(ids)))
    return keras.Model(ids, tokens(x, reverse=True))
