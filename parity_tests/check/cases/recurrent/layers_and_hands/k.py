import keras
from keras import layers, ops


class Hand(layers.Layer):
    def __init__(self, gates, act, **kwargs):
        super().__init__(**kwargs)
        self.gates, self.act = gates, getattr(ops, act)
        self.ih, self.hh = layers.Dense(4 * gates, name="ih"), layers.Dense(4 * gates, name="hh")

    def step(self, x, h, c):
        if self.gates == 4:
            i, f, g, o = ops.split(self.ih(x) + self.hh(h), 4, axis=-1)
            c = ops.sigmoid(f) * c + ops.sigmoid(i) * self.act(g)
            return ops.sigmoid(o) * ops.tanh(c), c
        rx, zx, nx = ops.split(self.ih(x), 3, axis=-1)
        rh, zh, nh = ops.split(self.hh(h), 3, axis=-1)
        z = ops.sigmoid(zx + zh)
        n = self.act(nx + ops.sigmoid(rx + rh) * nh)
        return (1 - z) * n + z * h, c

    def call(self, x):
        h = c = ops.zeros((ops.shape(x)[0], 4))
        found = []
        for t in range(x.shape[1]):
            h, c = self.step(x[:, t], h, c)
            found.append(h)
        return ops.stack(found, axis=1)


def net(inner):
    x = keras.Input((5, 3))
    return keras.Model(x, layers.Dense(2, name="out")(ops.relu(inner(x))))


def hand(act="tanh"):
    return net(Hand(4, act, name="rnn"))


def gru_hand(act="tanh"):
    return net(Hand(3, act, name="rnn"))


def layer(act="tanh"):
    return net(layers.LSTM(4, return_sequences=True, activation=act, name="rnn"))


def gru_layer(act="tanh"):
    return net(layers.GRU(4, return_sequences=True, activation=act, name="rnn"))


def other_hand():
    return hand("sigmoid")


def other_layer():
    return layer("sigmoid")


def other_gru_hand():
    return gru_hand("sigmoid")


def other_gru_layer():
    return gru_layer("sigmoid")
