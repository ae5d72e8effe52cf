import keras
from keras import layers, ops


class Windows(keras.Model):
    def __init__(self, back):
        super().__init__()
        self.proj, self.back = layers.Dense(16, name="proj"), back

    def call(self, x):
        _, h, w, c = x.shape
        x = ops.reshape(ops.roll(x, (-1, -1), (1, 2)), (-1, h // 2, 2, w // 2, 2, c))
        y = self.proj(ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4, 5)), (-1, h * w // 4, 4 * c)))
        y = ops.reshape(y, (-1, h // 2, w // 2, 2, 2, c))
        y = ops.reshape(ops.transpose(y, (0, 1, 3, 2, 4, 5)), (-1, h, w, c))
        return ops.roll(y, (self.back, self.back), (1, 2))


def right():
    return Windows(1)


def further():
    return Windows(-1)
