"""Builds the Keras model of an architecture of random_models.py."""

import copy

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

FUNCTIONS = {
    "relu": lambda a: ops.relu,
    "relu6": lambda a: ops.relu6,
    "leaky": lambda a: lambda x: ops.leaky_relu(x, a["slope"]),
    "elu": lambda a: lambda x: ops.elu(x, a["alpha"]),
    "silu": lambda a: ops.silu,
    "gelu": lambda a: lambda x: ops.gelu(x, approximate=False),
    "gelu_tanh": lambda a: lambda x: ops.gelu(x, approximate=True),
    "sigmoid": lambda a: ops.sigmoid,
    "tanh": lambda a: ops.tanh,
    "softplus": lambda a: ops.softplus,
    "hard_silu": lambda a: ops.hard_silu,
    "hard_sigmoid": lambda a: ops.hard_sigmoid,
    "mish": lambda a: lambda x: x * ops.tanh(ops.softplus(x)),
    "selu": lambda a: ops.selu,
    "softsign": lambda a: ops.softsign,
}
LAYERS = {
    "relu": lambda a, name: layers.ReLU(name=name),
    "relu6": lambda a, name: layers.ReLU(max_value=6, name=name),
    "leaky": lambda a, name: layers.LeakyReLU(a["slope"], name=name),
    "elu": lambda a, name: layers.ELU(a["alpha"], name=name),
}
PLAIN = (
    "relu",
    "relu6",
    "silu",
    "gelu",
    "sigmoid",
    "tanh",
    "softplus",
    "mish",
    "selu",
    "softsign",
    "hard_silu",
    "hard_sigmoid",
)
FUSING = ("conv", "depthwise", "separable", "transposed", "dense_image", "dense", "conv1d")


def build(architecture):
    """The model."""
    plan = Plan(copy.deepcopy(architecture))
    style = architecture["keras"]["style"]
    if style == "subclassed":
        return Net(plan)
    shape = architecture["shape"]
    shape = (*shape[1:], shape[0]) if len(shape) == 3 else shape
    tokens = architecture["family"] == "tokens"
    whole = keras.Input(shape, dtype="int32" if tokens else "float32")
    if style == "sequential":
        steps = [s for node in plan.nodes for s in plan.steps[node["id"]]]
        return keras.Sequential(
            [whole, *(s if isinstance(s, layers.Layer) else layers.Lambda(s) for s in steps)]
        )
    return keras.Model(whole, plan.run(whole))


class Plan:
    """For each node the layers and functions to call, one after the other."""

    def __init__(self, architecture):
        nodes = architecture["nodes"]
        self.nodes = [nodes[i] for i in architecture["keras"]["order"]]
        self.last = len(nodes) - 1
        self.prefix = architecture["keras"]["prefix"]
        self.eager = architecture["keras"]["style"] == "subclassed"
        takers = {}
        for node in nodes:
            for i in node["of"]:
                takers.setdefault(i, []).append(node)
        self.fused = {}
        for node in nodes:
            first = nodes[node["of"][0]] if node["of"][0] >= 0 else None
            if (
                node["op"] == "act"
                and node["keras"] == "fused"
                and first
                and first["op"] in FUSING
                and len(takers[first["id"]]) == 1
                and not any(n.get("share") == first["id"] for n in nodes)
                and "share" not in first
            ):
                self.fused[first["id"]] = node["act"]
                node["op"] = "nothing"
        self.steps = {}
        for node in self.nodes:
            if "share" in node:
                self.steps[node["id"]] = self.steps[node["share"]]
            else:
                maker = globals()[f"make_{node['op']}"]
                self.steps[node["id"]] = maker(self, node, self.prefix + node["name"])

    def activation(self, node):
        """Of the layer itself."""
        act = self.fused.get(node["id"]) or node.get("extra")
        if act is None:
            return None
        return act["name"] if act["name"] in PLAIN else FUNCTIONS[act["name"]](act)

    def run(self, x):
        """Call everything."""
        values = {-1: x}
        for node in self.nodes:
            given = [values[i] for i in node["of"]]
            value = given if len(given) > 1 else given[0]
            for step in self.steps[node["id"]]:
                value = step(value)
            values[node["id"]] = value
        return values[self.last]


class Net(keras.Model):
    """The same, eagerly."""

    def __init__(self, plan):
        super().__init__()
        self.plan = plan
        steps = [getattr(s, "layer", s) for n in plan.nodes for s in plan.steps[n["id"]]]
        self.parts = [s for s in steps if isinstance(s, layers.Layer)]

    def call(self, x, training=None):
        return self.plan.run(x)


def pad(plan, node, pads, name, value=0.0):
    """Of height and width; [] for none."""
    if not any(map(any, pads)):
        return []
    if node["padding"] == "layer" and value == 0.0:
        return [layers.ZeroPadding2D(pads, name=f"{name}_pad")]
    whole = [(0, 0), *map(tuple, pads), (0, 0)]
    if plan.eager:
        return [lambda x: tf.pad(x, whole, constant_values=value)]
    return [lambda x: ops.pad(x, whole, constant_values=value)]


def padded(plan, node, name, dilation=1):
    """How the layer pads, and what comes before it."""
    stride, pads = node["stride"], node["pads"]
    same = stride == 1 and all(
        2 * p == dilation * (k - 1) for p, k in zip(pads, node["kernel"], strict=True)
    )
    if node.get("wrong_pads") == "same" or (same and node["padding"] == "same"):
        return "same", []
    return "valid", pad(plan, node, node.get("wrong_pads") or [[p, p] for p in pads], name)


def make_nothing(plan, n, name):
    return []


def make_conv(plan, n, name):
    how, before = padded(plan, n, name, n["dilation"])
    return [
        *before,
        layers.Conv2D(
            n["out"],
            n["kernel"],
            n["stride"],
            how,
            dilation_rate=n["dilation"],
            groups=n["groups"],
            use_bias=n["bias"],
            activation=plan.activation(n),
            name=name,
        ),
    ]


def make_depthwise(plan, n, name):
    how, before = padded(plan, n, name)
    return [
        *before,
        layers.DepthwiseConv2D(
            n["kernel"],
            n["stride"],
            how,
            depth_multiplier=n["many"],
            use_bias=n["bias"],
            activation=plan.activation(n),
            name=name,
        ),
    ]


def make_separable(plan, n, name):
    return [
        layers.SeparableConv2D(
            n["out"],
            3,
            padding="same",
            use_bias=n["bias"],
            activation=plan.activation(n),
            name=name,
        )
    ]


def make_transposed(plan, n, name):
    return [
        layers.Conv2DTranspose(
            n["out"],
            n["kernel"],
            2,
            "same" if n["pad"] else "valid",
            use_bias=n["bias"],
            activation=plan.activation(n),
            name=name,
        )
    ]


def make_dense(plan, n, name):
    return [layers.Dense(n["out"], use_bias=n["bias"], activation=plan.activation(n), name=name)]


def make_dense_image(plan, n, name):
    if n["keras"] == "layer":
        return [layers.Conv2D(n["out"], 1, activation=plan.activation(n), name=name)]
    return make_dense(plan, n, name)


def make_batch_norm(plan, n, name):
    return [
        layers.BatchNormalization(
            momentum=1 - n["momentum"],
            epsilon=n["eps"],
            center=n["affine"],
            scale=n["affine"],
            name=name,
        )
    ]


def make_group_norm(plan, n, name):
    return [
        layers.GroupNormalization(
            n["groups"], epsilon=n["eps"], center=n["affine"], scale=n["affine"], name=name
        )
    ]


def make_instance_norm(plan, n, name):
    return [
        layers.GroupNormalization(
            -1, epsilon=n["eps"], center=n["affine"], scale=n["affine"], name=name
        )
    ]


def make_layer_norm(plan, n, name):
    return [
        layers.LayerNormalization(
            epsilon=n["eps"], center=n["affine"], scale=n["affine"], name=name
        )
    ]


def make_act(plan, n, name):
    act = n["act"]
    if n["keras"] == "function":
        return [FUNCTIONS[act["name"]](act)]
    if act["name"] in LAYERS:
        return [LAYERS[act["name"]](act, name)]
    function = act["name"] if act["name"] in PLAIN else FUNCTIONS[act["name"]](act)
    return [layers.Activation(function, name=name)]


def make_pool(plan, n, name):
    kind = layers.MaxPooling2D if n["kind"] == "max" else layers.AveragePooling2D
    if not n["pad"]:
        return [kind(n["kernel"], n["stride"], name=name)]
    same = all(n["stride"] == 1 or size % 2 for size in n["channels"][1:])
    by_layer = n["kind"] == "max" or not n["counted"]
    if same and by_layer and (n["padding"] == "same" or n["kind"] == "average"):
        return [kind(n["kernel"], n["stride"], "same", name=name)]
    pads = [[1, 1], [1, 1]]
    if n["kind"] == "max":
        before = pad(plan, n, pads, name, -np.inf)
        return [*before, kind(n["kernel"], n["stride"], name=name)]
    if n["counted"]:
        return [*pad(plan, n, pads, name), kind(n["kernel"], n["stride"], name=name)]
    return [lambda x: average(x, n)]


def average(x, n):
    """What is padded does not count: divide the sum by how many there are."""
    k, s = n["kernel"], n["stride"]
    counts = [
        [sum(0 <= i * s + d - 1 < size for d in range(k)) for i in range((size + 2 - k) // s + 1)]
        for size in n["channels"][1:]
    ]
    sums = ops.average_pool(ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), k, s) * k**2
    return sums / ops.cast(np.outer(*counts)[None, :, :, None], x.dtype)


def make_dropout(plan, n, name):
    return [layers.Dropout(n["rate"], name=name)]


def make_flatten(plan, n, name):
    return [layers.Flatten(name=name)]


def make_upsample(plan, n, name):
    return [layers.UpSampling2D(2, interpolation=n["kind"], name=name)]


def make_add(plan, n, name):
    if n["keras"] == "layer":
        return [layers.Add(name=name)]
    return [lambda given: given[0] + given[1]]


def make_multiply(plan, n, name):
    if n["keras"] == "layer":
        return [layers.Multiply(name=name)]
    return [lambda given: given[0] * given[1]]


def make_concat(plan, n, name):
    if n["keras"] == "function":
        return [lambda given: ops.concatenate(given, axis=-1)]
    return [layers.Concatenate(name=name)]


def make_squeeze(plan, n, name):
    if n["keras"] == "layer":
        return [layers.GlobalAveragePooling2D(keepdims=True, name=name)]
    return [lambda x: ops.mean(x, axis=(1, 2), keepdims=True)]


def make_global_pool(plan, n, name):
    if n["keras"] == "function":
        reduce = ops.max if n["kind"] == "max" else ops.mean
        return [lambda x: reduce(x, axis=(1, 2))]
    kind = layers.GlobalMaxPooling2D if n["kind"] == "max" else layers.GlobalAveragePooling2D
    return [kind(name=name)]


def make_global_pool1d(plan, n, name):
    if n["keras"] == "function":
        reduce = ops.max if n["kind"] == "max" else ops.mean
        return [lambda x: reduce(x, axis=1)]
    kind = layers.GlobalMaxPooling1D if n["kind"] == "max" else layers.GlobalAveragePooling1D
    return [kind(name=name)]


def make_last(plan, n, name):
    return [lambda x: x[:, -1]]


def make_pool1d(plan, n, name):
    kind = layers.MaxPooling1D if n["kind"] == "max" else layers.AveragePooling1D
    return [kind(2, name=name)]


def make_conv1d(plan, n, name):
    before, after = n["pads"]
    full = n["dilation"] * (n["kernel"] - 1)
    how, steps = "valid", []
    if after == 0 and before == full and n["padding"] != "layer":
        how = "causal"
    elif before == after and 2 * before == full and n["padding"] == "same":
        how = "same"
    elif before or after:
        steps = [layers.ZeroPadding1D((before, after), name=f"{name}_pad")]
    return [
        *steps,
        layers.Conv1D(
            n["out"],
            n["kernel"],
            padding=how,
            dilation_rate=n["dilation"],
            use_bias=n["bias"],
            activation=plan.activation(n),
            name=name,
        ),
    ]


def make_lstm(plan, n, name, kind=layers.LSTM, **more):
    steps = []
    for i in range(n["layers"]):
        sequences = n["sequences"] or i + 1 < n["layers"]
        short = f"{name}_{i}" if i else name
        one = kind(
            n["units"],
            return_sequences=sequences,
            name=short,
            go_backwards=bool(n.get("backwards")),
            **more,
        )
        steps.append(layers.Bidirectional(one, name=f"{short}_both") if n["both"] else one)
    return steps


def make_gru(plan, n, name):
    return make_lstm(plan, n, name, layers.GRU, reset_after=n.get("reset_after", True))


def make_embedding(plan, n, name):
    return [layers.Embedding(n["rows"], n["dim"], name=name)]


class Positions(layers.Layer):
    def build(self, shape):
        self.table = self.add_weight(shape=(1, *shape[1:]), initializer="normal", name="table")

    def call(self, x):
        return x + self.table


def make_positions(plan, n, name):
    return [Positions(name=name)]


class Attention(layers.Layer):
    """By hand."""

    def __init__(self, heads, dim, causal, **more):
        super().__init__(**more)
        self.heads, self.size, self.causal = heads, dim // heads, causal
        self.query, self.key, self.value, self.out = (
            layers.Dense(dim, name=part) for part in ("query", "key", "value", "out")
        )

    def split(self, x):
        return ops.transpose(ops.reshape(x, (-1, x.shape[1], self.heads, self.size)), (0, 2, 1, 3))

    def call(self, x):
        steps = x.shape[1]
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        scores = q @ ops.swapaxes(k, -1, -2) / self.size**0.5
        if self.causal:
            seen = np.tril(np.ones((steps, steps), bool))
            scores = ops.where(seen, scores, -1e9)
        y = ops.softmax(scores) @ v
        y = ops.reshape(ops.transpose(y, (0, 2, 1, 3)), (-1, steps, self.heads * self.size))
        return self.out(y)


def make_attention(plan, n, name):
    dim = n["channels"][-1]
    if n["keras"] == "function":
        return [Attention(n["heads"], dim, n["causal"], name=name)]
    layer = layers.MultiHeadAttention(n["heads"], dim // n["heads"], name=name)
    return [Own(layer, n["causal"])]


class Own:
    """Keras' own layer on one input."""

    def __init__(self, layer, causal):
        self.layer, self.causal = layer, causal

    def __call__(self, x):
        return self.layer(x, x, use_causal_mask=self.causal)
