"""What a Dask worker does: the same as a slot of a sweep on one machine, wherever it is."""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from parity.core.errors import WorkerError
from parity.core.sides import Side
from parity.sweep.child import refuse_others
from parity.sweep.crew import BrokenError, Crew
from parity.sweep.job import Task
from parity.workers.channel import message
from parity.workers.options import WorkerOptions

_idle: list[tuple[str, Crew]] = []
_all: list[Crew] = []
_lock = threading.Lock()


def work(
    fields: Mapping[str, Any], timeout: float, commands: Mapping[Side, Sequence[str]]
) -> dict[str, Any]:
    """Do one job in a process of its side, which stays for the next one.

    Args:
        fields: of a `Task`.
        timeout: seconds without a sign of life.
        commands: as in `WorkerOptions`.

    Returns:
        ``{"summary": …}``, or ``{"failure": words}``: what a job says against itself it would say
        on every worker. Where this worker is not fit for it, ``refused`` is its address.
    """
    task = Task.from_dict(fields)
    try:
        refuse_others(task)
    except WorkerError as error:
        return {"failure": message(error), "refused": _address()}
    # A process computes with the number of threads that it was started with.
    kind = f"{task.job.threads} {timeout} {sorted(commands.items())}"
    crew = _taken(kind, WorkerOptions(timeout=timeout, commands=commands))
    try:
        return {"summary": crew.run(task)}
    except BrokenError as error:
        return {"failure": message(error), "refused": _address()}
    except WorkerError as error:
        return {"failure": message(error)}
    finally:
        with _lock:
            _idle.append((kind, crew))


def _address() -> str:
    from distributed import get_worker  # noqa: PLC0415  # an optional extra

    return str(get_worker().address)


def _taken(kind: str, options: WorkerOptions) -> Crew:
    """Processes that nobody uses: as many crews as this worker has threads, in the end."""
    with _lock:
        for place, (own, crew) in enumerate(_idle):
            if own == kind:
                del _idle[place]
                return crew
        crew = Crew(options)
        _all.append(crew)
        return crew


@atexit.register
def close() -> None:
    """End the processes. Of a worker that is killed they end by themselves."""
    for crew in _all:
        with contextlib.suppress(Exception):
            crew.close()
