import keras
from keras import layers, ops


class Attention(layers.Layer):
    """Queries are grouped instead of keys repeated; or repeated in another order."""

    def __init__(self, tiled=False, **kwargs):
        super().__init__(**kwargs)
        self.tiled = tiled
        self.q, self.k, self.v = (
            layers.Dense(n, name=w) for n, w in ((8, "q"), (4, "k"), (4, "v"))
        )
        self.out = layers.Dense(8, name="out")

    def call(self, x):
        n, steps = ops.shape(x)[:2]
        if self.tiled:
            q = ops.reshape(self.q(x), (n, steps, 4, 2))
            k, v = (ops.reshape(f(x), (n, steps, 2, 2)) for f in (self.k, self.v))
            k, v = (ops.tile(f, (1, 1, 2, 1)) for f in (k, v))
            scores = ops.einsum("bqhd,bkhd->bhqk", q, k) * 2**-0.5
            y = ops.einsum("bhqk,bkhd->bqhd", ops.softmax(scores), v)
        else:
            q = ops.reshape(self.q(x), (n, steps, 2, 2, 2))
            k, v = (ops.reshape(f(x), (n, steps, 2, 2)) for f in (self.k, self.v))
            scores = ops.einsum("bqhgd,bkhd->bhgqk", q, k) * 2**-0.5
            y = ops.einsum("bhgqk,bkhd->bqhgd", ops.softmax(scores), v)
        return self.out(ops.reshape(y, (n, steps, 8)))


def net(tiled=False):
    x = keras.Input((5, 8))
    return keras.Model(x, Attention(tiled, name="attend")(x))


def tiled():
    return net(True)
