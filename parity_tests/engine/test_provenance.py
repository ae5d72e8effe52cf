"""What makes a recording stale: code, and neither what is said of it nor how it is set."""

import pytest

from parity.recording.provenance import program

SOURCE = b'''"""What it is."""

import math  # for pi

RATE = 0.1
"""Of the steps."""


def area(radius):
    """Of a circle.

    # no comment, but a docstring
    """
    # why
    return math.pi * radius**2, "# no comment"
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"What it is.", b"What it was."),
        (b"# for pi", b"# for the number"),
        (b"  # for pi", b""),
        (b"Of the steps.", b"Of each step."),
        (b"    # why\n", b""),
        (b"\n\n\n", b"\n\n"),
        (b"Of a circle.", b"Of a circle, in\n    square metres."),
    ],
)
def test_words_change_nothing(old, new):
    assert old in SOURCE
    assert program(SOURCE.replace(old, new)) == program(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"0.1", b"0.2"),
        (b"radius**2", b"radius**3"),
        (b'"# no comment"', b'"# another text"'),
        (b"RATE", b"RATIO"),
        (b"import math", b"import cmath as math"),
    ],
)
def test_code_changes_it(old, new):
    assert program(SOURCE.replace(old, new, 1)) != program(SOURCE)


def test_a_statement_that_leaves_its_loop_changes_it():
    inside = b"for x in y:\n    a()\n    b()\n"
    assert program(inside) != program(inside.replace(b"    b()", b"b()"))
