"""Nothing is loaded, compared or drawn that is not needed."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SLOW = {
    "numpy",
    "scipy",
    "matplotlib",
    "torch",
    "torchvision",
    "tensorflow",
    "keras",
    "sklearn",
    "rich",
    "jinja2",
    "safetensors",
    "platformdirs",
    "PIL",
}
LOADED = """
import sys
sys.argv = ["parity", *sys.argv[1:]]
from parity.cli import main as cli
try:
    cli.main()
except SystemExit:
    pass
print("\\n" + " ".join(sys.modules))
"""
COMMANDS = [
    ["--help"],
    ["run", "--help"],
    ["report", "--help"],
    ["check", "--help"],
    ["data", "--help"],
    ["diff", "--help"],
]


def python(code, *arguments, **more):
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
        **more,
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_help_loads_nothing_that_is_slow(arguments):
    done = python(LOADED, *arguments)
    assert "Example:" in done.stdout or "Commands:" in done.stdout, done.stderr
    loaded = done.stdout.splitlines()[-1].split()
    assert not {name.partition(".")[0] for name in loaded} & SLOW
    assert len(loaded) < 400


def test_help_takes_little_more_than_the_library_that_prints_it():
    """Of computing time, which other work on the machine does not lengthen much; the best of 3."""

    def seconds(*command):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        python(*command)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    library, own = (
        min(seconds(*command) for _ in range(3))
        for command in (["import typer"], [LOADED, "--help"])
    )
    assert own < 3 * library


def loaded_by(statement):
    """Top-level packages that a statement loads, and how many of the tool's modules."""
    done = python(f"import sys\n{statement}\nprint(*sys.modules)")
    assert done.returncode == 0, done.stderr
    names = done.stdout.split()
    return {n.partition(".")[0] for n in names}, sum(n.startswith("parity.") for n in names)


def test_the_package_loads_nothing_until_a_name_is_used():
    packages, modules = loaded_by("import parity; dir(parity), parity.__all__")
    assert not packages & SLOW
    assert modules == 0


def test_the_package_loads_in_50_milliseconds():
    """Of computing time; the best of 5."""
    code = (
        "import time\nbegin = time.process_time()\nimport parity\n"
        "print(time.process_time() - begin)"
    )
    assert min(float(python(code).stdout) for _ in range(5)) < 0.05


def test_the_plugin_loads_nothing_in_other_peoples_tests():
    packages, modules = loaded_by("import pytest, parity.pytest_plugin")
    assert not packages & (SLOW - {"rich"})
    assert modules == 1


@pytest.mark.parametrize("name", ["assert_parity", "check", "compare", "read_recording"])
def test_the_interface_loads_no_framework_and_nothing_that_draws_or_fetches(name):
    packages, _ = loaded_by(f"from parity import {name}")
    unneeded = {"PIL", "requests", "urllib3", "matplotlib", "jinja2", "scipy", "rich", "typer"}
    assert not packages & (unneeded | {"torch", "torchvision", "tensorflow", "keras", "shared"})


REPORT = """
import sys
sys.argv = ["parity", *sys.argv[1:]]
from parity.cli import main as cli
if sys.argv.pop(1) == "refuse":
    from parity.run import pipeline
    def refuse(*_args, **_more):
        raise AssertionError("compared again")
    pipeline._verdict = refuse
    sys.modules["matplotlib"] = None
cli.main()
"""


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """Pages of two examples, and how to ask for them again."""
    folder = tmp_path_factory.mktemp("report")

    def report(how, *more):
        done = python(
            REPORT,
            how,
            "report",
            "perceptron",
            "backprop",
            "--json",
            "--folder",
            folder / "pages",
            "--out",
            folder / "recordings",
            *more,
        )
        assert done.returncode == 0, done.stderr
        document = json.loads(done.stdout)
        return document, {Path(path).name for path in document.pop("written")}

    return folder, report, *report("freely")


def pages(folder):
    return {path: path.read_bytes() for path in (folder / "pages").rglob("*") if path.is_file()}


INDEX = {"README.md", "index.json"}


def test_a_report_with_nothing_to_redo_compares_and_draws_nothing(reported):
    folder, report, first, written = reported
    assert {"perceptron.md", "backprop.md", *INDEX} <= written
    before = pages(folder)
    again, written = report("refuse")
    assert written == INDEX
    assert pages(folder) == before
    assert again["recordings"]["made"] == 0
    assert again["examples"] == first["examples"]


@pytest.mark.parametrize("change", ["page", "recording", "kept"])
def test_only_what_was_changed_is_made_again(reported, change):
    folder, report, _, _ = reported
    before = pages(folder)
    home = folder / "recordings" / "perceptron"
    if change == "page":
        (folder / "pages" / "perceptron.md").write_text("cut short")
    elif change == "recording":
        os.utime(next(home.glob("torch*.safetensors")))
    else:
        (home / "pages.json").unlink()
    document, written = report("freely")
    assert "perceptron.md" in written
    assert not any(name.startswith("backprop") for name in written)
    assert document["recordings"]["made"] == 0
    assert pages(folder) == before
    assert report("refuse")[1] == INDEX
