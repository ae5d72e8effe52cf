"""A check that is done again whenever a file is saved that one of the models was loaded from.

The side that changed is loaded anew, in a process that has done its imports before; what the other
answered is known. Whether a file has changed its stamp tells, and never an event alone: an event
only wakes.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from pathlib import Path

import watchfiles

from parity.checker.check import check_in
from parity.checker.graph.loadable_model import LoadableModel
from parity.checker.graph.target import Target
from parity.checker.references.reference_model import ReferenceModel
from parity.checker.references.remembering_model import Memory, RememberingModel
from parity.checker.result.check_result import CheckResult
from parity.checker.workers.fitting import fitted
from parity.checker.workers.pair import Say
from parity.checker.workers.request import CheckRequest
from parity.checker.workers.spare import Spare
from parity.core.errors import ParityError
from parity.core.sides import SIDES, Side

Stamp = tuple[int, ...]
_GROUPED = 50
"""Milliseconds without a further event after which a group of them is one save."""
_ASLEEP = 2000
"""Milliseconds after which stamps are compared though nothing was told: some disks tell nothing."""
_MARGIN = 20_000_000
"""Nanoseconds that the clock of a disk may be behind."""
_REMEMBERED = 400
"""Answers of a side; more are of weights that nobody has any more."""


@dataclass(frozen=True)
class Watched:
    """What came of one check.

    Attributes:
        outcome: the result, or why there is none.
        saved: the files that had changed; none for the first check.
        seconds: since these were seen.
    """

    outcome: CheckResult | ParityError
    saved: tuple[Path, ...]
    seconds: float


def watch(
    targets: tuple[Target, Target], request: CheckRequest, say: Say = lambda words: None
) -> Generator[Watched]:
    """Check, and again after every save; ends only by closing it or by an interrupt.

    Raises:
        ParityError: what is asked contradicts itself, whatever the files hold.
    """
    fitted(request, targets)
    with contextlib.ExitStack() as stack:
        sides = [
            stack.enter_context(contextlib.closing(_WatchedSide(side, target, request)))
            for side, target in zip(SIDES, targets, strict=True)
        ]
        saved: tuple[Path, ...] = ()
        while True:
            begun = time.monotonic()
            for side in sides:
                side.begin()
            outcome = _outcome(sides, request, say)
            for side in sides:
                side.end(failed=isinstance(outcome, ParityError))
            yield Watched(outcome, saved, time.monotonic() - begun)
            for side in sides:
                side.prepare()
            saved = _next_save(sides)


def _outcome(
    sides: list[_WatchedSide], request: CheckRequest, say: Say
) -> CheckResult | ParityError:
    targets = sides[0].target, sides[1].target
    try:
        asked = fitted(request, targets)  # a reference may be saved anew, too
        return check_in((sides[0].model, sides[1].model), targets, asked, say)
    except ParityError as error:
        return error


def _next_save(sides: list[_WatchedSide]) -> tuple[Path, ...]:
    """Wait until files of either side differ from what was loaded; these files."""

    def changed() -> tuple[Path, ...]:
        return tuple(dict.fromkeys(file for side in sides for file in side.changed()))

    while True:
        folders = {file.parent for side in sides for file in side.files if file.parent.is_dir()}
        events = watchfiles.watch(
            *folders,
            watch_filter=None,
            step=_GROUPED,
            rust_timeout=_ASLEEP,
            yield_on_timeout=True,
            recursive=False,
        )
        # What was saved before the watcher stood tells no event, but has another stamp.
        if found := changed():
            return found
        with contextlib.suppress(FileNotFoundError):  # a folder went while it was looked at
            for _ in events:
                if found := changed():
                    return found


class _WatchedSide:
    """One side: its process, one that waits for its turn, and the files that it has loaded."""

    def __init__(self, side: Side, target: Target, request: CheckRequest) -> None:
        self.target, self._side, self._request = target, side, request
        self.files: dict[Path, Stamp] = {}
        self._spare: Spare | None = None
        self._warming: threading.Thread | None = None
        self._current: Spare | None = None
        self._old: Spare | None = None
        self.model: LoadableModel = ReferenceModel()
        self._begun = 0
        if not target.is_reference:
            self._take(Spare(side, request))

    def close(self) -> None:
        """End its processes."""
        for one in (self._old, self._current, self._spare):
            if one is not None:
                one.close()
        if self._warming is not None:
            self._warming.join()

    def begin(self) -> None:
        """Be as the files are now; what is saved from here on is a change."""
        self._begun = time.time_ns()
        before, self.files = self.files, _stamps(self.files)
        if self._current is None:
            return
        if self.files != before:
            self._renew()
        elif isinstance(self.model, RememberingModel):
            self.model.limit(_REMEMBERED)

    def end(self, *, failed: bool) -> None:
        """Know what was loaded.

        Args:
            failed: the check has no result; what could not be imported may be any file beside it.
        """
        own = Path(self.target.module)
        if not self.target.is_file:
            own = Path.cwd().joinpath(*self.target.module.split(".")).with_suffix(".py")
        found = [own] if self.target.is_file else []
        if failed and not self.target.is_reference:
            found += [own, own.with_suffix("") / "__init__.py", *own.parent.glob("*.py")]
        if self._current is not None:
            with contextlib.suppress(ParityError):  # its process is gone
                found += self._current.model.files()
        self.files = {**_stamps(found, self._begun), **self.files}

    def changed(self) -> list[Path]:
        """The files that are others than those that were loaded."""
        now = _stamps(self.files)
        return [file for file, stamp in self.files.items() if now[file] != stamp]

    def prepare(self) -> None:
        """Begin to make a process ready for the next change, where there is none yet.

        The one before is ended only now: nobody has to wait for that.
        """
        if self._old is not None:
            self._old.close()
            self._old = None
        if self._spare is None and self._current is not None:
            self._spare = Spare(self._side, self._request)
            self._warming = threading.Thread(target=self._spare.warm)
            self._warming.start()

    def _renew(self) -> None:
        self.prepare()
        if self._warming is not None:
            self._warming.join()
        assert self._spare is not None
        self._old = self._current
        self._take(self._spare)
        self._spare = self._warming = None

    def _take(self, process: Spare) -> None:
        self._current = process
        self.model = RememberingModel(process.model, Memory())


def _stamps(files: Iterable[Path], begun: int | None = None) -> dict[Path, Stamp]:
    """Of each file and of what it links to, what changes when it is saved.

    Args:
        files: that may be there.
        begun: nanoseconds since 1970; what was saved later has a stamp that no file has.
    """
    found: dict[Path, Stamp] = {}
    for file in files:
        for one in (file, file.resolve()):
            try:
                state = one.lstat()
            except OSError:
                found[one] = ()
                continue
            late = begun is not None and state.st_ctime_ns > begun - _MARGIN
            stamp = (state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
            found[one] = (-1,) if late else stamp
    return found
