"""Rows of the tables: the ladder, values by case, known differences, environment."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import textwrap
from typing import Any

from parity.comparator.noise import C, Finding
from parity.core.recording_keys import LEVEL_TITLES
from parity.recording.recording_file import Recording, Runs
from parity.report import sources
from parity.report.classes import interval, metrics
from parity.report.formatting import (
    MARKS,
    NONE,
    array,
    code,
    fraction,
    number,
    ratio,
    spec_numbers,
    told_apart,
)
from parity.report.result import SHORT, ReportInput
from parity.spec.cases import Case
from parity.spec.example import ExampleSpec
from parity.spec.suite import Suite
from parity.verdict.judgement import Level, PairVerdict, expected_of
from parity.verdict.wording import STATUS_WORDS

_LAST = ("commit", "source fingerprint")
_IN_A_LINE = 32
"""Characters of a value that still reads well in a sentence."""


def ladder(pair: PairVerdict) -> list[dict[str, str]]:
    """One row a rung, causes first."""
    findings = {f.key: f for f in pair.findings}
    return [_rung(pair, name, level, findings) for name, level in pair.levels.items()]


def _rung(
    pair: PairVerdict, name: str, level: Level, findings: dict[str, Finding]
) -> dict[str, str]:
    worst = findings.get(level.worst_key)
    failing = [f for f in pair.findings if f.level == name and not f.agrees]
    proven = worst is not None and worst.rule in ("numbers", "equation")
    calm = level.status == "identical" or level.worst_ratio is None
    return {
        "level": name,
        "title": LEVEL_TITLES[name],
        "mark": MARKS[level.status],
        "status": _status(level, failing),
        "keys": f"{level.keys:,}" + (f", {len(failing):,} differ" if failing else ""),
        "worst": NONE if calm or not level.worst_ratio else f"`{level.worst_key}`",
        "ratio": NONE if calm else ratio(level.worst_ratio),
        "C": NONE if calm or not proven else number((level.worst_ratio or 0.0) * C, 3),
    }


def _status(level: Level, failing: list[Finding]) -> str:
    if level.status == "known":
        return "equal, except for listed differences"
    if level.status == "different" and not any(f.guilty for f in failing):
        return "different, in consequence"
    if level.status == "undecided" and not level.keys:
        return "nothing recorded"
    return STATUS_WORDS[level.status]


def value_cases(suite: Suite, result: ReportInput) -> list[dict[str, Any]]:
    """Per case: its function on both sides, what goes in, and every number that comes out."""
    pair, left, right = result.headline()
    functions = {row.name: row for row in sources.rows(result.spec.name)}
    cases = []
    for case in result.spec.cases:
        prefix = f"values/{case.name}/"
        found = [f for f in pair.findings if f.key.startswith(prefix)]
        expected = expected_of(case, suite.load)
        cases.append(
            {
                "name": case.name,
                "row": functions.get(case.name),
                "inputs": _given(case),
                "reference": _reference(case),
                "values": [
                    _value(f, f.key.removeprefix(prefix), expected, left, right)
                    for f in sorted(found, key=lambda f: _place(f, left))
                ],
            }
        )
    return cases


def _given(case: Case) -> str:
    """What goes in, on one line."""
    numbers = (f"{k} = {spec_numbers(v)}" for k, v in (case.inputs | case.integers).items())
    some = case.samples
    real = [f"images, labels = the first {some.count} of {some.dataset}"] if some else []
    return ", ".join([*real, *numbers])


def _reference(case: Case) -> str:
    """Source of the NumPy function that says what both sides must give, or of its witnesses."""
    if case.witness:
        return sources.witnesses(case.witness)
    function = case.reference
    while isinstance(function, functools.partial):
        function = function.func
    if function is None or function.__name__ == "<lambda>":
        return ""  # a fragment of the spec, which says nothing by itself
    return textwrap.dedent(inspect.getsource(function)).strip()


def _place(finding: Finding, runs: Runs) -> int:
    """Where a key stands in the order of recording; facts come last, as they are found."""
    keys = runs.present[-1].keys()
    return keys.index(finding.key) if finding.key in keys else len(keys)


def _value(
    finding: Finding, name: str, expected: dict[str, Any], left: Runs, right: Runs
) -> dict[str, str]:
    wanted, one, other = expected.get(name), shown(left, finding.key), shown(right, finding.key)
    stated = "" if wanted is None else spec_numbers(wanted)
    if str(wanted) == one:  # a fact such as a tuple of words, written as Python writes it
        stated = one
    equal = finding.agrees and finding.status != "known" and one == other
    return {
        "name": name,
        "expected": stated,
        "left": one,
        "right": other,
        "once": "yes" if equal and stated in ("", one) else "",
        "mark": MARKS["known"] if finding.status == "known" else ("✓" if finding.agrees else "✗"),
        "status": STATUS_WORDS[finding.status]
        + (f" ({ratio(finding.ratio)} of the bound)" if finding.status == "rounding" else ""),
        "notable": "" if finding.agrees and finding.status != "known" else "yes",
    }


def shown(runs: Runs, key: str) -> str:
    """What a side recorded, in its highest precision; facts as they are."""
    recording = runs.present[-1]
    if key in recording:
        return array(recording[key])
    return recording.header.facts.get(key, "not recorded")


def known(spec: ExampleSpec, pair: PairVerdict) -> list[dict[str, str]]:
    """Listed differences with what was listed, and whether they hold."""
    findings = {f.key: f for f in pair.findings}
    rows = []
    for listed in spec.known:
        finding = findings.get(listed.key)
        holds = finding is not None and finding.status == "known"
        torch, keras = told_apart(listed.torch, listed.keras)
        short = max(len(torch), len(keras)) <= _IN_A_LINE
        rows.append(
            {
                "key": listed.key.removeprefix("values/"),
                "torch": torch if short else "",  # it stands in the table of its function
                "keras": keras if short else "",
                "reason": f"{listed.reason[0].upper()}{listed.reason[1:]}",
                "link": listed.link,
                "status": "≈ as listed"
                if holds
                else "✗ no longer as listed"
                if finding
                else "not run",
            }
        )
    return rows


def pairs_table(result: ReportInput) -> list[dict[str, str]]:
    """Test accuracy of both sides of every pair that must agree, with how much it was taught."""
    rows = []
    for pair in (p for p in result.verdict.pairs if not p.pair.differs_at):
        sides = [runs.float64 or runs.present[0] for runs in result.sides(pair.pair)]
        values = [metrics(side).get("test_accuracy") for side in sides]
        images = len(sides[0]["predictions/test"]) if "predictions/test" in sides[0] else 0
        low, high = interval(values[0], images) if values[0] is not None and images else (0, 0)
        rows.append(
            {
                "title": pair.pair.title,
                "steps": f"{pair.last_step:,}" if pair.last_step else NONE,
                "left": fraction(values[0]),
                "right": fraction(values[1]),
                "interval": f"{low:.4f} – {high:.4f}" if images else NONE,
                "verdict": pair.verdict,
            }
        )
    return rows


def environment(result: ReportInput) -> dict[str, Any]:
    """Versions and settings of both sides, a word where a side's recordings disagree, and the
    command that makes the page again."""
    stand = result.by_side()
    facts = {side: _facts(recording) for side, recording in stand.items()}
    headers = [recording.header for recording in stand.values()]
    versions = [name for header in headers for name in sorted(header.versions)]
    settings = [name for some in facts.values() for name in some if name not in _LAST]
    names = [*dict.fromkeys([*versions, *settings]), *_LAST]
    rows = [(name, [facts[s].get(name, "") for s in facts]) for name in names]
    return {
        "titles": [SHORT.get(s, s) for s in facts],
        "rows": [(name, [code(v) or NONE for v in values]) for name, values in rows],
        "mixed": _mixed(result, stand),
        "again": f"parity report {result.spec.name}{_full(result, stand)}",
    }


def _full(result: ReportInput, stand: dict[str, Recording]) -> str:
    """The option that a page on the whole data needs; empty where both sizes are one."""
    training = result.spec.training
    if training is None or training.full == training.default or not stand:
        return ""
    size = next(iter(stand.values())).header.size
    wanted = dataclasses.asdict(training.full)
    return " --full" if {name: size.get(name) for name in wanted} == wanted else ""


def _facts(recording: Recording) -> dict[str, str]:
    header = recording.header
    plain = {k: v for k, v in header.environment.items() if k != "commit"}
    commit = header.environment.get("commit", "")
    return {**header.versions, **plain, **dict(zip(_LAST, (commit, header.code), strict=True))}


def _mixed(result: ReportInput, stand: dict[str, Recording]) -> list[str]:
    """Ways whose recordings were made with something else than the side's first."""
    other = []
    for way, runs in result.runs.items():
        for recording in (*runs.present, runs.nudged):
            first = stand.get(way.partition("/")[0])
            if first is not None and recording is not None and _facts(recording) != _facts(first):
                other.append(way)
                break
    return other
