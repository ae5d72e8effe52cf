"""For other people's test suites: the fixture `assert_parity`, there after ``pip install``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture(name="assert_parity", scope="session")
def assert_parity_fixture() -> Callable[..., Any]:
    """`parity.testing.assert_parity`: assert that two models are the same to rounding."""
    from parity.testing import assert_parity  # noqa: PLC0415  # a test suite starts quickly

    return assert_parity
