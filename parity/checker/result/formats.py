"""The forms in which a check is written for machines, by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from parity.checker.result.annotations import workflow_commands
from parity.checker.result.check_result import CheckResult, to_json
from parity.checker.result.junit import junit
from parity.checker.result.sarif import sarif
from parity.core.json_format import JSON_FORMAT


def _json(result: CheckResult) -> str:
    return _document({"format": JSON_FORMAT, **to_json(result)})


def _sarif(result: CheckResult) -> str:
    return _document(sarif(result))


def _document(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, allow_nan=False)


FORMATS: dict[str, Callable[[CheckResult], str]] = {
    "json": _json,
    "junit": junit,
    "sarif": _sarif,
    "github": workflow_commands,
}
"""Name → what writes it; ``text`` is the screen's, `wording.screen`."""
