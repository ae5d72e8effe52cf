"""What was applied, in words and as a diff."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from parity.checker.apply.rounds import Attempt, Outcome
from parity.checker.result import wording


def diff(outcome: Outcome) -> str:
    """All changes as one unified diff, as ``git apply`` and ``patch -p1`` take it."""
    parts = []
    for path, text in outcome.texts.items():
        old = outcome.read[path].text.splitlines(keepends=True)
        name = _shown(path)
        for line in difflib.unified_diff(
            old, text.splitlines(keepends=True), f"a/{name}", f"b/{name}"
        ):
            parts.append(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n")
    return "".join(parts)


def plain(outcome: Outcome) -> str:
    """What there is to say: what was applied, what was not and why, and what is so with it."""
    return "\n".join(_lines(outcome))


def _lines(outcome: Outcome) -> Iterator[str]:
    for number, attempts in enumerate(outcome.attempts, 1):
        word = f"Round {number}: " if len(outcome.attempts) > 1 else ""
        for one in attempts:
            cause = one.cause
            names = cause.corrected[0] or cause.right[0] or cause.left[0]
            if one.applied:
                more = f", and of {', '.join(one.along)} by the same line" if one.along else ""
                yield f"{word}Applied: {cause.kind} of {names}{more}."
            else:
                yield f"{word}Not applied: {cause.kind} of {names}: {one.refused}."
    if outcome.error:
        yield f"With it the model does not run: {outcome.error}"
    elif outcome.texts:
        last = outcome.last
        yield f"With it: {wording.headline(last)}."
        if last.verdict != "agree" and last.first is not None:
            yield f"Next: {wording.divergence(last.first)}"
    else:
        yield "Nothing to apply."


def to_json(outcome: Outcome) -> dict[str, Any]:
    """``apply`` of the document of ``parity check --json``."""
    return {
        "rounds": [[_attempt(one) for one in attempts] for attempts in outcome.attempts],
        "diff": diff(outcome),
        "verdict": None if outcome.error or not outcome.texts else outcome.last.verdict,
        "error": outcome.error or None,
    }


def _attempt(one: Attempt) -> dict[str, Any]:
    return {
        "kind": one.cause.kind,
        "layer": one.cause.corrected[0],
        "applied": one.applied,
        "reason": one.refused or None,
    }


def _shown(path: str) -> str:
    file = Path(path).resolve()
    here = Path.cwd()
    return (file.relative_to(here) if file.is_relative_to(here) else file).as_posix().lstrip("/")
