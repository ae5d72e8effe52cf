import keras
from keras import ops


class Attend(keras.layers.Layer):
    """Each block makes its mask: minimum(padding, causal)."""

    def call(self, x, mask):
        n = ops.arange(ops.shape(x)[1])
        allowed = ops.minimum(
            ops.cast(mask[:, None, :], "int32"), ops.cast(n[:, None] >= n, "int32")[None]
        )
        bias = ops.where(allowed > 0, 0.0, -1e9)
        return x + ops.matmul(ops.softmax(ops.matmul(x, ops.transpose(x, (0, 2, 1))) + bias), x)


def Net():
    x, mask = keras.Input((11, 8)), keras.Input((11,), dtype="int32")
    y = keras.activations.gelu(keras.layers.Dense(8)(x), approximate=True)
    return keras.Model([x, mask], keras.layers.Dense(4)(Attend()(Attend()(y, mask), mask)))
