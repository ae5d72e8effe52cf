import keras
from keras import ops


class Norm(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(shape[-1],), initializer="ones")

    def call(self, x):
        x = ops.cast(x, "float32")
        x = x * ops.rsqrt(ops.mean(ops.power(x, 2), axis=-1, keepdims=True) + 1e-6)
        return ops.cast(x * self.scale, self.compute_dtype)


class Silu(keras.layers.Layer):
    def call(self, x):
        return ops.cast(ops.silu(ops.cast(x, "float32")), self.compute_dtype)


def Net():
    x = keras.Input((8,))
    return keras.Model(x, keras.layers.Dense(4)(Silu()(Norm()(keras.layers.Dense(16)(x)))))
