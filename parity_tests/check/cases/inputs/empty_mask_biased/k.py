import keras
from keras import layers, ops


class Net(keras.Model):
    def __init__(self):
        super().__init__()
        self.head = layers.Dense(4, name="head")

    def call(self, x, mask):
        x = ops.where(mask[..., None], self.head(x), -1e9)
        return ops.max(x, axis=1)
