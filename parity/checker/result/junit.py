"""A check as JUnit XML, which every CI service shows as tests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.checker.result.remarks import local_title
from parity.core.sides import SIDES

_CONTROL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to say."""
_Outcome = Literal["passed", "failure", "error"]


@dataclass(frozen=True)
class _Case:
    """A test.

    Attributes:
        group: what it is of, a stage in words.
        name: what was compared.
        outcome: failure where it differs. Error where it could not be told: the command exits with
            2 then, and a test that is skipped would be green.
        message: why it does not pass, in a sentence.
    """

    group: str
    name: str
    outcome: _Outcome = "passed"
    message: str = ""


def junit(result: CheckResult) -> str:
    """The document: a suite with a test for every divergence and every quantity compared."""
    cases = list(_cases(result))
    if result.verdict != "agree" and all(case.outcome == "passed" for case in cases):
        outcome: _Outcome = "failure" if result.verdict == "differ" else "error"
        cases.append(_Case("verdict", "verdict", outcome, wording.headline(result)))
    count = Counter(case.outcome for case in cases)
    root = ElementTree.Element("testsuites")
    titles = " / ".join(local_title(result.titles[side]) for side in SIDES)
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        name=_said(f"parity check: {titles}"),
        tests=str(len(cases)),
        failures=str(count["failure"]),
        errors=str(count["error"]),
        skipped="0",
        time=f"{sum(result.seconds.values()):.2f}",
    )
    for case in cases:
        test = ElementTree.SubElement(
            suite, "testcase", classname=_said(f"parity.{case.group}"), name=_said(case.name)
        )
        if case.outcome != "passed":
            told = ElementTree.SubElement(test, case.outcome, message=_said(case.message))
            told.text = _said(case.message)
    ElementTree.SubElement(suite, "system-out").text = _said(wording.plain(result))
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, "unicode")}'


def _cases(result: CheckResult) -> Iterator[_Case]:
    words = wording.STAGE_WORDS
    parts: _Outcome = "error" if result.verdict == "undecided" else "failure"
    for one in result.divergences:
        yield _Case(words[one.stage], wording.place(one), parts, one.text)
    if all(one.stage != "activations" for one in result.divergences):
        yield _Case(words["activations"], f"{result.matched} pairs of operations")
    for part in result.parts:
        finding = part.finding
        if finding.agrees:
            yield _Case(words[part.stage], finding.key)
            continue
        why = wording.parted(finding, finding.key)
        told = finding.status in wording.NOT_TOLD
        yield _Case(words[part.stage], finding.key, "error" if told else "failure", why)


def _said(text: str) -> str:
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)
