"""A check as annotations of GitHub Actions: workflow commands, one a line."""

from __future__ import annotations

from parity.checker.result import wording
from parity.checker.result.check_result import CheckResult
from parity.checker.result.remarks import Remark, remarks

_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def workflow_commands(result: CheckResult) -> str:
    """Every cause at its line, behind the verdict if that is no agreement.

    Source: docs.github.com, workflow commands: setting an error message.
    """
    lines = [_annotation(remark) for remark in remarks(result)]
    if result.verdict != "agree":
        lines.insert(0, f"::error title=parity::{_data(wording.headline(result))}")
    return "\n".join(lines)


def _annotation(remark: Remark) -> str:
    properties = {"title": f"parity: {remark.kind}: {remark.layer}"}
    if remark.places:
        place = remark.places[0]
        properties = {"file": place.file.as_posix(), "line": str(place.line), **properties}
    text = f"{remark.text}\nwrite: {remark.fix}" if remark.fix else remark.text
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{_COMMANDS[remark.level]} {said}::{_data(text)}"


def _data(text: str) -> str:
    """A message as a workflow command has it. Source: actions/toolkit, `escapeData`."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A property of it, which ends at a comma or a colon. Source: `escapeProperty`."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
