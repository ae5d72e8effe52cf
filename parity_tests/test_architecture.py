"""Who may import whom, and that the twins are twins: read from the sources, and at run time.

The contracts on imports stand in pyproject.toml, under ``tool.importlinter``.
"""

import ast
import inspect
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from parity.core.sides import LESSON_PACKAGES, SIDE_PACKAGES
from parity.training.recorder import Framework
from shared.differences import DIFFERENCES
from shared.examples import ALL

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"torch", "torchvision", "tensorflow", "keras", "jax"}
DESCRIBED = sorted(
    {
        path.parent.relative_to(ROOT).as_posix()
        for package in ("parity", "shared", "website")
        for path in (ROOT / package).rglob("__init__.py")
    }
    - {"parity"}  # says what is public
    - {"shared/examples"}  # in the order in which they are taught
)
"""Packages that say in which order their files are read."""
DOCS = [*sorted(ROOT.glob("[CRS]*.md")), *sorted((ROOT / "docs").glob("*.md"))]
ADAPTERS = {"torch": "PyTorch", "keras": "Keras"}


def lint_imports(root):
    """The linter's exit status and report on a tree: 0 where every contract is kept."""
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "200"},  # a contract's name stays on one line
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The sources, to plant imports in."""
    root = tmp_path_factory.mktemp("house")
    shutil.copy(ROOT / "pyproject.toml", root)
    for package in ("parity", "shared", "website", *LESSON_PACKAGES.values()):
        for path in (ROOT / package).rglob("*.py"):
            target = root / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, target)
    return root


def public_functions(path):
    """Name → arguments of every public top-level function; ``**weights`` is one of them."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.name: [a.arg for a in node.args.args]
        + ([f"**{node.args.kwarg.arg}"] if node.args.kwarg else [])
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def public_files(folder):
    return sorted(p.stem for p in (ROOT / folder).glob("*.py") if not p.stem.startswith("_"))


def test_the_contracts_are_kept():
    done = lint_imports(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("parity/core/text.py", "import parity.report.formatting", "The rooms of the tool"),
        ("parity/run/cache.py", "import parity.native.settings", "The rooms of the tool"),
        (
            "parity/checker/align/flow.py",
            "import parity.checker.judge.judging",
            "The rooms of the checker",
        ),
        ("shared/data/idx.py", "import shared.examples.losses", "What the lessons share"),
        (
            "parity/core/errors.py",
            "if __debug__:\n    import parity.core.sides",
            "No circles",
        ),
        (
            "parity/core/errors.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import parity.core.sides",
            "No circles",
        ),
        ("parity/run/pipeline.py", "import shared.suite", "The tool is handed the lessons"),
        ("shared/metrics.py", "import torch", "PyTorch stays on its side"),
        ("parity/checker/check.py", "import keras", "Keras and TensorFlow stay on theirs"),
        (
            "parity/torch_side/layers.py",
            "import parity.keras_side.layers",
            "The two sides know nothing of each other",
        ),
        ("website/links.py", "import website.build", "The modules of the website"),
        ("website/home.py", "import torch", "PyTorch stays on its side"),
        ("parity/report/files.py", "import website.page", "Nothing knows of the website"),
        ("keras_impl/losses.py", "import pytorch_impl.losses", "The two sides know nothing"),
        ("parity/torch_side/layers.py", "import parity.comparator.noise", "A side records"),
        ("pytorch_impl/losses.py", "import parity.core.errors", "A lesson uses"),
        ("shared/data/idx.py", "import parity.spec.cases", "Data and metrics"),
        ("shared/examples/losses.py", "import shared.data.idx", "What a lesson is"),
    ],
)
def test_a_planted_import_breaks_its_contract(copy, file, line, contract):
    path = copy / file
    before = path.read_text("utf-8")
    path.write_text(f"{before}\n{line}\n", "utf-8")
    done = lint_imports(copy)
    path.write_text(before, "utf-8")
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(rf"^{re.escape(contract)}.* BROKEN", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.parametrize("package", DESCRIBED)
def test_a_package_says_what_it_holds(package):
    folder = ROOT / package
    said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))
    held = {p.stem for p in folder.glob("*.py") if not p.stem.startswith("_")}
    held |= {p.parent.name for p in folder.glob("*/__init__.py")}
    assert held <= set(re.findall(r"`(\w+)`", said))


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_paths_in_the_documents_are_there(path):
    named = re.findall(
        r"`((?:docs|parity|parity_tests|reports|shared|\w+_impl)/[\w/.-]*)`",
        path.read_text("utf-8"),
    )
    missing = [n for n in named if not (ROOT / n).exists() and Path(n).stem not in ("x", "SECTION")]
    assert missing == []


def test_the_tool_imports_no_framework_at_run_time():
    modules = [
        ".".join(p.relative_to(ROOT).with_suffix("").parts)
        for package in ("parity", "shared", "website")
        for p in sorted((ROOT / package).rglob("*.py"))
        if p.stem != "__init__" and not {"torch_side", "keras_side"} & set(p.parts)
    ]
    code = (
        f"import importlib, sys\nfor m in {modules!r}: importlib.import_module(m)\n"
        f"print(sorted({FRAMEWORKS!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_help_imports_nothing_slow():
    code = (
        "import sys, parity.cli.main\n"
        "print(sorted({'numpy', 'matplotlib', 'scipy', 'jinja2', 'requests'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("folder", ["shared/examples", *LESSON_PACKAGES.values()])
def test_folders_hold_just_the_examples(folder):
    # `shared.py` lets a lesson that is run as a script find the folder of that name.
    found = [name for name in public_files(folder) if name != "shared"]
    assert found == sorted(spec.name for spec in ALL)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_twins_have_the_same_functions_in_the_same_order(spec):
    torch, keras = (
        public_functions(ROOT / LESSON_PACKAGES[s] / f"{spec.name}.py") for s in ("torch", "keras")
    )
    both = [name for name in torch if name in keras]
    assert both == [name for name in keras if name in torch], "the order of the functions differs"
    if spec.training:  # a loop of one's own there, `compile` and `fit` here: each in its own way
        return
    # A hand-written gradient is a class in PyTorch and a function in TensorFlow.
    only = {*torch} ^ {*keras}
    allowed = {"multiply"} if spec.name == "autograd" else set()
    assert only <= allowed
    for name in both:
        assert torch[name] == keras[name], f"{name} takes other arguments"


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
@pytest.mark.parametrize("side", LESSON_PACKAGES)
def test_twins_say_where_to_look(spec, side):
    path = ROOT / LESSON_PACKAGES[side] / f"{spec.name}.py"
    head = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    other = LESSON_PACKAGES["keras" if side == "torch" else "torch"]
    assert f"Twin: {other}/{spec.name}.py" in head
    assert "Look at:" in head


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_every_case_and_way_has_its_function(spec):
    for side, package in LESSON_PACKAGES.items():
        functions = public_functions(ROOT / package / f"{spec.name}.py")
        for case in spec.cases:
            taken = functions[case.name]
            if taken and taken[-1].startswith("**"):  # the others, whatever they are called
                assert set(taken[:-1]) < set(case.arguments)
            else:
                assert taken == list(case.arguments)
        for way in (w for w in spec.ways if w.side == side and spec.training):
            asked = {way.model, way.makes_optimizer, way.step, way.predict}
            asked |= {name for name in (way.loop, way.callbacks) if name not in ("", "fit")}
            assert asked <= set(functions)
            if side == "torch":  # a model that Keras compiled evaluates itself
                assert way.evaluate in functions


@pytest.mark.parametrize("spec", [*ALL, DIFFERENCES], ids=lambda spec: spec.name)
def test_a_page_is_committed(spec):
    assert (ROOT / "reports" / f"{spec.name}.md").is_file()
    assert (ROOT / "reports" / f"{spec.name}.json").is_file()


def test_the_adapters_have_what_a_recording_asks_for():
    wanted = [n for n, f in inspect.getmembers(Framework, inspect.isfunction) if n[0] != "_"]
    for side, name_there in ADAPTERS.items():
        path = ROOT / SIDE_PACKAGES[side].replace(".", "/") / "adapter.py"
        tree = ast.parse(path.read_text("utf-8"))
        adapter = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name_there)
        have = {
            f.name: [a.arg for a in (*f.args.args, *f.args.kwonlyargs)]
            for f in adapter.body
            if isinstance(f, ast.FunctionDef)
        }
        for name in wanted:
            assert have[name] == list(inspect.signature(getattr(Framework, name)).parameters)
