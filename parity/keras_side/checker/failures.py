"""Errors of the user's code, said in the user's lines."""

from __future__ import annotations

import contextlib
import traceback

import tensorflow as tf

from parity.checker.graph.target import bare
from parity.checker.graph.user_sites import is_users
from parity.core.errors import ParityError

SHOWN = 3


def _bare(error):
    """What was said, without what Keras says around it."""
    text = bare(str(error.args[0] if isinstance(error, KeyError) and error.args else error))
    if text.startswith("Exception encountered when calling"):
        text = text.partition("\n\n")[2] or text
    return text.partition("\n\nArguments received by")[0].strip()


@contextlib.contextmanager
def naming_user_lines(what):
    """Turn whatever goes wrong into a `ParityError` that names the user's own lines."""
    try:
        yield
    except ParityError:
        raise
    except Exception as error:
        frames = [f for f in traceback.extract_tb(error.__traceback__) if is_users(f.filename)]
        lines = [f"  {f.filename}:{f.lineno}: {f.line}" for f in frames[-SHOWN:]]
        message = f"{what}: {type(error).__name__}: {_bare(error)}"
        if isinstance(error, MemoryError | tf.errors.ResourceExhaustedError):
            message = f"{what}: out of memory: {_bare(error)}. Take a smaller --input."
        if isinstance(error, KeyError):
            message += (
                f". If that is an input with another name here: --pair-input NAME={_bare(error)}"
            )
        raise ParityError("\n".join([message, *lines])) from error
