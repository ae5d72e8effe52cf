"""Jobs on a Dask cluster that exists. Dask finds the workers and repeats what a dead one held."""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parity.core.errors import UsageError, WorkerError
from parity.core.sides import Side
from parity.sweep import remote
from parity.sweep.job import Task
from parity.sweep.local import JobOutcome

CONNECT = 15.0
WORKERLESS = 60.0
"""Seconds without any worker after which nobody is waited for any more."""
_POLL = 1.0
_FETCH = 60.0
"""Seconds to wait for a result that is finished."""
_KEPT = "What is finished is kept; the same command goes on from there."


class SchedulerError(WorkerError):
    """The scheduler cannot be reached, or is gone."""


@dataclass
class _Refusal:
    """A job that a worker is not fit for: it has other sources or versions, or no framework.

    Attributes:
        by: the addresses of all such workers.
        words: of the last one.
        since: when.
        only: to which workers it was handed instead.
        times: how often.
        future: Dask's, which this refusal has answered.
    """

    by: set[str] = field(default_factory=set)
    words: str = ""
    since: float = 0.0
    only: frozenset[str] = frozenset()
    times: int = 0
    future: Any = None


class Cluster:
    """A Dask cluster as the place where jobs are done.

    Args:
        scheduler: ``tcp://host:8786``, or the path of a scheduler file.
        timeout: seconds without a sign of life after which a job's process counts as hung.
        commands: as in `parity.workers.options.WorkerOptions`.
        workerless: seconds to wait while there is no worker.
        connect: seconds to wait for the scheduler's first answer.
    """

    def __init__(
        self,
        scheduler: str,
        timeout: float,
        commands: Mapping[Side, Sequence[str]] | None = None,
        workerless: float = WORKERLESS,
        connect: float = CONNECT,
    ) -> None:
        self._scheduler, self._timeout = scheduler, timeout
        self._commands = {side: list(command) for side, command in (commands or {}).items()}
        self._workerless, self._connect = workerless, connect
        self._futures: dict[str, tuple[Task, Any]] = {}
        self._refused: dict[str, _Refusal] = {}
        self._lost = False
        self._ended: queue.Queue[str] = queue.Queue()

    def __enter__(self) -> Cluster:
        self._client = _connected(self._scheduler, self._connect)
        return self

    def __exit__(self, *exception: object) -> None:
        # Of a scheduler that is gone, Dask says at length that it is gone.
        logging.getLogger("distributed").setLevel(logging.CRITICAL)
        for _, future in () if self._lost else self._futures.values():
            with contextlib.suppress(Exception):
                future.cancel()
        with contextlib.suppress(Exception):
            self._client.close(timeout=5)

    @property
    def places(self) -> int:
        """Threads of all workers, as they are now."""
        with contextlib.suppress(Exception):
            return max(1, int(sum(self._client.nthreads().values())))
        return 1

    def submit(self, tasks: Sequence[Task]) -> None:
        """Hand everything to the scheduler; the first in the list have precedence."""
        for place, task in enumerate(tasks):
            self._hand(task, place, f"parity-{task.digest}")

    def _hand(self, task: Task, place: int, key: str, **where: Any) -> None:
        future = self._client.submit(
            remote.work,
            task.to_dict(),
            self._timeout,
            self._commands,
            key=key,
            priority=-place,
            pure=True,
            **where,
        )
        self._futures[task.digest] = task, future
        future.add_done_callback(lambda _, digest=task.digest: self._ended.put(digest))

    def withdraw(self, digests: frozenset[str]) -> None:
        """Cancel jobs; those that run go on to their end, and nobody asks for them."""
        for digest in digests:
            _, future = self._futures.pop(digest, (None, None))
            if future is not None:
                future.cancel()

    def outcomes(self) -> Iterator[JobOutcome]:
        """Jobs as they end.

        Raises:
            SchedulerError: the scheduler is gone, or has had no worker for long.
        """
        alone: float | None = None
        while self._futures:
            try:
                digest = self._ended.get(timeout=_POLL)
            except queue.Empty:
                alone = self._lonely(alone)
                yield from self._stranded()
                self._remember()
                continue
            task, future = self._futures.get(digest, (None, None))
            if task is None or future is None or not future.done():
                continue  # withdrawn, or handed to another worker meanwhile
            outcome = self._outcome(task, future)
            if outcome is not None:
                del self._futures[digest]
                yield outcome

    def _remember(self) -> None:
        """Jobs that ended a second time: their first result went with its worker before it was
        fetched, and Dask, which has made it again, calls nobody back again."""
        for digest, (_, future) in self._futures.items():
            refusal = self._refused.get(digest)
            if future.done() and not (refusal and refusal.future is future):
                self._ended.put(digest)

    def _stranded(self) -> Iterator[JobOutcome]:
        """Jobs that no worker has that is fit for them go to one that is, or end."""
        workers = self._workers() if self._refused else frozenset()
        for digest, refusal in list(self._refused.items()):
            task, future = self._futures.get(digest, (None, None))
            if task is None or future is None or refusal.only & workers:
                continue
            if self._elsewhere(task, refusal, workers):
                continue
            if time.monotonic() - refusal.since > self._workerless:
                del self._futures[digest]
                yield JobOutcome(task, failure=refusal.words)

    def _elsewhere(self, task: Task, refusal: _Refusal, workers: frozenset[str]) -> bool:
        """Hand a job to the workers that have not refused it, if there are any."""
        refusal.only = workers - refusal.by
        if not refusal.only:
            return False
        refusal.times += 1
        self._hand(
            task,
            0,
            f"parity-{task.digest}-{refusal.times}",
            workers=[*refusal.only],
            allow_other_workers=False,
        )
        return True

    def _outcome(self, task: Task, future: Any) -> JobOutcome | None:
        """What has become of a job; None where another worker has it now, or may still come."""
        if future.status == "cancelled":
            raise self._gone()
        if future.status == "error":
            error = future.exception()
            return JobOutcome(task, failure=f"{task.job.words}: {_explained(error)}")
        try:
            found = future.result(timeout=_FETCH)
        except TimeoutError:
            self._workers()  # says so if the scheduler does not answer
            return None  # lost with its worker, and made again: it ends once more
        except Exception as error:
            raise self._gone() from error
        words = found.get("failure", "")
        if "refused" in found:
            refusal = self._refused.setdefault(task.digest, _Refusal())
            refusal.by.add(found["refused"])
            refusal.words, refusal.since, refusal.future = words, time.monotonic(), future
            self._elsewhere(task, refusal, self._workers())
            return None
        return JobOutcome(task, found.get("summary"), words)

    def _workers(self) -> frozenset[str]:
        """Addresses of the workers that the scheduler knows now.

        Raises:
            SchedulerError: it does not answer.
        """
        try:
            # Not scheduler_info(), which waits without end for a scheduler that is frozen.
            known = self._client.sync(
                self._client.scheduler.identity, n_workers=-1, callback_timeout=self._connect
            )
        except Exception as error:
            raise self._gone() from error
        return frozenset(known["workers"])

    def _lonely(self, since: float | None) -> float | None:
        """Since when there has been no worker; None while there is one."""
        if self._client.status != "running" or self._client.scheduler is None:
            raise self._gone()
        if self._workers():
            return None
        now = time.monotonic()
        if since is not None and now - since > self._workerless:
            raise SchedulerError(
                f"{self._scheduler}: the scheduler has had no worker for {self._workerless:g} s. "
                f"Start some: dask worker {self._scheduler} --nthreads 1. {_KEPT}"
            )
        return since or now

    def _gone(self) -> SchedulerError:
        self._lost = True  # and is asked for nothing more
        return SchedulerError(
            f"{self._scheduler}: the scheduler is gone, or no longer answers. {_KEPT}"
        )


def _connected(scheduler: str, timeout: float) -> Any:
    try:
        from distributed import Client  # noqa: PLC0415  # an optional extra
    except ImportError as error:
        raise UsageError(
            f"--scheduler needs Dask, which is not installed here ({error}). Install it: "
            "pip install 'distributed>=2025.1', or this project with its extra of that name"
        ) from error
    named: dict[str, Any] = {"address": scheduler}
    if Path(scheduler).is_file():
        named = {"address": _address(Path(scheduler))}
    elif "://" not in scheduler and ("/" in scheduler or scheduler.endswith(".json")):
        raise UsageError(
            f"--scheduler {scheduler}: no such file. Expected what dask scheduler "
            "--scheduler-file wrote, or an address: tcp://host:8786"
        )
    level = logging.getLogger("distributed").level
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        connect: Any = Client  # has no types
        return connect(**named, timeout=timeout, set_as_default=False)
    except (OSError, ValueError, RuntimeError, TimeoutError) as error:
        raise SchedulerError(
            f"--scheduler {scheduler}: no Dask scheduler answers there ({error}). Expected one "
            "that runs, such as tcp://host:8786, or its scheduler file. Start one: dask scheduler"
        ) from error
    finally:
        logging.getLogger("distributed").setLevel(level)


def _address(file: Path) -> str:
    """The address in a scheduler file."""
    try:
        address = json.loads(file.read_text(encoding="utf-8"))["address"]
    except (OSError, ValueError, KeyError, TypeError):
        address = None
    if not isinstance(address, str):
        raise UsageError(
            f"--scheduler {file}: no scheduler file, it has no address. Expected what dask "
            "scheduler --scheduler-file wrote, or an address: tcp://host:8786"
        )
    return address


def _explained(error: BaseException | None) -> str:
    name = type(error).__name__
    if name == "KilledWorker":
        return f"it has ended several workers, perhaps out of memory. {error}"
    if isinstance(error, ImportError):
        return f"a worker lacks this package ({error}). Install it there as it is here."
    return f"{name}: {error}"
