"""A check as SARIF 2.1.0, which code scanning and editors read.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.checker.result.remarks import Place, Remark, remarks
from parity.diagnosis.causes import KINDS

_RULES = {kind: number for number, kind in enumerate(KINDS)}


def sarif(result: CheckResult) -> dict[str, Any]:
    """The document: a rule for each kind of cause, a result for each cause.

    What could not be told is no result, but a notification of a run that did not succeed.
    """
    invocation: dict[str, Any] = {"executionSuccessful": result.verdict != "undecided"}
    if result.verdict == "undecided":
        said = {"level": "error", "message": {"text": wording.headline(result)}}
        invocation["toolExecutionNotifications"] = [said]
    rules = [{"id": kind, "shortDescription": {"text": text}} for kind, text in KINDS.items()]
    return {
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "parity check", "rules": rules}},
                "invocations": [invocation],
                "results": [_result(remark) for remark in remarks(result)],
            }
        ],
    }


def _result(remark: Remark) -> dict[str, Any]:
    text = f"{remark.text}\n\nwrite: {remark.fix}" if remark.fix else remark.text
    found: dict[str, Any] = {
        "ruleId": remark.kind,
        "ruleIndex": _RULES[remark.kind],
        "level": remark.level,
        "message": {"text": text},
        "partialFingerprints": {"layer/v1": _fingerprint(remark)},
    }
    first, *further = [_location(place) for place in remark.places] or [{}]
    if remark.layer:
        first["logicalLocations"] = [{"fullyQualifiedName": remark.layer}]
    if first:
        found["locations"] = [first]
    if further:
        found["relatedLocations"] = further
    return found


def _location(place: Place) -> dict[str, Any]:
    if place.file.is_absolute():
        artifact = {"uri": place.file.as_uri()}
    else:
        artifact = {"uri": quote(place.file.as_posix()), "uriBaseId": "%SRCROOT%"}
    return {"physicalLocation": {"artifactLocation": artifact, "region": {"startLine": place.line}}}


def _fingerprint(remark: Remark) -> str:
    """The same for one cause at one layer, whatever its numbers and its line."""
    return hashlib.sha256(f"{remark.kind}\0{remark.layer}".encode()).hexdigest()[:32]
