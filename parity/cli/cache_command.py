"""What ``parity cache`` does with its options, and what a run does for the cache when it ends."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from parity.core.errors import UsageError
from parity.core.json_format import JSON_FORMAT
from parity.core.text import bytes_text, parse_bytes
from parity.report.formatting import count
from parity.run import cache_limit, pipeline
from parity.run.cache_limit import RecordingSet
from parity.run.pipeline import RunOutcome, RunRequest

_AGES = {"day": 86400, "hour": 3600, "minute": 60}


@contextlib.contextmanager
def kept_to_limit(request: RunRequest) -> Iterator[Callable[[RunOutcome], str]]:
    """Hold a run's recordings while it lasts.

    Yields:
        What is called at its end: removes older recordings where the limit asks for it, and says
        in a line what was written and what the cache holds.

    Raises:
        UsageError: the limit is no size.
    """
    limit = cache_limit.limit_from_environment()
    folder = pipeline.recordings_folder()
    own = request.folder.resolve() == folder.resolve()  # and no folder of the user's choice

    def told(outcome: RunOutcome) -> str:
        made = bytes_text(outcome.bytes_made) if outcome.bytes_made else "nothing"
        line = f"Recordings: {made} written in {_short(request.folder)}"
        if not own:
            return line
        removed = cache_limit.prune(folder, limit) if limit else 0
        total = cache_limit.total_bytes(cache_limit.recording_sets(folder))
        gone = f"; {bytes_text(removed)} of older ones removed" if removed else ""
        return f"{line}{gone}; the cache holds {_of_limit(total, limit)}: parity cache status"

    with cache_limit.in_use(pipeline.recording_sets(request) if own else ()):
        yield told


def status_command(*, as_json: bool) -> None:
    """Print what recordings take, and beside them the results of sweeps.

    Raises:
        UsageError: the limit is no size.
    """
    from parity.sweep import store  # only on Unix

    limit = cache_limit.limit_from_environment()
    folder, sweeps = pipeline.recordings_folder(), store.default_folder()
    sets = cache_limit.recording_sets(folder)
    examples = [_row(name, some) for name, some in _by_example(sets).items()]
    total = _row("all", sets)
    results = [path.stat().st_size for path in sweeps.glob("*.sqlite*")]
    if as_json:
        document = {
            "format": JSON_FORMAT,
            "folder": str(folder),
            **{name: total[name] for name in ("bytes", "files")},
            "limit": limit or None,
            "examples": [
                {**row, **{name: _iso(row[name]) for name in ("newest", "used")}}
                for row in examples
            ],
            "sweeps": {"folder": str(sweeps), "bytes": sum(results), "files": len(results)},
        }
        print(json.dumps(document, indent=2))
        return
    if examples:
        Console().print(_table([*examples, total]))
    print(f"Recordings in {_short(folder)}: {_of_limit(total['bytes'], limit)}.")
    print(
        f"Results of sweeps in {_short(sweeps)}: {bytes_text(sum(results))}. They stay until you "
        "remove them."
    )
    print("Data sets: parity data status")


def prune_command(limit: str) -> None:
    """Remove down to a limit, and say how much.

    Args:
        limit: as it was typed; empty for the default.

    Raises:
        UsageError: it is no size, or none.
    """
    chosen = parse_bytes(limit, "--limit") if limit else cache_limit.limit_from_environment()
    if not chosen:
        raise UsageError(
            "A limit of 0 is none, so there is nothing to prune to. Expected a size (--limit 1GB); "
            "parity cache clear removes everything."
        )
    _removed(cache_limit.prune(pipeline.recordings_folder(), chosen), chosen)


def clear_command(*, yes: bool) -> None:
    """Remove all recordings that no run uses, after asking.

    Raises:
        UsageError: there is nobody to ask.
    """
    folder = pipeline.recordings_folder()
    size = bytes_text(cache_limit.total_bytes(cache_limit.recording_sets(folder)))
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError(
                f"This removes {size} of recordings in {_short(folder)}, and there is no terminal "
                "to ask in. If that is meant: parity cache clear --yes"
            )
        asked = f"Remove {size} of recordings in {_short(folder)}?"
        try:
            yes = typer.confirm(asked)
        except typer.Abort:
            print()
        if not yes:
            print("Nothing was removed.")
            return
    _removed(cache_limit.clear(folder), 0)


def _removed(freed: int, wanted: int) -> None:
    """Say what was removed, and what is left and why."""
    left = cache_limit.total_bytes(cache_limit.recording_sets(pipeline.recordings_folder()))
    held = ", which a run is using" if left > wanted else ""
    print(f"{bytes_text(freed)} removed; the cache holds {bytes_text(left)}{held}.")


def _by_example(sets: tuple[RecordingSet, ...]) -> dict[str, list[RecordingSet]]:
    """By name, the largest example first."""
    name = attrgetter("example")
    groups = {key: list(some) for key, some in groupby(sorted(sets, key=name), key=name)}
    return dict(sorted(groups.items(), key=lambda item: -cache_limit.total_bytes(item[1])))


def _row(name: str, sets: Any) -> dict[str, Any]:
    """What there is of sets; times in seconds since the epoch."""
    files = {file.id: file for one in sets for file in one.files}
    return {
        "name": name,
        "bytes": cache_limit.total_bytes(sets),
        "files": len(files),
        "newest": max((file.written for file in files.values()), default=0.0),
        "used": max((one.used for one in sets), default=0.0),
    }


def _table(rows: list[dict[str, Any]]) -> Table:
    """A line an example, the last one of them all."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("example", "size", "files", "newest", "last used"):
        right = heading in ("size", "files")
        table.add_column(heading, no_wrap=True, justify="right" if right else "left")
    for row in rows:
        ages = (_age(row[name]) for name in ("newest", "used"))
        table.add_row(row["name"], bytes_text(row["bytes"]), f"{row['files']:,}", *ages)
    return table


def _age(since: float) -> str:
    seconds = time.time() - since
    for unit, size in _AGES.items():
        if seconds >= size:
            return f"{count(int(seconds // size), unit)} ago"
    return "just now"


def _iso(since: float) -> str:
    return datetime.fromtimestamp(since, UTC).isoformat(timespec="seconds")


def _of_limit(total: int, limit: int) -> str:
    return (
        f"{bytes_text(total)} of {bytes_text(limit)}" if limit else f"{bytes_text(total)}, no limit"
    )


def _short(path: Path) -> str:
    """A path as a shell takes it, from the home folder where it lies there."""
    with contextlib.suppress(ValueError, RuntimeError):
        return f"~/{path.absolute().relative_to(Path.home())}"
    return str(path)
