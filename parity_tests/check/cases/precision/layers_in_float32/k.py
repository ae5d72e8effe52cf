import keras
from keras import layers


class Net(keras.Model):
    """What must be exact asks for float32 by name, some of it only when it is built."""

    def __init__(self, epsilon=1e-5):
        super().__init__()
        self.table = layers.Embedding(20, 16, dtype="float32")
        self.epsilon = epsilon
        self.head = layers.Dense(4)

    def build(self, shape):
        self.norm = layers.LayerNormalization(epsilon=self.epsilon, dtype="float32")
        self.softmax = layers.Softmax(dtype="float32")
        self.built = True

    def call(self, ids):
        return self.softmax(self.head(keras.ops.mean(self.norm(self.table(ids)), axis=1)))


def Wrong():
    return Net(epsilon=1e-3)
