import keras
from keras import layers, ops


class Both(keras.Model):
    def __init__(self, first):
        super().__init__()
        self.there = layers.GRU(5, return_sequences=True, name="there")
        self.back = layers.GRU(5, return_sequences=True, go_backwards=True, name="back")
        self.out, self.first = layers.Dense(3, name="out"), first

    def call(self, x):
        there, back = self.there(x), self.back(x)
        turned = ops.flip(back, 1)
        last = turned[:, -1] if self.first else back[:, -1]
        ends = ops.concatenate([there[:, -1], last], -1)
        return self.out(ends), ops.max(ops.concatenate([there, turned], -1), 1)


def right():
    return Both(first=False)


def first_of_the_way_back():
    return Both(first=True)
