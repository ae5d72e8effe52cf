"""Keras' half of the pairs that are converted."""

import numpy as np
from keras import Input, Model, Sequential, layers, ops


def mlp(width=7):
    return Sequential(
        [
            Input((6,)),
            layers.Dense(width, activation="relu", name="hidden"),
            layers.Dense(3, name="out"),
        ]
    )


def cnn(epsilon=1e-5):
    x = Input((8, 12, 3))
    h = layers.Conv2D(5, 3, padding="same", name="conv")(x)
    h = layers.BatchNormalization(epsilon=epsilon, momentum=0.9, name="bn")(h)
    h = layers.MaxPooling2D(2)(layers.ReLU()(h))
    return Model(x, layers.Dense(7, name="fc")(layers.Flatten()(h)))


def recurrent():
    x = Input((5, 6))
    h = layers.LSTM(4, return_sequences=True, name="lstm")(x)
    return Model(x, layers.GRU(3, return_sequences=True, name="gru")(h))


def attention():
    x = Input((5, 12))
    a = layers.MultiHeadAttention(3, 4, name="attn")(x, x)
    return Model(x, layers.LayerNormalization(epsilon=1e-5, name="norm")(x + a))


def fused():
    x = Input((5, 12))
    return Model(x, layers.MultiHeadAttention(3, 4, name="attn")(x, x))


class Tied(Model):
    def __init__(self):
        super().__init__()
        self.emb = layers.Embedding(11, 6, name="emb")
        self.hidden = layers.Dense(6, activation="tanh", name="hidden")

    def call(self, x):
        return ops.matmul(self.hidden(self.emb(x)), ops.transpose(self.emb.embeddings))


def table():
    x = Input((6,))
    made = np.linspace(-1, 1, 6, dtype="float32") ** 3
    return Model(x, layers.Dense(5, name="fc")(x + made))


def named():
    x = {"wide": Input((6,), name="wide"), "narrow": Input((4,), name="narrow")}
    h = ops.tanh(layers.Dense(5, name="a")(x["wide"]) - layers.Dense(5, name="b")(x["narrow"]))
    return Model(x, {"state": h, "mean": ops.mean(h, -1)})


def plain():
    return Sequential([Input((6,)), layers.Dense(5, name="fc")])
