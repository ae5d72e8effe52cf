"""The table of what the lessons cover names functions that are there, on both sides."""

import ast

import pytest

from parity_tests.lessons.coverage import ITEMS, PAGE, page
from shared.examples import ALL


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: f"{item.lesson}: {item.what}")
def test_an_item_has_its_place_on_both_sides(item):
    for path, name in item.places():
        names = {n.name for n in ast.walk(ast.parse(path.read_text("utf-8"))) if hasattr(n, "name")}
        assert name in names, f"{path.name} has no '{name}'"


def test_every_lesson_is_in_the_table():
    assert {item.lesson for item in ITEMS} >= {spec.name for spec in ALL}


def test_the_page_is_as_it_would_be_written():
    assert PAGE.read_text("utf-8") == page(), "python -m parity_tests.lessons.coverage"
