"""The canonical graph: every rule on a graph of its own, and that sources are composed rightly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from parity.checker.canonical import formulas
from parity.checker.canonical.canonical_graph import CanonicalGraph, canonicalise
from parity.checker.graph.graph import Source
from parity_tests.check.synthetic import Build, finished


def normal(g: Build, *outputs) -> CanonicalGraph:
    return canonicalise(finished(g.done(*outputs)))


def only(form: CanonicalGraph, kind: str):
    (node,) = [n for n in form.nodes if n.kind == kind]
    return node


def kinds(form: CanonicalGraph) -> list[str]:
    return [n.kind for n in form.nodes]


def picks(form: CanonicalGraph, source: Source) -> np.ndarray:
    if source.ids:
        return form.ids[source.ids]
    return np.arange(math.prod(source.shape)).reshape(source.shape)


# Padding


def padded(channels: str = "first", value: float = 0.0) -> tuple[Build, str]:
    g = Build(channels=channels)
    shape = (2, 3, 6, 6) if channels == "first" else (2, 6, 6, 3)
    spread = [[1, 2] if n == 6 else [0, 0] for n in shape]
    out = [n + sum(p) for n, p in zip(shape, spread, strict=True)]
    return g, g.node("pad", [g.input(shape)], out, padding=spread, mode="constant", value=value)


@pytest.mark.parametrize("channels", ["first", "last"])
def test_a_pad_goes_into_the_convolution(channels: str) -> None:
    g, x = padded(channels)
    form = normal(g, g.conv(x, 4, 3, padding=1))
    conv = only(form, "convolution")
    assert conv.settings["padding"] == [[2, 3], [2, 3]]
    assert conv.members == ("n0", "n1")
    assert conv.sources[0].value == "input:0"
    assert kinds(form) == ["convolution"]


def test_a_pad_of_something_else_stays() -> None:
    g, x = padded(value=1.0)
    assert kinds(normal(g, g.conv(x, 4))) == ["pad", "convolution"]
    g, x = padded()
    assert kinds(normal(g, g.conv(x, 4), g.act(x))) == ["pad", "convolution", "activation"]


def test_a_pad_before_a_maximum_is_told_from_its_own_padding() -> None:
    g, x = padded()
    explicit = only(normal(g, g.pool(x)), "pool")
    assert explicit.settings["pad_value"] == 0
    assert explicit.settings["padding"] == [[1, 2], [1, 2]]
    g = Build()
    own = only(normal(g, g.pool(g.input((2, 3, 6, 6)), kernel=3, padding=1)), "pool")
    assert own.settings["pad_value"] == -math.inf


def test_an_average_counts_a_pad_before_it() -> None:
    g, x = padded()
    pool = only(normal(g, g.pool(x, "average")), "pool")
    assert pool.settings["counts_padding"] is True
    assert pool.settings["padding"] == [[1, 2], [1, 2]]
    g, x = padded()
    pool = only(normal(g, g.pool(x, "average", kernel=3, padding=1)), "pool")
    assert pool.settings["explicit_padding"] == [[1, 2], [1, 2]]
    assert pool.settings["padding"] == [[1, 1], [1, 1]]


def test_a_pool_over_the_whole_image_is_a_reduce() -> None:
    g = Build()
    form = normal(g, g.pool(g.input((2, 3, 4, 4)), "average", kernel=4, stride=4))
    assert only(form, "reduce").settings == {"mode": "mean", "axes": [2, 3], "keepdims": True}


# Dense, bias


def test_a_product_with_a_weight_and_a_sum_are_a_dense_layer() -> None:
    g = Build()
    x = g.input((2, 5))
    y = g.node("matmul", [x, g.parameter("w", (5, 3))], (2, 3))
    form = normal(g, g.op("add", y, g.parameter("b", (3,))))
    dense = only(form, "dense")
    assert dense.settings == {"units": 3, "bias": True}
    assert dense.parameters == {"kernel": "w", "bias": "b"}
    assert [s.value for s in dense.sources] == ["input:0"]


def test_a_weight_that_is_kept_transposed_is_a_piece() -> None:
    g = Build()
    x = g.input((2, 5))
    g.parameter("w", (3, 5))
    form = normal(g, g.node("matmul", [x, g.view("parameter:w", np.transpose)], (2, 3)))
    name = only(form, "dense").parameters["kernel"]
    assert form.parameters[name].shape == (5, 3)
    assert "w" not in form.parameters
    weight = np.arange(15).reshape(3, 5)
    view = form.pieces[f"parameter:{name}"]
    assert np.array_equal(weight.ravel()[picks(form, view)], weight.T)


def test_a_bias_along_the_channels_only() -> None:
    g = Build()
    x = g.conv(g.input((2, 3, 4, 4)), 4)
    g.parameter("b", (4,))
    form = normal(g, g.op("add", x, g.view("parameter:b", lambda t: t.reshape(1, 4, 1, 1))))
    assert only(form, "convolution").parameters["bias"] == "b"
    g = Build()
    x = g.conv(g.input((2, 3, 4, 4)), 4)
    along_the_width = g.op("add", x, g.parameter("b", (4,)))
    assert kinds(normal(g, along_the_width)) == ["convolution", "add"]


# Arithmetic


def test_arithmetic_with_numbers_is_one_affine() -> None:
    g = Build()
    x = g.op("divide", g.input((2, 4)), scalar=255.0, scalar_left=False)
    x = g.op("subtract", x, scalar=0.5, scalar_left=False)
    x = g.op("subtract", x, scalar=1.0, scalar_left=True)
    affine = only(normal(g, x), "affine")
    assert affine.settings["scale"] == pytest.approx(-1 / 255)
    assert affine.settings["offset"] == pytest.approx(1.5)
    assert affine.members == ("n0", "n1", "n2")


def test_arithmetic_with_constants_keeps_them_as_sources() -> None:
    g = Build()
    x = g.op("subtract", g.input((2, 4)), g.constant((4,)))
    x = g.op("divide", x, g.parameter("deviation", (4,), trainable=False))
    affine = only(normal(g, g.op("multiply", x, scalar=2.0)), "affine")
    assert affine.settings["steps"] == [
        ["subtract", {"source": 1}],
        ["divide", {"source": 2}],
        ["multiply", 2.0],
    ]
    assert [s.value for s in affine.sources] == ["input:0", "constant:0", "parameter:deviation"]


@pytest.mark.parametrize("where", ["query", "scores", "turned"])
def test_a_factor_next_to_a_product_is_its_scale(where: str) -> None:
    g = Build()
    q, k = g.dense(g.input((2, 5, 4)), 4), g.dense(g.input((2, 6, 4)), 4)
    if where == "query":
        q = g.op("multiply", q, scalar=0.5)
    if where == "turned":
        turned = g.node("matmul", [k, g.view(q, lambda t: t.swapaxes(1, 2))], (2, 6, 5))
        x = g.view(turned, lambda t: t.swapaxes(1, 2))
    else:
        x = g.node("matmul", [q, g.view(k, lambda t: t.swapaxes(1, 2))], (2, 5, 6))
    if where != "query":
        x = g.op("divide", x, scalar=2.0, scalar_left=False)
    product = only(normal(g, x), "matmul")
    assert product.settings["scale"] == 0.5
    assert [s.value for s in product.sources] == ["n0:0", "n1:0"]
    assert product.values[0].shape == (2, 5, 6)


def test_a_known_constant_is_a_number() -> None:
    g = Build()
    traced = finished(g.done(g.op("divide", g.input((2, 4)), g.constant(()))))
    form = canonicalise(traced, {"constant:0": 8.0})
    assert only(form, "affine").settings == {"scale": 0.125, "offset": 0.0}
    assert "steps" in only(canonicalise(traced), "affine").settings


# Activations


def expression(name: str, g: Build, x: str) -> str:
    def op(kind, *xs, **more):
        return g.op(kind, *xs, **more)

    def unary(word, y):
        return op("unary", y, name_=word)

    match name:
        case "silu":
            return op("multiply", x, g.act(x, "sigmoid"))
        case "mish":
            return op("multiply", x, unary("tanh", g.act(x, "softplus")))
        case "relu6":
            return op("minimum", g.act(x), scalar=6.0)
        case "relu":
            return op("maximum", x, scalar=0.0)
        case "hard_sigmoid":
            y = op("minimum", g.act(op("add", x, scalar=3.0)), scalar=6.0)
            return op("multiply", y, scalar=1 / 6)
        case "hard_silu":
            return op("multiply", x, expression("hard_sigmoid", g, x))
        case "gelu":
            y = op("add", unary("erf", op("divide", x, scalar=math.sqrt(2))), scalar=1.0)
            return op("multiply", op("multiply", x, scalar=0.5), y)
        case "gelu_tanh":
            cube = op("multiply", op("power", x, scalar=3.0), scalar=0.044715)
            y = op("multiply", op("add", x, cube), scalar=math.sqrt(2 / math.pi))
            return op(
                "multiply", op("multiply", x, op("add", unary("tanh", y), scalar=1.0)), scalar=0.5
            )
        case "quick_gelu":
            return op("multiply", x, g.act(op("multiply", x, scalar=1.702), "sigmoid"))
        case "leaky_relu":
            return op("maximum", x, op("multiply", x, scalar=0.2))
        case "sigmoid":
            y = op("add", unary("exp", unary("neg", x)), scalar=1.0)
            return op("divide", y, scalar=1.0, scalar_left=True)
    raise ValueError(name)


@pytest.mark.parametrize(
    "name",
    [
        "silu",
        "mish",
        "relu6",
        "relu",
        "hard_sigmoid",
        "hard_silu",
        "gelu",
        "gelu_tanh",
        "quick_gelu",
        "leaky_relu",
        "sigmoid",
    ],
)
def test_an_activation_by_hand_is_that_activation(name: str) -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4)
    form = normal(g, g.dense(expression(name, g, x), 3))
    assert kinds(form) == ["dense", "activation", "dense"]
    found = dict(form.nodes[1].settings)
    if name == "leaky_relu":
        assert found.pop("slope") == pytest.approx(0.2)
    if name.startswith("gelu"):
        assert found.pop("approximate") is (name == "gelu_tanh")
    assert found == {"name": name.removesuffix("_tanh")}
    assert [s.value for s in form.nodes[1].sources] == ["n0:0"]


def test_a_wrong_constant_makes_another_function_that_is_near() -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4)
    y = g.op("add", g.op("unary", g.op("divide", x, scalar=1.5), name_="erf"), scalar=1.0)
    form = normal(g, g.op("multiply", g.op("multiply", x, scalar=0.5), y))
    settings = form.nodes[1].settings
    assert (settings["name"], settings["near"]["name"]) == ("custom", "gelu")
    assert 0 < settings["distance"] < formulas.NEAR


def test_an_activation_that_is_taken_in_between_stays_apart() -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4)
    gate = g.act(x, "sigmoid")
    form = normal(g, g.op("multiply", x, gate), gate)
    assert kinds(form) == ["dense", "activation", "multiply"]


@pytest.mark.parametrize("shifted", [False, True])
def test_a_softmax_by_hand(shifted: bool) -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4)
    y = x
    if shifted:
        peak = g.node("reduce", [x], (2, 1), mode="max", axes=[-1], keepdims=True)
        y = g.op("subtract", x, peak)
    e = g.op("unary", y, name_="exp")
    form = normal(g, g.op("divide", e, g.node("reduce", [e], (2, 1), mode="sum", axes=[-1])))
    assert form.nodes[1].settings == {"name": "softmax", "axis": -1}
    assert kinds(form) == ["dense", "activation"]


@pytest.mark.parametrize("variance", ["squares", "variance", "unbiased", "outside"])
def test_a_layer_norm_by_hand(variance: str) -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4)

    def mean(y):
        return g.node("reduce", [y], (2, 1), mode="mean", axes=[1], keepdims=True)

    centred = g.op("subtract", x, mean(x))
    if variance == "squares":
        spread = mean(g.op("multiply", centred, centred))
    else:
        spread = g.node(
            "reduce",
            [x],
            (2, 1),
            mode="variance",
            axes=[1],
            keepdims=True,
            correction=int(variance == "unbiased"),
        )
    if variance == "outside":
        bottom = g.op("add", g.op("unary", spread, name_="sqrt"), scalar=1e-5)
    else:
        bottom = g.op("unary", g.op("add", spread, scalar=1e-5), name_="sqrt")
    y = g.op("multiply", g.op("divide", centred, bottom), g.parameter("gain", (4,)))
    form = normal(g, g.op("add", y, g.parameter("offset", (4,))))
    norm = only(form, "layer_norm")
    assert kinds(form) == ["dense", "layer_norm"]
    assert norm.parameters == {"gamma": "gain", "beta": "offset"}
    expected = {"axes": [1], "epsilon": 1e-5, "scale": True, "center": True}
    extra = {"unbiased": {"correction": 1}, "outside": {"epsilon_outside": True}}
    assert norm.settings == expected | extra.get(variance, {})


@pytest.mark.parametrize("gain", ["before", "behind"])
def test_a_root_mean_square_norm_by_hand(gain: str) -> None:
    g = Build()
    x, weight = g.dense(g.input((2, 4)), 4), g.parameter("gain", (4,))
    square = g.node("reduce", [g.op("power", x, scalar=2.0)], (2, 1), mode="mean", axes=[-1])
    root = g.op("unary", g.op("add", square, scalar=1e-6), name_="rsqrt")
    if gain == "before":
        form = normal(g, g.op("multiply", g.op("multiply", weight, x), root))
    else:
        form = normal(g, g.op("multiply", g.op("multiply", x, root), weight))
    assert only(form, "rms_norm").settings == {"axes": [1], "epsilon": 1e-6, "scale": True}


# Sums, joins, reductions


def test_a_chain_of_sums_is_one_sum() -> None:
    g = Build()
    a, b, c = (g.act(g.input((2, 4))) for _ in range(3))
    form = normal(g, g.op("add", g.op("add", a, b), c))
    assert len(only(form, "add").sources) == 3
    g = Build()
    a, b, c = (g.act(g.input((2, 4))) for _ in range(3))
    inner = g.op("add", a, b)
    assert kinds(normal(g, g.op("add", inner, c), inner)).count("add") == 2


def test_joins_of_joins_are_joins_of_all() -> None:
    g = Build()
    a, b, c = (g.act(g.input((2, 4))) for _ in range(3))
    inner = g.cat(a, b)
    form = normal(g, g.cat(inner, c), g.act(inner))
    assert [len(n.sources) for n in form.nodes if n.kind == "concatenate"] == [2, 3]


def test_a_sum_over_a_stack_adds_its_parts() -> None:
    g = Build()
    a, b = (g.act(g.input((2, 4))) for _ in range(2))
    stack = g.node("stack", [a, b], (2, 2, 4), axis=0)
    form = normal(g, g.node("reduce", [stack], (2, 4), mode="sum", axes=[0], keepdims=False))
    assert [s.shape for s in only(form, "add").sources] == [(2, 4), (2, 4)]
    assert only(form, "add").members == ("n2", "n3")
    g = Build()
    a, b = (g.act(g.input((2, 4))) for _ in range(2))
    form = normal(g, g.node("reduce", [g.cat(a, b)], (2,), mode="sum", axes=[1], keepdims=False))
    assert kinds(form)[-2:] == ["concatenate", "reduce"]


def test_a_stack_is_a_join_along_an_axis_of_its_own() -> None:
    g = Build()
    a, b = (g.act(g.input((2, 4))) for _ in range(2))
    join = only(normal(g, g.node("stack", [a, b], (2, 2, 4), axis=1)), "concatenate")
    assert [s.shape for s in join.sources] == [(2, 1, 4), (2, 1, 4)]


def test_means_over_one_axis_each_are_one_mean() -> None:
    g = Build()
    x = g.node("reduce", [g.input((2, 3, 4, 5))], (2, 3, 5), mode="mean", axes=[2])
    form = normal(g, g.node("reduce", [x], (2, 3), mode="mean", axes=[2]))
    assert only(form, "reduce").settings["axes"] == [2, 3]
    g = Build()
    x = g.node("reduce", [g.input((2, 6))], (2,), mode="sum", axes=[1])
    form = normal(g, g.op("divide", x, scalar=6.0, scalar_left=False))
    assert only(form, "reduce").settings["mode"] == "mean"


# What is no node


def test_dropouts_are_notes_on_edges_and_views_compose() -> None:
    g = Build()
    x = g.dense(g.input((2, 6)), 6, "first")
    dropped = g.node(
        "dropout",
        [g.view(x, lambda t: t.reshape(2, 2, 3))],
        (2, 2, 3),
        "drop",
        rate=0.3,
        noise="dropout",
        active=False,
    )
    turned = g.view(dropped, lambda t: t.transpose(2, 0, 1))
    form = normal(g, g.dense(turned, 4, "second"))
    assert kinds(form) == ["dense", "dense"]
    (source,) = form.nodes[1].sources
    assert source.value == "n0:0"
    expected = np.arange(12).reshape(2, 2, 3).transpose(2, 0, 1)
    assert np.array_equal(picks(form, source), expected)
    (dropout,) = form.dropouts
    assert (dropout.name, dropout.rate, dropout.active) == ("drop", 0.3, False)
    assert dropout.edges == (("n2", 0),)


def test_dead_and_constant_nodes_are_listed() -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4)
    g.act(x, name="dead")
    positions = g.op("unary", g.constant((4,)), name_="sin")
    form = normal(g, g.op("add", x, positions))
    assert form.dead == ("n1",)
    assert form.fixed == ("n2",)
    assert kinds(form) == ["dense", "affine"]
    assert form.by_id["n0"] is form.nodes[0]
    assert form.producers["n0:0"] is form.nodes[0]


def test_identities_are_gone() -> None:
    g = Build()
    x = g.act(g.dense(g.input((2, 4)), 4), "linear")
    x = g.op("multiply", x, scalar=1.0)
    assert kinds(normal(g, g.dense(x, 2))) == ["dense", "dense"]
