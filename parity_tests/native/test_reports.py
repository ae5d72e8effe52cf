"""Attribution, the page of the defaults, and the sections that a sweep adds."""

import io
import json
import re

import numpy as np
import pytest
from PIL import Image

from parity import report
from parity.core.errors import UsageError
from parity.native.attribution import attribute, change
from parity.report import defaults, gaps, index, native, pages
from parity_tests.engine.test_report import training_result
from parity_tests.native.synthetic import summaries, sweep
from shared.suite import SUITE

EVERY = summaries()
BLUE, GREY = (0, 114, 178), (189, 189, 189)


def test_the_steps_are_the_planted_effects_and_add_up():
    found = attribute(SUITE, "fashion_mlp", EVERY)
    by = {step.default: step.gap["accuracy"] for step in found.steps}
    assert list(by) == ["fit", "initialiser", "optimizer", "shuffling"]
    assert by["initialiser"].mean == pytest.approx(3 - 1, abs=0.1)
    assert by["optimizer"].mean == pytest.approx(-1, abs=0.1)  # Keras' own is the matched one
    assert by["shuffling"].mean == pytest.approx(0.5 - 0.5 / 3, abs=0.1)
    for metric in ("accuracy", "loss"):
        total = found.native[metric].mean + sum(s.gap[metric].mean for s in found.steps)
        assert total == pytest.approx(found.matched[metric].mean)
    assert by["initialiser"].clear
    assert by["optimizer"].clear
    assert found.seeds == tuple(range(1, 13))


def test_rows_are_paired_by_seed():
    """The luck of a seed is twenty times the effect's spread, and is gone."""
    rows = {(r.side, r.default): r for r in attribute(SUITE, "fashion_mlp", EVERY).rows}
    alone = rows["torch", "initialiser"].alone["accuracy"]
    assert alone.mean == pytest.approx(-3, abs=0.1)
    assert alone.high - alone.low < 0.2
    assert rows["torch", "initialiser"].given["accuracy"].mean == pytest.approx(3 - 1, abs=0.1)
    assert rows["keras", "initialiser"].given["accuracy"].mean == pytest.approx(1 - 3, abs=0.1)
    assert rows["keras", "optimizer"].alone == {}
    assert rows["torch", "optimizer"].distance.mean == pytest.approx(0.1)


def test_only_seeds_that_have_everything_count():
    some = [s for s in EVERY if not (s.seed > 9 and s.setting == "native" and s.side == "keras")]
    found = attribute(SUITE, "fashion_mlp", some)
    assert found.seeds == tuple(range(1, 10))
    assert found.native["accuracy"].seeds == 9
    none = [s for s in EVERY if (s.side, s.setting) != ("torch", "matched")]
    assert attribute(SUITE, "fashion_mlp", none) is None
    assert attribute(SUITE, "iris_mlp", EVERY) is None


def test_a_number_of_few_seeds_is_not_bold():
    few, many = (change([0.5 + 0.001 * n for n in range(seeds)]) for seeds in (9, 10))
    assert few.clear
    assert defaults.cell(few).startswith("~")
    assert defaults.cell(many).startswith("**")


def test_the_page_says_its_finding_first(tmp_path):
    defaults.write(SUITE, EVERY, tmp_path)
    text = (tmp_path / "defaults.md").read_text("utf-8")
    assert text.splitlines()[2].startswith("**Hardly any default moves accuracy clearly.** Of ")


def test_of_a_training_that_diverged_nothing_is_clear():
    diverged = change([1.0, 2.0, np.nan, 3.0, 4.0, 5.0])
    assert not diverged.clear
    assert defaults.cell(diverged) == "–"
    assert change([1.0, 2.0, 1.5, 3.0, 4.0, 5.0]).clear


def test_the_order_of_the_summaries_is_nothing():
    assert attribute(SUITE, "fashion_mlp", EVERY[::-1]) == attribute(SUITE, "fashion_mlp", EVERY)
    assert attribute(SUITE, "fashion_mlp", {s.key: s for s in EVERY}) == attribute(
        SUITE, "fashion_mlp", EVERY
    )


def test_nothing_is_claimed_of_few_seeds_or_of_no_effect():
    assert not change([1.0, 1.1, 0.9, 1.0]).clear
    assert change([1.0, 1.1, 0.9, 1.0, 1.2]).clear
    assert not change([-1.0, 1.1, 0.9, -1.0, 0.2, 0.1]).clear
    assert change([2.0] * 6).low == 2.0
    assert change([2.0]).seeds == 1


def test_the_intervals_of_few_seeds_are_wide_enough():
    """Of six seeds without any effect one in twenty excludes 0; resampled, it would be one in 8."""
    random = np.random.default_rng(3)
    wrong = sum(change(random.standard_normal(6)).clear for _ in range(1000))
    assert 30 < wrong < 72


def test_one_and_the_same_change_of_whole_samples_can_be_chance():
    one = 0.01
    assert not change([one] * 5, 4 * one).clear
    assert change([one] * 5).clear
    assert change([0.0] * 5, one).high == 0.0  # nothing was changed at all


def page(tmp_path, some):
    written = defaults.write(SUITE, some, tmp_path, {"fashion_mlp": "Made up"})
    assert all(path.is_file() for path in written)
    return (tmp_path / "defaults.md").read_text("utf-8")


def test_the_page_says_what_is_so(tmp_path):
    text = page(tmp_path, EVERY)
    for words in (
        "# What a default costs",
        "## Initialiser",
        "## Adam's epsilon and betas",
        "KerasAdam",
        "xavier_uniform_",
        "TorchAdam",
        "VarianceScaling",
        "12 seeds",
        "fashion_mlp: Made up.",
        "(figures/defaults-fashion_mlp-matched.png)",
    ):
        assert words in text
    line = next(x for x in text.splitlines() if x.startswith("| fashion_mlp | 12 | **+2"))
    assert "**-2" in line  # the other direction
    assert "The native gap is -1.3 points of accuracy" in text
    # Of a gap the sweep has the verdict, with its corrections.
    assert not re.search(r"^\| (native|matched) gap \| (\*\*|~)", text, re.MULTILINE)
    native = next(x for x in text.splitlines() if x.startswith("| initialiser matched |"))
    assert 140 < int(re.search(r"(-?\d+) %", native)[1]) < 160  # 2 of 1.33 points
    shares = [int(x) for x in re.findall(r"matched.*\| (-?\d+) % \|", text)]
    assert abs(sum(shares) - 100) < 5
    assert "Too few seeds" not in text
    document = json.loads((tmp_path / "defaults.json").read_text("utf-8"))
    assert document["examples"][0]["example"] == "fashion_mlp"
    assert document["format"] == 2


def test_a_default_alone_can_have_fewer_seeds_than_the_way(tmp_path):
    some = [s for s in EVERY if s.setting != "initialiser" or s.seed < 3]
    text = page(tmp_path, some)
    assert "over the 12 seeds that have every step" in text
    alone = next(x for x in text.splitlines() if x.startswith("| PyTorch | initialiser |"))
    assert alone.split(" | ")[4] == "2"
    one = page(tmp_path, [s for s in EVERY if s.setting != "initialiser" or s.seed < 2])
    alone = next(x for x in one.splitlines() if x.startswith("| PyTorch | initialiser |"))
    assert "[" not in alone  # of one seed there is no interval


def test_what_was_not_measured_is_said(tmp_path):
    text = page(tmp_path, EVERY)
    assert "ot measured" not in text
    some = [s for s in EVERY if s.setting not in ("initialiser", "native~optimizer")]
    text = page(tmp_path, some)
    assert "Not measured yet: initialiser (PyTorch), initialiser (Keras / TensorFlow)." in text
    assert "Not measured on both sides yet: fashion_mlp." not in text  # no line without a table


def test_a_sweep_of_another_example_leaves_what_is_there(tmp_path):
    page(tmp_path, EVERY)
    before = json.loads((tmp_path / "defaults.json").read_text("utf-8"))["examples"]
    text = page(tmp_path, summaries("softmax_regression"))
    after = json.loads((tmp_path / "defaults.json").read_text("utf-8"))["examples"]
    assert [part["example"] for part in after] == ["softmax_regression", "fashion_mlp"]
    assert after[1] == before[0]
    assert "## fashion_mlp" in text
    assert "fashion_mlp: Made up." in text
    assert len(list((tmp_path / "figures").glob("defaults-*.png"))) == 2
    assert page(tmp_path, []) == text
    (tmp_path / "defaults.json").write_text("[]", "utf-8")
    with pytest.raises(UsageError, match="no twin of the page of the defaults"):
        page(tmp_path, EVERY)
    assert (tmp_path / "defaults.md").read_text("utf-8") == text


def test_few_seeds_are_said(tmp_path):
    text = page(tmp_path, summaries(seeds=3))
    assert "Too few seeds for any claim: fashion_mlp" in text
    assert not [line for line in text.splitlines() if line.startswith("|") and "**" in line]


def test_old_figures_go_and_an_empty_sweep_is_a_page(tmp_path):
    page(tmp_path, EVERY)
    (tmp_path / "defaults.json").unlink()
    text = page(tmp_path, [])
    assert "No example has been trained in every setting yet" in text
    assert not list((tmp_path / "figures").glob("*.png"))


def test_the_same_summaries_give_the_same_bytes(tmp_path):
    one, other = (defaults.write(SUITE, EVERY, tmp_path / name) for name in ("a", "b"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


def near(image, colour):
    """Pixels that have about this colour, which bars are drawn in a little paler."""
    return int((np.abs(image - np.array(colour)).max(axis=2) < 40).sum())


def test_a_waterfall_has_colour_only_where_something_is_clear():
    clear = pixels(gaps.waterfall(attribute(SUITE, "fashion_mlp", EVERY)))
    assert near(clear, BLUE) > 1000
    doubtful = pixels(gaps.waterfall(attribute(SUITE, "fashion_mlp", summaries(seeds=4))))
    assert near(doubtful, BLUE) == 0
    assert near(doubtful, GREY) > 1000
    assert clear.shape[0] > 300


def test_a_forest_tells_verdicts_apart():
    rows = [
        native.Gap(verdict, 0.1, -0.2, 0.3, verdict)
        for verdict in ("equal", "different", "undecided")
    ]
    every, one = (pixels(gaps.forest(some, 0.5)) for some in (rows, rows[:1]))
    red = (176, 0, 32)
    assert near(every, red) > 50
    assert near(one, red) == 0
    assert every.shape[0] > one.shape[0]


def save(folder, document):
    folder.mkdir(exist_ok=True)
    (folder / native.FILE).write_text(json.dumps(document), "utf-8")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("equal", "equal within the margin"),
        ("different", "✗ different"),
        ("undecided", "? undecided"),
    ],
)
def test_a_page_has_its_section_where_a_sweep_was_run(tmp_path, verdict, words):
    assert native.section(tmp_path, "fashion_mlp") == ""
    save(tmp_path, sweep(verdict))
    text = native.section(tmp_path, "fashion_mlp")
    assert native.HEADING in text
    assert words in text
    assert "| 12 |" in text
    assert native.section(tmp_path, "iris_mlp") == ""
    assert "defaults.md" not in text
    page(tmp_path, EVERY)
    assert "defaults.md" in native.section(tmp_path, "fashion_mlp")


def gap(example, mean, verdict="equal"):
    return {
        "example": example,
        "division": "native",
        "seeds": 12,
        "margin": 0.5,
        "gap": {"mean": mean, "low": mean - 0.1, "high": mean + 0.1},
        "verdict": verdict,
    }


def swept(folder, *rows):
    (folder / "sweep.json").write_text(json.dumps({"format": 1, "examples": rows}), "utf-8")


def test_a_section_that_is_placed_is_as_if_the_page_had_been_drawn_with_it(tmp_path):
    bare, _ = pages.page(SUITE, training_result())
    swept(tmp_path, gap("tiny_training", 0.12))
    own = native.section(tmp_path, "tiny_training")
    drawn, _ = pages.page(SUITE, training_result(), own)
    assert "+0.12" in drawn
    assert native.placed(bare, own) == drawn
    swept(tmp_path, gap("tiny_training", -0.34, "different"))
    other = native.section(tmp_path, "tiny_training")
    assert native.placed(drawn, other) == pages.page(SUITE, training_result(), other)[0]
    assert native.placed(drawn, "") == bare


def test_a_sweep_goes_on_the_pages_and_into_the_index_that_are_there(tmp_path):
    assert report.write_native(SUITE, tmp_path) == []
    assert not list(tmp_path.iterdir())
    report.write(SUITE, [training_result()], tmp_path)
    before = (tmp_path / "index.json").read_text("utf-8")
    page = tmp_path / "tiny_training.md"
    (tmp_path / "fashion_mlp.md").write_text(page.read_text("utf-8"), "utf-8")
    swept(tmp_path, gap("fashion_mlp", 0.12))
    written = {path.name for path in report.write_native(SUITE, tmp_path)}
    assert written == {"fashion_mlp.md", "README.md", "index.json", "sweep-forest.png"}
    assert "+0.12" in (tmp_path / "fashion_mlp.md").read_text("utf-8")
    assert "+0.12" in (tmp_path / "README.md").read_text("utf-8")
    assert "+0.12" not in page.read_text("utf-8")
    assert (tmp_path / "index.json").read_text("utf-8") == before
    # A later sweep that is not about it: what this one said stands nowhere any more.
    swept(
        tmp_path,
        gap("tiny_training", 0.34, "undecided")
        | {"level": 1 - 0.1 / 3, "words": "undecided: 39 seeds in all would probably decide"},
    )
    written = {path.name for path in report.write_native(SUITE, tmp_path)}
    assert {"fashion_mlp.md", "tiny_training.md"} <= written
    assert native.HEADING not in (tmp_path / "fashion_mlp.md").read_text("utf-8")
    for told in (page, tmp_path / "README.md"):
        assert "| 96.7 % interval |" in told.read_text("utf-8")
        assert "| ? undecided: 39 seeds in all would probably decide |" in told.read_text("utf-8")


def test_gaps_of_an_earlier_sweep_stand_beside_those_of_a_later_one(tmp_path):
    swept(tmp_path, gap("fashion_mlp", 0.12), gap("fashion_cnn", -0.001))
    later = gap("fashion_mlp", 0.5, "different") | {
        "level": 1 - 0.1 / 3,
        "words": "different, whether by more than 0.5 is open",
    }
    rows = native.beside(tmp_path, [later])
    assert [row["example"] for row in rows] == ["fashion_mlp", "fashion_cnn"]
    assert rows[0]["gap"]["mean"] == 0.5
    assert native.level(rows) == "96.7 or 90"
    first, second = native.lines(rows)
    assert first["gap"] == "0.00"
    assert first["interval"] == "-0.10 … +0.10 (90 %)"
    assert second["verdict"] == "✗ different, whether by more than 0.5 is open"


def test_the_section_stands_on_the_page_between_what_comes_out_and_the_verdict(tmp_path):
    save(tmp_path, sweep("equal", example="tiny_training"))
    own = native.section(tmp_path, "tiny_training")
    text, _ = pages.page(SUITE, training_result(), own)
    assert own.strip() in text
    own_at = text.index(native.HEADING)
    assert text.index("## What comes out") < own_at < text.index("## Are both the same program?")
    without, _ = pages.page(SUITE, training_result())
    assert native.HEADING not in without


@pytest.mark.parametrize("version", [1, 2])
def test_a_sweep_is_read_in_either_format(tmp_path, version):
    (tmp_path / native.FILE).write_text(json.dumps(sweep() | {"format": version}), "utf-8")
    assert [row["example"] for row in native.read(tmp_path)] == ["fashion_mlp"]


@pytest.mark.parametrize(
    "damaged",
    [
        "{",
        "[]",
        '{"format": 9, "examples": []}',
        '{"format": 1, "examples": [{"example": "x"}]}',
        json.dumps(sweep(gap={"mean": None, "low": 0, "high": 1})),
        json.dumps(sweep(gap=None)),
        '{"format": 1, "examples": null}',
    ],
)
def test_a_damaged_sweep_is_none(tmp_path, damaged):
    (tmp_path / native.FILE).write_text(damaged, "utf-8")
    assert native.read(tmp_path) == []


def test_the_index_has_table_and_forest_only_with_a_sweep(tmp_path):
    index.write(SUITE, set(), tmp_path)
    before = (tmp_path / "README.md").read_text("utf-8")
    assert native.HEADING not in before
    save(tmp_path, sweep("different"))
    index.write(SUITE, set(), tmp_path)
    text = (tmp_path / "README.md").read_text("utf-8")
    assert native.HEADING in text
    assert "(figures/sweep-forest.png)" in text
    assert "+0.90 … +1.60" in text
    (tmp_path / native.FILE).unlink()
    index.write(SUITE, set(), tmp_path)
    assert (tmp_path / "README.md").read_text("utf-8") == before
    assert not (tmp_path / "figures" / "sweep-forest.png").exists()


def test_a_page_is_drawn_again_when_the_sweep_has_changed(tmp_path):
    def written(name, text):
        (tmp_path / f"{name}.md").write_text(text, "utf-8")

    written("fashion_mlp", "# A page\n")
    assert native.stands(tmp_path, "fashion_mlp")
    save(tmp_path, sweep("equal"))
    assert not native.stands(tmp_path, "fashion_mlp")
    written("fashion_mlp", f"# A page\n\n{native.section(tmp_path, 'fashion_mlp')}")
    assert native.stands(tmp_path, "fashion_mlp")
    save(tmp_path, sweep("undecided"))
    assert not native.stands(tmp_path, "fashion_mlp")
    (tmp_path / native.FILE).unlink()
    assert not native.stands(tmp_path, "fashion_mlp")
