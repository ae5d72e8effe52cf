"""What the bench says, as JSON, on the screen and on the page."""

import dataclasses
import json
import re

import pytest
from rich.console import Console

from parity.bench.result import from_json, to_json
from parity.core.errors import UsageError
from parity.report import bench_tables, performance
from parity_tests.bench.synthetic import made
from shared.suite import SUITE

MEASUREMENT = {"example", "side", "way", "what", "unit", "median", "low", "high", "runs"}
RATIO = {"example", "side", "of", "to", "median", "low", "high"}


def test_the_document_has_what_it_promises():
    document = json.loads(json.dumps(to_json(made()), allow_nan=False))
    assert document["format"] == 2
    assert document["machine"]["other_load"] == []
    for row in document["measurements"]:
        assert set(row) >= MEASUREMENT
        assert row["side"] in {"torch", "keras"}
        assert row["way"] in {"tutorial", "idiomatic", "fast", "limit"}
        assert row["unit"] == ("MiB" if row["what"] == "memory" else "s")
        assert row["low"] <= row["median"] <= row["high"]
        assert row["runs"] == len(row["values"]) == 5
    assert {row["what"] for row in document["measurements"]} == {
        "epoch",
        "step",
        "first_step",
        "build",
        "import",
        "loader",
        "memory",
    }
    for row in document["ratios"]:
        assert set(row) >= RATIO
    assert len(document["measurements"]) == 2 * 4 * 7


def test_the_ratios_are_those_of_the_medians():
    found = {(r["side"], r["of"], r["to"]): r["median"] for r in to_json(made())["ratios"]}
    for side in ("torch", "keras"):
        assert found[side, "fast", "limit"] == pytest.approx(2.0)
        assert found[side, "tutorial", "fast"] == pytest.approx(4.0)
        assert found[side, "idiomatic", "fast"] == pytest.approx(2.0)
    sides = {r["way"]: r["median"] for r in to_json(made(keras=1.25))["sides"]}
    assert sides["fast"] == pytest.approx(0.8)


def page(result, tmp_path):
    written = performance.write(SUITE, result, tmp_path)
    assert all(path.is_file() for path in written)
    return (tmp_path / "performance.md").read_text("utf-8")


def test_nothing_wins_unless_the_interval_says_so(tmp_path):
    apart = page(made(keras=1.5), tmp_path)
    assert apart.count("PyTorch takes less time than Keras / TensorFlow") == 4
    assert "not told apart" not in apart
    other = page(made(keras=0.5), tmp_path)
    assert other.count("Keras / TensorFlow takes less time than PyTorch") == 4
    result = made(keras=1.0)
    equal = page(result, tmp_path)
    assert "less time" not in equal
    assert equal.count("~1 [") == 4


def test_the_page_has_all_parts_and_its_figures(tmp_path):
    text = page(made(), tmp_path)
    for heading in (
        "# Performance",
        "## fashion_mlp",
        "### Eager and compiled",
        "### How the cost grows",
    ):
        assert heading in text
    for unit in ("epoch, s", "step, ms", "memory, MiB", "samples a batch"):
        assert unit in text
    assert "| 700 [700, 700] |" in text
    figures = re.findall(r"\(figures/(.*?)\)", text)
    names = ("", "-modes", "-sweep")
    assert figures == [f"performance-fashion_mlp{name}.png" for name in names]
    assert {p.name for p in (tmp_path / "figures").iterdir()} == set(figures)
    twin = json.loads((tmp_path / "performance.json").read_text("utf-8"))
    assert twin == {"format": 2, "benches": [to_json(made())]}


def figures(folder):
    return sorted(p.name for p in (folder / "figures").iterdir())


def of_another(result, example="fashion_cnn"):
    """The same numbers as those of another example."""

    def renamed(rows):
        return tuple(dataclasses.replace(row, example=example) for row in rows)

    return dataclasses.replace(
        result,
        measurements=renamed(result.measurements),
        ratios=renamed(result.ratios),
        modes=renamed(result.modes),
        sweep=renamed(result.sweep),
        facts={},
    )


def test_a_figure_that_is_no_longer_there_goes(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "performance-nothing.png").write_bytes(b"")
    page(dataclasses.replace(made(), sweep=(), modes=()), tmp_path)
    assert figures(tmp_path) == ["performance-fashion_mlp.png"]


def test_what_was_measured_before_stays_on_the_page(tmp_path):
    page(dataclasses.replace(made(keras=3.0), sweep=()), tmp_path)
    text = page(of_another(made()), tmp_path)
    assert text.index("## fashion_mlp") < text.index("## fashion_cnn")  # in teaching order
    assert text.count("Bench 1.") == 2  # ways and modes
    assert text.count("Bench 2.") == 3
    assert "| 0.333 [" in text
    assert len(figures(tmp_path)) == 5


def test_what_is_measured_anew_replaces_what_was(tmp_path):
    page(made(keras=3.0), tmp_path)
    text = page(dataclasses.replace(made(keras=1.5), modes=(), sweep=()), tmp_path)
    assert "| 0.333 [" not in text
    assert text.count("| 0.667 [") == 4
    assert text.count("Bench 1.") == 2  # modes and sweep of the first one
    assert text.count("Bench 2.") == 1
    assert text.count("`torch/limit`: layout: any") == 1
    page(made(), tmp_path)
    twin = json.loads((tmp_path / "performance.json").read_text("utf-8"))
    assert twin == {"format": 2, "benches": [to_json(made())]}


def test_each_bench_says_where_and_of_what_it_is(tmp_path):
    load = {"pid": 7, "percent": 42.0, "command": "another program"}
    page(made(loads=[load]), tmp_path)
    other = of_another(made())
    other = dataclasses.replace(other, plan=other.plan | {"full": True, "runs": 9})
    text = page(other, tmp_path)
    assert "| the examples' default sizes | 5 runs" in text
    assert "| whole data | 9 runs" in text
    assert "`another program`" in text
    assert "| none |" in text


def test_the_page_says_first_which_takes_less_time_and_calls_ways_by_their_framework(tmp_path):
    text = page(made(), tmp_path)
    assert text.index("- [fashion_mlp](#fashion_mlp): **As most programs do it, ") < 100
    for words in (
        "PyTorch, DataLoader (tutorial)",
        "Keras / TensorFlow, fit (tutorial)",
        "custom loop / fast path",
    ):
        assert words in text
    assert "idiomatic" not in text


def test_a_result_is_read_as_it_was_written():
    result = made()
    assert from_json(json.loads(json.dumps(to_json(result)))) == result


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"benches": [{"format": 1}]}'])
def test_a_twin_that_is_none_is_refused_and_kept(tmp_path, text):
    (tmp_path / "performance.json").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=r"Expected"):
        performance.write(SUITE, made(), tmp_path)
    assert (tmp_path / "performance.json").read_text("utf-8") == text


def test_what_loaded_the_machine_is_on_the_page(tmp_path):
    assert "not idle" not in page(made(), tmp_path)
    load = {"pid": 7, "percent": 42.0, "command": "another program"}
    text = page(made(loads=[load]), tmp_path)
    assert "not idle: 1 process used 42 % of a core before the start: `another program`" in text


def test_the_screen_tells_of_load_and_doubt():
    console = Console(width=200, record=True, quiet=True)
    result = made(keras=1.0, loads=[{"pid": 7, "percent": 42.0, "command": "another program"}])
    with console.capture() as captured:
        console.quiet = False
        for part in bench_tables.screen(result):
            console.print(part)
    text = captured.get()
    assert "another program (42 %)" in text
    assert "fast path: PyTorch / Keras / TensorFlow, an epoch: ~1 [" in text
    assert "not told apart" in text
    assert "PyTorch: fast path / limit, an epoch: 2 [" in text
