"""Fixtures of all tests, and the table of planted faults at the end of a run."""

import os

import pytest

from shared import session
from shared.examples import ALL

_PLANTED = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[_PLANTED] = []


@pytest.fixture(scope="session")
def recordings_folder(tmp_path_factory):
    """Where `outcome` records."""
    return tmp_path_factory.mktemp("recordings")


@pytest.fixture(scope="session")
def outcome(recordings_folder):
    """Every example at its default size, both sides, all pairs: made once a session.

    Where the tests must not skip, data that is missing is an error.
    """
    made = session.carry_out(session.Request(ALL, recordings_folder))
    if made.failures and os.environ.get("CI"):
        pytest.fail("\n".join(made.failures.values()))
    return made


@pytest.fixture(scope="session")
def planted_table(request):
    """Rows (fault, verdict, first divergence, words, named rightly), printed after the tests."""
    return request.config.stash[_PLANTED]


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash[_PLANTED]
    if not rows:
        return
    terminalreporter.section("planted faults")
    width = max(len(row[0]) for row in rows)
    for fault, verdict, found, _, named in rows:
        mark = {True: "named", False: "MISNAMED", None: "honest"}[named]
        terminalreporter.write_line(f"{fault:<{width}}  {verdict:<9}  {mark:<8}  {found}")
    faults = [row for row in rows if row[4] is not None]
    caught = sum(row[1] == "differ" for row in faults)
    named = sum(bool(row[4]) for row in faults)
    honest = [row for row in rows if row[4] is None]
    alarms = sum(row[1] != "agree" for row in honest)
    terminalreporter.write_line(
        f"{len(faults)} planted, {caught} caught, {named} named at the right place; "
        f"{len(honest)} honest variations, {alarms} false alarms"
    )
