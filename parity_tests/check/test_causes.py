"""Every kind of fault, planted in NumPy: just that one is confirmed, with its values."""

import dataclasses
import zlib

import numpy as np
import pytest

from parity.checker.diagnose import fix, library_advice, repair, training_state
from parity.checker.graph.graph import Node, Source, Value
from parity.checker.judge import stages
from parity.diagnosis.causes import KINDS, Cause, group
from parity.operations import function as operations
from parity.operations import known
from parity.operations.code import changed
from parity.operations.operation import Operation, Setting

FIRST, LAST = {"channels": "first"}, {"channels": "last"}
IMAGE = (2, 8, 7, 4)
TO_LAST, TO_FIRST = (0, 3, 1, 2), (0, 2, 3, 1)
STATS = {"gamma": (4,), "beta": (4,), "mean": (4,), "variance": (4,)}


def node(kind, settings, shapes, *, name="n", code="", roles=(), dtype="float32"):
    sources = tuple(Source(f"s{i}:0", tuple(s)) for i, s in enumerate(shapes))
    return Node(
        "n0",
        name,
        kind,
        settings,
        sources,
        (Value("n0:0", (), dtype),),
        {r: f"{name}/{r}" for r in roles},
        code,
    )


def drawn(key, shapes, roles):
    draw = np.random.default_rng(zlib.crc32(key.encode()))
    sources = [
        draw.integers(0, 6, s[1:]) if s and s[0] == "ids" else draw.standard_normal(s)
        for s in shapes
    ]
    weights = {r: draw.standard_normal(s) for r, s in roles.items()}
    if "variance" in weights:
        weights["variance"] = np.abs(weights["variance"]) + 0.01
    return tuple(sources), weights


def computed(kind, settings, weights, sources):
    return operations.apply(kind, settings, weights, sources)


def evidence(
    left,
    right,
    sources,
    weights,
    *,
    left_out=None,
    right_out=None,
    right_weights=None,
    right_sources=None,
    bound=1e-13,
    **more,
):
    """Both outputs as stated, unless given."""
    right_weights = weights if right_weights is None else right_weights
    right_sources = sources if right_sources is None else right_sources
    if left_out is None:
        left_out = computed(left.kind, left.settings, weights, sources)
    if right_out is None:
        right_out = computed(right.kind, right.settings, right_weights, right_sources)
    return repair.ProofInput(
        left,
        right,
        tuple(sources),
        tuple(right_sources),
        left_out,
        right_out,
        weights,
        right_weights,
        bound,
        **more,
    )


CONV = {
    **LAST,
    "kernel": [3, 3],
    "stride": [2, 2],
    "dilation": [1, 1],
    "groups": 1,
    "bias": True,
    "padding": [[1, 1], [1, 1]],
}
CONV_ROLES = {"kernel": (3, 3, 4, 4), "bias": (4,)}
POOL = {
    **LAST,
    "mode": "average",
    "kernel": [3, 3],
    "stride": [2, 2],
    "padding": [[1, 1], [1, 1]],
    "counts_padding": True,
}
NORM = {**LAST, "epsilon": 1e-5, "momentum": 0.9, "scale": True, "center": True}
LSTM = {
    "cell": "lstm",
    "units": 3,
    "bias": True,
    "activation": "tanh",
    "recurrent_activation": "sigmoid",
}
LSTM_ROLES = {"kernel": (4, 12), "recurrent_kernel": (3, 12), "bias": (12,)}
GRU = {**LSTM, "cell": "gru", "reset_after": True}
GRU_ROLES = {"kernel": (4, 9), "recurrent_kernel": (3, 9), "bias": (2, 9)}
SEQUENCE = (2, 5, 4)

STATED = [
    ("epsilon", "batch_norm", NORM, {"epsilon": 1e-3}, (IMAGE,), STATS),
    (
        "epsilon",
        "layer_norm",
        {"axes": [-1], "epsilon": 1e-5},
        {"epsilon": 1e-3},
        (IMAGE,),
        {"gamma": (4,), "beta": (4,)},
    ),
    (
        "epsilon",
        "group_norm",
        {**NORM, "groups": 2},
        {"epsilon": 1e-3},
        (IMAGE,),
        {"gamma": (4,), "beta": (4,)},
    ),
    (
        "groups",
        "group_norm",
        {**NORM, "groups": 2},
        {"groups": 4},
        (IMAGE,),
        {"gamma": (4,), "beta": (4,)},
    ),
    (
        "axis",
        "layer_norm",
        {"axes": [3], "epsilon": 1e-5},
        {"axes": [1]},
        ((2, 4, 3, 4),),
        {"gamma": (4,), "beta": (4,)},
    ),
    ("normalisation", "batch_norm", NORM, {"training": True}, (IMAGE,), STATS),
    ("affine", "batch_norm", NORM, {"scale": False}, (IMAGE,), STATS),
    ("affine", "batch_norm", NORM, {"center": False}, (IMAGE,), STATS),
    ("padding", "convolution", CONV, {"padding": [[0, 1], [0, 1]]}, ((2, 8, 8, 4),), CONV_ROLES),
    ("padding", "convolution", CONV, {"mode": "reflect"}, (IMAGE,), CONV_ROLES),
    ("stride", "convolution", CONV, {"stride": [1, 1]}, (IMAGE,), CONV_ROLES),
    (
        "dilation",
        "convolution",
        {**CONV, "stride": [1, 1]},
        {"dilation": [2, 2]},
        (IMAGE,),
        CONV_ROLES,
    ),
    ("bias", "convolution", CONV, {"bias": False}, (IMAGE,), CONV_ROLES),
    (
        "padding",
        "transposed",
        {**LAST, "kernel": [3, 3], "stride": [2, 2], "crop": [[1, 1], [1, 1]], "bias": True},
        {"crop": [[0, 2], [0, 2]]},
        (IMAGE,),
        CONV_ROLES,
    ),
    (
        "bias",
        "dense",
        {"units": 5, "bias": True},
        {"bias": False},
        ((3, 4),),
        {"kernel": (4, 5), "bias": (5,)},
    ),
    ("pooling", "pool", POOL, {"mode": "max"}, (IMAGE,), {}),
    ("pooling", "pool", POOL, {"kernel": [2, 2]}, (IMAGE,), {}),
    ("stride", "pool", POOL, {"stride": [1, 1]}, (IMAGE,), {}),
    ("padding", "pool", POOL, {"padding": [[0, 2], [0, 2]]}, (IMAGE,), {}),
    ("padding_counted", "pool", POOL, {"counts_padding": False}, (IMAGE,), {}),
    ("pooling", "reduce", {"mode": "mean", "axes": [1, 2]}, {"mode": "max"}, (IMAGE,), {}),
    ("axis", "reduce", {"mode": "mean", "axes": [1]}, {"axes": [2]}, ((2, 5, 5, 3),), {}),
    ("operation", "reduce", {"mode": "mean", "axes": [1]}, {"mode": "sum"}, ((3, 4),), {}),
    (
        "activation",
        "activation",
        {"name": "gelu", "approximate": False},
        {"approximate": True},
        (IMAGE,),
        {},
    ),
    (
        "activation",
        "activation",
        {"name": "leaky_relu", "slope": 0.01},
        {"slope": 0.3},
        (IMAGE,),
        {},
    ),
    ("activation", "activation", {"name": "silu"}, {"name": "mish"}, (IMAGE,), {}),
    ("axis", "activation", {"name": "softmax", "axis": -1}, {"axis": 1}, ((2, 3, 3),), {}),
    (
        "resize",
        "resize",
        {**LAST, "mode": "bilinear", "size": [14, 9]},
        {"align_corners": True},
        (IMAGE,),
        {},
    ),
    (
        "resize",
        "resize",
        {**LAST, "mode": "bilinear", "size": [14, 9]},
        {"mode": "nearest"},
        (IMAGE,),
        {},
    ),
    (
        "padding",
        "pad",
        {"padding": [[0, 0], [1, 1], [1, 1], [0, 0]], "mode": "zeros"},
        {"mode": "reflect"},
        (IMAGE,),
        {},
    ),
    ("reset_after", "recurrent", GRU, {"reset_after": False}, (SEQUENCE,), GRU_ROLES),
    (
        "activation",
        "recurrent",
        LSTM,
        {"recurrent_activation": "hard_sigmoid"},
        (SEQUENCE,),
        LSTM_ROLES,
    ),
    ("activation", "recurrent", LSTM, {"activation": "relu"}, (SEQUENCE,), LSTM_ROLES),
    ("bias", "recurrent", LSTM, {"bias": False}, (SEQUENCE,), LSTM_ROLES),
    ("direction", "recurrent", LSTM, {"backwards": True}, (SEQUENCE,), LSTM_ROLES),
    ("scale", "multiply", {"scalar": 0.5}, {"scalar": 0.25}, ((3, 4),), {}),
    ("scale", "divide", {"scalar": 255.0}, {"scalar": 256.0}, ((3, 4),), {}),
    ("offset", "add", {"scalar": 0.5}, {"scalar": 1.0}, ((3, 4),), {}),
    ("constant", "maximum", {"scalar": 0.0}, {"scalar": 0.1}, ((3, 4),), {}),
    ("order", "subtract", {"scalar": 1.0}, {"scalar_left": True}, ((3, 4),), {}),
    ("scale", "matmul", {"scale": 0.5}, {"scale": 1.0}, ((2, 3, 3), (2, 3, 3)), {}),
    ("operation", "matmul", {}, {"transpose_right": True}, ((2, 3, 3), (2, 3, 3)), {}),
    ("axis", "concatenate", {"axis": 1}, {"axis": 2}, ((2, 3, 3), (2, 3, 3)), {}),
    ("operation", "unary", {"name": "exp"}, {"name": "expm1"}, ((3, 4),), {}),
    ("axis", "cumulative", {"name": "sum", "axis": 1}, {"axis": 0}, ((4, 4),), {}),
]


def label(row):
    return f"{row[0]}-{row[1]}-{'-'.join(map(str, row[3]))}"


@pytest.mark.parametrize("row", STATED, ids=label)
def test_a_stated_difference_is_proven(row):
    wanted, kind, settings, other, shapes, roles = row
    sources, weights = drawn(label(row), shapes, roles)
    found_shapes = [s.shape for s in sources]
    left = node(kind, settings, found_shapes, roles=roles, name="left")
    right = node(kind, {**settings, **other}, found_shapes, roles=roles, name="right")
    (found,) = repair.prove(evidence(left, right, sources, weights))
    assert (found.kind, found.status, found.proof) == (wanted, "confirmed", "recomputed")
    assert found.residual_ratio <= 1
    assert found.share == 1
    assert (found.left[0], found.right[0]) == ("left", "right")
    assert found.left[1] != found.right[1]


def test_nothing_differs():
    sources, weights = drawn("same", (IMAGE,), CONV_ROLES)
    same = node("convolution", CONV, (IMAGE,))
    other = node("convolution", {**CONV, "padding": ((1, 1), (1, 1)), "mode": "zeros"}, (IMAGE,))
    assert repair.differing(same, other) == ()
    assert repair.prove(evidence(same, other, sources, weights)) == ()


def test_a_setting_without_effect_is_no_cause():
    """Momentum and epsilon differ; only epsilon shows in an evaluation."""
    sources, weights = drawn("two", (IMAGE,), STATS)
    left = node("batch_norm", NORM, (IMAGE,))
    right = node("batch_norm", {**NORM, "momentum": 0.99, "epsilon": 1e-3}, (IMAGE,))
    assert {s.kind for s in repair.differing(left, right)} == {"momentum", "epsilon"}
    assert [c.kind for c in repair.prove(evidence(left, right, sources, weights))] == ["epsilon"]


def test_two_causes_are_both_needed():
    sources, weights = drawn("both", ((2, 8, 8, 4),), CONV_ROLES)
    left = node("convolution", CONV, ((2, 8, 8, 4),))
    right = node(
        "convolution", {**CONV, "padding": [[0, 1], [0, 1]], "bias": False, "x": 1}, ((2, 8, 8, 4),)
    )
    found = repair.prove(evidence(left, right, sources, weights))
    assert {c.kind for c in found} == {"padding", "bias"}
    assert all(c.confirmed and 0 < c.share <= 1 for c in found)


def test_another_kind_at_the_place():
    sources, weights = drawn("kinds", (IMAGE,), {"gamma": (4,), "beta": (4,)})
    left = node("group_norm", {**NORM, "groups": 1}, (IMAGE,))
    right = node("layer_norm", {"axes": [3], "epsilon": 1e-5}, (IMAGE,))
    (found,) = repair.prove(evidence(left, right, sources, weights))
    assert (found.kind, found.status) == ("normalisation", "confirmed")
    left = node("reduce", {"mode": "mean", "axes": [1, 2]}, (IMAGE,))
    right = node("pool", {**POOL, "padding": None, "stride": [9, 9], "kernel": [7, 4]}, (IMAGE,))
    (found,) = repair.prove(evidence(left, right, sources, weights))
    assert found.kind == "pooling"


def test_layouts_are_not_a_difference():
    """Channels first on the left: axes are mapped, and only the real difference is found."""
    sources, weights = drawn("layout", ((2, 5, 5, 4),), STATS)
    left = node("batch_norm", {**NORM, **FIRST}, ((2, 4, 5, 5),))
    right = node("batch_norm", {**NORM, "epsilon": 1e-3}, ((2, 5, 5, 4),))
    assert [s.kind for s in repair.differing(left, right)] == ["epsilon"]
    inputs = tuple(np.moveaxis(s, -1, 1) for s in sources)
    out = np.moveaxis(computed("batch_norm", left.settings, weights, inputs), 1, -1)
    (found,) = repair.prove(evidence(left, right, sources, weights, left_out=out, axes=TO_LAST))
    assert found.kind == "epsilon"
    left = node("reduce", {"mode": "mean", "axes": [2, 3]}, ((2, 4, 5, 5),))
    right = node("reduce", {"mode": "mean", "axes": [1, 2]}, ((2, 5, 5, 4),))
    assert repair.differing(left, right, axes=TO_LAST) == ()
    left = node("concatenate", {"axis": 1}, ((2, 4, 5, 5),))
    right = node("concatenate", {"axis": -1}, ((2, 5, 5, 4),))
    assert repair.differing(left, right, axes=TO_LAST) == ()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ({"name": "clip", "low": 0, "high": None}, {"name": "relu"}),
        ({"name": "hard_tanh", "low": 0.0, "high": 6.0}, {"name": "relu6"}),
        ({"name": "leaky_relu"}, {"name": "leaky_relu", "slope": 0.01}),
        ({"name": "celu", "alpha": 1.0}, {"name": "elu"}),
        ({"name": "softmax", "axis": -1}, {"name": "softmax", "axis": 2}),
    ],
)
def test_the_same_by_another_name(a, b):
    shape = ((2, 3, 4),)
    assert repair.differing(node("activation", a, shape), node("activation", b, shape)) == ()


# What the settings do not tell: the right computes something else than it states.


def flipped(weights):
    return {**weights, "kernel": weights["kernel"][::-1, ::-1]}


def gates(order, many):
    def change(weights):
        def one(array):
            parts = np.split(array, many, -1)
            return np.concatenate([parts[i] for i in order], -1)

        return {role: one(array) for role, array in weights.items()}

    return change


HIDDEN = [
    ("kernel_order", "convolution", CONV, {}, flipped, (IMAGE,), CONV_ROLES),
    (
        "kernel_order",
        "convolution",
        CONV,
        {},
        lambda w: {**w, "kernel": w["kernel"].transpose(1, 0, 2, 3)},
        (IMAGE,),
        CONV_ROLES,
    ),
    (
        "kernel_order",
        "convolution",
        CONV,
        {},
        lambda w: {**w, "kernel": w["kernel"].swapaxes(2, 3)},
        (IMAGE,),
        CONV_ROLES,
    ),
    (
        "kernel_order",
        "dense",
        {"units": 4, "bias": True},
        {},
        lambda w: {**w, "kernel": w["kernel"].T},
        ((3, 4),),
        {"kernel": (4, 4), "bias": (4,)},
    ),
    (
        "kernel_order",
        "dense",
        {"units": 8, "bias": False},
        {},
        lambda w: {"kernel": w["kernel"].reshape(5, 2, 4).swapaxes(1, 2).reshape(5, 8)},
        ((3, 5),),
        {"kernel": (5, 8)},
    ),
    (
        "bias",
        "dense",
        {"units": 4, "bias": True},
        {},
        lambda w: {**w, "bias": 0 * w["bias"]},
        ((3, 4),),
        {"kernel": (4, 4), "bias": (4,)},
    ),
    (
        "affine",
        "layer_norm",
        {"axes": [-1], "epsilon": 1e-5},
        {},
        lambda w: {"gamma": w["beta"], "beta": w["gamma"]},
        ((2, 3, 4),),
        {"gamma": (4,), "beta": (4,)},
    ),
    (
        "affine",
        "layer_norm",
        {"axes": [-1], "epsilon": 1e-5},
        {"center": False},
        None,
        ((2, 3, 4),),
        {"gamma": (4,), "beta": (4,)},
    ),
    ("epsilon", "batch_norm", NORM, {"epsilon": 1e-3}, None, (IMAGE,), STATS),
    ("epsilon", "batch_norm", NORM, {"epsilon": 0.00317}, None, (IMAGE,), STATS),
    ("normalisation", "batch_norm", NORM, {"training": True}, None, (IMAGE,), STATS),
    ("gate_order", "recurrent", LSTM, {}, gates((0, 2, 1, 3), 4), (SEQUENCE,), LSTM_ROLES),
    ("gate_order", "recurrent", GRU, {}, gates((1, 0, 2), 3), (SEQUENCE,), GRU_ROLES),
    ("reset_after", "recurrent", GRU, {"reset_after": False}, None, (SEQUENCE,), GRU_ROLES),
    ("direction", "recurrent", LSTM, {"backwards": True}, None, (SEQUENCE,), LSTM_ROLES),
    ("activation", "recurrent", LSTM, {"activation": "relu"}, None, (SEQUENCE,), LSTM_ROLES),
    ("activation", "activation", {"name": "gelu"}, {"approximate": True}, None, (IMAGE,), {}),
    ("activation", "activation", {"name": "leaky_relu"}, {"slope": 0.2}, None, (IMAGE,), {}),
    ("activation", "activation", {"name": "leaky_relu"}, {"slope": 0.1234}, None, (IMAGE,), {}),
    ("activation", "activation", {"name": "relu"}, {"name": "linear"}, None, (IMAGE,), {}),
    ("activation", "activation", {"name": "silu"}, {"name": "mish"}, None, (IMAGE,), {}),
    ("padding", "convolution", CONV, {"padding": [[0, 2], [0, 2]]}, None, (IMAGE,), CONV_ROLES),
    (
        "padding",
        "convolution",
        CONV,
        {"padding": [[0, 1], [0, 1]]},
        None,
        ((2, 8, 8, 4),),
        CONV_ROLES,
    ),
    ("padding", "convolution", CONV, {"mode": "reflect"}, None, (IMAGE,), CONV_ROLES),
    ("padding", "pool", POOL, {"padding": [[0, 2], [0, 2]]}, None, (IMAGE,), {}),
    ("padding_counted", "pool", POOL, {"counts_padding": False}, None, (IMAGE,), {}),
    ("pooling", "pool", POOL, {"mode": "max"}, None, (IMAGE,), {}),
    ("pooling", "reduce", {"mode": "mean", "axes": [1, 2]}, {"mode": "max"}, None, (IMAGE,), {}),
    ("axis", "reduce", {"mode": "mean", "axes": [1]}, {"axes": [2]}, None, ((2, 5, 5, 3),), {}),
    (
        "resize",
        "resize",
        {**LAST, "mode": "bilinear", "size": [14, 9]},
        {"align_corners": True},
        None,
        (IMAGE,),
        {},
    ),
    ("order", "subtract", {"scalar": 1.0}, {"scalar_left": True}, None, ((3, 4),), {}),
    ("operation", "add", {}, {"KIND": "multiply"}, None, ((3, 4), (3, 4)), {}),
    (
        "flatten_order",
        "dense",
        {"units": 5, "bias": False},
        {},
        lambda w: {"kernel": w["kernel"].reshape(3, 3, 2, 5).transpose(2, 0, 1, 3).reshape(18, 5)},
        ((3, 18),),
        {"kernel": (18, 5)},
    ),
]


@pytest.mark.parametrize("lies", [True, False], ids=["stated", "opaque"])
@pytest.mark.parametrize(
    "row",
    HIDDEN,
    ids=lambda r: (
        f"{r[0]}-{r[1]}-{zlib.crc32(str(r[3:5]).encode()) % 999}"
        if r[4] is None
        else f"{r[0]}-{r[1]}-w"
    ),
)
def test_a_hidden_difference_is_proven(row, lies):
    """The right node states what the left does, or is opaque; its output tells what it did."""
    wanted, kind, settings, other, change, shapes, roles = row
    sources, weights = drawn(str(row[:4]), shapes, roles)
    changed = change(weights) if change else weights
    really = {**settings, **other}
    out = computed(really.pop("KIND", kind), really, changed, sources)
    left = node(kind, settings, shapes, roles=roles)
    right = left if lies else node("opaque", {"name": "MyLayer"}, shapes, roles=roles)
    more = {"spatial": (3, 3, 2)} if wanted == "flatten_order" else {}
    (found,) = repair.prove(evidence(left, right, sources, weights, right_out=out, **more))
    assert (found.kind, found.status) == (wanted, "confirmed")
    assert found.residual_ratio <= 1
    # The same with the sides changed.
    (back,) = repair.prove(
        evidence(
            right,
            left,
            sources,
            weights,
            left_out=out,
            right_out=computed(kind, settings, weights, sources),
            **more,
        )
    )
    assert (back.kind, back.status) == (wanted, "confirmed")
    assert back.left[1] == found.right[1]


def test_values_of_hidden_faults():
    sources, weights = drawn("values", (IMAGE,), STATS)
    slope = node("activation", {"name": "leaky_relu", "slope": 0.01}, (IMAGE,))
    out = computed("activation", {"name": "leaky_relu", "slope": 0.2}, {}, sources)
    (found,) = repair.prove(evidence(slope, slope, sources, {}, right_out=out))
    assert found.left[1] == "leaky_relu(slope=0.01)"
    assert found.right[1] == "leaky_relu(slope=0.2)"
    norm = node("batch_norm", NORM, (IMAGE,))
    out = computed("batch_norm", {**NORM, "epsilon": 0.00317}, weights, sources)
    (found,) = repair.prove(evidence(norm, norm, sources, weights, right_out=out))
    assert (found.left[1], found.right[1]) == ("1e-05", "0.00317")


VALUES = [
    ("scale", lambda x: x * 0.125, "0.125"),
    ("offset", lambda x: x - 2.5, "-2.5"),
    ("scale", lambda x: x * 3 + 0.5, "3, and 0.5 added"),
    ("offset", lambda x: x + np.arange(8), "[0, 1, 2, 3, …], one for each channel"),
    ("scale", lambda x: x * np.arange(8), "[0, 1, 2, 3, …], one for each channel"),
    (
        "dropout",
        lambda x: np.where(np.arange(x.size).reshape(x.shape) % 5, x / 0.8, 0),
        "active, rate 0.2",
    ),
    ("precision", lambda x: x.astype(np.float16).astype(np.float64), "float16"),
]


@pytest.mark.parametrize("opaque", [True, False])
@pytest.mark.parametrize(("kind", "change", "value"), VALUES, ids=[v[2] for v in VALUES])
def test_outputs_alone_tell(kind, change, value, opaque):
    sources, weights = drawn(value, ((6, 4),), {"kernel": (4, 8)})
    left = node("dense", {"units": 8, "bias": False}, ((6, 4),))
    out = computed("dense", left.settings, weights, sources)
    if opaque:
        left = node("opaque", {"name": "Theirs"}, ((6, 4),))
    (found,) = repair.prove(
        evidence(left, left, sources, weights, left_out=out, right_out=change(out))
    )
    assert (found.kind, found.status, found.right[1]) == (kind, "confirmed", value)


@pytest.mark.parametrize("swapped", [False, True])
def test_constants_in_float32_do_not_hide_a_cause(swapped):
    """As TensorFlow's gelu has them: either side is only as near to the formula as float32."""
    sources, _ = drawn("float32", (IMAGE,), {})
    exact, tanh = ({"name": "gelu", "approximate": a} for a in (False, True))
    out = computed("activation", tanh, {}, sources) * (1 + 3e-9)
    left, right = (node("activation", s, (IMAGE,)) for s in (exact, tanh))
    given = {"right_out": out}
    if swapped:
        left, right, given = right, left, {"left_out": out}
    (found,) = repair.prove(evidence(left, right, sources, {}, **given))
    assert (found.kind, found.status) == ("activation", "confirmed")


def test_another_initial_state():
    sources, weights = drawn("state", (SEQUENCE, (2, 3), (2, 3)), LSTM_ROLES)
    left = node("recurrent", {**LSTM, "has_state": True}, [s.shape for s in sources])
    right = node("recurrent", {**LSTM, "has_state": False}, (SEQUENCE,))
    (found,) = repair.prove(evidence(left, right, sources, weights, right_sources=sources[:1]))
    assert (found.kind, found.status) == ("initial_state", "confirmed")


def test_masked_steps_are_seen():
    sources, weights = drawn("mask", (SEQUENCE,), LSTM_ROLES)
    left = node("recurrent", LSTM, (SEQUENCE,))
    right = node("recurrent", {**LSTM, "masked": True}, (SEQUENCE,))
    live = np.array([[1, 1, 1, 0, 0], [0, 1, 1, 1, 0]], bool)
    out = computed("recurrent", {**LSTM, "steps": live}, weights, sources)
    (found,) = repair.prove(evidence(left, right, sources, weights, right_out=out))
    assert (found.kind, found.status, found.right[1]) == (
        "mask",
        "confirmed",
        "4 of 10 steps masked",
    )


def test_affine_steps_and_scaled_products():
    """As the normaliser writes them."""
    sources, _ = drawn("steps", ((3, 4), (4,)), {})
    steps = [["subtract", {"source": 1}], ["divide", 2.0]]
    left, right = (node("affine", {"steps": s}, ((3, 4), (4,))) for s in (steps, steps[:1]))
    (found,) = repair.prove(evidence(left, right, sources, {}))
    assert (found.kind, found.status) == ("constant", "confirmed")
    plain = [node("affine", {"scale": s, "offset": 0.0}, ((3, 4),)) for s in (1 / 255, 1.0)]
    (found,) = repair.prove(evidence(*plain, sources[:1], {}))
    assert (found.kind, found.left[1], found.right[1]) == ("scale", "0.00392157", "1")


def test_an_image_flattened_otherwise():
    sources, weights = drawn("flatten", ((3, 2, 3, 3),), {"kernel": (18, 5)})
    first = sources[0].reshape(3, 18)
    last = sources[0].transpose(0, 2, 3, 1).reshape(3, 18)
    dense = node("dense", {"units": 5, "bias": False}, ((3, 18),), code="layers.Dense(5)")
    (found,) = repair.prove(evidence(dense, dense, (first,), weights, right_sources=(last,)))
    assert (found.kind, found.status) == ("flatten_order", "confirmed")
    assert found.right[1] == "(3, 3, 2) channels last"
    assert found.fix == "layers.Permute((3, 1, 2))\nlayers.Flatten()\nlayers.Dense(5)"


def test_softmax_twice_and_missing():
    sources, _ = drawn("softmax", ((3, 5),), {})
    left = node("activation", {"name": "softmax", "axis": -1}, ((3, 5),))
    once = computed("activation", left.settings, {}, sources)
    twice = computed("activation", left.settings, {}, [once])
    (found,) = repair.prove(evidence(left, left, sources, {}, right_out=twice))
    assert (found.kind, found.right[1]) == ("activation", "softmax(axis=1) applied twice")
    (found,) = repair.prove(evidence(left, left, sources, {}, right_out=sources[0]))
    assert (found.kind, found.right[1]) == ("activation", "none")


def test_a_layer_applied_twice_or_never():
    sources, weights = drawn("twice", ((3, 5),), {"kernel": (5, 5)})
    left = node("dense", {"units": 5, "bias": False}, ((3, 5),))
    once = computed("dense", left.settings, weights, sources)
    twice = computed("dense", left.settings, weights, [once])
    (found,) = repair.prove(evidence(left, left, sources, weights, right_out=twice))
    assert (found.kind, found.right[1]) == ("extra_layer", "applied twice")
    (found,) = repair.prove(evidence(left, left, sources, weights, right_out=sources[0]))
    assert (found.kind, found.right[1]) == ("missing_layer", "not applied")


def test_an_activation_hidden_in_a_layer():
    sources, weights = drawn("hidden", ((3, 5),), {"kernel": (5, 4)})
    left = node("dense", {"units": 4, "bias": False}, ((3, 5),))
    out = np.maximum(computed("dense", left.settings, weights, sources), 0)
    (found,) = repair.prove(evidence(left, left, sources, weights, right_out=out))
    assert (found.kind, found.left[1], found.right[1]) == ("activation", "none", "relu")


@pytest.mark.parametrize("kind", ["subtract", "divide", "matmul", "concatenate"])
def test_sources_in_another_order(kind):
    settings = {"axis": 1} if kind == "concatenate" else {}
    sources, _ = drawn(kind, ((3, 4, 4), (3, 4, 4)), {})
    both = node(kind, settings, ((3, 4, 4),) * 2)
    (found,) = repair.prove(evidence(both, both, sources, {}, right_sources=sources[::-1]))
    assert (found.kind, found.status) == ("order", "confirmed")


def test_a_source_from_elsewhere():
    sources, _ = drawn("wiring", ((3, 4), (3, 4), (3, 4)), {})
    left = node("add", {}, ((3, 4),) * 2)
    right = dataclasses.replace(left, sources=(left.sources[0], Source("n7:0", (3, 4))))
    (found,) = repair.prove(
        evidence(left, right, sources[:2], {}, right_sources=(sources[0], sources[2]))
    )
    assert (found.kind, found.left[1], found.right[1]) == ("wiring", "s1:0", "n7:0")
    left = dataclasses.replace(left, sources=(left.sources[0], Source("constant:0", ())))
    (found,) = repair.prove(
        evidence(
            left, left, (sources[0], np.array(0.5)), {}, right_sources=(sources[0], np.array(0.4))
        )
    )
    assert (found.kind, found.left[1], found.right[1]) == ("constant", "0.5", "0.4")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("weights", lambda w: {**w, "kernel": w["kernel"] * 1.01}),
        ("kernel_order", flipped),
        ("bias", lambda w: {**w, "bias": 0 * w["bias"]}),
        ("weights", lambda w: {r: a + 1 for r, a in w.items()}),
    ],
)
def test_weights_that_differ(kind, change):
    sources, weights = drawn("weights", (IMAGE,), CONV_ROLES)
    conv = node("convolution", CONV, (IMAGE,))
    (found,) = repair.prove(evidence(conv, conv, sources, weights, right_weights=change(weights)))
    assert (found.kind, found.status) == (kind, "confirmed")


def test_a_setting_and_hidden_weights_together():
    sources, weights = drawn("mixed", (IMAGE,), CONV_ROLES)
    left = node("convolution", CONV, (IMAGE,))
    right = node("convolution", {**CONV, "padding": [[0, 2], [0, 2]]}, (IMAGE,))
    found = repair.prove(evidence(left, right, sources, weights, right_weights=flipped(weights)))
    assert {c.kind for c in found} == {"padding", "kernel_order"}
    assert all(c.confirmed for c in found)


def test_what_nothing_explains_is_said():
    sources, _ = drawn("unknown", ((3, 4),), {})
    left = node("activation", {"name": "relu"}, ((3, 4),), code="nn.ReLU()")
    strange = np.sin(sources[0]) * sources[0] ** 2
    (found,) = repair.prove(evidence(left, left, sources, {}, right_out=strange))
    assert (found.kind, found.status, found.residual_ratio) == ("unknown", "suspected", None)
    right = node("activation", {"name": "tanh"}, ((3, 4),))
    (found,) = repair.prove(evidence(left, right, sources, {}, right_out=strange))
    assert (found.kind, found.status) == ("activation", "suspected")


def test_nothing_is_claimed_from_what_is_no_number():
    same = [node("multiply", {"scalar": float("nan")}, ((3, 4),)) for _ in range(2)]
    assert not repair.differing(*same)
    sources, weights = drawn("nan", ((3, 4),), {"kernel": (4, 5), "bias": (5,)})
    dense = node("dense", {"units": 5, "bias": True}, ((3, 4),))
    lost = evidence(dense, dense, sources, weights, right_out=np.full((3, 5), np.nan))
    assert [(c.kind, c.status) for c in repair.prove(lost)] == [("unknown", "suspected")]


def test_facts_of_training():
    left = node("dropout", {"rate": 0.5}, ((3, 4),), code="nn.Dropout(0.5)")
    right = node("dropout", {"rate": 0.3}, ((3, 4),), code="layers.Dropout(0.3)")
    (found,) = training_state.facts(left, right)
    assert (found.kind, found.fix, found.proof) == ("dropout", "layers.Dropout(0.5)", "settings")
    dense = node("dense", {"units": 3}, ((3, 4),))
    (found,) = training_state.facts(
        dense, dense, left_trainable={"kernel": True}, right_trainable={"kernel": False}
    )
    assert (found.kind, found.right[1]) == ("frozen", "kernel frozen")


def test_equal_causes_are_grouped():
    one = Cause("epsilon", ("bn1", "1e-05"), ("a", "0.001"), "confirmed", 0.2, 1.0)
    two = dataclasses.replace(one, left=("bn2", "1e-05"), right=("b", "0.001"), residual_ratio=0.4)
    other = dataclasses.replace(one, kind="padding")
    first, last = group([one, other, two])
    assert (first.layers, first.residual_ratio, last.layers) == (2, 0.4, 1)
    assert first.places == (("bn1", "a"), ("bn2", "b"))


CONV8 = {**LAST, "kernel": [3, 3], "stride": [2, 2], "padding": [[1, 1], [1, 1]]}
SAME8 = {**CONV8, "padding": [[0, 1], [0, 1]]}
BIG, BIG1 = ((2, 8, 8, 4),), ((2, 4, 8, 8),)
FIXES = [
    (
        "epsilon",
        "keras",
        "batch_norm",
        NORM,
        {**NORM, "epsilon": 1e-3},
        'layers.BatchNormalization(epsilon=0.001, name="bn2a")',
        'layers.BatchNormalization(epsilon=1e-05, name="bn2a")',
    ),
    (
        "epsilon",
        "keras",
        "batch_norm",
        NORM,
        {**NORM, "epsilon": 1e-3},
        'layers.BatchNormalization(axis=-1, name="bn2a")',
        'layers.BatchNormalization(axis=-1, epsilon=1e-05, name="bn2a")',
    ),
    (
        "epsilon",
        "torch",
        "batch_norm",
        {**NORM, "epsilon": 1e-3},
        NORM,
        "nn.BatchNorm2d(64)",
        "nn.BatchNorm2d(64, eps=0.001)",
    ),
    (
        "epsilon",
        "torch",
        "batch_norm",
        {**NORM, "epsilon": 1e-3},
        NORM,
        "nn.BatchNorm2d(64, 1e-5, 0.1)",
        "nn.BatchNorm2d(64, 0.001, 0.1)",
    ),
    (
        "momentum",
        "keras",
        "batch_norm",
        NORM,
        {**NORM, "momentum": 0.99},
        "layers.BatchNormalization()",
        "layers.BatchNormalization(momentum=0.9)",
    ),
    (
        "momentum",
        "torch",
        "batch_norm",
        {**NORM, "momentum": 0.99},
        NORM,
        "nn.BatchNorm2d(64, momentum=0.1)",
        "nn.BatchNorm2d(64, momentum=0.01)",
    ),
    (
        "padding",
        "keras",
        "convolution",
        CONV8,
        SAME8,
        'layers.Conv2D(8, 3, strides=2, padding="same")',
        'layers.ZeroPadding2D(((1, 1), (1, 1)))\nlayers.Conv2D(8, 3, strides=2, padding="valid")',
    ),
    (
        "padding",
        "keras",
        "convolution",
        SAME8,
        {**CONV8, "padding": [[0, 0], [0, 0]]},
        "layers.Conv2D(8, 3, strides=2)",
        'layers.Conv2D(8, 3, strides=2, padding="same")',
    ),
    (  # what pads it stands before it, and must pad otherwise
        "padding",
        "keras",
        "convolution",
        SAME8,
        CONV8,
        "layers.Conv2D(8, 3, strides=2)",
        'layers.ZeroPadding2D(((0, 1), (0, 1)))\nlayers.Conv2D(8, 3, strides=2, padding="valid")',
    ),
    (
        "padding",
        "torch",
        "convolution",
        CONV8,
        {**CONV8, "padding": [[0, 0], [0, 0]]},
        "nn.Conv2d(4, 8, 3, 2)",
        "nn.Conv2d(4, 8, 3, 2, padding=1)",
    ),
    (
        "padding",
        "torch",
        "convolution",
        SAME8,
        CONV8,
        "nn.Conv2d(4, 8, 3, 2, 1)",
        "nn.ZeroPad2d((0, 1, 0, 1))\nnn.Conv2d(4, 8, 3, 2, 0)",
    ),
    (
        "padding",
        "keras",
        "pool",
        {**CONV8, "mode": "max"},
        {**SAME8, "mode": "max"},
        'layers.MaxPooling2D(3, 2, "same")',
        'x = ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=float("-inf"))\n'
        'layers.MaxPooling2D(3, 2, "valid")',
    ),
    (
        "stride",
        "keras",
        "convolution",
        CONV8,
        {**CONV8, "stride": [1, 1]},
        "layers.Conv2D(8, 3, strides=(1, 1))",
        "layers.Conv2D(8, 3, strides=2)",
    ),
    (
        "dilation",
        "keras",
        "convolution",
        {**CONV8, "dilation": [2, 1]},
        CONV8,
        "layers.Conv2D(8, 3)",
        "layers.Conv2D(8, 3, dilation_rate=(2, 1))",
    ),
    (
        "bias",
        "keras",
        "convolution",
        {**CONV8, "bias": False},
        {**CONV8, "bias": True},
        "layers.Conv2D(8, 3)",
        "layers.Conv2D(8, 3, use_bias=False)",
    ),
    (
        "bias",
        "torch",
        "dense",
        {"bias": True},
        {"bias": False},
        "nn.Linear(3, 4, bias=False)",
        "nn.Linear(3, 4, bias=True)",
    ),
    (
        "activation",
        "torch",
        "activation",
        {"name": "leaky_relu", "slope": 0.3},
        {"name": "leaky_relu", "slope": 0.01},
        "nn.LeakyReLU()",
        "nn.LeakyReLU(0.3)",
    ),
    (
        "activation",
        "keras",
        "activation",
        {"name": "leaky_relu", "slope": 0.01},
        {"name": "leaky_relu", "slope": 0.3},
        'layers.LeakyReLU(name="act")',
        'layers.LeakyReLU(negative_slope=0.01, name="act")',
    ),
    (
        "activation",
        "torch",
        "activation",
        {"name": "gelu", "approximate": True},
        {"name": "gelu"},
        "nn.GELU()",
        'nn.GELU(approximate="tanh")',
    ),
    (
        "activation",
        "keras",
        "activation",
        {"name": "silu"},
        {"name": "relu"},
        'layers.Dense(8, activation="relu")',
        'layers.Dense(8, activation="silu")',
    ),
    (
        "activation",
        "keras",
        "activation",
        {"name": "relu6"},
        {"name": "relu"},
        "layers.ReLU()",
        'layers.Activation("relu6")',
    ),
    (
        "pooling",
        "keras",
        "pool",
        {**POOL, "mode": "max"},
        POOL,
        "layers.AveragePooling2D(3)",
        "layers.MaxPooling2D(3)",
    ),
    (
        "pooling",
        "torch",
        "pool",
        POOL,
        {**POOL, "mode": "max"},
        "nn.MaxPool2d(3, 2)",
        "nn.AvgPool2d(3, 2)",
    ),
    (
        "pooling",
        "keras",
        "reduce",
        {"mode": "mean", "axes": [1, 2]},
        {"mode": "max", "axes": [1, 2]},
        "layers.GlobalMaxPooling2D()",
        "layers.GlobalAveragePooling2D()",
    ),
    (
        "pooling",
        "keras",
        "pool",
        POOL,
        {**POOL, "kernel": [2, 2]},
        "layers.AveragePooling2D(2)",
        "layers.AveragePooling2D(3)",
    ),
    (
        "padding_counted",
        "torch",
        "pool",
        {**POOL, "counts_padding": False},
        POOL,
        "nn.AvgPool2d(3, 2, 1)",
        "nn.AvgPool2d(3, 2, 1, count_include_pad=False)",
    ),
    (
        "padding_counted",
        "keras",
        "pool",
        POOL,
        {**POOL, "counts_padding": False},
        'layers.AveragePooling2D(3, padding="same")',
        'layers.ZeroPadding2D(((1, 1), (1, 1)))\nlayers.AveragePooling2D(3, padding="valid")',
    ),
    (
        "resize",
        "keras",
        "resize",
        {**LAST, "mode": "bilinear", "size": [4, 4]},
        {**LAST, "mode": "nearest", "size": [4, 4]},
        "layers.UpSampling2D(2)",
        'layers.UpSampling2D(2, interpolation="bilinear")',
    ),
    (
        "resize",
        "torch",
        "resize",
        {**LAST, "mode": "bilinear", "align_corners": False},
        {**LAST, "mode": "bilinear", "align_corners": True},
        'nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)',
        'nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False)',
    ),
    (
        "dropout",
        "torch",
        "dropout",
        {"rate": 0.2},
        {"rate": 0.5},
        "nn.Dropout()",
        "nn.Dropout(p=0.2)",
    ),
    (
        "reset_after",
        "keras",
        "recurrent",
        GRU,
        {**GRU, "reset_after": False},
        "layers.GRU(3, reset_after=False)",
        "layers.GRU(3, reset_after=True)",
    ),
    (
        "activation",
        "keras",
        "recurrent",
        LSTM,
        {**LSTM, "recurrent_activation": "hard_sigmoid"},
        'layers.LSTM(3, recurrent_activation="hard_sigmoid")',
        'layers.LSTM(3, recurrent_activation="sigmoid")',
    ),
    (
        "direction",
        "keras",
        "recurrent",
        {**LSTM, "bidirectional": True},
        LSTM,
        "layers.LSTM(3)",
        "layers.Bidirectional(layers.LSTM(3))",
    ),
    (
        "direction",
        "keras",
        "recurrent",
        LSTM,
        {**LSTM, "bidirectional": True},
        "layers.Bidirectional(layers.LSTM(3))",
        "layers.LSTM(3)",
    ),
    ("units", "torch", "dense", {"units": 9}, {"units": 8}, "nn.Linear(4, 8)", "nn.Linear(4, 9)"),
    (
        "axis",
        "keras",
        "concatenate",
        {"axis": 1},
        {"axis": 2},
        "ops.concatenate([x, y], axis=2)",
        "ops.concatenate([x, y], axis=1)",
    ),
    ("scale", "torch", "multiply", {"scalar": 0.5}, {"scalar": 0.25}, "x * 0.25", "x * 0.5"),
    (
        "order",
        "keras",
        "subtract",
        {},
        {},
        "layers.Subtract()([a, b])",
        "layers.Subtract()([b, a])",
    ),
    ("order", "torch", "subtract", {}, {}, "x - y", "y - x"),
    (
        "affine",
        "keras",
        "batch_norm",
        {**NORM, "scale": False},
        NORM,
        "layers.BatchNormalization()",
        "layers.BatchNormalization(scale=False)",
    ),
    (
        "mask_zero",
        "keras",
        "embedding",
        {"mask_zero": True},
        {"mask_zero": False},
        "layers.Embedding(9, 4)",
        "layers.Embedding(9, 4, mask_zero=True)",
    ),
    (
        "bias",
        "keras",
        "dense",
        {"bias": True},
        {"bias": False},
        'layers.EinsumDense("ab,cbd->acd", output_shape=(3, 4))',
        'layers.EinsumDense("ab,cbd->acd", output_shape=(3, 4), bias_axes="cd")',
    ),
    (
        "bias",
        "keras",
        "dense",
        {"bias": False},
        {"bias": True},
        'layers.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")',
        'layers.EinsumDense("abc,cd->abd", output_shape=(None, 4))',
    ),
    (
        "flatten_order",
        "torch",
        "dense",
        {},
        {},
        "nn.Linear(18, 5)",
        "x = x.permute(0, 2, 3, 1).flatten(1)\nnn.Linear(18, 5)",
    ),
]


@pytest.mark.parametrize("row", FIXES, ids=lambda r: f"{r[0]}-{r[1]}-{r[-1].split(chr(10))[-1]}")
def test_the_corrected_line(row):
    kind, side, what, good, bad, code, wanted = row
    shape = ((2, 8, 8, 4),)
    other, wrong = node(what, good, shape), node(what, bad, shape, code=code)
    assert fix.fix(kind, wrong, other, side) == wanted


def test_a_new_operation_says_in_its_own_file_how_its_line_is_corrected(monkeypatch):
    def turned(mine, other, side):
        if other.kind != "spiral":
            return None
        return changed(mine.code, {"left": other.settings["left"], "alone": mine.alone})

    spiral = Operation(
        "spiral",
        None,
        settings={
            "turns": Setting("units", torch="turns", keras="rounds", argument=str),
            "left": Setting("direction", False),
            "rate": Setting("dropout", torch="p", keras="rate"),
        },
        lines={"keras": lambda s, shape: f"layers.Spiral({s['turns']})"},
        corrected={"direction": turned, "operation": turned, "dropout": lambda *lines: ""},
    )
    monkeypatch.setitem(known.KNOWN, "spiral", spiral)
    other = node("spiral", {"turns": 5, "left": True, "rate": 0.5}, ((2, 3),))
    wrong = node("spiral", {"turns": 4}, ((2, 3),), code="layers.Spiral(4)", name="spiral")
    stated = dataclasses.replace(wrong, code="y = spiral(x)")
    dense = node("dense", {"units": 4, "bias": True}, ((2, 3),), code="layers.Dense(4)")
    turns = [fix.fix("direction", at, other, "keras") for at in (wrong, stated)]
    assert turns[0] == "layers.Spiral(4, left=True, alone=True)"
    assert turns[1] == "y = spiral(x, left=True, alone=False)"
    assert fix.fix("units", wrong, other, "keras") == 'layers.Spiral(4, rounds="5")'
    assert fix.fix("operation", wrong, dense, "keras") == "layers.Dense(4)"
    assert fix.fix("operation", dense, other, "keras") == "layers.Spiral(5)"
    in_words = fix.fix("dropout", wrong, other, "keras", wanted="0.5")
    assert in_words == "# layers.Spiral(4): dropout must be 0.5 (no argument says so)"


def test_another_normalisation_is_written_out():
    left = node("group_norm", {**FIRST, "groups": 2, "epsilon": 1e-5}, BIG1)
    right = node("batch_norm", NORM, BIG, code='layers.BatchNormalization(name="n1")')
    found = fix.fix("normalisation", right, left, "keras")
    assert found == 'layers.GroupNormalization(2, epsilon=1e-05, name="n1")'


@pytest.mark.parametrize(
    ("kind", "arguments", "right", "wanted"),
    [
        ("epsilon", {"layer_norm_epsilon": 1e-3}, "0.001", "Block(layer_norm_epsilon=1e-05) may"),
        ("epsilon", {"norm_eps": 1e-5}, "0.001", "Block's norm_eps is 1e-05 already, and does not"),
        ("epsilon", {"norm_eps": None}, "0.001", "norm_eps of Block may"),
        ("epsilon", {"steps": 1e-3}, "0.001", "no argument of Block"),
        ("activation", {"activation": "tanh"}, "tanh", 'Block(activation="1e-05") may'),
        ("extra_layer", {"activation": "tanh"}, "ops.tanh(x)", "the check cannot tell"),
        ("constant", {"base": "10000"}, "other numbers", "whether an argument of Block sets it"),
    ],
)
def test_what_lies_in_a_library_is_reached_by_an_argument_or_not(kind, arguments, right, wanted):
    made = {"library": "others", "object": "Block", "arguments": arguments}
    cause = Cause(kind, ("a", "1e-05"), ("b", right), "confirmed", fix="layers.Own()")
    advised = library_advice.advised(cause, {"b": made}).fix
    assert advised.startswith("# This lies in others")
    assert wanted in advised
    assert library_advice.advised(cause, {"c": made}) == cause
    behind = dataclasses.replace(cause, right=("(before b)", right))
    assert library_advice.advised(behind, {"b": made}).fix == advised


def test_a_fix_that_no_line_says_is_said_in_words():
    dense = node("dense", {"units": 4}, ((3, 4),), code="nn.Linear(4, 4)")
    found = fix.fix("gate_order", dense, dense, "torch", wanted="i c f o")
    assert found == (
        "# nn.Linear(4, 4): its gates must stand in this order i c f o (no argument says so)"
    )


def test_a_stage_that_fails_is_logged_and_leaves_what_is_known(caplog):
    known = [Cause("epsilon", ("bn", "0.001"), ("bn", "1e-05"), proof="settings")]

    def fails():
        raise ZeroDivisionError("the fault")

    running = stages.Stages()
    with caplog.at_level("DEBUG", logger="parity"):
        assert running.attempt("the proof of bn1 / bn2", fails, known) == known
    assert "ZeroDivisionError: the fault" in caplog.text
    (note,) = running.notes()
    assert "the proof of bn1 / bn2" in note
    assert "--debug" in note


def test_a_stage_that_does_not_fail_leaves_no_note():
    running = stages.Stages()
    assert running.listed("nothing", lambda: iter((1, 2))) == [1, 2]
    assert not running.notes()


def test_every_kind_has_its_sentence():
    for kind, sentence in KINDS.items():
        assert sentence.endswith("."), kind


def test_whole_numbers_times_what_is_none():
    whole = np.array([[0, 1], [1, 0]])
    half = operations.apply("affine", {"scale": 0.5, "offset": 0.25}, {}, (whole,))
    assert np.array_equal(half, [[0.25, 0.75], [0.75, 0.25]])
    large = int(np.finfo(np.float32).max)  # what masks a score is no whole number that fits
    assert np.array_equal(
        operations.apply("affine", {"scale": large}, {}, (whole,)), whole * float(large)
    )
