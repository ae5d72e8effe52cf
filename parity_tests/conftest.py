"""Fixtures of all tests, and the table of planted faults at the end of a run."""

import pytest

_PLANTED = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[_PLANTED] = []


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
        mark = "named" if named else "MISNAMED"
        terminalreporter.write_line(f"{fault:<{width}}  {verdict:<9}  {mark:<8}  {found}")
    caught = sum(row[1] == "differ" for row in rows)
    named = sum(row[4] for row in rows)
    terminalreporter.write_line(
        f"{len(rows)} planted, {caught} caught, {named} named at the right place"
    )
