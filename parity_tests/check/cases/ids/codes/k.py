import keras
from keras import layers, ops


class Products(keras.Model):
    def __init__(self, stopped=True):
        super().__init__()
        self.enc, self.dec = layers.Dense(4, name="enc"), layers.Dense(6, name="dec")
        self.code, self.stopped = layers.Embedding(10, 4, name="code"), stopped
        self.code.build(None)

    def nearest(self, z):
        w = ops.convert_to_tensor(self.code.embeddings)
        squares = ops.sum(z**2, -1, keepdims=True) - 2 * ops.matmul(z, ops.transpose(w))
        return ops.argmin(squares + ops.sum(w**2, -1), -1)

    def call(self, x):
        z = self.enc(x)
        q = self.code(self.nearest(z))
        moved = q - z
        if self.stopped:
            moved = ops.stop_gradient(moved)
        return self.dec(z + moved), ops.mean((ops.stop_gradient(q) - z) ** 2)


class Differences(Products):
    def nearest(self, z):
        return ops.argmin(ops.sum((z[..., None, :] - self.code.embeddings) ** 2, -1), -1)


def products():
    return Products()


def differences():
    return Differences()


def passing():
    return Products(stopped=False)
