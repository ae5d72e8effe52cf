"""Builds the Keras model of what random_sequences.py draws, its mistake included."""

import keras
import numpy as np
from keras import layers, ops

ACTIVATIONS = {
    "relu": ops.relu,
    "leaky": lambda x: ops.leaky_relu(x, 0.1),
    "gelu": lambda x: ops.gelu(x, approximate=False),
    "gelu_tanh": lambda x: ops.gelu(x, approximate=True),
    "silu": ops.silu,
    "hard_silu": ops.hard_silu,
    "quick_gelu": lambda x: x * ops.sigmoid(1.702 * x),
    "tanh": ops.tanh,
    "softsign": ops.softsign,
    "squared_relu": lambda x: ops.square(ops.relu(x)),
}


def build(model):
    """The model."""
    net = Net(model)
    if model["style"] == "subclassed":
        return net
    inputs = [keras.Input((model["steps"],), dtype="int32") for _ in model["inputs"]]
    return keras.Model(inputs, net.run(*inputs))


class Net(keras.Model):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.tokens = Tokens(model, name="tokens")
        segments, positions = model["segments"], model["positions"]
        self.segments = layers.Embedding(segments["rows"], model["dim"]) if segments else None
        self.positions = Positions(positions, name="positions") if positions else None
        self.embedded_norm = norm(model["embedded_norm"], "embedded_norm")
        self.blocks = {
            str(i): BLOCKS[part["kind"]](part, name=f"block{i}")
            for i, part in enumerate(model["blocks"])
            if "share" not in part
        }
        self.norm = norm(model["norm"], "norm")
        head = model["head"]
        own = layers.Dense(head["out"], use_bias=head["bias"], name="out")
        self.out = TiedHead(self.tokens, name="out") if head["tied"] else own
        self.dead = layers.Dense(3) if head["keras"] != "none" else None

    def call(self, ids, given=None):
        return self.run(*ids) if isinstance(ids, list | tuple) else self.run(ids, given)

    def run(self, ids, given=None):
        model = self.model
        seen = {None: lambda: None, "ids": lambda: ids != model["pad"], "given": lambda: given}
        seen = seen[model["masked"]]()
        seen = seen if seen is None else ops.cast(seen, "bool")
        x = self.tokens(ids)
        if self.segments:
            x = x + self.segments(segments(ids, model["segments"]))
        if self.positions:
            x = x + self.positions(ids, seen)
        x = self.embedded_norm(x)
        for i, part in enumerate(model["blocks"]):
            x = self.blocks[str(part.get("share", i))](x, seen)
        x = pool(self.norm(x), model["head"]["pool"], seen)
        if model["head"]["keras"] == "computed":
            ops.tanh(self.dead(x))
        return self.out(x)


class TiedHead(layers.Layer):
    """The table of the tokens, turned; outside of a layer a functional model would keep a copy."""

    def __init__(self, tokens, **more):
        super().__init__(**more)
        self.tokens = tokens

    def call(self, x):
        return ops.matmul(x, ops.transpose(self.tokens.table()))


def pool(x, kind, seen):
    match kind:
        case "last":
            return x[:, -1]
        case "first":
            return x[:, 0]
        case "mean":
            return ops.mean(x, axis=1)
        case "max":
            return ops.max(x, axis=1)
        case "masked_mean":
            seen = ops.cast(ops.expand_dims(seen, -1), x.dtype)
            return ops.sum(x * seen, axis=1) / ops.maximum(ops.sum(seen, axis=1), 1)
    return x


class Tokens(layers.Layer):
    def __init__(self, model, **more):
        super().__init__(**more)
        self.model, self.own = model, model["tokens"]
        if self.own["keras"] == "layer":
            self.embedding = layers.Embedding(model["rows"], model["dim"])
            self.embedding.build(None)
        else:
            self.weight = self.add_weight(
                shape=(model["rows"], model["dim"]), initializer="uniform", name="table"
            )

    def table(self):
        return self.embedding.embeddings if self.own["keras"] == "layer" else self.weight

    def call(self, ids):
        x = self.embedding(ids) if self.own["keras"] == "layer" else ops.take(self.weight, ids, 0)
        if self.own["still"]:
            still = ops.expand_dims(ids == self.model["pad"], -1)
            x = ops.where(still, ops.stop_gradient(x), x)
        return x * self.model["dim"] ** 0.5 if self.own["scaled"] else x


def segments(ids, own):
    number = own["number"]
    match own["of"]:
        case "modulo":
            return ids % number
        case "quotient":
            return ids // number
        case "above":
            return ops.cast(ids > number, "int32")
    return ids + number


class Positions(layers.Layer):
    def __init__(self, own, **more):
        super().__init__(**more)
        self.own = own

    def build(self, *shapes, **more):
        rows, dim = self.own["rows"] + 3, self.own["dim"]
        if self.own["kind"] == "sinusoid":
            self.sines = sinusoid(rows, dim)
        elif self.own["keras"] == "layer":
            self.embedding = layers.Embedding(rows, dim)
            self.embedding.build(None)
        else:
            self.table = self.add_weight(shape=(rows, dim), initializer="uniform", name="table")

    def look_up(self, ids):
        return self.embedding(ids) if self.own["keras"] == "layer" else ops.take(self.table, ids, 0)

    def call(self, ids, seen=None):
        own, steps = self.own, ids.shape[1]
        if own["kind"] == "sinusoid":
            return ops.convert_to_tensor(self.sines[:steps], self.compute_dtype)
        if own["kind"] == "counted":
            seen = ops.cast(seen, "int32")
            return self.look_up(ops.cumsum(seen, axis=1) * seen + 1)
        first = own["offset"] if own["kind"] == "offset" else 0
        if own["keras"] == "slice":
            return self.table[first : first + steps][None]
        return self.look_up(ops.arange(steps) + first)


def sinusoid(rows, dim):
    places = np.arange(rows, dtype="float32")[:, None]
    rates = np.exp(np.arange(0, dim, 2) * (-np.log(10000.0) / dim)).astype("float32")
    table = np.zeros((rows, dim), "float32")
    table[:, 0::2] = np.sin(places * rates)
    table[:, 1::2] = np.cos(places * rates)[:, : dim // 2]
    return table


def norm(own, name):
    if own is None:
        return lambda x: x
    if own["keras"] == "layer" and "half" not in own:
        layer_norm = own["kind"] == "layer_norm"
        kind = layers.LayerNormalization if layer_norm else layers.RMSNormalization
        return kind(epsilon=own["epsilon"], name=name)
    return Norm(own, name=name)


class Norm(layers.Layer):
    """Written by hand, or in float32 whatever comes."""

    def __init__(self, own, **more):
        super().__init__(**more)
        self.own, self.centred = own, own["kind"] == "layer_norm"

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[-1:], initializer="ones", name="scale")
        if self.centred:
            self.shift = self.add_weight(shape=shape[-1:], initializer="zeros", name="shift")

    def call(self, x):
        if self.own["keras"] == "upcast":
            x = ops.cast(x, "float32")
        if "half" in self.own:
            x = ops.cast(x, "float16")
        if self.centred:
            x = x - ops.mean(x, axis=-1, keepdims=True)
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + self.own["epsilon"])
        x = self.scale * ops.cast(x, self.compute_dtype)
        return x + self.shift if self.centred else x


class AttentionBlock(layers.Layer):
    def __init__(self, own, **more):
        super().__init__(**more)
        self.own, feed = own, own["feed"]
        kind = OwnAttention if own["attention"]["keras"] == "layer" else Attention
        self.attention = kind(own, name="attention")
        self.norm1, self.norm2 = (norm(part, f"norm{i}") for i, part in enumerate(own["norms"], 1))
        self.up = layers.Dense(feed["width"], use_bias=feed["bias"], name="up")
        if feed["gated"]:
            self.gate = layers.Dense(feed["width"], use_bias=feed["bias"], name="gate")
        self.drop = layers.Dropout(own["dropout"])
        self.activation = ACTIVATIONS[feed["activation"]]

    def build(self, shape, *more):
        self.down = layers.Dense(shape[-1], use_bias=self.own["feed"]["bias"], name="down")

    def feed(self, x):
        if self.own["feed"]["gated"]:
            return self.down(self.activation(self.gate(x)) * self.up(x))
        return self.down(self.activation(self.up(x)))

    def call(self, x, seen=None, training=None):
        if self.own["first"]:
            y = self.drop(self.attention(self.norm1(x), seen), training=training)
            x = x + y if self.own["residual"] else y
            return x + self.feed(self.norm2(x))
        y = self.drop(self.attention(x, seen), training=training)
        x = self.norm1(x + y if self.own["residual"] else y)
        return self.norm2(x + self.feed(x))


def visible(own, seen, steps):
    """(batch or 1, 1, steps, steps), True where a place is seen; None where all are."""
    at = ops.arange(steps)
    lower = None
    if own["causal"]:
        lower = at[:, None] <= at if own["causal"] == "turned" else at[:, None] >= at
    if not own["masked"]:
        return None if lower is None else lower[None, None]
    keys = seen[:, None, None, :]
    keys = ops.logical_not(keys) if own["masked"] == "turned" else keys
    if lower is None:
        return keys
    return ops.logical_or(ops.logical_and(keys, lower), at[:, None] == at)


class OwnAttention(layers.Layer):
    def __init__(self, own, **more):
        super().__init__(**more)
        self.own = own

    def build(self, shape, *more):
        heads = self.own["heads"]
        self.layer = layers.MultiHeadAttention(
            heads, shape[-1] // heads, use_bias=self.own["bias"], name="layer"
        )

    def call(self, x, seen=None):
        own, steps = self.own, x.shape[1]
        if own["causal"] is True and not own["masked"]:
            return self.layer(x, x, use_causal_mask=True)
        mask = visible(own, seen, steps)
        return self.layer(x, x, attention_mask=None if mask is None else mask[:, 0])


class Attention(layers.Layer):
    """By hand, by einsum, or by Keras' function."""

    def __init__(self, own, **more):
        super().__init__(**more)
        self.own, self.way = own, own["attention"]

    def build(self, shape, *more):
        dim, bias = shape[-1], self.own["bias"]
        self.size = dim // self.own["heads"]
        few = self.size * self.own["keys"]
        if self.way["fused"]["keras"]:
            self.qkv = layers.Dense(3 * dim, use_bias=bias, name="qkv")
        else:
            self.q = layers.Dense(dim, use_bias=bias, name="q")
            self.k = layers.Dense(few, use_bias=bias, name="k")
            self.v = layers.Dense(few, use_bias=bias, name="v")
        self.out = layers.Dense(dim, use_bias=bias, name="out")

    def pieces(self, x):
        fused = self.way["fused"]["keras"]
        parts = ops.split(self.qkv(x), 3, axis=-1) if fused else (self.q(x), self.k(x), self.v(x))
        return [
            ops.reshape(part, (-1, x.shape[1], part.shape[-1] // self.size, self.size))
            for part in parts
        ]

    def repeated(self, x, axis):
        many = self.own["heads"] // self.own["keys"]
        if many == 1:
            return x
        if "tiled" in self.own:
            return ops.concatenate([x] * many, axis=axis)
        return ops.repeat(x, many, axis=axis)

    def call(self, x, seen=None):
        q, k, v = self.pieces(x)
        mask = visible(self.own, seen, x.shape[1])
        if self.way["keras"] == "op":
            y = ops.nn.dot_product_attention(
                q, self.repeated(k, 2), self.repeated(v, 2), mask=mask, scale=self.own["scale"]
            )
        elif self.way["keras"] == "einsum":
            k, v = self.repeated(k, 2), self.repeated(v, 2)
            scores = ops.einsum("bqhd,bkhd->bhqk", q, k) * self.own["scale"]
            y = ops.einsum("bhqk,bkhd->bqhd", self.weights_of(scores, mask), v)
        else:
            q, k, v = (ops.transpose(part, (0, 2, 1, 3)) for part in (q, k, v))
            k, v = self.repeated(k, 1), self.repeated(v, 1)
            scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) * self.own["scale"]
            y = ops.matmul(self.weights_of(scores, mask), v)
            if self.own["merge"] == "transposed":
                y = ops.transpose(y, (0, 2, 1, 3))
        return self.out(ops.reshape(y, (-1, *x.shape[1:])))

    def weights_of(self, scores, mask):
        dtype = scores.dtype
        if mask is not None:
            scores = self.masked(scores, mask)
        if self.way["upcast"]["keras"]:
            scores = ops.cast(scores, "float32")
        if "half" in self.own:
            scores = ops.cast(scores, "float16")
        return ops.cast(ops.softmax(scores, axis=self.own.get("softmax_axis", -1)), dtype)

    def masked(self, scores, mask):
        lowest = -3.4028234663852886e38 if scores.dtype == "float32" else -1e300
        match self.way["mask"]["keras"]:
            case "inf":
                return ops.where(mask, scores, -np.inf)
            case "min":
                return scores + (1.0 - ops.cast(mask, scores.dtype)) * lowest
            case "where":
                return ops.where(mask, scores, ops.cast(-1e9, scores.dtype))
        return scores + (1.0 - ops.cast(mask, scores.dtype)) * -10000.0


class Recurrent(layers.Layer):
    """Keras' layer, or gates by hand."""

    def __init__(self, own, **more):
        super().__init__(**more)
        self.own = own

    def build(self, shape, *more):
        dim, lstm = shape[-1], self.own["kind"] == "lstm"
        if self.own["keras"] == "layer":
            kind = layers.LSTM if lstm else layers.GRU
            self.rnn = kind(
                dim, activation=self.own["candidate"], return_sequences=True, name="rnn"
            )
        else:
            gates = (4 if lstm else 3) * dim
            self.ih = layers.Dense(gates, name="ih")
            self.hh = layers.Dense(gates, name="hh")

    def call(self, x, seen=None):
        y = self.rnn(x) if self.own["keras"] == "layer" else self.loop(x)
        return x + y if self.own["residual"] else y

    def loop(self, x):
        h = c = ops.zeros_like(x[:, 0])
        found = []
        for t in range(x.shape[1]):
            h, c = self.step(x[:, t], h, c)
            found.append(h)
        return ops.stack(found, axis=1)

    def step(self, x, h, c):
        candidate = getattr(ops, self.own["candidate"])
        if self.own["kind"] == "lstm":
            i, f, g, o = ops.split(self.ih(x) + self.hh(h), 4, axis=-1)
            c = ops.sigmoid(f) * c + ops.sigmoid(i) * candidate(g)
            return ops.sigmoid(o) * candidate(c), c
        rx, zx, nx = ops.split(self.ih(x), 3, axis=-1)
        rh, zh, nh = ops.split(self.hh(h), 3, axis=-1)
        z = ops.sigmoid(zx + zh)
        n = candidate(nx + ops.sigmoid(rx + rh) * nh)
        return (1 - z) * n + z * h, c


BLOCKS = {"attention": AttentionBlock, "lstm": Recurrent, "gru": Recurrent}
