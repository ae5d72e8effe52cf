"""Rows of the known differences, found by words on the command line."""

import json

import pytest
from typer.testing import CliRunner

from parity.cli.differences_command import PAGE, PlacedRow, find
from parity.cli.main import app
from parity.core.errors import UsageError
from parity.recording.provenance import ROOT
from shared.suite import SUITE

ROWS = [PlacedRow(row, section) for section in SUITE.sections for row in section.rows]


def asked(*words):
    done = CliRunner(env={"COLUMNS": "80"}).invoke(app, ["differences", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stdout


def names(*words):
    return [one.row.name for one in find(ROWS, words)]


def test_all_words_in_any_case_and_order():
    assert names("batchnorm", "momentum") == ["batch_norm_momentum"]
    assert names("MOMENTUM", "`BatchNorm`") == ["batch_norm_momentum"]
    assert len(names("momentum")) > 1
    assert {*names("adam", "decay")} == {*names("adam")} & {*names("decay")}


@pytest.mark.parametrize("one", ROWS, ids=lambda one: one.row.name)
def test_every_row_is_found_by_its_name_topic_and_values(one):
    for words in ([one.row.name], one.row.topic.split(), [*one.given], [one.row.mapping]):
        assert one in find(ROWS, words)


def test_both_directions_and_the_place():
    told = asked("batchnorm", "momentum")
    for part in (
        "PyTorch  momentum 0.1",
        "Keras    momentum 0.99",
        "In PyTorch, to get what Keras gives:\n  nn.BatchNorm2d(3, momentum=0.01)",
        "gives:\n  keras.layers.BatchNormalization(momentum=0.9)",
        "reports/differences.md#batch_norm_momentum",
        "1 row of 160",
    ):
        assert part in told


def test_at_80_columns_no_line_is_longer():
    for line in asked("").splitlines():  # every row holds no letter at all
        assert len(line) <= 80 or line.startswith(" https://"), line


def test_every_place_is_there():
    page = (ROOT / PAGE).read_text("utf-8")
    for one in ROWS:
        assert f'<a id="{one.place.partition("#")[2]}"></a>' in page


def test_one_document():
    document = json.loads(asked("batchnorm", "momentum", "--json"))
    (row,) = document["rows"]
    assert (row["torch"], row["keras"]) == ("momentum 0.1", "momentum 0.99")
    assert row["place"] == "reports/differences.md#batch_norm_momentum"
    assert row["in_torch"] == {"code": "nn.BatchNorm2d(3, momentum=0.01)"}
    assert row["test"] == "pytest parity_tests/test_differences.py -k batch_norm_momentum"
    assert len(json.loads(asked("", "--json"))["rows"]) == len(ROWS)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["batchnrom", "momentun"], "Near are:\n  batch_norm_momentum: BatchNorm: momentum"),
        (["dropout", "adam"], "\n  dropout_rate: "),
        (["qqqq"], f"'qqqq'. All are in {PAGE}"),
    ],
)
def test_where_nothing_is_found_near_topics_are_named(words, told):
    with pytest.raises(UsageError) as error:
        asked(*words)
    assert told in str(error.value)
