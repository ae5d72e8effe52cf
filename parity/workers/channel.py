"""The border between the tool and a framework's process: jobs in, events out, one JSON a line.

A worker is started once and serves many jobs, so a framework's import is paid once. Its standard
output is the channel; whatever a library prints goes to standard error instead.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, TextIO

from parity.core.errors import ParityError

Progress = Callable[[int, int], None]
"""Called with (steps done, steps in all)."""


class Channel:
    """The worker's end: events out on the real standard output, everything else to stderr."""

    def __init__(self) -> None:
        # The duplicate keeps the way to the parent; descriptor 1 itself is then pointed at
        # stderr, so that neither print() nor a C++ library can write into the channel.
        self._out: TextIO = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        sys.stdout = sys.stderr
        faulthandler.enable(all_threads=False)  # a crash in native code says where it was

    def send(self, event: str, **fields: Any) -> None:
        """Send one event to the parent."""
        self._out.write(json.dumps({"event": event, **fields}) + "\n")
        self._out.flush()


def serve(
    hello: Callable[[], dict[str, Any]],
    handle: Callable[[Any, Progress], dict[str, Any] | None],
    parse: Callable[[str], Any],
) -> None:
    """Serve jobs from standard input until told to quit.

    Args:
        hello: imports the framework and returns what identifies it.
        handle: does one job, reporting progress; what it returns goes with the word that it is
            done. A recording is written, and needs no words.
        parse: reads a line as a job, which has an `id`.
    """
    channel = Channel()
    try:
        channel.send("ready", **hello())
    except Exception as error:
        channel.send("broken", message=message(error), details=traceback.format_exc())
        return
    # Keras collects garbage before each job; to look through the framework took a fifth of a job.
    gc.freeze()
    # Not before: at the end of input the reader ends the process, whatever is still to be said.
    lines = stdin_lines()
    while (line := lines.get()) != "quit":
        job = parse(line)
        channel.send("started", job=job.id)
        try:
            told = handle(job, _telling(channel, job.id))
        except Exception as error:
            details = "" if isinstance(error, ParityError) else traceback.format_exc()
            channel.send("failed", job=job.id, message=message(error), details=details)
        else:
            channel.send("done", job=job.id, **(told or {}))


def _telling(channel: Channel, job: str) -> Progress:
    return lambda done, total: channel.send("progress", job=job, done=done, total=total)


def message(error: Exception) -> str:
    """An exception as what is sent: ours are complete, others are named."""
    return str(error) if isinstance(error, ParityError) else f"{type(error).__name__}: {error}"


def stdin_lines() -> queue.Queue[str]:
    """Lines of standard input, read beside the work, so that the parent's death is noticed.

    Returns:
        Where they come in, without their ends. After ``quit`` none is read; at the end of input
        the process ends.
    """
    lines: queue.Queue[str] = queue.Queue()

    def read() -> None:
        for line in sys.stdin:
            lines.put(line.strip())
            if line.strip() == "quit":
                return
        _end()  # the parent is gone: nobody will read what this job makes

    threading.Thread(target=read, daemon=True).start()
    return lines


def _end() -> None:
    """End at once, with everything this process started where it leads a group of its own."""
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(3)
