import keras
from keras import layers


class DropPath(layers.Layer):
    def __init__(self, rate=0.2, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, x, training=False):
        if not training:
            return x * (1 - self.rate)
        draw = keras.random.uniform((x.shape[0], 1, 1, 1))
        return keras.ops.where(draw < self.rate, 0.0, x)


def net(drop=DropPath):
    inputs = keras.Input((6, 7, 3))
    x = layers.Conv2D(3, 3, padding="same", activation="relu", name="conv")(inputs)
    x = layers.Add()([inputs, drop(0.2, name="drop_path")(x)])
    return keras.Model(inputs, layers.Conv2D(4, 1, name="head")(x))


class StochasticDepth(layers.Layer):
    """As everybody writes it."""

    def __init__(self, rate=0.2, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate

    def call(self, x, training=False):
        if not training:
            return x
        keep = 1 - self.rate
        return x / keep * keras.ops.floor(keep + keras.random.uniform((x.shape[0], 1, 1, 1)))


def wrong():
    return net(StochasticDepth)
