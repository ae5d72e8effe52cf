"""Every lesson runs as a script where only its framework is installed, and draws its figures."""

import pytest

from parity_tests.forked import script
from shared.examples import ALL

LESSONS = [spec.name for spec in ALL]
IMPORTS = {"torch": "import torch", "keras": "import tensorflow, keras"}


@pytest.fixture(scope="module", params=IMPORTS)
def side(request, forked):
    """A side, and what runs a script where its framework is imported."""
    return request.param, script(forked[request.param], IMPORTS[request.param])


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_runs_alone(side, name, tmp_path):
    framework, run = side
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('alone', {_alone()!r})\n"
        "alone = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(alone)\n"
        f"alone.run({framework!r}, {name!r}, '--plots', {str(tmp_path)!r})\n"
    )
    printed = run(code).splitlines()
    assert printed[-1] == "done"
    assert len(printed) > 3
    drawn = [line.removeprefix("wrote ") for line in printed if line.startswith("wrote ")]
    assert all(line.endswith(".png") for line in drawn)
    assert len(list(tmp_path.glob("*.png"))) == len(drawn)


def _alone():
    from parity_tests.lessons import alone

    return alone.__file__
