import keras
from keras import layers, ops


class Centred(keras.Model):
    def __init__(self, kept):
        super().__init__()
        self.a, self.b, self.kept = layers.Dense(4, name="a"), layers.Dense(4, name="b"), kept

    def call(self, x):
        h = self.a(x)
        if self.kept:
            return self.b(h - ops.mean(h, 1)[:, None])
        mean = ops.mean(h, 1)
        return self.b(h - mean)


class Scaled(Centred):
    def call(self, x):
        h = self.a(x)
        if self.kept:
            return self.b(h / ops.expand_dims(ops.max(ops.abs(h), -1), -1))
        largest = ops.max(ops.abs(h), -1)
        return self.b(h / largest)


def centred():
    return Centred(kept=True)


def centred_dropped():
    return Centred(kept=False)


def scaled():
    return Scaled(kept=True)


def scaled_dropped():
    return Scaled(kept=False)
