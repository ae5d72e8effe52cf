"""Whether a row still holds, and if not, what to say about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from parity.comparator.noise import Finding
from parity.core.text import short
from parity.recording.recording_file import Recording, Runs
from parity.spec.cases import Numbers
from parity.spec.difference import Difference, DifferenceSection
from parity.spec.expected import Array, matches, stated
from parity.verdict.judgement import PairVerdict

_TITLES = {"torch": "PyTorch", "keras": "Keras"}


@dataclass(frozen=True)
class JudgedDifference:
    """A row and what was found.

    Attributes:
        row: what is listed.
        mapped: the finding about the mapping; None where there is none.
        words: what no longer holds; empty where everything does.
    """

    row: Difference
    mapped: Finding | None
    words: str

    @property
    def holds(self) -> bool:
        """Everything is as listed."""
        return not self.words


def judge_differences(
    sections: Sequence[DifferenceSection], pair: PairVerdict, left: Runs, right: Runs
) -> dict[str, JudgedDifference]:
    """Every row of the listed differences, by name.

    Args:
        sections: the rows.
        pair: the verdict on the example that they are together.
        left, right: the recordings that it was made from.
    """
    findings = {finding.key: finding for finding in pair.findings}
    judged = {}
    for section in sections:
        file = f"shared/differences/{section.name}.py"
        for row in section.rows:
            given, mapped = findings.get(row.given), findings.get(row.mapped)
            words = [
                *(_side_words(row, runs, file) for runs in (left, right)),
                _given_words(row, given),
                _mapping_words(row, mapped),
            ]
            told = " ".join(filter(None, words))
            judged[row.name] = JudgedDifference(row, mapped, f"{row.name}: {told}" if told else "")
    return judged


def _side_words(row: Difference, runs: Runs, file: str) -> str:
    """A side gives something else than what is listed for it."""
    listed = row.torch if runs.side == "torch" else row.keras
    title = _TITLES.get(runs.side, runs.title)
    found = {have: None for r in runs.present for have in _unlike(r, row.given, listed)}
    if not found:
        return ""
    return (
        f"{title} gives {' and '.join(found)}, listed {_text(listed)}: {row.topic}. Its release "
        f"notes say why; update the row in {file}."
    )


def _text(value: Array | Numbers) -> str:
    """An array, or what is listed, on one line."""
    if isinstance(value, tuple):
        return stated(value)
    if isinstance(value, np.ndarray):
        return short(value) if value.ndim else str(value.item())
    return str(value)


def _unlike(recording: Recording, key: str, listed: Numbers) -> Iterator[str]:
    """What a recording has in place of what is listed, if it is something else."""
    if key in recording:
        if not matches(recording[key], listed):
            yield _text(recording[key])
    elif key not in recording.header.facts:
        yield "nothing"
    elif recording.header.facts[key] != str(listed):
        yield recording.header.facts[key]


def _given_words(row: Difference, given: Finding | None) -> str:
    """Each side is what is listed, but the two are not equal to rounding."""
    if not row.equal or given is None or given.agrees or given.status == "wrong":
        return ""
    return f"the sides are listed as equal, but give {given.left} and {given.right}: {row.topic}."


def _mapping_words(row: Difference, mapped: Finding | None) -> str:
    """The mapping does not make the sides equal, or is measured and not listed, or not measured."""
    if not row.mapping:
        return "a mapping is measured, but the row names none." if mapped else ""
    if mapped is None:
        return f"its mapping ({row.mapping}) is not measured."
    if mapped.agrees:
        return ""
    if mapped.status in ("missing", "extra"):
        return f"its mapping ({row.mapping}) is not measured by {' and '.join(mapped.sides)}."
    far = f", {mapped.ratio:.2g} × the bound" if mapped.ratio is not None else ""
    return (
        f"with its mapping ({row.mapping}) PyTorch gives {mapped.left} and Keras {mapped.right}"
        f"{far}: it does not make them equal."
    )
