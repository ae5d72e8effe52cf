"""What of the user's own code is being executed, in a process that serves a user's model."""

from __future__ import annotations

import functools
import itertools
import os
import sys
import sysconfig
from collections.abc import Callable, Iterator
from types import CodeType, FrameType
from typing import Any

from parity import checker
from parity.core.sites import Site

_CALLERS = os.path.dirname(os.path.abspath(checker.__file__))
OURS = os.path.dirname(_CALLERS)
"""Folder of this project."""
MadeAt = Callable[[Any], tuple[Site, ...]]
"""A layer → where it was made; nothing of what is no layer."""


@functools.cache
def _libraries() -> tuple[str, ...]:
    paths = {os.path.realpath(sysconfig.get_path(k)) for k in ("stdlib", "purelib", "platlib")}
    for name in ("torch", "keras"):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file:  # it may be installed elsewhere
            paths.add(os.path.dirname(os.path.dirname(os.path.realpath(file))))
    return tuple(paths | {sys.prefix, OURS})


@functools.lru_cache(maxsize=4096)
def is_users(path: str) -> bool:
    """Whether a file is neither a library's nor ours."""
    if path.startswith("<") or "__autograph_generated_file" in path:
        return False
    real = os.path.realpath(path)
    return not any(real.startswith(p + os.sep) for p in _libraries())


def frames() -> Iterator[FrameType]:
    """All that is being executed of the model, innermost first; what calls us is no part of it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename == __file__:
        frame = frame.f_back
    while frame is not None and not frame.f_code.co_filename.startswith(_CALLERS + os.sep):
        yield frame
        frame = frame.f_back


def user_sites(made_at: MadeAt) -> tuple[Site, ...]:
    """The user's expressions that are being executed, innermost first."""
    return tuple(
        site_of(frame, made_at) for frame in frames() if is_users(frame.f_code.co_filename)
    )


def site_of(frame: FrameType, made_at: MadeAt) -> Site:
    """The expression that a frame executes."""
    code = frame.f_code
    line, column, end_line, end_column = _position(code, frame.f_lasti)
    own = frame.f_locals.get("self") if code.co_varnames[:1] == ("self",) else None
    owner = () if own is None else made_at(own)
    return Site(os.path.realpath(code.co_filename), line, column, end_line, end_column, owner)


@functools.lru_cache(maxsize=4096)
def _position(code: CodeType, instruction: int) -> tuple[int, int, int, int]:
    """First and last line, and columns, of the expression that an instruction belongs to."""
    line, end_line, column, end_column = next(
        itertools.islice(code.co_positions(), instruction // 2, None)
    )
    line = line or code.co_firstlineno
    return line, column or 0, end_line or line, end_column or 0
