import keras
from keras import layers, ops


class Step(layers.Layer):
    def __init__(self, use_bias=True, **kwargs):
        super().__init__(**kwargs)
        self.use_bias = use_bias

    def build(self, *shapes):
        self.w = self.add_weight(shape=(3, 16), name="w")
        self.u = self.add_weight(shape=(4, 16), name="u")
        if self.use_bias:
            self.b = self.add_weight(shape=(16,), name="b")

    def call(self, x, h, c):
        gates = ops.matmul(x, self.w) + ops.matmul(h, self.u)
        i, f, g, o = ops.split(gates + self.b if self.use_bias else gates, 4, axis=-1)
        c = ops.sigmoid(f) * c + ops.sigmoid(i) * ops.tanh(g)
        return ops.sigmoid(o) * ops.tanh(c), c


class Steps(Step):
    def call(self, x):
        h = c = ops.zeros((ops.shape(x)[0], 4))
        states = []
        for t in range(x.shape[1]):
            h, c = super().call(x[:, t], h, c)
            states.append(h)
        return states[0]


def first():
    x = keras.Input((5, 3))
    return keras.Model(x, layers.Dense(2, name="out")(Steps(name="lstm")(x)))


def cell(use_bias=True):
    given = [keras.Input((n,)) for n in (3, 4, 4)]
    h, _ = Step(use_bias, name="lstm")(*given)
    return keras.Model(given, layers.Dense(2, name="out")(h))


def without():
    return cell(use_bias=False)


def sums():
    x, y = keras.Input((3,)), keras.Input((4,))
    h = layers.Dense(4, name="one")(x) + layers.Dense(4, use_bias=False, name="two")(y)
    return keras.Model([x, y], layers.Dense(2, name="out")(ops.tanh(h)))


def twice():
    x, y = keras.Input((3,)), keras.Input((4,))
    one, two = layers.Dense(4, name="one"), layers.Dense(4, use_bias=False, name="two")
    states = [ops.tanh(one(x * k) + two(y)) for k in (1, 2)]
    return keras.Model([x, y], layers.Dense(2, name="out")(states[0] * states[1]))
