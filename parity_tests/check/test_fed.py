"""What is fed: inputs by name, ids that a random draw hardly holds, and what they settle."""

import numpy as np
import pytest

from parity.checker.canonical.settled import FedRun, settle
from parity.checker.graph import input_names, model_inputs, special_inputs
from parity.checker.graph.graph import Graph, Node, Source, Value
from parity.checker.graph.input_names import Argument, Signature
from parity.checker.graph.model_interface import Traced
from parity.core.errors import UsageError


def takes(*names, optional=(), exact=False):
    """A signature of these names."""
    given = tuple(Argument(n, True) for n in names) + tuple(Argument(n, False) for n in optional)
    return Signature(given, exact=exact)


BERT = takes("input_ids", optional=("attention_mask", "token_type_ids", "position_ids"))


def test_names_that_mean_the_same_are_paired():
    keras = takes("token_ids", "segment_ids", "padding_mask", exact=True)
    found = input_names.matched(["", "", ""], BERT, keras)
    assert found.torch == ("input_ids", "attention_mask", "token_type_ids")
    assert found.keras == ("token_ids", "padding_mask", "segment_ids")


def test_an_argument_that_the_other_side_has_not_is_left_out():
    found = input_names.matched(["", ""], BERT, takes("token_ids", "segment_ids", exact=True))
    assert found.torch == ("input_ids", "token_type_ids")


def test_by_position_where_no_names_tell():
    assert input_names.matched(["", ""], takes("a", "b"), takes("c", "d")).torch is None
    assert input_names.matched(["", ""], takes("a", "mask"), takes("x", "pad_mask")).torch is None
    assert input_names.matched([""], BERT, None).keras is None


def test_names_that_are_typed_hold_on_both_sides():
    found = input_names.matched(["mask", "ids"], takes("ids", "mask"), takes("mask", "tokens"))
    assert found.torch == ("mask", "ids")
    assert found.keras == ("mask", "tokens")


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ([""], "The Keras model takes 2 inputs (token_ids, padding_mask); 1 --input was given"),
        (["", "", ""], "3 --input were given"),
        (["ids", ""], "some inputs have a name"),
        (["ids", "colour"], "neither model takes an input that is called 'colour'"),
    ],
)
def test_a_wrong_number_or_name_is_told_with_what_both_take(typed, told):
    keras = takes("token_ids", "padding_mask", exact=True)
    with pytest.raises(UsageError) as error:
        input_names.matched(typed, BERT, keras)
    assert told in str(error.value)


def test_special_draws_hold_what_a_model_asks_for():
    ids = special_inputs.TellingIds(padding=(7,), near=(20,))
    inputs = [model_inputs.parse("2,9:int<5000"), model_inputs.parse("2,9:bool")]
    first, padded, empty = special_inputs.draws(inputs, 0, None, ids)
    assert {0, 1, 2, 7, 19, 20, 21, 4999} <= set(first[0].ravel().tolist())
    assert padded[0][0, -3:].tolist() == padded[0][1, :3].tolist() == [7, 7, 7]
    assert not padded[1][0, -3:].any()
    assert not padded[1][1, :3].any()
    assert not empty[1][0].any()
    assert not special_inputs.draws([model_inputs.parse("2,9")], 0, None, ids)


def test_numbers_that_are_no_ids_tell_nothing():
    nodes = [
        node("n0", "compare", ["input:0"], "bool", name="lt", scalar=number)
        for number in (float("nan"), float("inf"), 2.5, 7.0)
    ]
    graph = Graph("torch", "t", (Value("input:0", (1, 3), "int64"),), (), tuple(nodes), {})
    assert special_inputs.telling_ids([graph]).near == (7,)


IDS = np.array([[3, 1, 2]]), np.array([[0, 4, 4]])


def settled(nodes, recorded, outputs):
    """A graph on ids, settled by two runs."""
    graph = Graph("torch", "t", (Value("input:0", (1, 3), "int64"),), outputs, tuple(nodes), {})
    runs = [FedRun([ids], made) for ids, made in zip(IDS, recorded, strict=True)]
    return settle(Traced(graph, {}), runs)


def node(called, kind, sources, dtype, **settings):
    """One with one value of three numbers."""
    taken = tuple(Source(s, (1, 3)) for s in sources)
    return Node(called, called, kind, settings, taken, (Value(f"{called}:0", (1, 3), dtype),))


def test_negative_ids_that_never_come_are_turned_by_nobody():
    nodes = [
        node("n0", "compare", ["input:0"], "bool", name="lt", scalar=0),
        node("n1", "affine", ["input:0"], "int64", scale=1.0, offset=5.0),
        node("n2", "where", ["n0:0", "n1:0", "input:0"], "int64", then=None, otherwise=None),
        node("n3", "opaque", ["n2:0"], "float32"),
    ]
    recorded = [{"values/n0:0": ids < 0, "values/n1:0": ids + 5, "values/n2:0": ids} for ids in IDS]
    found = settled(nodes, recorded, (Source("n3:0", (1, 3)),))
    assert next(n for n in found.graph.nodes if n.id == "n3").sources[0].value == "input:0"
    assert not found.graph.notes


def test_what_is_the_same_on_all_inputs_is_a_constant_and_said():
    nodes = [
        node("n0", "compare", ["input:0"], "bool", name="ne", scalar=9),
        node("n1", "cumulative", ["n0:0"], "int64", name="cumsum", axis=1),
        node("n2", "opaque", ["n1:0"], "float32"),
    ]
    made = {"values/n0:0": np.ones((1, 3), bool), "values/n1:0": np.array([[1, 2, 3]])}
    found = settled(nodes, [made, made], (Source("n2:0", (1, 3)),))
    (last,) = [n for n in found.graph.nodes if n.id == "n2"]
    assert last.sources[0].value == "constant:n1:0"
    assert found.numbers["constant:n1:0"].tolist() == [[1, 2, 3]]
    assert "n1: PyTorch computes it from its inputs" in found.graph.notes[0]


def test_what_changes_with_the_inputs_stays():
    nodes = [node("n0", "compare", ["input:0"], "bool", name="ne", scalar=3)]
    found = settled(nodes, [{"values/n0:0": ids != 3} for ids in IDS], (Source("n0:0", (1, 3)),))
    assert [n.id for n in found.graph.nodes] == ["n0"]
