"""The alignment: right ports match completely, and a fault leaves the rest where it was."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from parity.checker.align.alignment import Alignment, align
from parity.checker.canonical.canonical_graph import CanonicalGraph, canonicalise
from parity.checker.graph.model_interface import Traced
from parity.core.errors import UsageError
from parity_tests.check import synthetic
from parity_tests.check.synthetic import ARCHITECTURES, Build, Faults, coarser, make, shuffled

SEEDS = range(4)


def telling(normal: CanonicalGraph, node) -> tuple:
    shapes = {role: normal.parameters[p].shape for role, p in node.parameters.items()}
    return node.kind, dict(node.settings), shapes, node.values[0].shape


def assert_isomorphic(left: CanonicalGraph, right: CanonicalGraph, alignment: Alignment) -> None:
    """Complete, and every pair alike: a true one-to-one up to automorphisms."""
    assert alignment.complete, (alignment.left_only, alignment.right_only)
    assert len(alignment.pairs) == len(left.nodes) == len(right.nodes)
    for pair in alignment.pairs:
        a, b = left.by_id[pair.left], right.by_id[pair.right]
        assert telling(left, a) == telling(right, b)
        assert len(pair.links) == len(a.sources) == len(b.sources)


def rightly(traced: Traced, faults: Faults, seed: int) -> tuple[int, int]:
    """How many of the nodes that are in both graphs are paired with themselves, of how many."""
    other, new = shuffled(faults.traced, seed)
    left, right = canonicalise(traced), canonicalise(other)
    found = {pair.left: pair for pair in align(left, right).pairs}
    good = total = 0
    for node in left.nodes:
        same = {right.by_id[new[m]].id for m in node.members if new.get(m) in right.by_id}
        total += bool(same)
        good += node.id in found and found[node.id].right in same
    return good, total


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_right_port_matches_completely(name: str, seed: int) -> None:
    traced = make(name)
    other, _ = shuffled(coarser(traced, seed), seed)
    left, right = canonicalise(traced), canonicalise(other)
    assert_isomorphic(left, right, align(left, right))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 45))
def test_any_graph_matches_itself_in_another_order(seed: int, size: int) -> None:
    traced = synthetic.finished(synthetic.random_graph(seed, size))
    other, _ = shuffled(coarser(traced, seed + 1), seed + 2)
    left, right = canonicalise(traced), canonicalise(other)
    assert_isomorphic(left, right, align(left, right))


def test_the_projection_may_run_before_or_after_the_branch() -> None:
    left = canonicalise(make("resnet", late_projection=True))
    right = canonicalise(make("resnet", late_projection=False))
    found = align(left, right)
    assert_isomorphic(left, right, found)
    for pair in found.pairs:
        if "conv" in left.by_id[pair.left].name or "down" in left.by_id[pair.left].name:
            assert left.by_id[pair.left].name == right.by_id[pair.right].name


@pytest.mark.parametrize("name", ["chain", "resnet", "inception", "mobile", "transformer", "unet"])
@pytest.mark.parametrize("fault", ["remove", "insert", "substitute", "rewire", "swap"])
def test_one_fault_shifts_nothing(name: str, fault: str) -> None:
    traced = make(name)
    for seed in SEEDS:
        faults = Faults(traced, seed)
        getattr(faults, fault)()
        good, total = rightly(traced, faults, seed)
        assert good == total, (seed, faults.log)


@pytest.mark.parametrize(
    ("name", "more"),
    [("chain", {"blocks": 20}), ("resnet", {"stages": (8,)}), ("transformer", {"layers": 4})],
)
def test_several_faults_in_identical_blocks(name: str, more: dict) -> None:
    traced = make(name, **more)
    good = total = 0
    for seed in range(6):
        faults = Faults(traced, seed)
        for _ in range(4):
            faults.any()
        one, every = rightly(traced, faults, seed)
        good, total = good + one, total + every
    assert good / total >= 0.97


def chain(*kinds: str) -> Traced:
    g = Build()
    x = g.dense(g.input((2, 4)), 4, "first")
    for kind in kinds:
        match kind:
            case "ln":
                x = g.ln(x, "norm")
            case "dense":
                x = g.dense(x, 4, "middle")
            case _:
                x = g.act(x, kind, kind)
    return synthetic.finished(g.done(g.dense(x, 3, "last")))


def test_layers_that_changed_places_are_pairs() -> None:
    left, right = canonicalise(chain("ln", "relu")), canonicalise(chain("relu", "ln"))
    found = align(left, right)
    assert not found.left_only
    assert not found.right_only
    kinds = {(left.by_id[p.left].kind, right.by_id[p.right].kind) for p in found.pairs}
    assert kinds == {("dense", "dense"), ("layer_norm",) * 2, ("activation",) * 2}
    assert not found.complete


def test_another_activation_is_a_pair_and_no_other_kind() -> None:
    left, right = canonicalise(chain("relu")), canonicalise(chain("silu"))
    found = align(left, right)
    assert found.complete
    assert not any(p.substituted for p in found.pairs)


def test_what_stands_in_the_same_place_is_substituted() -> None:
    g = Build()
    x = g.dense(g.input((2, 4)), 4, "first")
    y = g.node("opaque", [x], (2, 4), "odd", name_="Odd")
    other = synthetic.finished(g.done(g.dense(y, 3, "last")))
    left, right = canonicalise(chain("relu")), canonicalise(other)
    pair = next(p for p in align(left, right).pairs if p.substituted)
    assert (left.by_id[pair.left].name, right.by_id[pair.right].name) == ("relu", "odd")


def test_a_missing_layer_is_said_to_stand_between() -> None:
    left, right = canonicalise(chain("ln", "relu")), canonicalise(chain("relu"))
    found = align(left, right)
    missing = next(n for n in left.nodes if n.kind == "layer_norm")
    assert found.left_only == (missing.id,)
    relu = next(p for p in found.pairs if left.by_id[p.left].kind == "activation")
    assert relu.links[0].same
    assert relu.links[0].left_between == (missing.id,)
    assert relu.links[0].right_between == ()


def test_a_sum_taken_from_elsewhere_is_a_link_that_is_not_the_same() -> None:
    def made(early: bool) -> Traced:
        g = Build()
        a = g.dense(g.input((2, 4)), 4, "a")
        b = g.act(a, "relu", "b")
        c = g.dense(b, 4, "c")
        return synthetic.finished(g.done(g.op("add", c, a if early else b, name="sum")))

    left, right = canonicalise(made(True)), canonicalise(made(False))
    found = align(left, right)
    total = next(p for p in found.pairs if left.by_id[p.left].kind == "add")
    assert sorted(link.same for link in total.links) == [False, True]
    assert not found.left_only + found.right_only


def test_sources_of_a_sum_are_linked_by_what_they_come_from() -> None:
    def made(turned: bool) -> Traced:
        g = Build()
        x = g.input((2, 4))
        a, b = g.dense(x, 4, "a"), g.act(x, "tanh", "b")
        return synthetic.finished(g.done(g.op("add", *((b, a) if turned else (a, b)))))

    found = align(canonicalise(made(False)), canonicalise(made(True)))
    assert found.complete
    assert {(x.left, x.right) for x in found.pairs[-1].links} == {(0, 1), (1, 0)}


def test_inputs_may_be_in_another_order() -> None:
    def made(turned: bool) -> Traced:
        g = Build()
        x, y = g.input((2, 4)), g.input((2, 4))
        x, y = (y, x) if turned else (x, y)
        return synthetic.finished(g.done(g.op("subtract", g.dense(x, 4, "a"), g.dense(y, 4, "b"))))

    left, right = canonicalise(made(False)), canonicalise(made(True))
    assert not align(left, right).complete
    assert align(left, right, inputs=[1, 0]).complete
    with pytest.raises(UsageError, match="order of the inputs"):
        align(left, right, inputs=[0, 0])


def test_layers_that_share_weights_match_their_likes() -> None:
    left, right = (canonicalise(make("towers", shared=shared)) for shared in (True, False))
    assert align(left, left).complete
    assert not align(left, right).left_only


def test_the_user_says_which_is_which() -> None:
    g = Build()
    x = g.input((2, 4))
    total = g.op("add", g.dense(x, 4, "a"), g.dense(x, 4, "b"))
    normal = canonicalise(synthetic.finished(g.done(total)))
    found = align(normal, normal, pairs={"a": "b"})
    names = {normal.by_id[p.left].name: normal.by_id[p.right].name for p in found.pairs}
    assert (names["a"], names["b"]) == ("b", "a")
    assert found.complete
    assert [p.given for p in found.pairs] == [True, False, False]


def test_an_unknown_name_is_refused_with_near_ones() -> None:
    normal = canonicalise(make("resnet"))
    with pytest.raises(UsageError, match=r"layer0\.0\.conv1"):
        align(normal, normal, pairs={"layer0.0.conv3": "head"})


def test_more_outputs_and_dead_nodes() -> None:
    traced = make("chain")
    first = traced.graph.nodes[0].values[0]
    outputs = (
        *traced.graph.outputs,
        replace(traced.graph.outputs[0], value=first.id, shape=first.shape),
    )
    both = Traced(replace(traced.graph, outputs=outputs), traced.ids)
    found = align(canonicalise(both), canonicalise(both))
    assert [(o.left, o.right, o.same) for o in found.outputs] == [(0, 0, True), (1, 1, True)]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("resnet", {"stages": (32, 32, 32), "width": 2}),
        ("inception", {"blocks": 50, "width": 2}),
        ("densenet", {"blocks": 4, "layers": 40, "width": 1}),
    ],
)
def test_seven_hundred_nodes_are_quick(name: str, more: dict) -> None:
    traced = make(name, **more)
    left, right = canonicalise(traced), canonicalise(shuffled(traced, 0)[0])
    begun = time.process_time()
    assert align(left, right).complete
    assert time.process_time() - begun < 6
