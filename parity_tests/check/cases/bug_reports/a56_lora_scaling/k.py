import keras
from keras import layers, ops


class LoRADense(layers.Layer):
    def __init__(self, units, rank=4, alpha=8, **kwargs):
        super().__init__(**kwargs)
        self.alpha = alpha
        self.base = layers.Dense(units, trainable=False, name="base")
        self.lora_a = layers.Dense(rank, use_bias=False, name="lora_a")
        self.lora_b = layers.Dense(units, use_bias=False, kernel_initializer="zeros", name="lora_b")

    def call(self, x):
        return self.base(x) + self.alpha * self.lora_b(self.lora_a(x))


def Net():
    inputs = keras.Input((8,))
    x = LoRADense(10, name="fc1")(inputs)
    return keras.Model(inputs, layers.Dense(3, name="fc2")(ops.relu(x)))
