"""What all tests share: which process does them, the draw, and the table of planted faults."""

import os
import shutil
from dataclasses import asdict

import pytest

from parity.checker.workers.request import CheckRequest, processes
from parity.core.sides import LESSON_PACKAGES, SIDES
from parity.workers.options import WorkerOptions
from parity_tests.draws import SEED
from parity_tests.forked import forked_python
from parity_tests.planted import page

GROUPS = {
    "test_readme.py": "recordings",
    "examples/test_examples.py": "recordings",
    "examples/test_fast.py": "recordings",
    "examples/test_repeatable.py": "recordings",
    "examples/test_regularisation.py": "recordings",
    "examples/test_transfer_learning.py": "recordings",
}
"""Files whose tests go to one process, since they share what takes long to make. Of every other
file the tests stay together, too: what a module's fixture makes is made once."""
LONGEST = (
    "test_readme.py",
    "examples/test_examples.py",
    "examples/test_fast.py",
    "examples/test_repeatable.py",
    "test_planted_faults.py",
    "check/test_written_cases.py",
    "bench/test_bench.py",
    "check/test_watching.py",
    "test_cli.py",
    "check/test_references.py",
    "check/test_html_page.py",
    "lessons/test_notebooks.py",
    "test_site.py",
    "check/test_bench.py",
    "convert/test_convert.py",
    "check/test_learning.py",
    "check/test_unseen.py",
    "check/test_alarms.py",
    "check/test_applied_ports.py",
    "native/test_sides.py",
    "examples/test_full.py",
    "examples/test_backends.py",
    "examples/test_resnet.py",
    "check/test_random_sequences.py",
    "check/test_command.py",
    "check/test_keras_side.py",
    "convert/test_convert_command.py",
    "check/zoo/test_zoo.py",
    "check/test_surroundings.py",
    "check/test_random.py",
    "test_wheel.py",
    "sweep/test_real.py",
    "sweep/test_cluster.py",
    "sweep/test_sweep.py",
    "test_differences.py",
    "check/test_living.py",
)
"""Files that take long, the longest first: begun first, they leave no process to work alone."""


class PlantedTable:
    """The planted changes and what was said of each, printed after the tests.

    Whichever process plants them, each goes with its test's report.
    """

    def __init__(self):
        self.rows = []

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.rows += [
                page.Told(**told) for name, told in report.user_properties if name == "planted"
            ]

    def pytest_terminal_summary(self, terminalreporter):
        if not self.rows:
            return
        terminalreporter.section("planted faults")
        width = max(len(f"{row.example}: {row.what}") for row in self.rows)
        for row in self.rows:
            mark = "honest" if row.honest else "named" if row.right else "MISNAMED"
            words = f"{row.example}: {row.what}"
            terminalreporter.write_line(
                f"{words:<{width}}  {row.side:<11}  {row.verdict:<9}  {mark:<8}  {row.found}"
            )
        terminalreporter.write_line(page.count(self.rows))


def pytest_configure(config):
    config.pluginmanager.register(PlantedTable(), "planted table")


def pytest_report_header():
    return f"drawn with PARITY_SEED={SEED}"


def pytest_collection_modifyitems(config, items):
    """In the processes of xdist, which all have the same order: what takes longest comes first."""
    if hasattr(config, "workerinput"):
        places = {file: place for place, file in enumerate(LONGEST)}
        items.sort(key=lambda item: places.get(_file(item.nodeid), len(places)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A process that is free takes the next group, whole. (``--dist loadgroup`` marks node ids,
    which pytest 9.2 no longer lets it.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            file = _file(nodeid)
            return GROUPS.get(file, file)

    config.option.loadscopereorder = False
    return Groups(config, log)


def _file(nodeid):
    return nodeid.partition("::")[0].removeprefix("parity_tests/")


@pytest.fixture(scope="session")
def example_recordings(tmp_path_factory):
    """The folder of examples at their default sizes: who asks again takes what is there."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="session")
def forked():
    """Side → an interpreter that has its framework, which takes seconds to import."""
    imports = (
        "import parity.cli.side, parity.checker.workers.serve, parity.{0}_side.adapter, "
        "parity.{0}_side.bench_variants, parity.{0}_side.checker"
    )
    with (
        forked_python(imports.format("torch")) as torch,
        forked_python(imports.format("keras")) as keras,
    ):
        yield {"torch": torch, "keras": keras}


@pytest.fixture(scope="session")
def remotes(forked):
    """A process for each side, which serves every pair of every test; a new one if it dies."""
    with processes(CheckRequest(pythons=forked)) as both:
        yield both


@pytest.fixture(scope="session")
def forked_workers(forked):
    """``forked_workers(threads)`` → options of a run whose workers are forks."""

    def options(threads=1, **commands):
        ask = ("--worker", "--threads", str(threads))
        every = {side: [forked[side], "-m", LESSON_PACKAGES[side], *ask] for side in SIDES}
        return WorkerOptions(threads=threads, commands=every | commands)

    return options


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, without a window."""
    chromium = shutil.which("chromium")
    if chromium is None:
        assert not os.environ.get("CI"), "CI installs Debian's chromium"
        pytest.skip("no chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def plant(record_property):
    """``plant(told)`` puts what the verdict said of a planted change into the table."""
    return lambda told: record_property("planted", asdict(told))


@pytest.fixture
def planted_rows(request):
    """What the table has by now: of this process, if there are several."""
    return request.config.pluginmanager.getplugin("planted table").rows
