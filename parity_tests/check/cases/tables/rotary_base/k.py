import math

import keras
import numpy as np
from keras import layers, ops


class Attention(layers.Layer):
    def __init__(self, dim=16, heads=2, base=10000.0, interleaved=False, **kwargs):
        super().__init__(**kwargs)
        self.heads, self.size, self.base, self.interleaved = heads, dim // heads, base, interleaved
        self.q, self.k, self.v, self.o = (layers.Dense(dim, use_bias=False, name=n) for n in "qkvo")

    def rope(self, x):
        steps = x.shape[1]
        half = self.size // 2
        freq = self.base ** (-np.arange(half, dtype="float32") / half)
        angle = np.arange(steps, dtype="float32")[:, None] * freq
        cos, sin = np.cos(angle)[None, :, None], np.sin(angle)[None, :, None]
        if self.interleaved:
            a, b = x[..., ::2], x[..., 1::2]
            pair = ops.stack([a * cos - b * sin, b * cos + a * sin], axis=-1)
            return ops.reshape(pair, (-1, *x.shape[1:]))
        a, b = ops.split(x, 2, axis=-1)
        return ops.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)

    def call(self, x):
        q, k, v = (
            ops.reshape(f(x), (-1, x.shape[1], self.heads, self.size))
            for f in (self.q, self.k, self.v)
        )
        q, k = self.rope(q), self.rope(k)
        scores = ops.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(self.size)
        seen = np.tril(np.ones((x.shape[1],) * 2, bool))
        scores = ops.where(seen, scores, -1e9)
        y = ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores), v)
        return self.o(ops.reshape(y, (-1, *x.shape[1:])))


def net(**more):
    x = keras.Input((6, 16))
    return keras.Model(x, Attention(**more, name="attend")(x))


def interleaved():
    return net(interleaved=True)


def other_base():
    return net(base=1e6)
