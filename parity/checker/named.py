"""Two models by name: their processes are started first, and import their frameworks meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from parity.checker.graph.target import Target
from parity.checker.workers.pair import Say
from parity.checker.workers.request import CheckRequest, started
from parity.core.sides import SIDES

if TYPE_CHECKING:
    from parity.checker.graph.loadable_model import LoadableModel
    from parity.checker.result.check_result import CheckResult


def check_targets(
    torch: Target, keras: Target, request: CheckRequest, say: Say = lambda words: None
) -> CheckResult:
    """Check two models by name, each in a process of its own.

    Raises:
        ModelError: a model cannot be loaded or run.
        WorkerError: a process does not start, dies or hangs.
        UsageError: inputs are missing, or names to be paired do not exist.
    """
    targets = torch, keras
    live = [side for side, t in zip(SIDES, targets, strict=True) if not t.is_reference]
    with started(request, live) as remotes:
        # The stages take half a second to import, which the processes spend on theirs.
        from parity.checker.check import check_in  # noqa: PLC0415
        from parity.checker.references.reference_model import ReferenceModel  # noqa: PLC0415
        from parity.checker.workers.fitting import fitted  # noqa: PLC0415

        request = fitted(request, targets)
        ready: list[LoadableModel] = list(remotes)
        sides = [ReferenceModel() if t.is_reference else ready.pop(0) for t in targets]
        return check_in((sides[0], sides[1]), targets, request, say)
