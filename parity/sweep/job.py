"""What one job of a sweep is, and its fingerprint."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import Any

from parity.core.errors import WorkerError
from parity.core.sides import SIDE_PACKAGES, TITLES, Side
from parity.recording.provenance import ROOT, code_digest, program
from parity.spec.example import Size

DISTRIBUTIONS: dict[Side, tuple[str, ...]] = {
    "torch": ("torch", "numpy"),
    "keras": ("keras", "tensorflow", "numpy"),
}
"""Distributions whose version can change what a training gives."""
_TRAINING_CODE = (
    "core/classification.py",
    "native/defaults.py",
    "native/settings.py",
    "native/running.py",
    "native/summary.py",
)
_ASK = (
    "import json, platform, sys\n"
    "from importlib import metadata\n"
    "found = {name: metadata.version(name) for name in sys.argv[1:]}\n"
    "print(json.dumps(found | {'python': platform.python_version()}))"
)


@dataclass(frozen=True)
class SweepJob:
    """One training, small enough to be repeated, independent of all others.

    Attributes:
        example: name of the example.
        pair: whose settings.
        side: which framework.
        setting: ``native``, ``matched``, or a step between.
        seed: of everything random.
        size: how much of the data, how long.
        threads: CPU threads it computes with; sums are split by them, so bits depend on it.
    """

    example: str
    pair: str
    side: Side
    setting: str
    seed: int
    size: Size
    threads: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> SweepJob:
        """Read what `to_dict` wrote."""
        return cls(**{**fields, "size": Size(**fields["size"])})

    @property
    def words(self) -> str:
        """For people."""
        return f"{self.example}, {TITLES[self.side]}, {self.setting}, seed {self.seed}"


@dataclass(frozen=True)
class Task:
    """A job, and what it must be done with.

    Attributes:
        job: what to train.
        code: fingerprint of the sources.
        versions: of Python and the libraries.
    """

    job: SweepJob
    code: str
    versions: Mapping[str, str]

    @property
    def digest(self) -> str:
        """Names the result: the same job by the same programs has the same."""
        text = json.dumps(self.to_dict(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {"job": self.job.to_dict(), "code": self.code, "versions": dict(self.versions)}

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Task:
        """Read what `to_dict` wrote."""
        return cls(SweepJob.from_dict(fields["job"]), fields["code"], fields["versions"])

    def mismatch(self, code: str, versions: Mapping[str, str]) -> str:
        """How the place where the job has come to differs from what it asks for; empty if not."""
        for name, version in self.versions.items():
            if versions.get(name) != version:
                return f"{name} is {versions.get(name, 'missing')}, expected {version}"
        return "" if code == self.code else "its sources are others than those of the sweep"


@functools.cache
def code(side: Side, example: str) -> str:
    """Fingerprint of every source file that can change what a training gives."""
    digest = hashlib.sha256(code_digest(side, example).encode())
    own = f"{SIDE_PACKAGES[side].partition('.')[2]}/native.py"
    for name in (*_TRAINING_CODE, own):
        file = ROOT / "parity" / name
        digest.update(f"{name}\0".encode())
        digest.update(program(file.read_bytes()) if file.is_file() else b"")
    return digest.hexdigest()[:16]


def own_versions(side: Side) -> dict[str, str]:
    """Versions that this interpreter has installed; what is missing is left out."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS[side]:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def _versions_of(side: Side, python: str) -> str:
    command = [python, "-c", _ASK, *DISTRIBUTIONS[side]]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise WorkerError(
            f"{TITLES[side]}: {python} is no Python that has {', '.join(DISTRIBUTIONS[side])}. "
            f"Install them there, or name another interpreter: --{side}-python PATH"
        ) from error
    return done.stdout


def versions(side: Side, python: str = "") -> dict[str, str]:
    """Versions that an interpreter has, without importing anything of it.

    Raises:
        WorkerError: it does not start, or a library is missing.
    """
    found = own_versions(side)
    if python in ("", sys.executable) and len(found) == 1 + len(DISTRIBUTIONS[side]):
        return found
    told: dict[str, str] = json.loads(_versions_of(side, python or sys.executable))
    return told
