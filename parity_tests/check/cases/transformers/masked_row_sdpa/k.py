import keras
from keras import ops


class Attend(keras.layers.Layer):
    def build(self, shape):
        self.softmax = keras.layers.Softmax()

    def call(self, x, mask):
        n = ops.arange(ops.shape(x)[1])
        window = ops.logical_and(n[:, None] >= n, n[:, None] < n + 2)
        allowed = ops.logical_and(window, ops.cast(mask, "bool")[:, None, :])
        scores = ops.matmul(x, ops.transpose(x, (0, 2, 1))) / 8**0.5
        return ops.matmul(self.softmax(scores, allowed), x)


def Net():
    x, mask = keras.Input((11, 8)), keras.Input((11,), dtype="int32")
    return keras.Model([x, mask], keras.layers.Dense(4)(Attend()(keras.layers.Dense(8)(x), mask)))
