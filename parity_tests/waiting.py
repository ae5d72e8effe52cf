"""Waiting for an event: that it comes is asserted, not how long the machine takes."""

import time

PATIENCE = 600.0
"""Seconds. An event that has not come by then, on however loaded a machine, does not come."""


def wait_for(condition, what="it"):
    """The first true answer of a condition.

    Raises:
        AssertionError: it has not come true within `PATIENCE`.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen"
        time.sleep(0.02)
    return found
