"""Reports: pages, figures, index and JSON twins from tiny recordings made in memory."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from parity.core.errors import UsageError
from parity.recording import provenance
from parity.recording.recording_file import Header, Recording, Runs
from parity.report import ReportInput, tables, write
from parity.spec.cases import Case, Known
from parity.spec.example import (
    GLOROT,
    ComparedPair,
    ExampleSpec,
    ParameterSpec,
    Reference,
    Size,
    Training,
    TrainingVariant,
)
from parity.verdict.judgement import ExampleVerdict, judge_pair, question
from shared import suite
from shared.data import load
from shared.examples.optimizers import OPTIMIZERS

GOLDEN = Path(__file__).parent / "golden"
IMAGES = 30
STEPS = (1, 2, 3)
ULP = 2.0**-52

VALUES = ExampleSpec(
    name="tiny_values",
    title="Tiny values",
    part="Tests",
    summary="Two numbers, one of them listed.",
    cases=(
        Case("double", {"x": 3.0}, {"y": 6.0, "kind": "a|b"}),
        Case("corner", {"z": (0.0, 1.0)}),
    ),
    known=(Known("values/corner/slope", 0.5, "nan", "left | right", "https://example.org/why"),),
)
TRAINED = ExampleSpec(
    name="tiny_training",
    title="Tiny training",
    part="Tests",
    summary="Three steps.",
    training=Training(
        dataset="fashion_mnist",
        batch_size=4,
        parameters=(ParameterSpec("out/kernel", (3, 10), GLOROT),),
        layers=("out",),
        default=Size("embedded", epochs=1, train=12, test=IMAGES),
        full=Size("full", epochs=1),
        ways=(
            TrainingVariant("torch", "loop", "loop"),
            TrainingVariant("keras", "tape", "tape"),
            TrainingVariant("keras", "fit", "fit", loop="fit"),
        ),
        pairs=(
            ComparedPair("matched", "PyTorch loop ~ Keras tape", "torch/loop", "keras/tape"),
            ComparedPair("fit", "Keras tape ~ Keras fit", "keras/tape", "keras/fit"),
        ),
        references=(Reference("test_accuracy", 0.9, 0.1, "a | tutorial"),),
    ),
)
SUITE = dataclasses.replace(suite.SUITE, examples=(VALUES, TRAINED))


def value_runs(side: str, slope: float, y: float = 6.0) -> Runs:
    def one(precision: str) -> Recording:
        arrays = {
            "values/double/y": np.array(y, precision),
            "values/corner/slope": np.array(slope, precision),
        }
        facts = {"values/double/kind": "a|b"}
        header = Header(
            "tiny_values",
            side,
            precision,
            way="values",
            facts=facts,
            environment={"device": "cpu"},
            timings={"seconds": 1.5},
        )
        return Recording(header, arrays)

    return Runs(side, one("float32"), one("float64"))


def values_result(y: float = 6.0) -> ReportInput:
    runs = {
        "torch/values": value_runs("torch", 0.5),
        "keras/values": value_runs("keras", np.nan, y),
    }
    return judged(VALUES, runs, "")


def training_runs(side: str, way: str, ulps: int = 0, offset: float = 0.0) -> Runs:
    """Recordings whose float64 weights are so many ulps, or so much, away from the plain ones."""
    labels = load("fashion_mnist", test=IMAGES).test_labels

    def one(precision: str, moved: float) -> Recording:
        def near(values: np.ndarray, by: float = moved) -> np.ndarray:
            wide = values * (1 + by * ULP)
            return wide.astype(precision)

        weights = np.linspace(0.1, 1.7, 30).reshape(3, 10)
        arrays = {
            "inputs/images": np.zeros((4, 28, 28), precision),
            "inputs/labels": np.arange(4),
            "inputs/batches": np.arange(3, dtype=np.uint32),
            "weights/initial/out/kernel": weights.astype(precision),
            "activations/step0/out": near(np.linspace(-1, 1, 40).reshape(4, 10), ulps),
            "loss/step0": near(np.array(2.3), ulps),
            "gradients/step0/out/kernel": near(weights / 7, ulps),
        }
        for step in STEPS:
            arrays[f"weights/step{step}/out/kernel"] = near(weights * (1 - step / 9) + offset)
        guesses = np.full((IMAGES, 10), 0.03)
        shown = labels.copy()
        if side == "keras" and precision == "float32":
            shown[4] = (shown[4] + 1) % 10
        guesses[np.arange(IMAGES), shown] = 0.73
        right = float(np.mean(shown == labels))
        arrays |= {
            "loss/curve": near(np.array([2.3, 1.9, 1.4])),
            "weights/final/out/kernel": arrays["weights/step3/out/kernel"],
            "predictions/initial": near(np.full_like(guesses, 1 / guesses.shape[1])),
            "metrics/initial_loss": near(np.array(2.3)),
            "predictions/test": near(guesses),
            "metrics/test_loss": near(np.array(0.31)),
            "metrics/test_accuracy": np.array(right, precision),
        }
        size = {"part": "embedded", "epochs": 1, "train": 12, "test": IMAGES}
        header = Header(
            "tiny_training",
            side,
            precision,
            way=way,
            size=size,
            nudged=moved != ulps,
            environment={"device": "cpu", "note": "x|y"},
            timings={"seconds": 2.0},
            order=tuple(arrays),
        )
        return Recording(header, arrays)

    title = f"{side}/{way}"
    both = one("float32", ulps), one("float64", ulps)
    return Runs(title, *both, one("float64", ulps + 4))


def training_result(offset: float = 0.0) -> ReportInput:
    runs = {
        "torch/loop": training_runs("torch", "loop"),
        "keras/tape": training_runs("keras", "tape", 2, offset),
        "keras/fit": training_runs("keras", "fit", 2, offset),
    }
    return judged(TRAINED, runs, "Fashion-MNIST, embedded subset (first 12 + 30)")


def judged(spec: ExampleSpec, runs: dict[str, Runs], data: str) -> ReportInput:
    pairs = tuple(
        judge_pair(p, runs[p.left], runs[p.right], question(spec, p, SUITE.load))
        for p in spec.pairs
    )
    return ReportInput(ExampleVerdict(spec, pairs), runs, data)


@pytest.fixture
def drawn():
    """Asked for by tests that look at figures; the others do without, they take seconds."""


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch, request):
    """A project with the two tiny examples and sources of its own."""
    if "drawn" not in request.fixturenames:
        monkeypatch.setattr("parity.report.plots.png", lambda figure, *_: b"")
    root = tmp_path / "project"
    for package, word in (("pytorch_impl", "torch"), ("keras_impl", "keras")):
        (root / package).mkdir(parents=True)
        source = f'"""Doubles."""\n\nimport {word}\n\n\ndef double(x):\n    """Twice."""\n'
        source += f"    return {word}.add(x, x)\n"
        (root / package / "tiny_values.py").write_text(source)
        (root / package / "tiny_training.py").write_text(source)
    monkeypatch.setattr(provenance, "ROOT", root)
    return root


def everything(folder: Path) -> dict[str, bytes]:
    return {str(f.relative_to(folder)): f.read_bytes() for f in folder.rglob("*") if f.is_file()}


def golden(name: str, text: str) -> None:
    """Compare with the file; PARITY_GOLDEN=1 writes it anew."""
    file = GOLDEN / name
    if os.environ.get("PARITY_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


def test_pages_are_as_agreed(tmp_path):
    folder = tmp_path / "reports"
    write(SUITE, [values_result(), training_result()], folder)
    for name in ("tiny_values.md", "tiny_training.md", "README.md"):
        golden(name, (folder / name).read_text(encoding="utf-8"))


def test_links_lead_into_the_repository_from_any_folder_in_it(project):
    folder = project / "build" / "reports"
    write(SUITE, [values_result(), training_result()], folder)
    for name in ("tiny_values", "tiny_training"):
        links = re.findall(
            r"\]\((\.\./[^)]*_impl/[^)]*)\)", (folder / f"{name}.md").read_text("utf-8")
        )
        assert links
        assert all((folder / link).is_file() for link in links), links
    before = (folder / "tiny_training.md").read_bytes()
    assert folder / "tiny_training.md" not in write(SUITE, [values_result()], folder)
    assert (folder / "tiny_training.md").read_bytes() == before


def _halved(x, n):
    return {"half": x / 2 + n}


def test_a_reference_stands_on_the_page_with_its_numbers(tmp_path):
    case = Case("halved", {"x": (3.0, 5.0)}, integers={"n": 1}, reference=_halved)
    spec = dataclasses.replace(VALUES, cases=(case,), known=())

    def runs(side):
        header = Header("tiny_values", side, "float64", way="values", environment={"device": "cpu"})
        arrays = {"values/halved/half": np.array([2.5, 3.5])}
        one = Recording(header, arrays)
        return Runs(side, None, one)

    write(SUITE, [judged(spec, {f"{s}/values": runs(s) for s in ("torch", "keras")}, "")], tmp_path)
    page = (tmp_path / "tiny_values.md").read_text("utf-8")
    assert "The same in NumPy" in page
    assert 'return {"half": x / 2 + n}' in page
    assert "Given `x = [3, 5], n = 1`" in page
    assert "| `half` | `[2.5, 3.5]` | ✓" in page


def _half(x):
    return x / 2


def _named(n):
    def _inner(x):
        return _half(x) + n

    return _inner


def _of_its_own(x):
    return {"half": _named(1)(x)}


def test_the_witnesses_of_a_case_stand_for_what_calls_them():
    case = Case("halved", {"x": (3.0,)}, reference=_of_its_own, witness=(_named,))
    shown = tables._reference(case)
    assert shown.startswith("def _half(x):")  # called by a function inside it, and before it
    assert shown.count("def _named(n):") == 1
    assert "_of_its_own" not in shown
    assert tables._reference(dataclasses.replace(case, witness=())).startswith("def _of_its_own")


def test_an_optimizer_shows_its_own_equations():
    shown = {case.name: tables._reference(case) for case in OPTIMIZERS.cases}
    assert all("_both(" not in source for source in shown.values())
    functions = [line.split("(")[0] for line in shown["adam"].splitlines() if line[:4] == "def "]
    assert functions == ["def f", "def _moments", "def torch_adam", "def keras_adam"]


def test_a_differing_page_is_as_agreed(tmp_path):
    folder = tmp_path / "reports"
    result = training_result(offset=0.25)
    first, other = result.verdict.pairs
    # The engine's own words have tests of their own.
    told = dataclasses.replace(first, text="loss/step0 is <b> | 1e+09 × too large.")
    verdict = dataclasses.replace(result.verdict, pairs=(told, other))
    write(SUITE, [dataclasses.replace(result, verdict=verdict)], folder)
    golden("differing.md", (folder / "tiny_training.md").read_text(encoding="utf-8"))


def test_writes_what_it_says_and_nothing_else(tmp_path, drawn):
    folder = tmp_path / "reports"
    written = write(SUITE, [values_result(), training_result()], folder)
    assert len(written) == len(set(written))
    assert {str(p.relative_to(folder)) for p in written} == set(everything(folder))
    pictures = [name for name in everything(folder) if name.endswith(".png")]
    assert "figures/tiny_training-loss.png" in pictures
    text = (folder / "tiny_training.md").read_text()
    assert all(f"({name})" in text for name in pictures)
    assert "![]" not in text
    for name in pictures:
        content = (folder / name).read_bytes()
        assert content.startswith(b"\x89PNG")
        assert b"Matplotlib" not in content


def test_nothing_changes_when_nothing_changed(tmp_path, drawn):
    folder = tmp_path / "reports"
    write(SUITE, [values_result(), training_result()], folder)
    before = everything(folder)
    write(SUITE, [values_result(), training_result()], folder)
    assert everything(folder) == before


def test_seconds_are_in_the_twin_and_not_on_the_page(tmp_path):
    plain, slow = training_result(), training_result()
    runs = {way: slower(r) for way, r in slow.runs.items()}
    write(SUITE, [plain], tmp_path / "a")
    write(SUITE, [dataclasses.replace(slow, runs=runs)], tmp_path / "b")
    one, two = everything(tmp_path / "a"), everything(tmp_path / "b")
    assert {name for name in one if one[name] != two[name]} == {"tiny_training.json"}
    assert json.loads(two["tiny_training.json"])["seconds"]["torch/loop/float32"] == 99


def slower(runs: Runs) -> Runs:
    header = dataclasses.replace(runs.float32.header, timings={"seconds": 99.0})
    return dataclasses.replace(runs, float32=Recording(header, runs.float32.arrays))


def test_a_partial_run_keeps_the_other_rows(tmp_path):
    folder = tmp_path / "reports"
    write(SUITE, [values_result(), training_result()], folder)
    rows = table(folder)
    page = (folder / "tiny_training.md").read_bytes()
    write(SUITE, [values_result()], folder)
    assert table(folder) == rows
    assert (folder / "tiny_training.md").read_bytes() == page
    index = (folder / "README.md").read_text()
    assert "From an earlier run" in index
    assert "- `tiny_training`" in index.split("From an earlier run")[1]


def table(folder: Path) -> list[str]:
    return [line for line in (folder / "README.md").read_text().splitlines() if line[:1] == "|"]


@pytest.mark.parametrize("left", [None, "no json", '{"format": 1}', '{"format": 99, "example": 1}'])
def test_what_was_not_run_is_counted_and_named(tmp_path, left):
    folder = tmp_path / "reports"
    folder.mkdir()
    if left is not None:
        (folder / "tiny_training.json").write_text(left)
    write(SUITE, [values_result()], folder)
    index = (folder / "README.md").read_text()
    assert "1 example not run: `tiny_training`." in index
    assert any("tiny_training | Tiny training | not run" in row for row in table(folder))
    document = json.loads((folder / "index.json").read_text())
    assert document["not_run"] == ["tiny_training"]
    assert [e["example"] for e in document["examples"]] == ["tiny_values"]


def test_an_earlier_row_says_when_its_sources_changed(tmp_path, monkeypatch):
    folder = tmp_path / "reports"
    result = training_result()
    header = dataclasses.replace(result.runs["torch/loop"].float32.header, code="aaaa")
    loop = result.runs["torch/loop"]
    loop = dataclasses.replace(loop, float32=Recording(header, loop.float32.arrays))
    runs = {**result.runs, "torch/loop": loop}
    write(SUITE, [dataclasses.replace(result, runs=runs)], folder)
    monkeypatch.setattr(provenance, "code_digest", lambda side, example: "aaaa")
    write(SUITE, [values_result()], folder)
    assert "sources have changed" not in (folder / "README.md").read_text()
    monkeypatch.setattr(provenance, "code_digest", lambda side, example: "bbbb")
    write(SUITE, [values_result()], folder)
    assert "sources have changed" in (folder / "README.md").read_text()


def test_a_difference_leads_its_page_and_the_index(tmp_path):
    folder = tmp_path / "reports"
    write(SUITE, [training_result(offset=0.25)], folder)
    page = (folder / "tiny_training.md").read_text()
    before_ladder = page.split("## The ladder")[0]
    assert "**PyTorch and Keras differ.**" in before_ladder
    assert "> [!CAUTION]\n> First divergence on L3" in before_ladder
    assert "`weights/step1/out/kernel`" in before_ladder
    assert "0.25" in before_ladder
    assert "✗ different, in consequence" in page
    index = (folder / "README.md").read_text()
    assert index.split("\n\n")[1].startswith("**1 of 1 example differs: `tiny_training`.**")
    assert any("✗ `weights/step1/out/kernel`" in row for row in table(folder))


def test_a_stale_listed_difference_is_said_first(tmp_path):
    runs = {"torch/values": value_runs("torch", 0.5), "keras/values": value_runs("keras", 0.75)}
    write(SUITE, [judged(VALUES, runs, "")], tmp_path)
    page = (tmp_path / "tiny_values.md").read_text()
    assert "[!CAUTION]" in page.split("## Known")[0]
    assert "✗ no longer as listed" in page


def test_a_contrast_that_does_not_bite_is_a_trouble(tmp_path):
    result = training_result()
    pairs = TRAINED.training.pairs
    contrast = dataclasses.replace(pairs[1], differs_at="weights/step1/", reason="because")
    spec = dataclasses.replace(
        TRAINED, training=dataclasses.replace(TRAINED.training, pairs=(pairs[0], contrast))
    )
    write(SUITE, [judged(spec, dict(result.runs), "some data")], tmp_path)
    page = (tmp_path / "tiny_training.md").read_text()
    assert "must differ first at `weights/step1/…`, but does not" in page.split("## The ladder")[0]


def test_missing_pairs_are_said(tmp_path):
    result = training_result()
    verdict = dataclasses.replace(result.verdict, pairs=result.verdict.pairs[:1], chosen=True)
    write(SUITE, [dataclasses.replace(result, verdict=verdict)], tmp_path)
    assert (
        "Not compared this time: Keras tape ~ Keras fit"
        in (tmp_path / "tiny_training.md").read_text()
    )
    assert "`tiny_training`: not every pair was compared" in (tmp_path / "README.md").read_text()


def test_one_precision_is_said(tmp_path):
    result = training_result()
    runs = {
        way: dataclasses.replace(r, float64=None, nudged=None) for way, r in result.runs.items()
    }
    write(SUITE, [judged(TRAINED, runs, "some data")], tmp_path)
    assert "Only float32 was recorded" in (tmp_path / "tiny_training.md").read_text()


def test_json_is_strict(tmp_path):
    result = values_result()
    first = dataclasses.replace(result.verdict.headline.findings[0])
    level = dataclasses.replace(result.verdict.headline.levels["values"], worst_ratio=np.inf)
    pair = dataclasses.replace(
        result.verdict.headline,
        findings=(first,),
        levels={"values": level},
        metrics={"torch": {"loss": np.float32("nan")}},
    )
    write(SUITE, [ReportInput(ExampleVerdict(VALUES, (pair,)), result.runs)], tmp_path)
    for file in tmp_path.glob("*.json"):
        document = json.loads(file.read_text(), parse_constant=pytest.fail)
        assert document["format"] == 2
    twin = json.loads((tmp_path / "tiny_values.json").read_text())
    assert twin["metrics"]["torch"]["loss"] is None
    write(SUITE, [], tmp_path)  # and the index can read it again
    assert "tiny_values" in (tmp_path / "README.md").read_text()


def test_sources_come_from_the_files(tmp_path, project):
    write(SUITE, [values_result()], tmp_path)
    page = (tmp_path / "tiny_values.md").read_text()
    assert "return torch.add(x, x)" in page
    assert "return keras.add(x, x)" in page
    file = project / "keras_impl" / "tiny_values.py"
    file.write_text(file.read_text().replace("keras.add(x, x)", "2 * x | 0"))
    write(SUITE, [values_result()], tmp_path)
    page = (tmp_path / "tiny_values.md").read_text()
    assert "return 2 * x | 0" in page
    assert "keras.add(x, x)" not in page


def test_a_page_that_stays_shows_the_sources_as_they_are(tmp_path, project, monkeypatch):
    """Its numbers are of an earlier commit, which it names."""

    def with_commit(runs):
        environment = {**runs.float32.header.environment, "commit": "0123abc"}
        header = dataclasses.replace(runs.float32.header, code="aaaa", environment=environment)
        return dataclasses.replace(runs, float32=Recording(header, runs.float32.arrays))

    result = training_result()
    result = dataclasses.replace(
        result, runs={way: with_commit(runs) for way, runs in result.runs.items()}
    )
    monkeypatch.setattr(provenance, "code_digest", lambda side, example: "aaaa")
    write(SUITE, [result], tmp_path)
    page = tmp_path / "tiny_training.md"
    before = page.read_text()
    write(SUITE, [values_result()], tmp_path)
    assert page.read_text() == before
    file = project / "keras_impl" / "tiny_training.py"
    file.write_text(file.read_text().replace("keras.add(x, x)", "2 * x | 0"))
    monkeypatch.setattr(provenance, "code_digest", lambda side, example: "bbbb")
    written = write(SUITE, [values_result()], tmp_path)
    after = page.read_text()
    assert page in written
    assert "return 2 * x | 0" in after
    assert "keras.add(x, x)" not in after
    since = " They, or what stands around them, have changed since commit `0123abc`"
    assert after.count(since) == 1
    unchanged = after.replace("2 * x | 0", "keras.add(x, x)")
    start, end = unchanged.index(since), unchanged.index("\n", unchanged.index(since))
    assert unchanged[:start] + unchanged[end:] == before


def test_old_figures_go(tmp_path):
    write(SUITE, [training_result()], tmp_path)
    old = tmp_path / "figures" / "tiny_training-old.png"
    other = tmp_path / "figures" / "tiny_values_2-kept.png"
    for file in (old, other):
        file.write_bytes(b"")
    write(SUITE, [training_result()], tmp_path)
    assert not old.exists()
    assert other.exists()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"Cannot write .*README\.md"):
        write(SUITE, [], tmp_path / "file")


def test_data_that_is_not_there_leaves_the_images_out(tmp_path, monkeypatch):
    monkeypatch.setenv("PARITY_DATA_DIR", str(tmp_path / "empty"))
    result = training_result()
    runs = dict(result.runs)
    for way, r in runs.items():
        size = {"part": "full"}  # what it leaves out is as the full run has it
        header = dataclasses.replace(r.float32.header, size=size)
        runs[way] = dataclasses.replace(r, float32=Recording(header, r.float32.arrays))
    write(SUITE, [dataclasses.replace(result, runs=runs)], tmp_path)
    page = (tmp_path / "tiny_training.md").read_text()
    assert "The images cannot be read here" in page
    assert "parity data fetch fashion_mnist" in page
    assert "images.png" not in page
    assert "✓ on both sides" in page  # a full run is held to its references


def test_importing_the_reports_loads_no_matplotlib_and_no_framework():
    program = (
        "import sys, parity.report\n"
        "heavy = {'matplotlib', 'torch', 'tensorflow', 'keras', 'jax'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or None)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "key",
    [
        "loss/curve",
        "predictions/test",
        "metrics/test_accuracy",
        "weights/step3/out/kernel",
        "weights/final/out/kernel",
    ],
)
@pytest.mark.parametrize("fault", ["missing", "nan", "shape"])
def test_broken_recordings_still_make_a_page(tmp_path, key, fault):
    runs = dict(training_result().runs)
    tape = runs["keras/tape"]
    broken = {}
    for name in ("float32", "float64", "nudged"):
        recording = getattr(tape, name)
        arrays = dict(recording.arrays)
        if fault == "missing":
            del arrays[key]
        elif fault == "nan":
            arrays[key] = np.full_like(arrays[key], np.nan)
        else:
            arrays[key] = np.stack([arrays[key]] * 2)
        broken[name] = Recording(recording.header, arrays)
    runs["keras/tape"] = dataclasses.replace(tape, **broken)
    write(SUITE, [judged(TRAINED, runs, "some data")], tmp_path)
    page = (tmp_path / "tiny_training.md").read_text()
    assert "**PyTorch and Keras differ.**" in page
    assert f"`{key}`" in page.split("## The ladder")[0]
    json.loads((tmp_path / "tiny_training.json").read_text(), parse_constant=pytest.fail)


# --- Trainings that are watched -------------------------------------------------------------------


def watched_result(pairs: int = 2, *, stops: bool = False) -> ReportInput:
    """Two epochs of one step and one more of it; four training samples are held out."""
    result = training_result()
    training = dataclasses.replace(
        TRAINED.training,
        watched="epochs",
        validation=4,
        stops=stops,
        pairs=(TRAINED.training.pairs * pairs)[:pairs],
    )
    spec = dataclasses.replace(TRAINED, training=training)
    for runs in result.runs.values():
        for recording in (*runs.present, runs.nudged):
            precision = recording["loss/curve"].dtype
            recording.arrays.update(
                {
                    "inputs/validation": np.arange(4),
                    "metrics/watched_loss": np.array([2.0, 1.5, 1.75], precision),
                    "metrics/watched_accuracy": np.array([0.25, 0.75, 0.5], precision),
                    "metrics/validation_loss": np.array(1.5, precision),
                    "metrics/validation_accuracy": np.array(0.75, precision),
                }
            )
            if stops:
                epochs = {"metrics/stopped_epoch": np.int64(3), "metrics/best_epoch": np.int64(2)}
                recording.arrays.update({k: np.array(v) for k, v in epochs.items()})
    return judged(spec, dict(result.runs), result.data)


def page_of(result: ReportInput, folder: Path) -> str:
    write(SUITE, [result], folder)
    return (folder / "tiny_training.md").read_text("utf-8")


def test_a_watched_training_shows_train_against_validation(tmp_path, drawn):
    page = page_of(watched_result(), tmp_path)
    assert "### Train against validation" in page
    assert "figures/tiny_training-validation.png" in page
    assert (tmp_path / "figures" / "tiny_training-validation.png").stat().st_size > 1000
    assert "train loss 1.4, validation loss 1.8" in page
    row = "| PyTorch loop ~ Keras tape | 1.4000 / 1.4000 | 1.5000 / 1.5000 | 0.7500 / 0.7500 |"
    assert row in page
    assert "| the last | ✓ agree |" in page
    assert "| 4 images |" in page
    assert "A dot marks" not in page


def test_a_training_that_stopped_shows_the_epoch_that_was_kept(tmp_path):
    page = page_of(watched_result(stops=True), tmp_path)
    assert "train loss 1.9, validation loss 1.5" in page
    assert "| 1.9000 / 1.9000 |" in page
    assert "| 2 of 3 / 2 of 3 | ✓ agree |" in page
    assert "A dot marks the weights that are kept." in page


def test_a_side_that_kept_another_epoch_differs(tmp_path):
    result = watched_result(stops=True)
    for recording in result.runs["keras/tape"].present:
        recording.arrays["metrics/best_epoch"] = np.array(np.int64(3))
    again = judged(result.spec, dict(result.runs), result.data)
    assert again.verdict.headline.verdict == "differ"
    assert again.verdict.headline.first.key == "metrics/best_epoch"
    page = page_of(again, tmp_path)
    assert "| 2 of 3 / 3 of 3 | ✗ differ |" in page


def test_a_page_of_many_pairs_has_one_figure_for_all(tmp_path):
    few, many = page_of(watched_result(5), tmp_path), page_of(watched_result(6), tmp_path)
    assert "tiny_training-confusion.png" in few
    assert "tiny_training-confusion.png" not in many
    assert "tiny_training-validation.png" in many


def test_without_held_out_samples_the_test_set_is_shown(tmp_path):
    result = watched_result()
    training = dataclasses.replace(result.spec.training, validation=0)
    for runs in result.runs.values():
        for recording in (*runs.present, runs.nudged):
            del recording.arrays["inputs/validation"]
    spec = dataclasses.replace(result.spec, training=training)
    page = page_of(judged(spec, dict(result.runs), ""), tmp_path)
    assert "### While it trains" in page
    assert "tiny_training-test.png" in page


def test_the_table_is_about_the_headlines_own_training(tmp_path):
    training = TRAINED.training
    wide = (
        ParameterSpec("out/kernel", (3, 10), GLOROT),
        ParameterSpec("out/mean", (7,), GLOROT, trainable=False),
    )
    ways = tuple(
        dataclasses.replace(w, changes={"parameters": wide}) if w.name != "fit" else w
        for w in training.ways
    )
    plain = dataclasses.replace(training, ways=ways, parameters=(wide[1],))
    result = training_result()
    spec = dataclasses.replace(TRAINED, training=plain)
    page = page_of(
        ReportInput(dataclasses.replace(result.verdict, spec=spec), result.runs), tmp_path
    )
    assert "| 30 | 20 |" in page


def test_many_pairs_have_a_table_and_fewer_curves(tmp_path):
    """Accuracy and interval of every pair; weights are drawn for the headline only."""
    assert TRAINED.training is not None
    pages = []
    for number in (1, 4):
        more = tuple(
            ComparedPair(f"again{n}", f"once | more {n}", "torch/loop", "keras/fit")
            for n in range(number)
        )
        training = dataclasses.replace(TRAINED.training, pairs=(*TRAINED.training.pairs, *more))
        result = training_result()
        spec = dataclasses.replace(TRAINED, training=training)
        write(SUITE, [judged(spec, dict(result.runs), result.data)], tmp_path / str(number))
        pages.append((tmp_path / str(number) / "tiny_training.md").read_text())
    few, many = pages
    assert "Every pair that must agree" not in few
    assert "tiny_training-again0-weights.png" in few
    assert "| once \\| more 3 | 3 | 1.0000 | 1.0000 | 0.8865 – 1.0000 | agree |" in many
    assert many.count("weights.png") == 1
