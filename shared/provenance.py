"""Where a recording comes from: source fingerprint, commit, platform; said, never compared."""

from __future__ import annotations

import functools
import hashlib
import platform
import subprocess
from pathlib import Path

import numpy as np

from shared.spec import PACKAGES, Side

ROOT = Path(__file__).resolve().parent.parent
_RECORDING_CODE = (
    "spec.py", "names.py", "initial.py", "layouts.py", "recording.py", "tensors.py", "making.py",
    "feeding.py", "given.py", "jobs.py", "nudge.py", "suite.py", "suite_spec.py",
)  # fmt: skip


def twin_files(side: Side, example: str) -> tuple[Path, ...]:
    """What an example is on one side: a file, or all files of a folder."""
    folder = ROOT / PACKAGES[side] / example
    return tuple(sorted(folder.glob("*.py"))) if folder.is_dir() else (folder.with_suffix(".py"),)


@functools.cache
def code_digest(side: Side, example: str) -> str:
    """Fingerprint of every source file that can change what this side records of this example."""
    package = ROOT / PACKAGES[side]
    files = [
        *sorted(package.glob("_*.py")),
        *twin_files(side, example),
        *_spec_files(example),
        *(ROOT / "shared" / name for name in _RECORDING_CODE),
        *sorted((ROOT / "shared" / "data").glob("*.py")),
        *sorted((ROOT / "shared" / "data" / "pretrained").glob("*.safetensors")),
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(ROOT).as_posix()}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _spec_files(example: str) -> tuple[Path, ...]:
    folder = ROOT / "shared" / example
    own = ROOT / "shared" / "examples" / f"{example}.py"
    return tuple(sorted(folder.glob("*.py"))) if not own.is_file() else (own,)


@functools.cache
def commit() -> str:
    """The commit of this checkout, with ``+`` behind it when files differ; empty when unknown."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def platform_facts() -> dict[str, str]:
    """Machine and interpreter, for the header."""
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "commit": commit(),
    }


def base_versions() -> dict[str, str]:
    """Versions of Python and NumPy."""
    return {"python": platform.python_version(), "numpy": np.__version__}
