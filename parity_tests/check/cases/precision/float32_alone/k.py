import keras
from keras import layers, ops


class Gain(layers.Layer):
    """Float32 whatever the policy says: it cannot run in float64."""

    def __init__(self, made, **more):
        super().__init__(**more)
        self.made = made

    def build(self, shape):
        self.gain = self.add_weight(shape=(shape[-1],), dtype="float32", autocast=False)
        self.open = ops.ones((shape[-1],), dtype="float32")

    def call(self, x):
        return x * (self.gain * self.open) if self.made else x * self.open * self.gain


def net(activation="tanh", epsilon=1e-5, made=False):
    x = inputs = keras.Input((6,))
    x = layers.LayerNormalization(epsilon=epsilon, name="norm")(layers.Dense(5, name="before")(x))
    x = keras.activations.get(activation)(Gain(made, name="gain")(x))
    return keras.Model(inputs, layers.Dense(2, name="head")(x))
