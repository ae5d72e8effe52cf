"""Who may import whom, and that the twins are twins: read from the sources, and at run time."""

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from parity.core.sides import LESSON_PACKAGES
from shared.differences import DIFFERENCES
from shared.examples import ALL

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"torch", "torchvision", "tensorflow", "keras", "jax"}
MAY_IMPORT = {
    "parity.spec.example",
    "shared.examples",
    "parity.core.axis_layouts",
    "parity.recording.recording_file",
    "shared.data",
    "shared.initial_weights",
    "parity.core.errors",
    "parity.workers.channel",
    "parity.training.recorder",
    "parity.cli.side",
    "parity.reference.weight_layouts",
    "parity.checker.graph.graph",
    "parity.checker.graph.model_interface",
    "parity.checker.workers.serve",
    "parity.bench.child",
    "parity.bench.job",
    "parity.native",
    "shared.suite",
    "parity.checker.graph.training_recipe",
    "parity.checker.graph.target",
    "parity.checker.graph.layerwise",
}
SOURCES = sorted(
    p for folder in ("shared", *LESSON_PACKAGES.values()) for p in (ROOT / folder).rglob("*.py")
)


def imported(path):
    """Absolute names of everything a file imports, in any place."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def public_functions(path):
    """Name → arguments of every public top-level function."""
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.name: [a.arg for a in node.args.args]
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }


def public_files(folder):
    return sorted(p.stem for p in (ROOT / folder).glob("*.py") if not p.stem.startswith("_"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_keep_to_their_side(path):
    package = path.relative_to(ROOT).parts[0]
    for name in imported(path):
        top = name.split(".")[0]
        if package == "shared":
            assert top not in FRAMEWORKS, f"{path}: shared/ knows no framework, but imports {name}"
            assert top not in LESSON_PACKAGES.values(), f"{path} imports {name}"
        else:
            others = set(LESSON_PACKAGES.values()) - {package}
            assert top not in others, f"{path}: the sides never import each other ({name})"
            foreign = (
                {"torch", "torchvision"} if package == "keras_impl" else {"tensorflow", "keras"}
            )
            assert top not in foreign, f"{path} imports {name}"
            if top == "shared":
                allowed = any(name == m or name.startswith(f"{m}.") for m in MAY_IMPORT)
                assert allowed, f"{path}: an implementation may not import {name}"


def test_shared_imports_no_framework_at_run_time():
    modules = [
        ".".join(p.relative_to(ROOT).with_suffix("").parts)
        for p in (ROOT / "shared").rglob("*.py")
        if p.stem != "__init__"
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
    assert public_files(folder) == sorted(spec.name for spec in ALL)


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_twins_have_the_same_functions_in_the_same_order(spec):
    torch, keras = (
        public_functions(ROOT / LESSON_PACKAGES[s] / f"{spec.name}.py") for s in ("torch", "keras")
    )
    # A way of training that only one framework has, such as fit, is the one thing allowed.
    own = {w.function for w in spec.ways} - {
        w.function
        for w in spec.ways
        if any(o.function == w.function and o.side != w.side for o in spec.ways)
    }
    both = [name for name in torch if name in keras]
    assert both == [name for name in keras if name in torch], "the order of the functions differs"
    # A hand-written gradient is a class in PyTorch and a function in TensorFlow.
    only = {name for name in {*torch} ^ {*keras} if name not in own}
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
    assert 30 <= len(path.read_text("utf-8").splitlines()) <= 200


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_every_case_and_way_has_its_function(spec):
    for side, package in LESSON_PACKAGES.items():
        functions = public_functions(ROOT / package / f"{spec.name}.py")
        for case in spec.cases:
            assert functions[case.name] == list(case.arguments)
        for way in (w for w in spec.ways if w.side == side and w.function):
            assert way.function in functions
            assert way.optimizer in functions


@pytest.mark.parametrize("spec", [*ALL, DIFFERENCES], ids=lambda spec: spec.name)
def test_a_page_is_committed(spec):
    assert (ROOT / "reports" / f"{spec.name}.md").is_file()
    assert (ROOT / "reports" / f"{spec.name}.json").is_file()


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_files_stay_readable(path):
    assert len(path.read_text("utf-8").splitlines()) <= 450


def test_frameworks_agree_with_what_making_asks_for():
    from parity.training.recorder import Framework

    wanted = [n for n, f in inspect.getmembers(Framework, inspect.isfunction) if n[0] != "_"]
    for package in LESSON_PACKAGES.values():
        tree = ast.parse((ROOT / package / "_framework.py").read_text("utf-8"))
        adapter = next(n for n in tree.body if isinstance(n, ast.ClassDef))
        have = {
            f.name: [a.arg for a in (*f.args.args, *f.args.kwonlyargs)]
            for f in adapter.body
            if isinstance(f, ast.FunctionDef)
        }
        for name in wanted:
            assert have[name] == list(inspect.signature(getattr(Framework, name)).parameters)
