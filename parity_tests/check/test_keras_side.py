"""The Keras side of the check: what it says of a model is what the model does.

Each test is a process of its own, forked from one that has imported Keras: the tests' process
knows no framework.
"""

import os
import textwrap

import pytest

from parity_tests.forked import script

PRELUDE = """
import numpy as np, math
from parity.keras_side.checker import KerasModel
import keras, tensorflow as tf
from keras import layers as L, ops
from parity.checker.graph.graph import Graph
from parity.checker.graph.model_interface import RecordRequest
from parity.core.errors import ParityError

rng = np.random.default_rng(0)

def verify(build, inputs, precisions=("float32", "float64"), mode="evaluate"):
    '''Every node, run alone on what its sources say, yields what was recorded.'''
    side = build if isinstance(build, KerasModel) else KerasModel(build, "models.py:net")
    traced = side.trace(inputs)
    graph = traced.graph
    assert Graph.from_json(graph.to_json()).to_json() == graph.to_json()
    for precision in precisions:
        ones = [np.ones(s.shape) for s in graph.outputs]
        kept = side.record(RecordRequest(precision, mode, inputs, ones))

        def seen(source):
            what, _, name = source.value.partition(":")
            if what == "input":
                value = np.asarray(inputs[int(name)])
                value = value.astype(precision) if value.dtype.kind == "f" else value
            elif what == "parameter":
                value = side.weights()[name]
            else:
                value = kept[f"values/{source.value}"]
            return value.reshape(-1)[traced.ids[source.ids]] if source.ids else value

        for i, source in enumerate(graph.outputs):
            assert np.array_equal(seen(source), kept[f"outputs/{i}"])
        tolerance = 3e-5 if precision == "float32" else 1e-12
        for node in graph.nodes:
            again = side.replay(node.id, [seen(s) for s in node.sources], precision)
            for value in node.values:
                a, b = again[f"values/{value.id}"], kept[f"values/{value.id}"]
                assert a.shape == b.shape == value.shape, node
                scale = max(1.0, float(np.abs(b).max())) if b.size else 1.0
                assert np.allclose(a, b, rtol=0, atol=tolerance * scale), (precision, node)
        for name, parameter in graph.parameters.items():
            gradient = kept.get(f"gradients/{name}")
            assert gradient is None or gradient.shape == parameter.shape
    return side, traced

def kinds(traced):
    return [n.kind for n in traced.graph.nodes]

def values(build, x):
    '''What a model of one input yields in float64.'''
    side = KerasModel(build, "net")
    side.trace([x])
    return side, side.record(RecordRequest("float64", "evaluate", [x]))["outputs/0"]
"""


@pytest.fixture(scope="module")
def run(forked):
    """Runs a script that knows the names of `PRELUDE`."""
    named = script(forked["keras"], PRELUDE)
    return lambda code: named(textwrap.dedent(code))


def test_layers_names_settings_and_code(run):
    run("""
    def build():
        i = L.Input((8, 8, 3))
        x = L.Conv2D(4, 3, padding="same", strides=2, activation="relu", name="conv1")(i)
        x = L.BatchNormalization(epsilon=1e-5, name="bn")(x)
        x = L.SeparableConv2D(6, 3, depth_multiplier=2, activation="gelu", name="sep")(x)
        x = L.DepthwiseConv2D(2, depth_multiplier=2, name="dw")(x)
        x = L.Flatten()(x)
        return keras.Model(i, L.Dense(5, activation="softmax", name="head")(x))

    side, traced = verify(build, [rng.normal(size=(2, 8, 8, 3))])
    nodes = traced.graph.nodes
    assert [(n.name, n.kind) for n in nodes] == [
        ("conv1", "convolution"), ("conv1", "activation"), ("bn", "batch_norm"),
        ("sep", "convolution"), ("sep", "convolution"), ("sep", "activation"),
        ("dw", "convolution"), ("head", "dense"), ("head", "activation"),
    ]
    assert nodes[0].settings["padding"] == [[0, 1], [0, 1]]
    assert nodes[2].settings["epsilon"] == 1e-5 and nodes[2].settings["training"] is False
    assert nodes[2].code == 'layers.BatchNormalization(momentum=0.99, epsilon=1e-05, name="bn")'
    assert nodes[3].settings["groups"] == 4
    assert nodes[5].settings == {"name": "gelu", "approximate": False}
    assert traced.graph.parameters["dw/kernel"].shape == (2, 2, 1, 12)
    assert traced.graph.parameters["bn/mean"].trainable is False
    assert traced.graph.parameters["conv1/bias"].constant
    assert nodes[7].sources[0].ids and not traced.graph.unused
    """)


def test_nested_shared_and_several_inputs(run):
    run("""
    def build():
        d = L.Dense(3, activation="relu", name="d")
        inner = keras.Sequential(
            [L.Dense(4), L.BatchNormalization(), L.ReLU(max_value=6)], name="inner"
        )
        a, b = L.Input((3,)), L.Input((3,))
        x, y = inner(d(a)), inner(d(b))
        joined = [x, y, L.Add()([x, y, x]), L.Dot(1)([x, y])]
        return keras.Model([a, b], L.Concatenate()(joined))

    side, traced = verify(build, [rng.normal(size=(2, 3)), rng.normal(size=(2, 3))])
    assert kinds(traced).count("dense") == 4
    assert len([p for p in traced.graph.parameters if p.endswith("kernel")]) == 2
    six = [n for n in traced.graph.nodes if n.settings.get("name") == "relu6"]
    assert len(six) == 2
    """)


def test_functions_and_operators_of_tensorflow(run):
    run("""
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.c = L.Conv2D(4, 3)
            self.w = self.add_weight(shape=(4, 6), name="w")
            self.b = self.add_weight(shape=(6,), name="b", initializer="ones")
            self.g = self.add_weight(shape=(6,), name="g", initializer="ones")

        def call(self, x):
            y = tf.nn.relu(self.c(x))
            z = tf.concat([y, y * 2.0], -1)
            a, b = tf.split(z, 2, -1)
            y = a - b / 3 + a**2
            y = tf.reshape(tf.transpose(y, [0, 3, 1, 2]), [tf.shape(y)[0], 4, -1])
            q = tf.matmul(tf.reduce_mean(y, -1), self.w) + self.b
            q = self.g * q
            g = q * tf.sigmoid(q)
            h = 0.5 * g * (1 + tf.math.erf(g / np.sqrt(2)))
            h = tf.nn.gelu(h, approximate=True)
            mean, variance = tf.nn.moments(h, [-1], keepdims=True)
            h = (h - mean) / tf.sqrt(variance + 1e-5)
            r = tf.pad(tf.image.resize(x, (11, 13)), [[0, 0], [1, 1], [2, 2], [0, 0]], "REFLECT")
            u = tf.clip_by_value(tf.nn.max_pool2d(r, 2, 2, "SAME"), -0.5, 0.5)
            k = tf.math.cumsum(u, 1)
            return {
                "h": h, "s": tf.stack([u, k], 0), "w": tf.where(u > 0, u, k),
                "o": x[:, ::2, 1:3][..., None] * 1.0, "sd": tf.math.reduce_std(k, [1, 2]),
                "e": tf.einsum("bi,bj->bij", h, h), "n": tf.linalg.norm(h, axis=-1),
                "m": h * tf.tanh(tf.nn.softplus(h)), "hs": keras.activations.hard_silu(h),
                "q": tf.nn.relu6(h + 3) * (1 / 6) * h, "f": ops.flip(h, -1),
                "r": tf.repeat(h, 2, axis=1), "t": tf.math.top_k(h, 2).values,
            }

    side, traced = verify(Net, [rng.normal(size=(2, 6, 6, 3))])
    graph = traced.graph
    names = [n.settings["name"] for n in graph.nodes if n.kind == "activation"]
    assert names == [
        "relu", "silu", "gelu", "gelu", "clip", "mish", "hard_silu", "hard_silu"
    ], names
    dense = next(n for n in graph.nodes if n.kind == "dense")
    assert dense.settings == {"units": 6, "bias": True}
    assert set(dense.parameters) == {"kernel", "bias"}
    assert {n.settings["mode"] for n in graph.nodes if n.kind == "reduce"} == {
        "mean", "variance", "std", "norm"
    }
    scaled = next(n for n in graph.nodes if any("parameter:" in s.value for s in n.sources))
    assert scaled.kind == "multiply" and not graph.notes and not graph.unused
    assert next(n for n in graph.nodes if n.kind == "pad").settings["mode"] == "reflect"
    """)


def test_attention_is_taken_apart(run):
    run("""
    class Block(L.Layer):
        def __init__(self, d, h, **k):
            super().__init__(**k)
            self.att = L.MultiHeadAttention(h, d // h, dropout=0.1, name="att")
            self.n1, self.n2 = L.LayerNormalization(epsilon=1e-6), L.LayerNormalization()
            self.f1, self.f2 = L.Dense(2 * d, activation="gelu"), L.Dense(d)
            self.drop = L.Dropout(0.1)

        def call(self, x, training=None):
            a = self.att(x, x, training=training, use_causal_mask=True)
            x = self.n1(x + self.drop(a, training=training))
            return self.n2(x + self.f2(self.f1(x)))

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.tok, self.pos = L.Embedding(11, 8), L.Embedding(6, 8)
            self.blocks = [Block(8, 2, name=f"b{i}") for i in range(2)]
            self.out = L.Dense(11)

        def call(self, ids):
            x = self.tok(ids) + self.pos(ops.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.out(x)

    x = [rng.integers(0, 11, (2, 6))]
    side, traced = verify(Net, x)
    assert side.vocabulary() == 6
    inside = [n.kind for n in traced.graph.nodes if n.name.startswith("b0/att")]
    assert inside == ["dense"] * 3 + ["matmul", "multiply", "add", "activation", "dropout",
                                      "matmul", "dense"]
    assert traced.graph.parameters["b0/att/query/kernel"].shape == (8, 8)
    first = next(n for n in traced.graph.nodes if n.kind == "matmul")
    query = next(n for n in traced.graph.nodes if n.name == "b0/att/query")
    assert first.sources[0].value == query.values[0].id

    def fused():
        i = L.Input((5, 8))
        y = L.MultiHeadAttention(2, 3, value_dim=5, output_shape=6)(i, i, use_causal_mask=True)
        return keras.Model(i, y)

    side, traced = verify(fused, [rng.normal(size=(2, 5, 8))])
    assert kinds(traced) == ["dense"] * 3 + ["matmul", "multiply", "add", "activation", "matmul",
                                             "dense"]
    """)


def test_recurrent_layers_and_masks(run):
    run("""
    def build():
        i = L.Input((5, 3))
        x = L.LSTM(4, return_sequences=True)(i)
        x = L.Bidirectional(L.LSTM(3, return_sequences=True, dropout=0.2))(x)
        x = L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum")(x)
        a, h, c = L.LSTM(4, return_state=True)(x)
        b = L.GRU(5, reset_after=False)(x)
        d = L.SimpleRNN(2, go_backwards=True)(x)
        e = L.LSTM(4)(x, initial_state=[h, c])
        f = L.Bidirectional(L.LSTM(3, return_state=True))(x)
        return keras.Model(i, [a, b, d, e, *f, L.RNN(L.LSTMCell(3))(x)])

    x = [rng.normal(size=(2, 5, 3))]
    side, traced = verify(build, x)
    assert kinds(traced) == ["recurrent"] * 3 + ["add"] + ["recurrent"] * 6
    verify(build, x, ("float32",), "train")
    assert traced.graph.outputs[0].ids and traced.graph.nodes[1].settings["bidirectional"]

    def masked():
        i = L.Input((5,), dtype="int32")
        x = L.Embedding(9, 8, mask_zero=True)(i)
        y = L.MultiHeadAttention(2, 4)(x, x)
        z = L.LSTM(3, return_sequences=True)(y)
        return keras.Model(i, L.Bidirectional(L.GRU(4))(z))

    side, traced = verify(masked, [np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])])
    assert [n.settings.get("masked") for n in traced.graph.nodes if n.kind == "recurrent"] == [
        True, True
    ]
    """)


def test_one_dimension_groups_and_tied_weights(run):
    run("""
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.e, self.d = L.Embedding(7, 6), L.Dense(6, activation=tf.nn.silu)
            self.c = L.Conv1D(6, 3, groups=2, padding="causal")
            self.t, self.p = L.Conv1DTranspose(4, 3, strides=2), L.AveragePooling1D(2)
            self.frozen = L.BatchNormalization(trainable=False)

        def call(self, x):
            tokens, weights = x
            h = self.p(self.t(self.c(self.d(L.SpatialDropout1D(0.2)(self.e(tokens))))))
            o = tf.reduce_max(self.frozen(h), 1) * weights
            return o @ tf.transpose(self.e.embeddings)[:4], tf.math.argmax(o, -1)

    x = [np.array([[1, 2, 0, 0, 0], [3, 4, 5, 6, 0]]), rng.normal(size=(2, 4))]
    side, traced = verify(Net, x)
    convolution = next(n for n in traced.graph.nodes if n.kind == "convolution")
    assert convolution.settings["groups"] == 2 and convolution.settings["padding"] == [[2, 0]]
    tied = next(n for n in traced.graph.nodes if n.kind == "matmul").sources[1]
    assert tied.value.startswith("parameter:") and tied.ids
    assert not traced.graph.parameters["batch_normalization/gamma"].trainable
    """)


def test_transposed_and_resized(run):
    run("""
    def build():
        i = L.Input((5, 5, 3))
        x = L.Conv2DTranspose(4, 3, strides=2, padding="same")(i)
        x = L.LeakyReLU()(x)
        x = L.Conv2DTranspose(2, 4, strides=2, padding="valid", output_padding=1)(x)
        x = L.PReLU(shared_axes=[1, 2])(x)
        x = L.UpSampling2D(2, interpolation="bilinear")(x)
        x = L.GroupNormalization(2)(x)
        x = L.AveragePooling2D(3, 2, padding="same")(x)
        x = L.Cropping2D(1)(L.ZeroPadding2D(((1, 0), (0, 2)))(x))
        x = L.Resizing(9, 7)(L.UpSampling2D(2)(x))
        x = L.UnitNormalization()(L.RMSNormalization()(x))
        x = L.Rescaling(1 / 127.5, -1)(x)
        return keras.Model(i, L.GlobalMaxPooling2D()(x))

    side, traced = verify(build, [rng.normal(size=(2, 5, 5, 3))])
    crops = [n.settings["crop"] for n in traced.graph.nodes if n.kind == "transposed"]
    assert crops == [[[0, 1], [0, 1]], [[0, -1], [0, -1]]]
    assert [n.settings["mode"] for n in traced.graph.nodes if n.kind == "resize"] == [
        "bilinear", "nearest", "bilinear"
    ]
    """)


def test_what_nobody_foresaw_is_opaque(run):
    run("""
    class Odd(L.Layer):
        def call(self, x):
            return tf.constant(x.numpy() * 2)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.odd, self.d = Odd(name="odd"), L.Dense(4)
            self.steps = L.TimeDistributed(L.Dense(3, activation="tanh"))

        @tf.function
        def helper(self, x):
            return tf.nn.elu(x) * 3.0

        def call(self, x, y):
            h = self.helper(self.d(self.odd(x)))
            z = self.steps(tf.stack([h, h + 1], 1))
            return h, tf.nn.dropout(z, 0.3), y

    side, traced = verify(Net, [rng.normal(size=(3, 5)), rng.normal(size=(3, 2))])
    nodes = traced.graph.nodes
    assert (nodes[0].kind, nodes[0].name) == ("opaque", "odd") and traced.graph.notes
    assert next(n for n in nodes if n.kind == "dropout").settings["active"] is True
    assert traced.graph.outputs[2].value == "input:1"
    """)


def test_float64_is_exact(run):
    run("""
    x = rng.normal(size=(4, 7)) * 3
    erf = np.vectorize(math.erf)
    sigmoid = 1 / (1 + np.exp(-x))
    hard = np.clip(x + 3, 0, 6) / 6
    cube = x + 0.044715 * x**3
    exact = {
        "gelu": (keras.activations.gelu, 0.5 * x * (1 + erf(x / math.sqrt(2)))),
        "gelu_tanh": (lambda v: keras.activations.gelu(v, approximate=True),
                      0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * cube))),
        "tf_gelu": (tf.nn.gelu, 0.5 * x * (1 + erf(x / math.sqrt(2)))),
        "silu": (keras.activations.silu, x * sigmoid),
        "hard_sigmoid": (keras.activations.hard_sigmoid, hard),
        "hard_silu": (keras.activations.hard_silu, x * hard),
        "leaky_relu": (lambda v: keras.activations.leaky_relu(v, 0.1), np.where(x > 0, x, 0.1 * x)),
        "tf_leaky_relu": (lambda v: tf.nn.leaky_relu(v, 0.1), np.where(x > 0, x, 0.1 * x)),
        "elu": (lambda v: keras.activations.elu(v, 0.3), np.where(x > 0, x, 0.3 * np.expm1(x))),
        "celu": (lambda v: keras.activations.celu(v, 0.3),
                 np.where(x > 0, x, 0.3 * np.expm1(x / 0.3))),
        "mish": (keras.activations.mish, x * np.tanh(np.log1p(np.exp(x)))),
        "log_sigmoid": (keras.activations.log_sigmoid, -np.log1p(np.exp(-x))),
        "cast": (lambda v: v * tf.cast(0.1, v.dtype) * ops.cast(0.3, v.dtype), x * 0.1 * 0.3),
    }
    for name, (function, wanted) in exact.items():
        side, y = values(lambda: keras.Sequential([L.Input((7,)), L.Lambda(function)]), x)
        assert np.allclose(y, wanted, rtol=0, atol=2e-14), (name, np.abs(y - wanted).max())
        kind = side.trace([x]).graph.nodes
        assert name == "cast" or [n.kind for n in kind] == ["activation"], (name, kind)

    images = rng.normal(size=(1, 6, 5, 2))
    def net():
        return keras.Sequential([L.Input((6, 5, 2)), L.Resizing(9, 13)])
    _, y = values(net, images)
    def weights(n, m):
        at = np.clip((np.arange(m) + 0.5) * n / m - 0.5, 0, n - 1)
        return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(n)))
    wanted = np.einsum("oh,pw,nhwc->nopc", weights(6, 9), weights(5, 13), images)
    assert np.allclose(y, wanted, rtol=0, atol=1e-14)

    q = rng.normal(size=(2, 4, 6))
    for dropout in (0.0, 0.2):
        def attention():
            i = L.Input((4, 6))
            return keras.Model(i, L.MultiHeadAttention(2, 3, dropout=dropout, name="a")(i, i))
        side, y = values(attention, q)
        w = side.weights()
        def heads(name):
            return (q @ w[f"a/{name}/kernel"] + w[f"a/{name}/bias"]).reshape(2, 4, 2, 3)
        scores = np.einsum("bqhd,bkhd->bhqk", heads("query"), heads("key")) / math.sqrt(3)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        out = np.einsum("bhqk,bkhd->bqhd", p, heads("value")).reshape(2, 4, 6)
        wanted = out @ w["a/attention_output/kernel"] + w["a/attention_output/bias"]
        assert np.allclose(y, wanted, rtol=0, atol=1e-14), np.abs(y - wanted).max()
    """)


@pytest.mark.parametrize("given", ["callable", "functional", "subclassed"])
def test_training_and_weights(run, given):
    run(
        f"given = {given!r}\n"
        + textwrap.dedent("""
    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.c, self.bn = L.Conv2D(4, 3, name="c"), L.BatchNormalization(name="bn")
            self.drop, self.d = L.Dropout(0.5), L.Dense(3, name="d")

        def call(self, x, training=None):
            y = self.drop(self.bn(self.c(x), training=training), training=training)
            return self.d(ops.mean(y, axis=(1, 2)))

    def functional():
        i = L.Input((6, 6, 3))
        y = L.Dropout(0.5)(L.BatchNormalization(name="bn")(L.Conv2D(4, 3, name="c")(i)))
        return keras.Model(i, L.Dense(3, name="d")(L.GlobalAveragePooling2D()(y)))

    build = {"callable": Net, "functional": functional(), "subclassed": Net()}[given]
    x = [rng.normal(size=(3, 6, 6, 3))]
    side, traced = verify(build, x)
    assert keras.config.floatx() == "float32"
    before = side.weights()
    projection = rng.normal(size=(3, 3))
    losses = {}
    for precision in ("float32", "float64"):
        order = RecordRequest(precision, "train", x, [projection], steps=3, rate=0.05)
        kept = side.record(order)
        tolerance = 1e-5 if precision == "float32" else 1e-12
        y = kept["values/n0:0"].astype("float64")
        assert np.allclose(kept["state/bn/mean"], 0.01 * y.mean((0, 1, 2)), atol=tolerance)
        biased = 0.99 + 0.01 * y.var((0, 1, 2))
        assert np.allclose(kept["state/bn/variance"], biased, atol=tolerance)
        assert kept["steps/loss"].shape == (4,) and kept["after/0"].shape == (3, 3)
        assert np.isclose(kept["steps/loss"][0], (kept["outputs/0"] * projection).sum())
        assert kept["steps/loss"][3] < kept["steps/loss"][0]
        assert kept["outputs/0"].dtype == precision
        losses[precision] = kept["steps/loss"]
        again = side.record(order)  # nothing is drawn, nothing is left behind
        assert all(np.array_equal(kept[k], again[k]) for k in kept)
    assert np.allclose(losses["float32"], losses["float64"], rtol=1e-3, atol=1e-4)
    assert all(np.array_equal(before[k], v) for k, v in side.weights().items())
    side.set_weights({k: 2 * v for k, v in before.items()})
    assert all(np.array_equal(2 * before[k], v) for k, v in side.weights().items())
    a = side.record(RecordRequest("float32", "evaluate", x))["outputs/0"]
    b = side.record(RecordRequest("float64", "evaluate", x))["outputs/0"]
    assert np.allclose(a, b, atol=1e-4) and not np.array_equal(a, b)

    # One gradient by a difference quotient, in float64.
    order = RecordRequest("float64", "evaluate", x, [projection])
    slope = side.record(order)["gradients/d/kernel"]
    weights, step = side.weights(), 2.0**-10
    moved = weights["d/kernel"].copy()
    moved[1, 2] += step
    side.set_weights({"d/kernel": moved})
    after = side.record(order)["loss"]
    side.set_weights(weights)
    quotient = (after - side.record(order)["loss"]) / step
    assert np.isclose(slope[1, 2], quotient, atol=1e-6)
    """)
    )


def test_errors_name_the_users_lines(run, tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "import keras\n\n\nclass Bad(keras.Model):\n    def call(self, x):\n"
        "        return keras.ops.matmul(x, keras.ops.ones((77, 2)))\n"
    )
    run(f"""
    import sys
    sys.path.insert(0, {str(tmp_path)!r})
    from mine import Bad
    try:
        KerasModel(Bad, "mine.py:Bad").trace([np.ones((2, 3))])
    except ParityError as error:
        text = str(error)
        assert "mine.py:6: return keras.ops.matmul" in text, text
        assert "site-packages" not in text and "InvalidArgumentError" in text
    else:
        raise AssertionError
    """)


@pytest.mark.skipif(not os.environ.get("PARITY_LONG"), reason="PARITY_LONG is not set")
@pytest.mark.parametrize("name", ["MobileNetV2", "EfficientNetB0", "ConvNeXtTiny"])
def test_applications(run, name):
    run(f"""
    def build():
        make = getattr(keras.applications, {name!r})
        return make(weights=None, input_shape=(75, 75, 3), classes=7)

    side, traced = verify(build, [rng.normal(size=(2, 75, 75, 3))], ("float32",))
    assert "opaque" not in kinds(traced)
    assert not [p for p in traced.graph.unused if not p.startswith("normalization")]
    """)
