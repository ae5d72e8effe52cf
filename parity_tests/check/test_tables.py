"""Weights that are operands: which element of one is which of the other."""

import numpy as np
import pytest

from parity.checker.graph import arrangement
from parity.checker.transfer import tables
from parity.checker.transfer.tables import UNKNOWN, Taken

ADD = ("add", "add")


def rows(shape, first, count):
    """What is taken of a table: so many rows from this one on."""
    every = np.arange(np.prod(shape)).reshape(shape)
    return Taken(shape, every[first : first + count])


def test_rows_of_a_longer_table():
    found = tables.index(rows((6, 2), 2, 3), rows((4, 2), 0, 3), ADD, None, None)
    assert found[:3].ravel().tolist() == [4, 5, 6, 7, 8, 9]
    assert np.all(found[3] == UNKNOWN)


def test_tables_of_one_shape_are_one_table_whatever_rows_are_taken():
    found = tables.index(rows((6, 2), 2, 3), rows((6, 2), 0, 3), ADD, None, None)
    assert found.ravel().tolist() == list(range(12))


def test_a_table_taken_backwards_is_not_followed():
    turned = Taken((3, 2), np.arange(6).reshape(3, 2)[::-1])
    found = tables.index(turned, rows((3, 2), 0, 3), ADD, None, None)
    assert found.ravel().tolist() == list(range(6))


def test_another_rank_is_found_through_what_is_computed():
    flat = arrangement.simplest((2, 4, 3), (2, 2, 2, 3), np.arange(24).reshape(2, 2, 2, 3))
    left = Taken((1, 4, 3), np.arange(12).reshape(1, 4, 3))
    right = Taken((1, 2, 2, 3), np.arange(12).reshape(1, 2, 2, 3))
    found = tables.index(left, right, ADD, flat, None)
    assert found.shape == (1, 2, 2, 3)
    assert found.ravel().tolist() == list(range(12))


def test_axes_in_another_order():
    left, right = rows((5, 3), 0, 5), Taken((3, 5), np.arange(15).reshape(3, 5).T)
    found = tables.index(left, right, ADD, arrangement.identity((2, 5, 3)), None)
    assert np.array_equal(found, np.arange(15).reshape(5, 3).T)


@pytest.mark.parametrize("shapes", [((4, 2), (4, 3)), ((4, 2), (2, 8))])
def test_what_cannot_be_one_weight_is_none(shapes):
    left, right = (Taken(s, np.arange(np.prod(s)).reshape(s)) for s in shapes)
    assert tables.index(left, right, ADD, None, None) is None


def test_an_element_with_two_partners_is_none():
    shared = Taken((2,), np.broadcast_to(np.arange(2), (3, 2)))
    assert tables.index(shared, rows((3, 2), 0, 3), ADD, None, None) is None
