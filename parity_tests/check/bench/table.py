"""The bench: pairs that are right, and ports that are wrong.

Nothing here imports a framework. `CORRECT` and `FAULTY` are compared with weights transferred,
`KEPT_CORRECT` and `KEPT_FAULTY` with those the models were built with.
"""

from __future__ import annotations

from .faults import FAULTY, KEPT_FAULTY
from .pairs import CORRECT, KEPT_CORRECT
from .rows import Cause, Fault, Pair

__all__ = ["CORRECT", "FAULTY", "KEPT_CORRECT", "KEPT_FAULTY", "Cause", "Fault", "Pair"]
