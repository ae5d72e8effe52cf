import keras
from keras import layers, ops


class WeightNorm(layers.Wrapper):
    """The kernel is a direction and a length, as in tensorflow_addons' wrapper."""

    def __init__(self, layer, axes=(0, 1, 2), **kwargs):
        super().__init__(layer, **kwargs)
        self.axes = axes

    def build(self, input_shape):
        super().build(input_shape)
        self.direction = self.layer.kernel
        units = self.direction.shape[-1]
        self.length = self.add_weight(shape=(units,), initializer="ones", name="length")

    def call(self, x):
        squares = ops.sum(ops.square(self.direction), axis=self.axes, keepdims=True)
        self.layer._kernel = self.direction * (self.length / ops.sqrt(squares))
        y = self.layer(x)
        self.layer._kernel = self.direction
        return y


def net(axes=(0, 1, 2)):
    return keras.Sequential(
        [
            keras.Input((11, 9, 4)),
            WeightNorm(layers.Conv2D(8, 3), axes, name="first"),
            layers.ReLU(),
            WeightNorm(layers.Conv2D(6, 3), axes, name="second"),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, name="head"),
        ]
    )


def wrong():
    """Each place of the window has a length of its own."""
    return net((2,))
