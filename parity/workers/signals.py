"""Signals that end a program, as the one exception that cleans up."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_DEFAULTS = (signal.SIG_DFL, signal.default_int_handler)


@contextlib.contextmanager
def signals_as_interrupt() -> Iterator[None]:
    """Within it, SIGTERM and SIGHUP raise `KeyboardInterrupt`, as SIGINT does: all is cleaned up.

    Signals that follow the first are ignored, so that they do not interrupt the cleaning up. One
    that is not handled in the default way stays as it is: SIGHUP under ``nohup``, SIGINT in the
    background of a shell, an enclosing use of this. Outside the main thread nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {n: old for n in _SIGNALS if (old := signal.getsignal(n)) in _DEFAULTS}
    for number in before:
        signal.signal(number, _interrupt)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _interrupt(number: int, frame: object) -> None:
    for each in _SIGNALS:
        if signal.getsignal(each) is _interrupt:
            signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt
