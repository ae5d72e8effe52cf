"""Every lesson as a notebook: what is in its cells, and that they run, one after the other."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from parity import notebooks
from parity.core.errors import UsageError
from parity.core.sides import LESSON_PACKAGES
from parity_tests.draws import draw
from shared.examples import ALL

ROOT = Path(__file__).parents[2]
IMPORTS = {"torch": "import torch", "keras": "import tensorflow, keras"}


def part(spec):
    """The kind of a lesson."""
    return {spec.part}


DRAWN = draw(ALL, part, 0.25)
FEW = "from parity_tests.lessons import alone\n\nalone.load_few()"
PROGRAM = '''"""What it is about: *a* < b_c and `a * b < c_d`.

Twin: keras_impl/it.py
Look at: `f`.
Seen in notes, wrong because: of this,
and that.
"""

import math
from shared.plots import Plots  # noqa: F401

# Of the constant.
EPOCHS = 3
SIZE = 2
# Of f.
@staticmethod
def f(x):
    """Doubles.

    Twice.
    """
    # Why.
    return 2 * x  # why not


def _g(x):
    """Helps."""
    return x


class Empty(Exception):
    """Nothing but words."""


TABLE = [f(1)]


def main():
    """All of it; where ``--plots`` is given."""
    plots = Plots(__file__)
    a, b = 1, """two

lines"""

    # A loop.
    for c in range(EPOCHS):
        d = c

        print(d)

    def nested():
        return a

    a = [nested() for q in range(2)]


if __name__ == "__main__":
    main()
'''


def program(name, side):
    return (ROOT / LESSON_PACKAGES[side] / f"{name}.py").read_text("utf-8")


def made(text, title="It"):
    return nbformat.reads(notebooks.notebook(text, title), as_version=4)


# --- what is in it ---------------------------------------------------------------------------


def test_cells():
    cells = [(cell.cell_type, cell.source) for cell in made(PROGRAM).cells]
    setup = cells.pop(1)
    assert setup[1].startswith("# The data and the figures")
    assert cells == [
        (
            "markdown",
            "# It\n\nWhat it is about: \\*a\\* &lt; b\\_c and `a * b < c_d`.\n\n"
            "The same in the other framework: `keras_impl/it.py`\n\n**Look at:** `f`.\n\n"
            "**Seen in notes, wrong because:** of this,\nand that.",
        ),
        ("code", "import math\nfrom shared.plots import Plots"),
        ("code", "# Of the constant.\nEPOCHS = 3\nSIZE = 2"),
        ("markdown", "### `f`\n\nDoubles.\n\nTwice."),
        (
            "code",
            "# Of f.\n@staticmethod\ndef f(x):\n    # Why.\n    return 2 * x  # why not",
        ),
        ("code", 'def _g(x):\n    """Helps."""\n    return x'),
        ("code", 'class Empty(Exception):\n    """Nothing but words."""'),
        ("code", "TABLE = [f(1)]"),
        ("markdown", "## The whole program\n\nAll of it."),
        ("code", 'plots = Plots.inline()\na, b = 1, """two\n\nlines"""'),
        ("code", "# A loop.\nfor c in range(EPOCHS):\n    d = c\n\n    print(d)"),
        ("code", "def nested():\n    return a"),
        ("code", "a = [nested() for q in range(2)]"),
        (
            "markdown",
            "## Go on from here\n\nAll of the above is still there: `a`, `b`. Change a line, run "
            "its cell and those below it again, and see what it does.",
        ),
    ]


def test_the_same_program_gives_the_same_notebook():
    assert notebooks.notebook(PROGRAM, "It") == notebooks.notebook(PROGRAM, "It")


def test_without_nbformat(monkeypatch):
    monkeypatch.setitem(sys.modules, "nbformat", None)
    with pytest.raises(UsageError, match="pip install nbformat"):
        notebooks.notebook(PROGRAM, "It")


def names(nodes, kind):
    found = set()
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        else:
            found |= {
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, kind)
            }
    return found


@pytest.mark.parametrize("side", LESSON_PACKAGES)
@pytest.mark.parametrize("name", [spec.name for spec in ALL])
def test_nothing_is_lost_or_renamed(name, side):
    """All statements are there, in order; what `main` assigns takes no other name's place."""
    text = program(name, side)
    for said, instead in notebooks.IN_A_NOTEBOOK.items():
        text = text.replace(said, instead)
    body = ast.parse(text).body
    (main,) = (n for n in body if isinstance(n, ast.FunctionDef) and n.name == "main")
    others = [n for n in body[1:-1] if n is not main]
    assert not names(others, ast.Store) & names(main.body, ast.Store)

    def bare(node):
        for part in ast.walk(node):
            if isinstance(part, (ast.FunctionDef, ast.ClassDef)) and ast.get_docstring(part):
                part.body = part.body[1:] or part.body
        return ast.unparse(node)

    cells = [cell.source for cell in made(text).cells[2:] if cell.cell_type == "code"]
    found = [bare(node) for cell in cells for node in ast.parse(cell).body]
    assert found == [bare(node) for node in [*others, *main.body[1:]]]


# --- the command -----------------------------------------------------------------------------


def parity(*arguments, folder):
    command = [sys.executable, "-c", "from parity.cli.main import main; main()", "notebook"]
    return subprocess.run(
        [*command, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )


def test_command(tmp_path):
    done = parity("tensors", "--side", "keras", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Written: tensors-keras.ipynb.")
    path = tmp_path / "tensors-keras.ipynb"
    assert ", in Keras\n" in nbformat.read(path, as_version=4).cells[0].source
    path.write_text("my work")
    again = parity("tensors", "--side", "keras", folder=tmp_path)
    assert (again.returncode, path.read_text()) == (2, "my work")
    assert "Name another file with --out" in again.stderr
    out = "below/other.ipynb"
    done = parity("tensors", "--side", "torch", "--out", out, "--json", folder=tmp_path)
    assert json.loads(done.stdout)["notebook"] == out
    nbformat.validate(nbformat.read(tmp_path / out, as_version=4))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["tensor", "--side", "torch"], "Did you mean 'tensors'?"),
        (["differences", "--side", "torch"], "is a table and no program"),
        (["tensors"], "--side"),
        (["tensors", "--side", "jax"], "jax"),
        (["tensors", "--side", "torch", "--out", "/dev/null/x.ipynb"], "/dev/null"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_mistakes(arguments, words, tmp_path):
    done = parity(*arguments, folder=tmp_path)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())


# --- that they run ---------------------------------------------------------------------------


@pytest.fixture(scope="module", params=IMPORTS)
def kernel(request, forked, tmp_path_factory):
    """A side, whose kernels are forks of an interpreter that has imported its framework."""
    side = request.param
    folder = tmp_path_factory.mktemp("jupyter")
    spec = folder / "kernels" / side / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [forked[side], "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": side, "language": "python"}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PATH", str(folder))
        yield side


@pytest.mark.parametrize("spec", DRAWN, ids=lambda spec: spec.name)
def test_a_notebook_runs(kernel, spec):
    """On a few samples and in one epoch, in a folder below the clone's."""
    name = spec.name
    text = program(name, kernel)
    book = made(text)
    book.cells.insert(2, nbformat.v4.new_code_cell(FEW))
    whole = next(i for i, c in enumerate(book.cells) if c.source.startswith("## The whole"))
    if "\nEPOCHS = " in text:
        book.cells.insert(whole, nbformat.v4.new_code_cell("EPOCHS = 1"))
    kept = book.cells[-1].source.partition(". Change")[0].partition(": ")[2]
    book.cells.append(nbformat.v4.new_code_cell(kept.replace("`", "")))
    where = {"metadata": {"path": str(ROOT / "docs")}}
    NotebookClient(book, timeout=600, kernel_name=kernel, resources=where).execute(
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    images = [output for output in outputs if "image/png" in output.get("data", {})]
    assert images or name == "modules"  # its figures need Graphviz
    assert any(output.get("text") for output in outputs)
