import keras
from keras import ops


class Attend(keras.layers.Layer):
    def build(self, shape):
        self.q, self.k = keras.layers.Dense(8), keras.layers.Dense(8)

    def call(self, x, mask):
        scores = ops.matmul(self.q(x), ops.transpose(self.k(x), (0, 2, 1)))
        weights = keras.layers.Softmax()(scores, ops.cast(mask[:, None, :], "bool"))
        return keras.activations.gelu(ops.matmul(weights, x), approximate=True)


def Net():
    ids, mask = keras.Input((None,), dtype="int32"), keras.Input((None,), dtype="int32")
    return keras.Model([ids, mask], Attend()(keras.layers.ReversibleEmbedding(50, 8)(ids), mask))
