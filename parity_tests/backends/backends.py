"""Keras on each backend, a process each, that answers calls for as long as it is open."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from parity.core.errors import WorkerError
from parity.workers.child import ChildProcess
from parity_tests.backends import judge
from parity_tests.backends.serve import Job

BACKENDS = ("tensorflow", "torch", "jax")
PATIENCE = 60.0
"""Seconds that one call may take; JAX compiles some for ten."""


@dataclass
class Backend:
    """Keras on one backend. A process that dies or hangs is a finding, and the next is started.

    Attributes:
        name: of the backend.
        hello: what it said of itself: `versions`, `signatures`.
    """

    name: str
    hello: dict[str, Any] = field(default_factory=dict)
    _process: ChildProcess | None = None

    def start(self) -> None:
        """Begin to start it; `answer` waits for it."""
        command = [sys.executable, "-m", "parity_tests.backends.serve", self.name]
        self._process, self.hello = ChildProcess("keras", command, name=f"Keras on {self.name}"), {}

    def close(self) -> None:
        """End its process."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def ready(self) -> dict[str, Any]:
        """Wait until it has started; what it says of itself."""
        if self._process is None:
            self.start()
        if not self.hello:
            self.hello = self._process.next_event(600.0)
            self._process.doing = "at a call"
        return self.hello

    def ask(self, job: Job) -> None:
        """Hand it a job; `told` has its answer."""
        self.ready()
        self._process.send(json.dumps(asdict(job)))

    def told(self) -> judge.Answer:
        """What it answers to the job."""
        try:
            while True:
                event = self._process.next_event(PATIENCE)
                if event["event"] == "done":
                    return event
                if event["event"] == "failed":
                    raise RuntimeError(event["details"])
        except WorkerError as error:
            self.close()
            return {"raised": str(error), "crashed": True}


@dataclass
class Panel:
    """Several backends, asked together; answers are kept.

    Attributes:
        backends: those that are installed.
        partings_of: call → how they part.
        answered: call → the backends that took it.
    """

    backends: tuple[Backend, ...]
    partings_of: dict[str, list[judge.Parting]] = field(default_factory=dict)
    answered: dict[str, set[str]] = field(default_factory=dict)

    @property
    def signatures(self) -> dict[str, Any]:
        """Of every public function and layer, by the first backend."""
        return self.backends[0].ready()["signatures"]

    def partings(self, call: str) -> list[judge.Parting]:
        """How the backends part in a call."""
        if call not in self.partings_of:
            runs = self.runs(call, nudged=False)
            self.answered[call] = {b for b, r in runs.items() if "raised" not in r.float32}
            found = judge.partings(runs)
            if any(p.ratio is not None or p.kind.endswith(("values", "nonfinite")) for p in found):
                found = judge.partings(self.runs(call, nudged=True))
            self.partings_of[call] = found
        return self.partings_of[call]

    def reached(self, calls: Sequence[str]) -> dict[str, Any]:
        """Of calls that were asked: how many, how many every backend refused, who took any."""
        took = [self.answered[call] for call in calls]
        return {
            "calls": len(calls),
            "refused": sum(not some for some in took),
            "backends": sorted(set().union(*took)),
        }

    def runs(self, call: str, *, nudged: bool) -> dict[str, judge.Runs]:
        """What each backend answers to a call."""
        # At a kink the gradient is a matter of taste, and of NaN there is none.
        smooth = not any(kind in call for kind in ("grid(", "special("))
        answers = [
            self._ask(Job("1", call, "float32", gradient=smooth)),
            self._ask(Job("2", call, "float64", gradient=smooth)),
            self._ask(Job("3", call, "float64", True, smooth)) if nudged else None,
        ]
        return {
            b.name: judge.Runs(*(a[b.name] if a is not None else None for a in answers))
            for b in self.backends
        }

    def _ask(self, job: Job) -> dict[str, judge.Answer]:
        for backend in self.backends:
            backend.ask(job)
        return {backend.name: backend.told() for backend in self.backends}


@contextlib.contextmanager
def panel(names: tuple[str, ...] = BACKENDS) -> Iterator[Panel]:
    """Keras on those of the backends that are installed."""
    found = tuple(Backend(n) for n in names if importlib.util.find_spec(n) is not None)
    for backend in found:
        backend.start()
    try:
        yield Panel(found)
    finally:
        for backend in found:
            backend.close()
