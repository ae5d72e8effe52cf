import keras
from keras import layers, ops


class Plain(keras.Model):
    def __init__(self):
        super().__init__()
        self.image = layers.Dense(4, use_bias=False, name="image")
        self.text = layers.Dense(4, use_bias=False, name="text")
        self.logit_scale = self.add_weight(shape=(), initializer="ones", name="logit_scale")

    def factor(self):
        return self.logit_scale

    def unit(self, x):
        return x / ops.norm(x, axis=-1, keepdims=True)

    def call(self, inputs):
        a, b = inputs
        a, b = self.unit(self.image(a)), self.unit(self.text(b))
        return ops.matmul(a, ops.transpose(b)) * self.factor()


class Exponential(Plain):
    def factor(self):
        return ops.exp(self.logit_scale)


class Soft(Exponential):
    def unit(self, x):
        return x / ops.sqrt(ops.sum(x**2, axis=-1, keepdims=True) + 1e-2)
