import keras
from keras import ops


class Rotary(keras.layers.Layer):
    def call(self, x):
        shape = ops.shape(x)
        x = ops.reshape(x, (*shape[:2], 2, 4))
        at = ops.arange(shape[1], dtype="float32")[:, None] * ops.power(
            ops.cast(10000, "float32"), -ops.arange(0, 4, 2, dtype="float32") / 4
        )
        at = ops.concatenate((at, at), axis=-1)[:, None]
        one, two = ops.split(x, 2, axis=-1)
        half = ops.reshape(
            ops.stack((-two, one), axis=-2), ops.shape(x)
        )  # as keras_hub's RotaryEmbedding
        return ops.reshape(
            x * ops.cast(ops.cos(at), self.compute_dtype)
            + half * ops.cast(ops.sin(at), self.compute_dtype),
            shape,
        )


def Net():
    x = keras.Input((11, 8))
    return keras.Model(x, keras.layers.Dense(4)(Rotary()(keras.layers.Dense(8)(x))))
