import keras
from keras import layers, ops


class Block(layers.Layer):
    """Each block makes its own mask of what is no padding."""

    def __init__(self, epsilon, scaled=True, **kwargs):
        super().__init__(**kwargs)
        self.scale = 0.5 if scaled else 1.0
        self.q, self.k, self.v, self.o = (layers.Dense(8, name=n) for n in "qkvo")
        self.norm1 = layers.LayerNormalization(epsilon=1e-12, name="norm1")
        self.norm2 = layers.LayerNormalization(epsilon=epsilon, name="norm2")
        self.up, self.down = (
            layers.Dense(16, activation="gelu", name="up"),
            layers.Dense(8, name="down"),
        )
        self.up.activation = lambda x: keras.activations.gelu(x, approximate=False)

    def call(self, x, mask):
        n, steps = ops.shape(x)[:2]
        q, k, v = (ops.reshape(f(x), (n, steps, 2, 4)) for f in (self.q, self.k, self.v))
        scores = ops.einsum("bqhd,bkhd->bhqk", q * self.scale, k)
        allowed = ops.cast(mask, "bool")[:, None, None, :]
        weights = ops.softmax(ops.where(allowed, scores, -1e9))
        y = ops.reshape(ops.einsum("bhqk,bkhd->bqhd", weights, v), (n, steps, 8))
        x = self.norm1(x + self.o(y))
        return self.norm2(x + self.down(self.up(x)))


class Encoder(layers.Layer):
    def __init__(self, epsilon, scaled, **kwargs):
        super().__init__(**kwargs)
        self.tokens = layers.Embedding(40, 8, name="tokens")
        self.positions = layers.Embedding(16, 8, name="positions")
        self.blocks = [Block(1e-12, name="block0"), Block(epsilon, scaled, name="block1")]
        self.head = layers.Dense(3, name="head")

    def call(self, ids, mask):
        x = self.tokens(ids) + self.positions(ops.arange(ops.shape(ids)[1]))
        for block in self.blocks:
            x = block(x, mask)
        return self.head(x[:, 0])


def net(epsilon=1e-12, scaled=True):
    ids, mask = keras.Input((9,), dtype="int32"), keras.Input((9,), dtype="int32")
    return keras.Model([ids, mask], Encoder(epsilon, scaled, name="encoder")(ids, mask))


def other_epsilon():
    return net(1e-3)


def unscaled():
    return net(scaled=False)
