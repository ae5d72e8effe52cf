import keras
from keras import layers, ops


class Attention(layers.Layer):
    def __init__(self, size, heads, rate, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.size = heads, size
        self.query, self.key = layers.Dense(size, name="query"), layers.Dense(size, name="key")
        self.value, self.out = layers.Dense(size, name="value"), layers.Dense(size, name="out")
        self.drop = layers.Dropout(rate, name="drop")

    def split(self, x):
        x = ops.reshape(x, (-1, x.shape[1], self.heads, self.size // self.heads))
        return ops.transpose(x, (0, 2, 1, 3))

    def call(self, x, training=False):
        q, k, v = (self.split(f(x)) for f in (self.query, self.key, self.value))
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * (self.size // self.heads) ** -0.5
        weights = self.drop(ops.softmax(scores), training=training)
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.out(ops.reshape(y, (-1, x.shape[1], self.size)))


def net(size=8, heads=2, rate=0.1):
    inputs = keras.Input((5, size))
    attended = Attention(size, heads, rate, name="attention")(inputs)
    return keras.Model(inputs, layers.Add()([inputs, attended]))
