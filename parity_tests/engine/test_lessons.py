"""Where the examples come from, and what is said where they are not."""

import importlib.util
import sys

import pytest

from shared import data, lessons
from shared.errors import UsageError
from shared.suite import SUITE


@pytest.fixture
def foreign(tmp_path, monkeypatch):
    """A project of a user's own whose package has the same name; importing it ends everything."""
    package = tmp_path / "shared"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.delitem(sys.modules, "shared")
    monkeypatch.syspath_prepend(tmp_path)
    return package


def test_they_are_those_of_the_repository():
    assert lessons.suite() is SUITE
    assert lessons.datasets() is data


@pytest.mark.parametrize("ask", [lessons.suite, lessons.datasets])
def test_where_they_are_missing_it_says_what_to_do(ask, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError) as caught:
        ask()
    words = str(caught.value)
    assert "The examples are not here: expected their package `shared`" in words
    assert "Clone the repository and run there" in words
    assert "parity check and parity diff work everywhere" in words


@pytest.mark.parametrize("ask", [lessons.suite, lessons.datasets])
def test_another_package_of_the_name_is_not_imported(ask, foreign):
    with pytest.raises(UsageError, match="another one, expected one with a file suite") as e:
        ask()
    assert str(foreign) in str(e.value)
    assert "Clone the repository" in str(e.value)


@pytest.mark.parametrize("beside", ["suite.py", "pytorch_impl"])
def test_half_of_the_signs_are_not_enough(foreign, beside):
    if beside == "suite.py":
        (foreign / beside).write_text("raise SystemExit('imported')")
    else:
        (foreign.parent / beside).mkdir()
    with pytest.raises(UsageError, match="is another one"):
        lessons.suite()


def test_a_module_of_the_name_is_another(tmp_path, monkeypatch):
    (tmp_path / "shared.py").write_text("raise SystemExit('imported')")
    monkeypatch.delitem(sys.modules, "shared")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UsageError, match="is another one"):
        lessons.suite()


def test_what_is_no_package_at_all_counts_as_missing(monkeypatch):
    def refuse(name):
        raise ValueError("shared.__spec__ is None")

    monkeypatch.setattr(importlib.util, "find_spec", refuse)
    with pytest.raises(UsageError, match="no package of that name can be imported"):
        lessons.suite()
