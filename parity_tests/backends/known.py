"""What is known: findings in ``known.toml``, and in ``causes.toml`` what is behind them.

A finding is a call and how the backends part in it; `fuzz` writes them. A cause is written by hand:
which findings are its, and, if it is a fault of Keras, a program that shows it and what is right.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from parity_tests.backends.judge import among

FOLDER = Path(__file__).parent
FINDINGS, CAUSES, REACHED = (
    FOLDER / name for name in ("known.toml", "causes.toml", "reached.json")
)


@dataclass(frozen=True, order=True)
class Finding:
    """One way in which the backends part in one function.

    Attributes:
        function: ``ops.conv``, ``layers.Dense``.
        kind, apart: as `judge.Parting` has them.
        call: the smallest that shows it.
        words: what was raised, where something was.
    """

    function: str
    kind: str
    apart: str
    call: str
    words: str = ""

    def key(self, backends: Sequence[str]) -> tuple[str, str, str] | None:
        """Function, kind and who parts, of some backends alone; None where these agree."""
        apart = among(self.kind, self.apart, backends)
        return (self.function, self.kind, apart) if apart else None


@dataclass(frozen=True)
class Cause:
    """What is behind some findings.

    Attributes:
        name: a short word.
        title: one sentence.
        covers: patterns of findings, ``function kind`` or ``function kind: who parts``.
        why: what happens, and where.
        program: shows it; at most ten lines. Empty if it is no fault of Keras.
        right: what the program must print.
        by: who says what is right: the documentation, NumPy.
        wrong: the backends that print something else.
        upstream: where it is told, and the state it is in there; empty if it was not found.
    """

    name: str
    title: str
    covers: tuple[str, ...]
    why: str
    program: str = ""
    right: str = ""
    by: str = ""
    wrong: tuple[str, ...] = ()
    upstream: str = ""

    def has(self, finding: Finding) -> bool:
        """Whether a finding is one of its own."""
        told = f"{finding.function} {finding.kind}: {finding.apart}"
        return any(fnmatchcase(told, f"{p}*" if ": " in p else f"{p}: *") for p in self.covers)


def findings() -> list[Finding]:
    """Those that are known, in the order of their names."""
    if not FINDINGS.exists():
        return []
    told = tomllib.loads(FINDINGS.read_text())
    return [Finding(**each) for each in told.get("finding", [])]


def causes() -> list[Cause]:
    """All of them, as they are written."""
    return [
        Cause(**{k: tuple(v) if isinstance(v, list) else v for k, v in told.items()})
        for told in tomllib.loads(CAUSES.read_text())["cause"]
    ]


def cause_of(finding: Finding, among_these: Iterable[Cause]) -> Cause | None:
    """The first cause that has it."""
    return next((cause for cause in among_these if cause.has(finding)), None)


def reached() -> dict[str, dict[str, Any]]:
    """Function → what the last run of the fuzzer reached of it."""
    return json.loads(REACHED.read_text()) if REACHED.exists() else {}


def write(function: str, found: Sequence[Finding], told: dict[str, Any]) -> None:
    """Write what was found of a function, and what was reached, in place of what was there."""
    kept = [f for f in findings() if f.function != function]
    parts = ["# Written by `python -m parity_tests.backends.fuzz`; what is behind: causes.toml.\n"]
    for finding in sorted([*kept, *found]):
        named = {f.name: getattr(finding, f.name) for f in fields(finding)}
        lines = [f"{n} = {json.dumps(v, ensure_ascii=False)}" for n, v in named.items() if v]
        parts.append("\n".join(["[[finding]]", *lines]) + "\n")
    FINDINGS.write_text("\n".join(parts))
    every = dict(sorted((reached() | {function: told}).items()))
    rows = ",\n".join(f"{json.dumps(n)}: {json.dumps(row)}" for n, row in every.items())
    REACHED.write_text(f"{{\n{rows}\n}}\n")
