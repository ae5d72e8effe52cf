import keras
from keras import layers, ops


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.tokens, self.head = (
            layers.Embedding(30, 6, name="tokens"),
            layers.Dense(4, name="head"),
        )

    def call(self, ids):
        last = ops.maximum(ops.sum(ops.cast(ids != 0, "int32"), axis=1) - 1, 0)
        x = self.head(ops.tanh(self.tokens(ids)))
        return ops.take_along_axis(x, last[:, None, None], axis=1)[:, 0]
