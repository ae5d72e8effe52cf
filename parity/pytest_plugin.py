"""For other people's test suites: the fixture `assert_parity`, there after ``pip install``.

Pytest loads this in every run of every project beside it, so it imports nothing of the tool.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from parity import CheckResult


@pytest.fixture(name="assert_parity", scope="session")
def assert_parity_fixture() -> Callable[..., CheckResult]:
    """`parity.assert_parity`: assert that two models are the same to rounding."""
    from parity import assert_parity  # noqa: PLC0415  # a test suite starts quickly

    return assert_parity
