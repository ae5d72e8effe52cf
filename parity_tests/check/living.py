"""Processes for many checks, started anew when one of them dies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from parity.checker.workers.remote_model import RemoteModel
from parity.checker.workers.request import CheckRequest, processes


class LivingProcesses(Sequence):
    """A process for each side, as `processes` starts them; two new ones where one has died.

    A process that dies fails the check that it was at. Those behind it begin by asking for both.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._start()

    def __len__(self) -> int:
        return len(self._both)

    def __getitem__(self, at) -> RemoteModel:
        if any(remote.has_ended for remote in self._both):
            self._stack.close()
            self._start()
        return self._both[at]

    def _start(self) -> None:
        self._both = self._stack.enter_context(processes(CheckRequest()))


@contextmanager
def living_processes() -> Iterator[LivingProcesses]:
    """Both processes; all gone at the end."""
    with ExitStack() as stack:
        yield LivingProcesses(stack)
