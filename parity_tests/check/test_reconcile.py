"""Layers that are one on one side and several on the other, and their weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from parity.checker.align import bias_sums
from parity.checker.align.reconcile import reconcile
from parity.checker.canonical import split_layers
from parity.checker.canonical.canonical_graph import CanonicalGraph, canonicalise
from parity_tests.check.synthetic import Build, finished


def attention(packed: bool, order=(0, 1, 2)) -> CanonicalGraph:
    g = Build()
    x = g.input((2, 5, 4))
    if packed:
        y = g.dense(x, 12, "qkv")
        parts = [g.view(y, lambda t, k=k: t[..., 4 * k : 4 * k + 4]) for k in order]
    else:
        parts = [g.dense(x, 4, name) for name in ("q", "k", "v")]
    q, k, v = parts
    scores = g.node("matmul", [q, k], (2, 5, 5), "scores", transpose_right=True)
    y = g.node("matmul", [g.act(scores, "softmax", axis=-1), v], (2, 5, 4), "mix")
    return canonicalise(finished(g.done(g.dense(y, 4, "out"))))


def test_one_layer_against_three_is_taken_apart() -> None:
    left, right, found = reconcile(attention(True), attention(False))
    assert found.complete
    names = {left.by_id[p.left].name: right.by_id[p.right].name for p in found.pairs}
    assert names["qkv[0:4]"] == "q"
    assert names["qkv[4:8]"] == "k"
    assert names["qkv[8:12]"] == "v"


def test_one_layer_against_one_stays_so_that_its_order_is_compared() -> None:
    left, _, found = reconcile(attention(True), attention(True, (1, 0, 2)))
    assert left.nodes[0].name == "qkv"
    assert not found.left_only + found.right_only


def test_weights_and_values_go_there_and_back() -> None:
    left, _, _ = reconcile(attention(True), attention(False))
    rng = np.random.default_rng(0)
    whole = {
        "qkv/kernel": rng.normal(size=(4, 12)),
        "qkv/bias": rng.normal(size=12),
        "out/kernel": rng.normal(size=(4, 4)),
        "out/bias": rng.normal(size=4),
    }
    parts = split_layers.spread_weights(left, whole)
    assert set(parts) == set(left.parameters)
    assert np.array_equal(parts["qkv/kernel[4:8]"], whole["qkv/kernel"][:, 4:8])
    zeros = {name: np.zeros_like(array) for name, array in whole.items()}
    back = split_layers.gather_weights(left, parts, zeros)
    assert set(back) == set(whole)
    assert all(np.array_equal(back[name], whole[name]) for name in whole)
    value = rng.normal(size=(2, 5, 12))
    read = split_layers.spread(
        left, {"values/n0:0": value, "gradients/qkv/bias": whole["qkv/bias"]}
    )
    assert np.array_equal(read["values/n0:0[4:8]"], value[..., 4:8])
    assert np.array_equal(read["gradients/qkv/bias[8:12]"], whole["qkv/bias"][8:12])


def test_what_takes_a_part_sees_the_same_numbers() -> None:
    left, _, _ = reconcile(attention(True), attention(False))
    value = np.arange(120.0).reshape(2, 5, 12)
    read = split_layers.spread(left, {"values/n0:0": value})
    mix = next(n for n in left.nodes if n.name == "mix")
    source = mix.sources[1]
    seen = read[f"values/{source.value}"]
    seen = seen.reshape(-1)[left.ids[source.ids]] if source.ids else seen
    assert np.array_equal(seen, value[..., 8:])


def test_kernel_one_is_a_dense_layer_over_channels() -> None:
    g = Build()
    left = canonicalise(finished(g.done(g.conv(g.input((2, 3, 4, 4)), 5, 1, name="point"))))
    g = Build()
    right = canonicalise(finished(g.done(g.dense(g.input((2, 4, 4, 3)), 5, "dense", bias=False))))
    left, right, found = reconcile(left, right)
    assert found.complete
    (node,) = right.nodes
    assert node.kind == "convolution"
    assert right.parameters[node.parameters["kernel"]].shape == (1, 1, 3, 5)
    kernel = np.arange(15.0).reshape(3, 5)
    parts = split_layers.spread_weights(right, {"dense/kernel": kernel})
    back = split_layers.gather_weights(right, parts, {"dense/kernel": np.zeros((3, 5))})
    assert np.array_equal(back["dense/kernel"], kernel)


def test_a_convolution_over_one_place_is_a_dense_layer() -> None:
    g = Build()
    left = canonicalise(finished(g.done(g.dense(g.input((2, 3)), 5, "dense", bias=False))))
    g = Build(channels="last")
    x = g.input((2, 3))
    y = g.conv(g.view(x, lambda t: t.reshape(2, 1, 1, 3)), 5, 1, name="point")
    right = canonicalise(finished(g.done(g.view(y, lambda t: t.reshape(2, 5)))))
    left, right, found = reconcile(left, right)
    assert found.complete
    assert [n.kind for n in right.nodes] == ["dense"]
    assert right.parameters["point/kernel:dense"].shape == (3, 5)


def test_a_bias_that_is_left_out_is_added_to_the_one_that_does_its_work():
    graph = replace(attention(packed=True), left_out={"hidden": "input"})
    weights = {"input": np.array([1.0, 2.0]), "hidden": np.array([10.0, 20.0])}
    found = bias_sums.folded(graph, weights)
    np.testing.assert_array_equal(found["input"], [11.0, 22.0])
    np.testing.assert_array_equal(weights["input"], [1.0, 2.0])
