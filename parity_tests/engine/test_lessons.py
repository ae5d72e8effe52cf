"""Where the examples come from, and what is said where they are not."""

import sys

import pytest

from parity.cli import lessons
from parity.core.errors import UsageError
from shared import data
from shared.suite import SUITE


def test_they_are_those_of_the_repository():
    assert lessons.suite() is SUITE
    assert lessons.datasets() is data


@pytest.mark.parametrize("ask", [lessons.suite, lessons.datasets])
def test_where_they_are_missing_it_says_what_to_do(ask, monkeypatch, tmp_path):
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    with pytest.raises(UsageError) as caught:
        ask()
    words = str(caught.value)
    assert (
        f"The examples are not here: expected a folder `shared` with a file suite.py in {tmp_path}"
        in words
    )
    assert "Clone the repository" in words
    assert "parity check and parity diff work everywhere" in words


def test_a_package_of_the_same_name_elsewhere_on_the_path_is_not_imported(tmp_path, monkeypatch):
    package = tmp_path / "shared"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    for name in [m for m in sys.modules if m.partition(".")[0] == "shared"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    assert lessons.suite().find("autograd").name == "autograd"
