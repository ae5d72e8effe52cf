"""The lines to write: for what is proven, one that can be pasted, and it is what makes it right."""

from functools import partial

import numpy as np
import pytest

from parity.checker.apply.rounds import in_rounds
from parity.checker.diagnose import library_advice, statement_edit
from parity.diagnosis.causes import Cause
from parity.diagnosis.constants import contrast, undone
from parity_tests.check.written_cases import all_cases, asked
from parity_tests.draws import draw

CASES = all_cases()
REPORTED = [
    case
    for case in CASES
    if case.folder.parent.name in ("bug_reports", "transformers", "vision")
    and case.verdicts == ("differ",)
]
"""Wrong ports that people reported, or boiled down from such."""
APPLIED = [case for case in CASES if case.written == "applied"]
USABLE = 0.77
"""Share of the reported ones whose lines, as they are, make them right."""


def test_most_reported_ports_are_made_right_by_their_lines():
    assert sum(bool(case.written) for case in REPORTED) >= USABLE * len(REPORTED)


@pytest.mark.parametrize(
    "case", [case for case in CASES if isinstance(case.written, int)], ids=lambda case: case.name
)
def test_what_was_written_by_hand_is_what_the_line_says(case):
    """That the line is so, and that the pair agrees, `test_written_cases` asks."""
    pairs = [other for other in CASES if other.folder == case.folder]
    assert case.fix
    assert pairs[case.written - 1].verdicts == ("agree",)


@pytest.mark.parametrize("case", draw(APPLIED, lambda case: (), 0.1), ids=lambda case: case.name)
def test_what_is_applied_makes_it_right(remotes, case):
    outcome = in_rounds(remotes, *asked(remotes, case))
    assert (outcome.last.verdict, outcome.error) == ("agree", "")


TABLE = np.array([[1.0, 2.0, 4.0], [3.0, 5.0, 9.0], [2.5, 8.0, 7.0], [6.0, 0.5, 1.5]])
UNDONE = [
    (TABLE[::-1], "ops.flip({}, axis=0)"),
    (TABLE.T, "ops.transpose({}, (1, 0))"),
    (TABLE * 3, "{} / 3"),
    (TABLE - 0.5, "{} + 0.5"),
    (TABLE**2, "ops.sqrt({})"),
    (1 - TABLE, "1 - {}"),
    (TABLE**3, ""),  # more numbers than anybody writes out
]


@pytest.mark.parametrize(("theirs", "code"), UNDONE, ids=[code or "nothing" for _, code in UNDONE])
def test_what_takes_it_back(theirs, code):
    assert undone(TABLE, theirs) == code
    made = eval(code.format("theirs"), {"ops": np, "theirs": theirs}) if code else TABLE
    assert np.allclose(made, TABLE)


def test_a_few_numbers_are_written_out():
    assert undone(TABLE[0], TABLE[1]) == "ops.array([1.0, 2.0, 4.0])"
    assert undone(np.asarray(0.1), np.asarray(3.0)) == "0.1"


def _waves(base, steps, *, turns=False):
    angles = np.arange(9)[:, None] * base ** (-np.arange(4) / steps)
    both = np.stack([np.sin(angles), np.cos(angles)], axis=1 + turns)
    return both.reshape(9, -1).astype(np.float32).astype(np.float64)


CONTRASTS = [
    (_waves(1e4, 4), _waves(1e4, 3), "10000 ** (-i / 4)", "10000 ** (-i / 3)"),
    (_waves(1e4, 4), _waves(5e5, 4), "10000 ** (-i / 4)", "500000 ** (-i / 4)"),
    (_waves(1e4, 4), _waves(1e4, 4, turns=True), "in halves", "in turn"),
    (np.arange(8.0) / 8, np.arange(8.0) / 7, "[:] = 0, 0.125, 0.25, …, 0.875", "0, 0.1429"),
]


@pytest.mark.parametrize(
    ("mine", "theirs", "wanted", "present"), CONTRASTS, ids=[c[2] for c in CONTRASTS]
)
def test_what_a_table_must_be_and_is(mine, theirs, wanted, present):
    told = contrast(mine, theirs)
    assert wanted in told[0]
    assert present in told[1]


def test_a_row_that_differs_is_shown():
    other = TABLE.copy()
    other[2] = 0
    assert contrast(TABLE, other) == ("[2, :] = 2.5, 8, 7", "0, 0, 0")


BYPASSED = [
    ("y = f(ops.clip(ids, 0, n))", "ops.clip(ids, 0, n)", 0, 1, "y = f(ids)"),
    ("y = ops.sigmoid(-x if turned else x)", "-x", 0, 1, "y = ops.sigmoid(x if turned else x)"),
    ("a, b = ops.tanh(a), ops.tanh(b)", "ops.tanh(b)", 0, 1, "a, b = ops.tanh(a), b"),
    ("y = x + self.bias(ids)", "x + self.bias(ids)", 0, 2, "y = x"),
    ("y = self.bias(ids) + x", "self.bias(ids) + x", 1, 2, "y = x"),
    ("y = 2 * x", "2 * x", 0, 1, "y = x"),
    ("y = x * factor", "x * factor", 0, 1, ""),  # which of the two goes on, nobody says
]


@pytest.mark.parametrize(
    ("code", "part", "kept", "count", "wanted"), BYPASSED, ids=[b[0] for b in BYPASSED]
)
def test_an_operation_is_left_out_of_a_statement(code, part, kept, count, wanted):
    found = statement_edit.expression_in(code, part)
    assert statement_edit.bypassed(found, kept, count) == wanted


def test_what_is_left_out_of_a_copy_of_a_librarys():
    made = {"library": "others", "object": "Cell", "arguments": {}}
    cause = Cause("extra_layer", ("", "none"), ("cell.neg", "-x"), "confirmed", fix="# without -x")
    said = library_advice.advised(cause, {"cell.neg": made}).fix
    assert said.endswith("the check cannot tell. In a copy of it: without the neg.")


def test_what_becomes_nothing():
    assert statement_edit.is_nothing("x = x")
    assert not statement_edit.is_nothing("y = x")


WRITTEN = [
    ("y = x * decay", "x * decay", 1, "{} / 4", "y = x * (decay / 4)"),
    ("y = x * decay[::-1]", "x * decay[::-1]", 1, "1 - {}", "y = x * (1 - decay[::-1])"),
    ("y = a + b + c", "a + b + c", 2, "ops.sqrt({})", "y = a + b + ops.sqrt(c)"),
    ("y = ops.matmul(x, t(3))", "ops.matmul(x, t(3))", 1, "0.5", "y = ops.matmul(x, 0.5)"),
]


@pytest.mark.parametrize(
    ("code", "part", "at", "template", "wanted"), WRITTEN, ids=[w[4] for w in WRITTEN]
)
def test_an_operand_is_written_otherwise(code, part, at, template, wanted):
    given = statement_edit.operands_of(statement_edit.expression_in(code, part))
    assert statement_edit.written_in(given[at], template) == wanted


def test_a_number_is_found_by_its_name(tmp_path):
    file = tmp_path / "k.py"
    file.write_text("HALF = 0.5\nother = 0.5\nother = 2\n\n\ndef f(x, slope=0.25): ...\n", "utf-8")
    find = partial(statement_edit.number_in, file=str(file))
    assert find("y = x * HALF", 0.5).text == "HALF"
    assert find("y = x * slope", 0.25).text == "slope"
    assert find("y = x + 0.125", 0.125).text == "0.125"
    assert find("y = x * other", 0.5) is None  # which is not always that
    assert find("y = HALF * x + HALF", 0.5) is None
    parts = [find("y = HALF * x + slope", number) for number in (0.5, 0.25)]
    assert statement_edit.all_replaced(parts, ["slope", "HALF"]) == "y = slope * x + HALF"
