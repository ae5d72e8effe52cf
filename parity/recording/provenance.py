"""Where a recording comes from: source fingerprint, commit, platform; said, never compared."""

from __future__ import annotations

import ast
import functools
import hashlib
import io
import platform
import subprocess
import tokenize
from pathlib import Path

import numpy as np

from parity.core.sides import BACKENDS, LESSON_PACKAGES, SIDE_PACKAGES, Side

ROOT = Path(__file__).resolve().parents[2]
_SIDE_CODE = (
    "adapter.py",
    "named_weights.py",
    "layers.py",
    "optimizers.py",
    "program.py",
    "fast_path.py",
    "rewriting.py",
)
_BACKEND_CODE = ("backends/adapter.py", "backends/program.py", "backends/undone.py")
_RECORDING_CODE = (
    "parity/core/axis_layouts.py",
    "parity/core/recording_keys.py",
    "parity/recording/mapped_arrays.py",
    "parity/recording/thinning.py",
    "parity/recording/recording_file.py",
    "parity/spec/example.py",
    "parity/spec/expected.py",
    "parity/spec/suite.py",
    "shared/initial_weights.py",
    "shared/suite.py",
)


def twin_files(side: Side, example: str) -> tuple[Path, ...]:
    """What an example is on one side: a file, or all files of a folder."""
    folder = ROOT / LESSON_PACKAGES[side] / example
    return tuple(sorted(folder.glob("*.py"))) if folder.is_dir() else (folder.with_suffix(".py"),)


@functools.cache
def code_digest(side: Side, example: str) -> str:
    """Fingerprint of all source code that can change what this side records of this example."""
    package = ROOT / SIDE_PACKAGES[side].replace(".", "/")
    names = (*_SIDE_CODE, *_BACKEND_CODE) if side in BACKENDS.values() else _SIDE_CODE
    files = [
        *(file for name in names if (file := package / name).is_file()),
        *twin_files(side, example),
        *_spec_files(example),
        *(ROOT / name for name in _RECORDING_CODE),
        *sorted((ROOT / "parity" / "training").glob("*.py")),
        *sorted((ROOT / "shared" / "data").glob("*.py")),
        *sorted((ROOT / "shared" / "data" / "pretrained").glob("*.safetensors")),
    ]
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(ROOT).as_posix()}\0".encode())
        content = file.read_bytes()
        digest.update(program(content) if file.suffix == ".py" else content)
    return digest.hexdigest()[:16]


@functools.cache
def program(source: bytes) -> bytes:
    """What of a Python file can change a number: neither comments nor docstrings nor empty lines.

    Cut by position and not unparsed, so that every release of Python gives the same.
    """
    lines = source.decode().splitlines()
    for token in tokenize.tokenize(io.BytesIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            for row in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[row] = ""
    return "\n".join(filter(None, (line.rstrip() for line in lines))).encode()


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
