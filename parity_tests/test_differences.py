"""The known differences: every row measured on both sides, and rows that no longer hold say so."""

import ast
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.core.errors import UsageError
from parity.core.sides import LESSON_PACKAGES, SIDES
from parity.recording import recording_file
from parity.report import ReportInput, write
from parity.report.differences import page
from parity.report.formatting import squeezed
from parity.run import pipeline
from parity.spec.difference import NoWay
from parity.spec.expected import matches, numbers
from parity.verdict import judgement
from parity.verdict.known_differences import judge_differences
from shared.differences import DIFFERENCES, ROWS, SECTIONS
from shared.suite import SUITE

ROOT = Path(__file__).parents[1]
NAMES = [row.name for row in ROWS]


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """Both sides, both precisions, one process a side."""
    folder = tmp_path_factory.mktemp("differences")
    outcome = pipeline.run_examples(pipeline.RunRequest(SUITE, (DIFFERENCES,), folder))
    assert not outcome.failures, outcome.failures
    return outcome


@pytest.fixture(scope="module")
def judged(measured):
    return rejudged(measured.runs["differences"])


def rejudged(runs, sections=SECTIONS):
    pair = DIFFERENCES.pairs[0]
    left, right = runs[pair.left], runs[pair.right]
    found = judgement.judge_pair(
        pair, left, right, judgement.question(DIFFERENCES, pair, SUITE.load)
    )
    return judge_differences(sections, found, left, right)


@pytest.mark.parametrize("name", NAMES)
def test_row_holds(judged, name):
    assert judged[name].holds, judged[name].words


def test_the_engine_agrees_with_the_rows(measured):
    assert measured.exit_code == 0


def test_there_are_many_rows():
    assert len(ROWS) >= 150
    assert len(set(NAMES)) == len(NAMES)
    assert sum(bool(row.mapping) for row in ROWS) >= 100


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_row_is_whole(row):
    assert row.topic
    assert row.link.startswith(
        (
            "https://pytorch.org/docs/stable/",
            "https://keras.io/api/",
            "https://www.tensorflow.org/api_docs/python/tf/",
            "https://github.com/",
        )
    )
    assert not (row.equal and row.mapping), "what is equal needs no mapping"
    try:
        values = numbers(row.torch), numbers(row.keras)
    except ValueError:
        return  # a fact
    same = values[0].shape == values[1].shape and (values[0] == values[1]).all()
    assert same == row.equal, "listed as two texts of one number"


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_both_sides_have_the_rows_in_order(section):
    wanted = [(row.name, list(row.case.arguments)) for row in section.rows]
    for package in LESSON_PACKAGES.values():
        path = ROOT / package / "differences" / f"{section.name}.py"
        tree = ast.parse(path.read_text("utf-8"))
        functions = [
            (node.name, [a.arg for a in node.args.args])
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        assert functions == wanted, path
        other = set(LESSON_PACKAGES.values()) - {package}
        assert f"Twin: {other.pop()}/differences/{section.name}.py" in ast.get_docstring(tree)


def test_sections_are_all_there():
    wanted = sorted(section.name for section in SECTIONS)
    for package in LESSON_PACKAGES.values():
        folder = ROOT / package / "differences"
        assert sorted(p.stem for p in folder.glob("[!_]*.py")) == wanted


# Planted: each of these must turn one row red, with its own words, and no other.


def altered(runs, side, key, value):
    """The same recordings, with another value or fact for one key of one side."""
    some = runs[f"{side}/values"]

    def change(record):
        arrays, facts = dict(record.arrays), dict(record.header.facts)
        if isinstance(value, str):
            facts[key] = value
        elif value is None:
            arrays.pop(key, None)
            facts.pop(key, None)
        else:
            arrays[key] = value(arrays[key])
        header = dataclasses.replace(record.header, facts=facts)
        return recording_file.Recording(header, arrays, record.origin)

    changed = {p: change(getattr(some, p)) for p in ("float32", "float64")}
    return {**runs, f"{side}/values": dataclasses.replace(some, **changed)}


PLANTED = [
    (
        "torch",
        "batch_norm_epsilon/given",
        "eps 1e-06",
        ["PyTorch gives eps 1e-06, listed eps 1e-05", "shared/differences/layer_defaults.py"],
    ),
    (
        "keras",
        "cross_entropy_of_logits/given",
        lambda x: x * 1.001,
        ["Keras gives 16.82", "listed 16.811"],
    ),
    ("keras", "power_zero/given", np.zeros_like, ["Keras gives 0.0, listed nan"]),
    ("torch", "class_weights/given", None, ["PyTorch gives nothing"]),
    ("torch", "same_stride_2_odd/given", lambda x: x[:, :1], ["same_stride_2_odd: PyTorch gives"]),
    ("keras", "bilinear/given", lambda x: x + 1e-3, ["Keras gives", "Bilinear resize"]),
    (
        "torch",
        "adam_defaults/mapped",
        lambda x: x * (1 + 1e-6),
        ["with its mapping (`KerasAdam`", "× the bound", "does not make them equal"],
    ),
    (
        "keras",
        "dense_kernel_start/mapped",
        "0.035",
        ["with its mapping", "PyTorch gives 0.034 and Keras 0.035"],
    ),
    ("keras", "batch_norm_variance/mapped", None, ["is not measured by keras"]),
    ("torch", "restarts/mapped", "anything", ["the row names none"]),
]


@pytest.mark.parametrize(("side", "key", "value", "words"), PLANTED, ids=[p[1] for p in PLANTED])
def test_what_no_longer_holds_says_so(measured, side, key, value, words):
    runs = altered(measured.runs["differences"], side, f"values/{key}", value)
    found = rejudged(runs)
    red = {name: row.words for name, row in found.items() if not row.holds}
    assert list(red) == [key.split("/")[0]]
    for some in words:
        assert some in red[key.split("/")[0]]


def test_a_changed_listing_is_red(measured):
    """The other way round: the frameworks stay, the list is wrong by half of its last digit."""
    row = next(row for row in ROWS if row.name == "median")
    wrong = dataclasses.replace(row, torch="2.1")
    section = next(s for s in SECTIONS if row in s.rows)
    rows = tuple(wrong if some is row else some for some in section.rows)
    sections = tuple(dataclasses.replace(s, rows=rows) if s is section else s for s in SECTIONS)
    found = rejudged(measured.runs["differences"], sections)
    assert [name for name, some in found.items() if not some.holds] == ["median"]
    assert "median: PyTorch gives 2.0, listed 2.1" in found["median"].words


def test_the_page_says_what_is_red(measured):
    honest = page(SUITE, result(measured.runs["differences"]))
    assert "CAUTION" not in honest
    for row in ROWS:
        assert row.link in honest
    runs = altered(measured.runs["differences"], "torch", "values/median/given", lambda x: x + 0.5)
    assert "median: PyTorch gives 2.5, listed 2.0" in page(SUITE, result(runs))


def test_the_index_leads_to_the_page(measured, tmp_path):
    written = write(SUITE, [result(measured.runs["differences"])], tmp_path)
    assert {"differences.md", "differences.json", "README.md"} <= {path.name for path in written}
    index = (tmp_path / "README.md").read_text("utf-8")
    assert f"[Known differences](differences.md)**: {len(ROWS)} rows" in index
    assert "no longer hold" not in index
    rows = json.loads((tmp_path / "differences.json").read_text("utf-8"))["sections"]
    assert [row["name"] for section in rows for row in section["rows"]] == NAMES


def test_the_committed_page_is_of_these_rows():
    """Made again by ``parity report differences`` when a row changes."""
    committed = json.loads((ROOT / "reports" / "differences.json").read_text("utf-8"))
    entries = [row for section in committed["sections"] for row in section["rows"]]
    wanted = [
        {"name": r.name, "topic": r.topic, "mapping": r.mapping, "link": r.link, **r.recipes_json}
        for r in ROWS
    ]
    assert [
        {name: e.get(name) for name in w} for e, w in zip(entries, wanted, strict=True)
    ] == wanted
    assert committed["verdict"] == "agree"


# What to write on one side to get what the other gives.

RECIPES = [pytest.param(row, side, id=f"{row.name}-{side}") for row in ROWS for side in SIDES]


@pytest.fixture(scope="module")
def written():
    """Side → row → what its lines gave: one process a side."""
    command = [sys.executable, "-m", "parity_tests.recipes"]
    done = {
        side: subprocess.run([*command, side], cwd=ROOT, capture_output=True, check=False)
        for side in SIDES
    }
    assert not any(one.returncode for one in done.values()), done
    return {side: json.loads(one.stdout) for side, one in done.items()}


@pytest.mark.parametrize(("row", "side"), RECIPES)
def test_both_directions_are_said(row, side):
    recipe = row.recipes[side]
    if isinstance(recipe, NoWay):
        assert recipe.why.endswith((".", "`."))
        return
    ast.parse(recipe)
    assert all(len(line) <= 78 for line in recipe.splitlines()), "fits without scrolling"


@pytest.mark.parametrize(("row", "side"), RECIPES)
def test_what_is_written_runs_and_gives_what_the_other_side_gives(written, row, side):
    if isinstance(row.recipes[side], NoWay):
        return
    found, wanted = written[side][row.name], row.keras if side == "torch" else row.torch
    if "error" in found:
        assert str(wanted).startswith("raises"), found["error"]
        return
    try:
        listed = numbers(wanted)
    except ValueError:
        return  # a fact
    value = np.array(found["value"], dtype="float32").squeeze()
    if found["value"] is not None and value.shape == listed.squeeze().shape:
        assert matches(value, squeezed(wanted)), value


def test_most_recipes_are_judged_by_their_numbers(written):
    judged = [f for side in SIDES for f in written[side].values() if f.get("value") is not None]
    assert len(judged) > 130


def test_names_lead_there():
    assert SUITE.find("differences") is DIFFERENCES
    with pytest.raises(UsageError, match="Did you mean 'differences'"):
        SUITE.find("diferences")


def result(runs):
    pair = DIFFERENCES.pairs[0]
    asked = judgement.question(DIFFERENCES, pair, SUITE.load)
    judged = judgement.judge_pair(pair, runs[pair.left], runs[pair.right], asked)
    return ReportInput(judgement.ExampleVerdict(DIFFERENCES, (judged,)), runs)
