"""What a proof is, and what it costs when it fails: nothing but the proof.

Pairs on which a false explanation fits lie in ``cases/proof``: a step that changes no number, steps
that may change places, tables that are one by symmetry, a formula in two spellings, faults that
cancel in part. A cause confirmed there that is not listed is false (`written_cases.wrong`).
"""

import dataclasses
import io
import logging
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from parity.checker.align.matches import Link, Match
from parity.checker.diagnose import repair, search, statement_edit, structure
from parity.checker.graph.graph import Source
from parity.checker.judge import comparing
from parity.checker.judge.attribution import LayerAttribution, source_array
from parity.checker.result import wording
from parity.cli import check_command
from parity.comparator.key_arrays import KeyArrays
from parity.comparator.noise import Finding
from parity.diagnosis.causes import Cause
from parity.diagnosis.constants import relation
from parity.operations.code import changed

TORCH = """
from torch import nn
from torch.nn import functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.norm, self.b = nn.Linear(6, 8), nn.LayerNorm(8), nn.Linear(8, 3)

    def forward(self, x):
        return self.b(F.relu(self.norm(self.a(x))))
"""
KERAS = """
import keras
from keras import layers


def net(epsilon=1e-5, relu=True):
    x = inputs = keras.Input((6,))
    x = layers.LayerNormalization(epsilon=epsilon, name="norm")(layers.Dense(8, name="a")(x))
    if relu:
        x = layers.ReLU(name="relu")(x)
    return keras.Model(inputs, layers.Dense(3, name="b")(x))
"""
FAULTY = {"epsilon": 1e-2, "relu": False}


def told(ask, **given):
    return ask("Net", {}, "net", given, "2,6")


def broken(*args, **more):
    raise ZeroDivisionError("the fault")


# --- A stage that fails ---------------------------------------------------------------------------


def test_both_faults_are_proven(ask):
    found = {c.kind: c.status for c in told(ask, **FAULTY).causes}
    assert found == {"epsilon": "confirmed", "missing_layer": "confirmed"}


@pytest.mark.parametrize(
    ("module", "name", "left"),
    [
        (structure, "structural", {"epsilon"}),
        (search, "proven", {"epsilon", "missing_layer"}),
        (search, "find_causes", set()),
    ],
)
def test_the_verdict_stands_without_a_stage(ask, monkeypatch, module, name, left):
    monkeypatch.setattr(module, name, broken)
    if name == "find_causes":
        monkeypatch.setattr("parity.checker.diagnose.diagnosis.find_causes", broken)
    result = told(ask, **FAULTY)
    assert result.verdict == "differ"
    assert {c.kind for c in result.causes} == left
    (note,) = [n for n in result.notes if "--debug" in n]
    assert "the verdict stands" in note


def test_a_pair_that_cannot_be_judged_costs_no_other(ask, monkeypatch):
    judged = LayerAttribution._judged

    def failing(self, match):
        return broken() if match.left.name == "norm" else judged(self, match)

    monkeypatch.setattr(LayerAttribution, "_judged", failing)
    result = told(ask, **FAULTY)
    assert result.verdict == "differ"
    # What stands behind it is named, though not proven: it may be the fault of that pair.
    assert [(c.kind, c.status) for c in result.causes] == [("missing_layer", "suspected")]
    (note,) = [n for n in result.notes if "--debug" in n]
    assert "the pair norm / norm alone" in note


def test_a_value_of_another_size_than_was_traced_is_not_seen():
    source, places = Source("n0:0", (2,), "last"), {"last": np.array([3, 4])}
    graph = SimpleNamespace(side="torch", ids=places)
    for size, seen in ((5, [3, 4]), (4, None)):
        recorded = SimpleNamespace(
            runs={("torch", "float64"): {"values/n0:0": np.arange(float(size))}}
        )
        found = source_array(graph, source, "float64", recorded, {})
        assert (None if found is None else found.tolist()) == seen


def test_nothing_is_said_where_nothing_fails(ask):
    assert not [n for n in told(ask, **FAULTY).notes if "--debug" in n]


@pytest.mark.parametrize("debug", [True, False])
def test_debug_shows_the_error_and_is_over_afterwards(ask, monkeypatch, capsys, debug):
    monkeypatch.setattr(structure, "structural", broken)
    before = logging.getLogger("parity").handlers.copy()
    with check_command._logged(debug):
        told(ask, **FAULTY)
    assert ("ZeroDivisionError: the fault" in capsys.readouterr().err) is debug
    assert logging.getLogger("parity").handlers == before


# --- A cause that is not used is none -------------------------------------------------------------


def test_without_its_tests_the_search_would_prove_too_much(ask, monkeypatch):
    """Each confirmed cause of a layer has passed every test in the list."""
    asked = []

    def refused(of, cause, layer):
        asked.append(cause.kind)
        return False

    monkeypatch.setattr(search, "TESTS", (refused,))
    result = told(ask, **FAULTY)
    assert set(asked) == {"epsilon", "missing_layer"}
    assert not any(c.confirmed for c in result.causes)


@pytest.mark.parametrize(
    ("same", "between", "taken", "holds"),
    [
        (True, ((), ()), True, True),
        (False, ((), ()), True, False),
        (True, (("norm",), ()), True, False),
        (True, ((), ()), False, False),
    ],
)
def test_a_width_is_told_of_two_layers_in_one_place(same, between, taken, holds):
    """Both take one thing, with nothing between, and one layer takes both."""

    def value(name):
        return SimpleNamespace(values=(SimpleNamespace(id=name),))

    def link(left, right, *, same=True):
        return Link(Source(left, ()), Source(right, ()), same, 0, 0)

    pair = Match(value("n1:0"), value("m1:0"), (link("n0:0", "m0:0", same=same),), 1, False)
    layer = SimpleNamespace(match=pair, between=between)
    behind = [link("n1:0", "m1:0" if taken else "m0:0")]
    searched = SimpleNamespace(comparison=SimpleNamespace(output_links=behind), layers=[layer])
    for cause in (Cause("units", ("", ""), ("", "")), Cause("x", ("", ""), ("", ""))):
        told = dataclasses.replace(
            cause, proof="recomputed" if cause.kind == "units" else "settings"
        )
        assert search._is_one_layer(searched, told, layer) is holds
    assert search._is_one_layer(searched, dataclasses.replace(told, proof="bypass"), layer)


def test_a_node_that_is_replaced_as_a_whole_is_tried_on_the_others_operand_first():
    """A product with another matrix: not another operation, though replacing it would fit."""
    draw = np.random.default_rng(0)
    x, mine, theirs = draw.standard_normal((2, 4)), np.eye(4), draw.standard_normal((4, 4))
    from parity_tests.check.test_causes import node

    left, right = (node("matmul", {}, ((2, 4), (4, 4)), name=n) for n in ("left", "right"))
    (found,) = repair.prove(
        repair.ProofInput(
            left,
            right,
            (x, mine),
            (x, theirs),
            x @ mine,
            x @ theirs,
            {},
            {},
            1e-12,
            fixed=(False, True),
            source_names=(("x", "eye"), ("x", "table")),
        )
    )
    assert (found.kind, found.status) == ("constant", "confirmed")


def test_tables_that_are_weights_are_not_proven_different():
    """Which weight of the one is which of the other was not found: no difference is known."""
    draw = np.random.default_rng(0)
    x, mine, theirs = (draw.standard_normal((2, 4)) for _ in range(3))
    from parity_tests.check.test_causes import node

    left, right = (node("add", {}, ((2, 4), (2, 4)), name=n) for n in ("left", "right"))
    (found,) = repair.prove(
        repair.ProofInput(
            left,
            right,
            (x, mine),
            (x, theirs),
            x + mine,
            x + theirs,
            {},
            {},
            1e-12,
            fixed=(False, True),
            weights=(1,),
        )
    )
    assert (found.kind, found.status) == ("weights", "suspected")


# --- Tables in words ------------------------------------------------------------------------------

TABLE = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 9.0], [2.5, 8.0, 7.0], [6.0, 0.5, 1.5]])
TABLES = [
    (TABLE[::-1], "the same numbers reversed along axis 0"),
    (TABLE[:, ::-1], "the same numbers reversed along axis 1"),
    (TABLE.T, "the same numbers, axes in the order [1, 0]"),
    (TABLE * 3, "3 times these numbers"),
    (TABLE - 0.5, "these numbers with -0.5 added"),
    (np.vstack([[[9, 9, 8]], TABLE[:-1]]), "the same numbers shifted by 1 along axis 0"),
    (TABLE[[1, 0, 3, 2]], "the same numbers in another order"),
    (TABLE**2, "the squares of these numbers"),
    (np.sqrt(TABLE), "the square roots of these numbers"),
    (1 - TABLE, "1 minus these numbers"),
    (TABLE**3, "other numbers, up to 720 apart"),
    (TABLE[:2], "other numbers, 2 × 3 instead of 4 × 3"),
]


@pytest.mark.parametrize(("theirs", "words"), TABLES, ids=[w for _, w in TABLES])
def test_what_became_of_a_table(theirs, words):
    assert relation(TABLE, theirs) == words


def test_a_table_rounded_otherwise_is_the_same():
    assert relation(TABLE / 3, (TABLE / 3).astype(np.float32).astype(np.float64)) is None


# --- Numbers without bounds ----------------------------------------------------------------------


def test_numbers_as_large_as_float32_has_any_are_compared():
    large, base = float(np.finfo(np.float32).max), Finding("scores", "check", "identical")

    def found(mine, theirs):
        a, b = np.array(mine), np.array(theirs)
        quad = KeyArrays(a.astype(np.float32), a, b.astype(np.float32), b)
        return comparing.compare(base, quad).status

    assert found([large, 1.0], [-large, 1.0]) == "different"
    assert found([1.0, -large], [1.0, -large * (1 - 1e-3)]) == "different"
    assert found([1.0, -large], [1.0 + 1e-15, -large]) == "rounding"


# --- Tables of layers -----------------------------------------------------------------------------

LONG = "encoder.layers.11.attention.self.query_projection"


def test_a_long_name_is_shortened_in_the_middle():
    short = wording.shortened(LONG, 16)
    assert len(short) == 16
    assert LONG.startswith(short.partition("…")[0])
    assert LONG.endswith(short.partition("…")[2])
    assert wording.shortened("norm", 16) == "norm"


def test_the_table_stays_one_at_80_columns(ask, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    result = told(ask, **FAULTY)
    named = [dataclasses.replace(x, torch=LONG, keras=LONG) for x in result.layers]
    shown = io.StringIO()
    console = Console(file=shown, width=80)
    for part in wording.screen(dataclasses.replace(result, layers=tuple(named)))[2:]:
        console.print(part, highlight=False)
    rows = [line for line in shown.getvalue().splitlines() if line.startswith("enc")]
    assert rows
    assert all(len(row) <= 80 and row.count("…") >= 2 for row in rows)


# --- Statements -----------------------------------------------------------------------------------

SCALED = [
    ("y = x * 0.5", 2.0, "y = x * 1"),
    ("y = x / 4", 2.0, "y = x / 2"),
    (
        "return self.base(x) + self.alpha * self.b(x)",
        0.25,
        "return self.base(x) + 0.25 * self.alpha * self.b(x)",
    ),
    ("y = ops.multiply(x, s) + a", 3.0, "y = 3 * ops.multiply(x, s) + a"),
    ("y = a * b + c * d", 3.0, ""),
]


@pytest.mark.parametrize(("code", "factor", "wanted"), SCALED, ids=[s[0] for s in SCALED])
def test_a_product_in_a_statement(code, factor, wanted):
    assert statement_edit.scaled(code, {"multiply"}, factor) == wanted


SHIFTED = [
    ("return x * (1 + self.scale)", -1.0, "return x * (self.scale)"),
    ("return x * (1 + self.scale)", 1.0, "return x * (2 + self.scale)"),
    ("y = f(x - 0.25)", -0.5, "y = f(x - 0.75)"),
    ("y = f(x - self.s)", 0.5, "y = f(x - self.s + 0.5)"),
    ("y = f(a + b) * g(c - d)", 0.5, ""),
]


@pytest.mark.parametrize(
    ("code", "summand", "wanted"), SHIFTED, ids=[f"{s[0]} {s[1]}" for s in SHIFTED]
)
def test_a_sum_in_a_statement(code, summand, wanted):
    assert statement_edit.shifted(code, {"add", "subtract"}, summand) == wanted


@pytest.mark.parametrize(
    ("changed", "part", "found"),
    [
        ("n = ops.tanh(x + ops.sigmoid(y) * h)", "self.act(x + ops.sigmoid(y) * h)", True),
        ("n = self.act(x + ops.tanh(y) * h)", "self.act(x + ops.sigmoid(y) * h)", False),
        ("n = self.act(x + ops.tanh(y) * h)", "ops.sigmoid(y)", True),
        ("n = self.act(x + 0.5 * ops.sigmoid(y) * h)", "ops.sigmoid(y) * h", True),
        ("n = self.act(x + ops.sigmoid(y) * h) - 1", "ops.sigmoid(y)", False),
        ("n = ops.relu(x)", "not there", True),
    ],
)
def test_a_changed_statement_is_changed_in_the_part_that_was_executed(changed, part, found):
    code = "n = self.act(x + ops.sigmoid(y) * h)"
    assert statement_edit.changes(code, changed, part) == found


def test_a_call_in_a_statement():
    code = "h = ops.gelu(self.a(x), approximate=True) + ops.tanh(x)"
    part = statement_edit.call_in(code, {"gelu"})
    assert part.text == "ops.gelu(self.a(x), approximate=True)"
    assert statement_edit.on_its_argument(part, "ops.silu(x)") == "ops.silu(self.a(x))"
    assert statement_edit.on_its_argument(part, "layers.ReLU()") == "layers.ReLU()(self.a(x))"
    assert statement_edit.bypassed(statement_edit.call_in(code, {"tanh"}), 0, 1).endswith("+ x")
    assert statement_edit.call_in("y = ops.relu(ops.relu(x))", {"relu"}) is None


@pytest.mark.parametrize(
    ("outside", "under"),
    [
        ("x = y / (v.sqrt() + 1e-5)", "x = y / ((v + 1e-5).sqrt())"),
        ("x = y / (self.eps + torch.sqrt(v))", "x = y / (torch.sqrt(v + self.eps))"),
        ("x = ops.sqrt(v) + 1e-5", "x = ops.sqrt(v + 1e-5)"),
    ],
)
def test_an_epsilon_goes_under_the_root_and_out_of_it(outside, under):
    assert statement_edit.root_of_sum(outside) == under
    assert statement_edit.root_of_sum(under) == ""
    assert "sqrt(v)" in statement_edit.sum_of_root(under) or "v.sqrt()" in (
        statement_edit.sum_of_root(under)
    )
    assert statement_edit.sum_of_root(outside) == ""


def test_a_function_called_of_what_it_works_on():
    part = statement_edit.call_in("y = self.fc(x).relu() + z", {"relu"})
    assert statement_edit.on_its_argument(part, "F.gelu(x)") == "F.gelu(self.fc(x))"
    method = statement_edit.call_in("y = h.relu() + z", {"relu"})
    assert statement_edit.bypassed(method, 0, 1) == "y = h + z"
    assert changed("z.softmax(-1)", {"dim": 1}) == "z.softmax(1)"
    assert changed("torch.softmax(z, -1)", {"dim": 1}) == "torch.softmax(z, 1)"
    assert changed("self.softmax(z)", {"dim": 1}) == "self.softmax(z, dim=1)"


@pytest.mark.parametrize("code", ["y = x", "return x + 1", "x + y"])
def test_a_statement_is_no_layer(code):
    assert statement_edit.is_statement(code)


@pytest.mark.parametrize("code", ["layers.Dense(3)", "", "y ="])
def test_a_layer_is_no_statement(code):
    assert not statement_edit.is_statement(code)
