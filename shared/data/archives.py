"""Read single files out of a .tar.gz, in one pass and without unpacking it to the disk."""

import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path

_LARGEST = 1 << 26


def read_members(archive: Path, names: Collection[str]) -> dict[str, bytes]:
    """Return the content of some members by name. Content beyond 64 MiB is left out.

    Args:
        archive: A .tar.gz file.
        names: The members' names, folders included.

    Raises:
        OSError: It cannot be read, is no .tar.gz, or has no such regular file.
        EOFError: It ends too early.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                wanted = member.name in names and member.isreg()
                content = tar.extractfile(member) if wanted else None
                if content:
                    found[member.name] = content.read(_LARGEST + 1)
                if len(found) == len(names):
                    break
    except (tarfile.TarError, zlib.error) as error:
        raise OSError(f"{archive.name} is no whole .tar.gz archive: {error}") from error
    absent = [name for name in names if name not in found]
    if absent:
        raise OSError(f"{archive.name} has no {', '.join(absent)}, or ends before it")
    return found
