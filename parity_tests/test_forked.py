"""What a forked command starts is a process of its own, with the streams of whoever started it."""

import subprocess

import pytest

from parity_tests.forked import forked_commands


@pytest.fixture(scope="module")
def command():
    with forked_commands("import json, sys; sys.imported = 'before'") as made:
        yield made


def run(command, code, *words, given=""):
    line = command("-c", code, *words)
    return subprocess.run(line, input=given, capture_output=True, text=True, check=False)


def test_it_has_the_words_the_streams_and_the_imports(command):
    code = "import sys; print(sys.argv[1:], sys.stdin.read(), sys.imported, 'json' in sys.modules)"
    assert (
        run(command, code, "a", "--b", given="typed").stdout == "['a', '--b'] typed before True\n"
    )


@pytest.mark.parametrize(
    ("code", "ended", "told"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('no such data')", 1, "no such data"),
        ("1 / 0", 1, "ZeroDivisionError"),
        ("import os; os.kill(os.getpid(), 9)", 256 - 9, ""),
    ],
)
def test_how_it_ends_is_told(command, code, ended, told):
    done = run(command, code)
    assert done.returncode == ended
    assert told in done.stderr


def test_one_sees_nothing_of_another_that_runs_beside_it(command):
    first = subprocess.Popen(
        command("-c", "import sys; sys.imported = 'changed'; input()"), stdin=subprocess.PIPE
    )
    assert run(command, "import sys; print(sys.imported)").stdout == "before\n"
    first.communicate(b"\n")
    assert first.returncode == 0
