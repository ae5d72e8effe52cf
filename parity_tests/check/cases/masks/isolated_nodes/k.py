import keras
from keras import layers, ops


class Graph(keras.Model):
    def __init__(self, slope=0.2, axis=-1):
        super().__init__()
        self.w = layers.Dense(6, use_bias=False, name="w")
        self.a1 = layers.Dense(1, use_bias=False, name="a1")
        self.a2 = layers.Dense(1, use_bias=False, name="a2")
        self.slope, self.axis = slope, axis

    def call(self, x, adjacency):
        h = self.w(x)
        e = ops.leaky_relu(self.a1(h) + ops.swapaxes(self.a2(h), 1, 2), self.slope)
        e = e + (1.0 - ops.cast(adjacency > 0, e.dtype)) * -1e9
        weights = ops.softmax(e, self.axis)
        return ops.elu(ops.matmul(weights, h))


def right():
    return Graph()


def columns():
    return Graph(axis=1)


def steeper():
    return Graph(slope=0.3)
