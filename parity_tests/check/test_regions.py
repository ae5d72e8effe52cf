"""Steps written otherwise: where a region begins, and when nothing is seen of a step behind it."""

from __future__ import annotations

from parity.checker.align.alignment import align
from parity.checker.canonical.canonical_graph import canonicalise
from parity.checker.judge.regions import behind, without_effect
from parity_tests.check.synthetic import Build, finished


def branched():
    """n0 feeds n1 and n2; n3 adds them; n4 takes the sum, and n5 takes n1 as well."""
    g = Build()
    begin = g.act(g.input((2, 4)), "tanh")
    one, two = g.act(begin, "relu"), g.act(begin, "sigmoid")
    both = g.op("add", one, two)
    last = g.act(both, "softsign")
    return canonicalise(finished(g.done(last, g.op("multiply", one, last))))


def test_a_region_goes_back_to_what_is_settled() -> None:
    graph = branched()
    settled = {"n0:0", "n2:0"}
    assert [n.id for n in behind(graph, ["n3:0"], settled.__contains__)] == ["n1", "n3"]
    assert behind(graph, ["n2:0"], settled.__contains__) == ()


def test_a_step_is_without_effect_if_every_way_behind_it_ends_alike() -> None:
    graph = branched()
    assert without_effect(graph, {"n3": {"n2"}}) == {"n2"}
    # n5 takes n1 past the end.
    assert without_effect(graph, {"n3": {"n1", "n2"}}) == {"n2"}
    assert without_effect(graph, {"n3": {"n1", "n2"}, "n5": {"n1"}}) == {"n1", "n2"}


def test_what_a_region_begins_with_is_no_part_of_it() -> None:
    graph = branched()
    # n2 was replaced by the left's: what n0 does through it was not seen.
    assert without_effect(graph, {"n3": {"n0", "n1"}, "n5": {"n0", "n1"}}) == {"n1"}


def test_operations_without_a_common_neighbour_are_no_pair() -> None:
    sides = []
    for missing in (True, False):
        g = Build()
        x = g.input((2, 4))
        head, gate = g.dense(x, 4, name="head"), g.dense(x, 4, name="gate")
        if missing:
            head = g.act(head, "tanh")
        else:
            gate = g.op("multiply", gate, scalar=-1.0, scalar_left=False)
        other = g.op("multiply", gate, g.dense(x, 4, name="other"))
        sides.append(canonicalise(finished(g.done(g.op("multiply", head, other)))))
    found = align(*sides)
    assert len(found.left_only) == len(found.right_only) == 1
