"""The wheel: the package `parity` and nothing else, installed beside somebody else's project."""

import os
import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from dataclasses import dataclass
from email.parser import Parser
from importlib.metadata import Distribution, distribution
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement

from parity import Header, write_recording

ROOT = Path(__file__).parents[1]
PROJECT = {
    "shared/__init__.py": '''
"""A project's own package, called as the lessons' is; no tool has any business here."""
import sys

frame = sys._getframe(1)
while "importlib" in frame.f_globals["__name__"]:
    frame = frame.f_back
if frame.f_globals["__name__"].partition(".")[0] == "parity":
    raise ImportError("parity imports somebody else's package")
''',
    "shared/sizes.py": "WIDTH = 3",
    "data/__init__.py": "ROWS = 4",
    "torch_models.py": """
from torch import nn

from shared.sizes import WIDTH

def net():
    return nn.Linear(5, WIDTH)
""",
    "keras_models.py": """
import keras

from shared.sizes import WIDTH

def port(use_bias=True):
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(WIDTH, use_bias=use_bias)])
""",
    "tests/__init__.py": "",
    "tests/test_port.py": """
import pytest

from data import ROWS
from keras_models import port
from parity.keras_side.optimizers import TorchAdam
from parity.torch_side.optimizers import KerasAdam
from torch_models import net

def test_right(assert_parity):
    assert_parity(net(), port(), f"{ROWS},5")

def test_wrong(assert_parity):
    with pytest.raises(AssertionError, match="bias"):
        assert_parity(net(), port(use_bias=False), f"{ROWS},5")

def test_bridges():
    KerasAdam(net().parameters(), lr=1e-3).step()
    TorchAdam(1e-3).build(port().trainable_variables)
""",
}


@dataclass(frozen=True)
class Project:
    """Somebody else's, and the environment it lives in."""

    folder: Path
    environment: Path

    def run(self, command, *words):
        """One of the environment's commands, in the project's folder, which is on no path."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST"))}
        return subprocess.run(
            [self.environment / "bin" / command, *words],
            cwd=self.folder,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built offline, from links to all that lies here, so that the checkout stays clean."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for entry in ROOT.iterdir():
        if not entry.name.startswith(".") and entry.suffix != ".egg-info" and entry.name != "build":
            (source / entry.name).symlink_to(entry)
    pip("wheel", "--no-build-isolation", "--wheel-dir", built, source)
    return next(built.iterdir())


@pytest.fixture(scope="module")
def project(wheel, tmp_path_factory):
    """Beside the wheel, what pip would install with it, the two frameworks and pytest."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment)
    base = {"base": str(environment), "platbase": str(environment)}
    packages = Path(sysconfig.get_path("purelib", "venv", base))
    asked = [text for text in metadata(wheel).get_all("Requires-Dist") if "extra ==" not in text]
    for found in needed([*asked, "torch", "tensorflow", "keras", "pytest"]):
        for name in {file.parts[0] for file in found.files} - {"..", "__pycache__"}:
            if not (packages / name).exists():
                (packages / name).symlink_to(found.locate_file(name))
    pip("--python", environment / "bin" / "python", "install", wheel)
    folder = tmp_path_factory.mktemp("project")
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return Project(folder, environment)


def pip(*words):
    at = words.index("wheel" if "wheel" in words else "install") + 1
    words = (*words[:at], "--quiet", "--no-index", "--no-deps", *words[at:])
    subprocess.run([sys.executable, "-m", "pip", *map(str, words)], check=True)


def metadata(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(archive.read(name).decode())


def needed(texts) -> list[Distribution]:
    """What these requirements name, and what those need in turn, as it is installed here."""
    found, waiting = {}, [Requirement(text) for text in texts]
    while waiting:
        one = waiting.pop()
        key = one.name, frozenset(one.extras)
        if key in found:
            continue
        found[key] = distribution(one.name)
        waiting += [
            more
            for more in map(Requirement, found[key].requires or ())
            if more.marker is None
            or any(more.marker.evaluate({"extra": extra}) for extra in ("", *one.extras))
        ]
    return list(found.values())


def test_it_holds_the_tool_alone(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    info = re.escape("-".join(wheel.name.split("-")[:2]))
    assert [name for name in names if not re.match(rf"parity/|{info}\.dist-info/", name)] == []
    there = {str(path.relative_to(ROOT)) for path in (ROOT / "parity").rglob("*.py")}
    assert there <= set(names)
    assert {"parity/py.typed", "parity/report/templates/check.md.j2"} <= set(names)


def test_it_is_what_is_found(project):
    done = project.run("python", "-c", "import parity; print(parity.__file__)")
    assert Path(done.stdout).is_relative_to(project.environment), done.stderr


def test_the_tests_of_the_project_run(project):
    """Both frameworks in one process, the plugin, the fixture, the bridges."""
    done = project.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
    assert "3 passed" in done.stdout


def test_check_takes_the_models_of_the_project(project):
    words = ("--torch", "torch_models.py:net", "--keras", "keras_models.py:port")
    wrong = ("--keras-args", '{"use_bias": false}', "--report", "check.html")
    done = project.run("parity", "check", *words, *wrong)
    assert done.returncode == 1, done.stderr
    assert "bias (confirmed)" in done.stdout
    assert "check.html" in done.stdout


def test_a_page_needs_an_extra_and_says_so_at_once(project):
    words = ("--torch", "torch_models.py:net", "--keras", "keras_models.py:port")
    done = project.run("parity", "check", *words, "--report", "check.md")
    assert done.returncode == 2
    assert "needs matplotlib, PIL" in done.stderr
    assert "extra `report`" in done.stderr


def test_diff_takes_recordings_made_elsewhere(project, tmp_path):
    for side, loss in (("torch", 0.5), ("keras", 0.25)):
        array = {"loss/step0": np.array(loss, np.float32)}
        write_recording(tmp_path / side, array, Header("theirs", side, "float32"))
    assert project.run("parity", "diff", tmp_path / "torch", tmp_path / "torch").returncode == 0
    done = project.run("parity", "diff", tmp_path / "torch", tmp_path / "keras")
    assert done.returncode == 1, done.stderr
    assert "loss/step0" in done.stdout


@pytest.mark.parametrize(
    "words",
    [
        "list",
        "run autograd",
        "run --all",
        "show autograd",
        "report",
        "bench fashion_mlp",
        "sweep fashion_mlp",
        "data status",
        "data fetch iris",
        "notebook tensors --side torch",
    ],
)
def test_the_lessons_belong_to_the_repository(project, words):
    done = project.run("parity", *words.split())
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("parity: The examples are not here: expected a folder `shared`")
    assert done.stderr.count("\n") == 1
