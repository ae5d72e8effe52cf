import keras
from keras import layers, ops


class Tied(layers.Layer):
    def __init__(self, tokens, **kwargs):
        super().__init__(**kwargs)
        self.tokens = tokens

    def call(self, x):
        return ops.matmul(x, ops.transpose(self.tokens.embeddings))


def net(tied):
    ids, tokens = keras.Input((5,), dtype="int32"), layers.Embedding(11, 6, name="tokens")
    x = layers.Dense(6, name="mix")(tokens(ids))
    if tied:
        return keras.Model(ids, Tied(tokens, name="head")(x))
    return keras.Model(ids, ops.matmul(x, ops.transpose(tokens.embeddings)))


def outside():
    return net(False)


def within():
    return net(True)
