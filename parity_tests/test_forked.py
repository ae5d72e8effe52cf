"""What a forked interpreter runs is a process of its own, with the streams of whoever starts it."""

import subprocess

import pytest

from parity_tests.forked import forked_python


@pytest.fixture(scope="module")
def python():
    with forked_python("import json, sys; sys.imported = 'before'") as made:
        yield made


def run(python, code, *words, given="", **more):
    command = [python, "-c", code, *words]
    return subprocess.run(command, input=given, capture_output=True, text=True, check=False, **more)


def test_it_has_the_words_the_streams_and_the_imports(python):
    code = "import sys; print(sys.argv[1:], sys.stdin.read(), sys.imported, 'json' in sys.modules)"
    assert run(python, code, "a", "--b", given="typed").stdout == "['a', '--b'] typed before True\n"


def test_it_runs_where_it_is_started(python, tmp_path):
    (tmp_path / "here").touch()
    assert run(python, "import os; print(os.listdir())", cwd=tmp_path).stdout == "['here']\n"


def test_imports_that_fail_are_told_and_not_waited_for(capfd):
    with forked_python("import nothing_of_this_name") as python:
        assert run(python, "print(1)").returncode != 0
    assert "No module named 'nothing_of_this_name'" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("code", "ended", "told"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no such data')", 1, "no such data"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os.kill(os.getpid(), 9)", -9, ""),
    ],
)
def test_how_it_ends_is_told(python, code, ended, told):
    done = run(python, code)
    assert done.returncode == ended
    assert told in done.stderr


def test_one_sees_nothing_of_another_that_runs_beside_it(python):
    first = subprocess.Popen(
        [python, "-c", "import sys; sys.imported = 'changed'; input()"], stdin=subprocess.PIPE
    )
    assert run(python, "import sys; print(sys.imported)").stdout == "before\n"
    first.communicate(b"\n")
    assert first.returncode == 0
