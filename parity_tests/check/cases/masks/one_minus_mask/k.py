import keras
from keras import layers, ops


class Pool(layers.Layer):
    """As the original BERT: one minus the mask, times a huge number."""

    def __init__(self, turned=False, **kwargs):
        super().__init__(**kwargs)
        self.turned = turned
        self.score, self.value = layers.Dense(1, name="score"), layers.Dense(5, name="value")

    def call(self, x, mask):
        mask = ops.cast(mask, x.dtype)
        mask = mask if self.turned else 1.0 - mask
        scores = ops.squeeze(self.score(x), -1) + mask * -1e9
        weights = ops.expand_dims(ops.softmax(scores), -1)
        return ops.sum(weights * self.value(x), axis=1)


def net(turned=False, slope=0.0):
    x, mask = keras.Input((9, 6)), keras.Input((9,), dtype="bool")
    y = layers.LeakyReLU(negative_slope=slope, name="relu")(Pool(turned, name="pool")(x, mask))
    return keras.Model([x, mask], layers.Dense(3, name="head")(y))


def turned():
    return net(turned=True)


def leaky():
    return net(slope=0.1)
