import keras
from keras import layers, ops


class Tokens(layers.Layer):
    def build(self, shape):
        self.token = self.add_weight(shape=(shape[-1],), name="token")
        self.positions = self.add_weight(shape=(shape[1] + 1, shape[-1]), name="positions")

    def call(self, x):
        token = ops.broadcast_to(self.token, (ops.shape(x)[0], 1, x.shape[-1]))
        return ops.concatenate([token, x], axis=1) + self.positions


def Net():
    image = keras.Input((8, 8, 3))
    x = layers.Reshape((4, 6))(layers.Conv2D(6, 4, strides=4)(image))
    return keras.Model(image, layers.Dense(4)(Tokens(name="tokens")(x)[:, 0]))
