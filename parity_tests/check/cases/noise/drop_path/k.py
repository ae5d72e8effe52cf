import keras
import numpy as np
from keras import layers, ops


class DropPath(layers.Layer):
    """As keras_cv has written it: a comparison of a uniform draw."""

    def __init__(self, rate, tokens=False, **kwargs):
        super().__init__(**kwargs)
        self.rate, self.tokens = rate, tokens
        self.seed_generator = keras.random.SeedGenerator(1)

    def call(self, x, training=None):
        if self.rate == 0.0 or not training:
            return x
        shape = (ops.shape(x)[0], ops.shape(x)[1] if self.tokens else 1, 1)
        draw = keras.random.uniform(shape, seed=self.seed_generator)
        kept = ops.cast(draw > self.rate, x.dtype)
        return x / (1.0 - self.rate) * kept


def net(depth=3, rate=0.2, tokens=False):
    x = inputs = keras.Input((5, 6))
    for k, share in enumerate(np.linspace(0, rate, depth)):
        y = layers.LayerNormalization(epsilon=1e-5)(x)
        y = layers.Dense(12, activation="gelu")(y)
        y = DropPath(float(share), tokens, name=f"drop_{k}")(layers.Dense(6)(y))
        x = layers.Add()([x, y])
    return keras.Model(inputs, layers.Dense(3)(layers.GlobalAveragePooling1D()(x)))


def more():
    """Wrong: another rate."""
    return net(rate=0.3)


def tokens():
    """Wrong: each token has a draw of its own."""
    return net(tokens=True)
