"""The changed texts put in place of the user's files: whole, or not at all."""

from __future__ import annotations

import io
import os
import shutil
import tempfile
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from parity.core.errors import UsageError

_LIBRARIES = frozenset(("site-packages", "dist-packages"))


@dataclass(frozen=True)
class ReadFile:
    """A source file as it was read.

    Attributes:
        raw: its bytes.
        text: these, as its coding line says, with its line ends.
        coding: that coding.
    """

    raw: bytes
    text: str
    coding: str

    @classmethod
    def of(cls, path: str) -> ReadFile:
        """Read it."""
        raw = Path(path).read_bytes()
        coding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return cls(raw, raw.decode(coding), coding)


def write(texts: Mapping[str, str], read: Mapping[str, ReadFile]) -> Sequence[Path]:
    """Write changed texts into their files, each whole, and with the mode that it has.

    Args:
        texts: file → text.
        read: file → what it held when it was checked.

    Returns:
        The files.

    Raises:
        UsageError: a file has changed since, lies in a library or may not be written. None is
            written then.
    """
    paths = {name: Path(name).resolve() for name in texts}
    for name, path in paths.items():
        if _LIBRARIES & set(path.parts):
            raise UsageError(f"{path} is a library's. Change a copy of it in your own code.")
        if not path.is_file() or path.read_bytes() != read[name].raw:
            raise UsageError(f"{path} has changed since it was checked. Nothing is written: again.")
        if not os.access(path, os.W_OK) or not os.access(path.parent, os.W_OK):
            raise UsageError(f"{path} may not be written. Nothing is.")
    beside = {}
    try:
        for name, path in paths.items():
            handle, temporary = tempfile.mkstemp(prefix=".", suffix=path.suffix, dir=path.parent)
            beside[temporary] = path
            with os.fdopen(handle, "wb") as file:
                file.write(texts[name].encode(read[name].coding))
            shutil.copymode(path, temporary)
        for temporary, path in beside.items():
            os.replace(temporary, path)
    finally:
        for temporary in beside:
            Path(temporary).unlink(missing_ok=True)
    return list(paths.values())
