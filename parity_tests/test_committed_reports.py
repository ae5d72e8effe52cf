"""What the committed reports say: everything agrees, on the full data, near the references.

They come from ``make report``, which takes an hour; the tests run everything else anew, at its
default size, and the headline on the full data. `parity report` may have written others in their
place, so they are read as they were committed.
"""

import dataclasses
import functools
import json
import subprocess
from pathlib import Path

import pytest

from parity.report import sources
from shared.examples import ALL

ROOT = Path(__file__).parents[1]
TRAINED = [spec for spec in ALL if spec.training]
REFERENCES = [
    pytest.param(spec, reference, id=f"{spec.name}-{reference.metric}")
    for spec in TRAINED
    for reference in spec.training.references
]


@functools.cache
def text(name):
    """A file of the reports at the last commit; as it lies there where this is no checkout."""
    shown = subprocess.run(
        ["git", "-C", str(ROOT), "show", f"HEAD:reports/{name}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return shown.stdout if shown.returncode == 0 else (ROOT / "reports" / name).read_text("utf-8")


def committed(spec):
    return json.loads(text(f"{spec.name}.json"))


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_every_page_agrees_on_every_rung(spec):
    page = committed(spec)
    assert page["verdict"] == "agree"
    assert page["pairs_not_run"] == []
    assert tuple(page["levels"]) == spec.pairs[0].levels
    assert {level["status"] for level in page["levels"].values()} <= {
        "identical",
        "rounding",
        "known",
    }


@pytest.mark.parametrize("spec", TRAINED, ids=lambda spec: spec.name)
def test_the_full_data_was_used(spec):
    wanted = dataclasses.asdict(spec.training.full)
    size = committed(spec)["size"]
    assert {name: size.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("spec", ALL, ids=lambda spec: spec.name)
def test_the_code_on_a_page_is_that_of_the_files(spec):
    page = text(f"{spec.name}.md")
    for row in (*sources.rows(spec.name), *sources.bridges(spec.name)):
        for code in (row.torch, row.keras):
            assert code in page, f"{row.name}: run parity report {spec.name}"


@pytest.mark.parametrize(("spec", "reference"), REFERENCES)
def test_both_sides_came_near_the_reference(spec, reference):
    for side in ("torch", "keras"):
        assert reference.holds(committed(spec)["metrics"][side][reference.metric])
