"""The JSON twin of a page: strict JSON, and all that the index needs to know of an example."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from parity.core.json_format import JSON_FORMAT, READABLE_JSON
from parity.core.sides import LESSON_PACKAGES, SIDES
from parity.recording import provenance
from parity.report import classes
from parity.report.result import SHORT, ReportInput, side_names
from parity.spec.example import ExampleSpec
from parity.verdict.judgement import example_json


def document(result: ReportInput) -> dict[str, Any]:
    """All that a page says, as one JSON document; seconds are here and not on the page."""
    spec = result.spec
    pair, left, right = result.headline()
    sides = [
        {
            "name": name,
            "way": way,
            "metrics": {
                precision: classes.metrics(getattr(runs, precision))
                for precision in ("float32", "float64")
                if getattr(runs, precision) is not None
            },
        }
        for name, way, runs in zip(
            side_names(spec, pair.pair),
            (pair.pair.left, pair.pair.right),
            (left, right),
            strict=True,
        )
    ]
    verdict = example_json(result.verdict)
    if pair.first is not None:
        verdict["first_divergence"]["level"] = pair.first.level
    return {
        "format": JSON_FORMAT,
        **verdict,
        "title": spec.title,
        "part": spec.part,
        "data": result.data,
        "size": next((dict(r.header.size) for r in result.by_side().values()), {}),
        "sides": sides,
        "agreement": {p: {"same": same, "of": of} for p, (same, of) in pair.agreement.items()},
        "known": [f.key for f in pair.findings if f.status == "known"],
        "pairs_not_run": not_run(result),
        "versions": {s: dict(r.header.versions) for s, r in result.by_side().items()},
        "environment": {s: dict(r.header.environment) for s, r in result.by_side().items()},
        "code": {s: r.header.code for s, r in result.by_side().items()},
        "seconds": verdict["seconds"] or seconds(result),
    }


def not_run(result: ReportInput) -> list[str]:
    """Titles of the pairs that the example has and the verdict does not judge."""
    judged = {pair.pair.name for pair in result.verdict.pairs}
    return [pair.title for pair in result.spec.pairs if pair.name not in judged]


def seconds(result: ReportInput) -> dict[str, float]:
    """How long every recording took: ``torch/loop/float32`` → seconds."""
    times = {}
    for way, runs in result.runs.items():
        for recording in (*runs.present, runs.nudged):
            if recording is not None and "seconds" in recording.header.timings:
                nudged = "-nudged" if recording.header.nudged else ""
                key = f"{way}/{recording.header.precision}{nudged}"
                times[key] = round(recording.header.timings["seconds"], 3)
    return times


def strict(value: Any) -> Any:
    """The same document without NaN (null) and infinities (text), NumPy numbers made plain."""
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    if isinstance(value, np.generic):
        return strict(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def to_text(value: Any) -> str:
    """Strict JSON with a line end."""
    return json.dumps(strict(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def read(path: Path, spec: ExampleSpec) -> dict[str, Any] | None:
    """A twin written earlier; None where there is none that this version can read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    fits = (
        isinstance(found, dict)
        and found.get("format") in READABLE_JSON
        and found.get("example") == spec.name
        and {"verdict", "levels", "sides", "versions", "environment", "code"} <= found.keys()
    )
    return found if fits else None


def made_with(found: Mapping[str, Any]) -> str:
    """When and with what a twin's recordings were made, as far as they say."""
    versions = found["versions"]
    parts = [
        f"{SHORT[side]} {versions[side][name]}"
        for side, name in (("torch", "torch"), ("keras", "keras"))
        if name in versions.get(side, {})
    ]
    commits = {found["environment"].get(side, {}).get("commit", "") for side in SIDES} - {""}
    return ", ".join([*parts, *(f"commit {commit}" for commit in sorted(commits))])


def sources_changed(found: Mapping[str, Any], spec: ExampleSpec) -> bool:
    """Whether files that could change the recordings have changed since."""
    for side in SIDES:
        twin = provenance.ROOT / LESSON_PACKAGES[side] / f"{spec.name}.py"
        told = found["code"].get(side, "")
        if told and twin.is_file() and told != provenance.code_digest(side, spec.name):
            return True
    return False
