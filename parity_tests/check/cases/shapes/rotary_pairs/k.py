import keras
from keras import layers, ops


class Rotary(layers.Layer):
    def __init__(self, halves=False, **kwargs):
        super().__init__(**kwargs)
        self.halves = halves

    def call(self, x):
        n, steps = ops.shape(x)[:2]
        at = ops.cast(ops.arange(steps), x.dtype)[:, None] / ops.cast([1.0, 2.0, 4.0, 8.0], x.dtype)
        cos, sin = ops.cos(at), ops.sin(at)
        if self.halves:
            one, two = ops.split(x, 2, axis=-1)
            return ops.concatenate([one * cos - two * sin, one * sin + two * cos], axis=-1)
        pairs = ops.reshape(x, (n, steps, 4, 2))
        one, two = pairs[..., :1], pairs[..., 1:]
        cos, sin = cos[..., None], sin[..., None]
        turned = ops.concatenate([one * cos - two * sin, one * sin + two * cos], axis=-1)
        return ops.reshape(turned, (n, steps, 8))


def net(halves=False):
    x = keras.Input((5, 6))
    y = Rotary(halves, name="rotary")(layers.Dense(8, name="a")(x))
    return keras.Model(x, layers.Dense(4, name="b")(y))


def halves():
    return net(True)
