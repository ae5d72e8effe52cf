"""Fixtures of all tests, and the table of planted faults at the end of a run."""

import pytest

from parity_tests.planted import page

_PLANTED = pytest.StashKey[list]()


def pytest_configure(config):
    config.stash[_PLANTED] = []


@pytest.fixture(scope="session")
def planted_table(request):
    """What the verdict said of every planted change, printed after the tests."""
    return request.config.stash[_PLANTED]


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash[_PLANTED]
    if not rows:
        return
    terminalreporter.section("planted faults")
    width = max(len(f"{row.example}: {row.what}") for row in rows)
    for row in rows:
        mark = "honest" if row.honest else "named" if row.right else "MISNAMED"
        words = f"{row.example}: {row.what}"
        terminalreporter.write_line(
            f"{words:<{width}}  {row.side:<11}  {row.verdict:<9}  {mark:<8}  {row.found}"
        )
    terminalreporter.write_line(page.count(rows))
