"""Ports of `alarms_torch`, right and wrong."""

import keras
import numpy as np
from keras import layers, ops


def _zeros(x):
    return ops.zeros((ops.shape(x)[0], 7), dtype=x.dtype)


class Loop(keras.Model):
    """A cell in a loop over time."""

    def __init__(self, kind="LSTMCell", **settings):
        super().__init__()
        self.cell, self.head = getattr(layers, kind)(7, **settings), layers.Dense(3)

    def call(self, x):
        """The last state."""
        states = [_zeros(x) for _ in range(2 if isinstance(self.cell, layers.LSTMCell) else 1)]
        for t in range(x.shape[1]):
            y, states = self.cell(x[:, t], states)
        return self.head(y)


class Loops(keras.Model):
    """Two cells one behind the other; every step."""

    def __init__(self, crossed=False):
        super().__init__()
        self.a, self.b, self.head = layers.LSTMCell(7), layers.LSTMCell(7), layers.Dense(3)
        self.crossed = crossed

    def call(self, x):
        """Steps of both."""
        zeros = _zeros(x)
        first, second, out = [zeros, zeros], [zeros, zeros], []
        for t in range(x.shape[1]):
            y, first = self.a(x[:, t], first)
            y, second = self.b(y, first if self.crossed else second)
            out.append(y)
        return self.head(ops.stack(out, axis=1))


def layer(kind="LSTM", **settings):
    """A layer in place of a loop."""
    return keras.Sequential([getattr(layers, kind)(7, **settings), layers.Dense(3)])


class Rotary(keras.Model):
    """Query, key and value apart; tables in NumPy."""

    def __init__(self, epsilon=1e-6, halves=False):
        super().__init__()
        self.query, self.key, self.value = (layers.Dense(16) for _ in range(3))
        self.out, self.norm = layers.Dense(16), layers.LayerNormalization(epsilon=epsilon)
        self.halves = halves

    def heads(self, x):
        """Four of them."""
        return ops.transpose(ops.reshape(x, (-1, x.shape[1], 4, 4)), (0, 2, 1, 3))

    def rotated(self, x):
        """By an angle that grows with the position."""
        inverse = 1.0 / (10000 ** (np.arange(0, 4, 2).astype("float32") / 4))
        angle = np.outer(np.arange(x.shape[2]), inverse).astype("float32")
        cos, sin = ops.cast(np.cos(angle), x.dtype), ops.cast(np.sin(angle), x.dtype)
        a, b = (x[..., :2], x[..., 2:]) if self.halves else (x[..., ::2], x[..., 1::2])
        both = ops.stack([a * cos - b * sin, a * sin + b * cos], axis=-1)
        return ops.reshape(both, ops.shape(x))

    def call(self, x):
        """Causal attention."""
        q, k, v = self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        scores = ops.matmul(self.rotated(q), ops.swapaxes(self.rotated(k), -1, -2)) / 2.0
        before = np.tril(np.ones((x.shape[1], x.shape[1]), bool))
        weights = ops.softmax(ops.where(before, scores, -1e9), axis=-1)
        y = ops.transpose(ops.matmul(weights, v), (0, 2, 1, 3))
        return self.norm(x + self.out(ops.reshape(y, (-1, x.shape[1], 16))))


def plain(activation="relu", use_bias=True):
    """Two dense layers."""
    return keras.Sequential(
        [layers.Dense(8, activation=activation, use_bias=use_bias), layers.Dense(3)]
    )


class WeightNorm(layers.Layer):
    """By hand."""

    def __init__(self, axis=0):
        super().__init__()
        self.axis = axis

    def build(self, shape):
        """Direction, length, bias."""
        self.v = self.add_weight(shape=(shape[-1], 8), name="v")
        self.g = self.add_weight(shape=(8,), initializer="ones", name="g")
        self.b = self.add_weight(shape=(8,), initializer="zeros", name="b")

    def call(self, x):
        """A dense layer."""
        length = ops.sqrt(ops.sum(ops.square(self.v), axis=self.axis, keepdims=True))
        return ops.matmul(x, self.g * self.v / length) + self.b


def normed(axis=0):
    """With a weight norm by hand."""
    return keras.Sequential([WeightNorm(axis), layers.ReLU(), layers.Dense(3)])


class Standardised(layers.Conv2D):
    """Its kernel has no mean, and a variance of one."""

    small = 1e-5

    def call(self, x):
        """A convolution."""
        every = (0, 1, 2)
        w = self.kernel - ops.mean(self.kernel, axis=every, keepdims=True)
        w = w / (ops.std(w, axis=every, keepdims=True) + self.small)
        return ops.conv(x, w, strides=1, padding="same") + self.bias


def convolved(standardised=False, activation="relu", small=1e-5):
    """A convolution and the mean of all places."""
    conv = (Standardised if standardised else layers.Conv2D)(5, 3, padding="same")
    conv.small = small
    rest = [layers.Activation(activation), layers.GlobalAveragePooling2D(), layers.Dense(2)]
    return keras.Sequential([conv, *rest])


class Named(keras.Model):
    """Two heads by name, in another order."""

    def __init__(self, swapped=False, bare=False):
        super().__init__()
        self.body = layers.Dense(8, activation="relu")
        self.a, self.b = layers.Dense(3), layers.Dense(3, activation="sigmoid")
        self.swapped, self.bare = swapped, bare

    def call(self, x):
        """A dictionary."""
        x = self.body(x)
        a, b = self.a(x), self.b(x)
        if self.bare:
            return a, b
        return {"boxes": a, "logits": b} if self.swapped else {"boxes": b, "logits": a}


class Counted(keras.Model):
    """Sums over a padded image, by how much of each window is none."""

    def __init__(self, activation="relu"):
        super().__init__()
        self.conv, self.head = layers.Conv2D(4, 3, activation=activation), layers.Dense(2)

    def call(self, x):
        """Pooled by hand."""
        x = self.conv(x)
        around = ((0, 0), (1, 1), (1, 1), (0, 0))
        y, ones = (ops.average_pool(ops.pad(z, around), 3, 2) for z in (x, ops.ones_like(x)))
        return self.head(ops.mean(y / ones, axis=(1, 2)))


def branches(swapped=False):
    """Two convolutions, joined."""
    x = keras.Input((9, 9, 3))
    y = [layers.Conv2D(4, 1, activation="relu")(x)]
    for n in (5, 3) if swapped else (3, 5):
        z = layers.Conv2D(3, 1, activation="relu")(x)
        y.append(layers.Conv2D(4, n, padding="same", activation="relu")(z))
    y = layers.Concatenate()(y)
    y = layers.Permute((3, 1, 2))(y)
    return keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))


class Deviating(keras.Model):
    """The same norm, its root written out."""

    def __init__(self, inside=False, number=7.0):
        super().__init__()
        self.body, self.head = layers.Dense(8), layers.Dense(2)
        self.gain = self.add_weight(shape=(8,), initializer="ones", name="gain")
        self.offset = self.add_weight(shape=(8,), initializer="zeros", name="offset")
        self.inside, self.number = inside, number

    def call(self, x):
        """Between two layers."""
        x = self.body(x)
        centred = x - ops.mean(x, -1, keepdims=True)
        variance = ops.sum(centred * centred, -1, keepdims=True) / self.number
        root = ops.sqrt(variance + 1e-3) if self.inside else ops.sqrt(variance) + 1e-3
        return self.head(self.gain * centred / root + self.offset)
