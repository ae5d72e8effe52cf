"""The command line as people use it: exit codes, one JSON document, messages without tracebacks."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from parity.recording import recording_file
from parity.spec.example import Size
from parity_tests.waiting import PATIENCE, wait_for
from shared.examples import ALL
from shared.suite import SUITE

ROOT = Path(__file__).parents[1]
PARITY = [str(Path(sys.executable).with_name("parity"))]
EXAMPLES = ["autograd", "fashion_mlp"]
SMALL = ["--train", "640", "--test", "200", "--epochs", "1"]


def parity(*arguments, cwd=ROOT, env=None):
    return subprocess.run(
        [*PARITY, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | (env or {}),
    )


def complaint(done):
    """The one message of a run that could not tell."""
    assert done.returncode == 2, (done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """Small recordings of two examples, and what was printed about them."""
    folder = tmp_path_factory.mktemp("cli")
    done = parity("run", *EXAMPLES, *SMALL, "--out", folder, "--json")
    return folder, done


def files(folder, stem):
    return sorted(folder.glob(f"fashion_mlp/*/{stem}-*.safetensors"))


def test_list_gives_one_document():
    document = json.loads(parity("list", "--json").stdout)
    assert document["format"] == 2
    first = document["examples"][0]
    assert {"name", "title", "part", "levels", "dataset"} <= first.keys()
    levels = {e["name"]: e["levels"] for e in document["examples"]}
    assert list(levels) == [spec.name for spec in ALL]
    assert levels["autograd"] == ["values"]
    assert levels["fashion_mlp"] == ["L0", "L1", "L2", "L3", "L4", "L5"]


def test_run_gives_one_document_and_exit_code_0(recorded):
    _, done = recorded
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    verdicts = {e["example"]: e["verdict"] for e in document["examples"]}
    assert verdicts == dict.fromkeys(EXAMPLES, "agree")
    mlp = next(e for e in document["examples"] if e["example"] == "fashion_mlp")
    assert mlp["first_divergence"] is None
    assert mlp["horizon"] == 20
    assert mlp["metrics"]["agreement"] == {
        "same": 200,
        "of": 200,
        "float32": {"same": 200, "of": 200},
        "float64": {"same": 200, "of": 200},
    }
    assert mlp["levels"]["L0"]["status"] == "identical"
    for level in ("L1", "L2", "L3", "L4"):
        assert mlp["levels"][level]["status"] in ("identical", "rounding")
        assert 0 <= mlp["levels"][level]["worst"]["ratio"] <= 1
    assert {"torch", "keras"} <= mlp["metrics"].keys()


def test_reuse_takes_what_is_there(recorded):
    folder, _ = recorded
    done = parity("run", *EXAMPLES, *SMALL, "--out", folder, "--json", "--reuse")
    document = json.loads(done.stdout)
    first = json.loads(recorded[1].stdout)["recordings"]["made"]
    assert document["recordings"] == {"made": 0, "reused": first}
    assert done.returncode == 0


def test_the_defaults_differ_with_exit_code_1(recorded):
    folder, _ = recorded
    done = parity(
        "run", "fashion_mlp", "--pair", "default_adam", *SMALL, "--out", folder, "--reuse", "--json"
    )
    assert done.returncode == 1
    example = json.loads(done.stdout)["examples"][0]
    assert example["verdict"] == "differ"
    assert example["first_divergence"]["key"].startswith("weights/step1/")
    assert "after the bias correction" in example["first_divergence"]["text"]
    assert [example["levels"][f"L{n}"]["status"] for n in range(4)] == [
        "identical",
        "rounding",
        "rounding",
        "different",
    ]


def test_the_screen_shows_rungs_and_verdict(recorded):
    folder, _ = recorded
    done = parity("run", *EXAMPLES, *SMALL, "--out", folder, "--reuse")
    assert done.returncode == 0
    for part in ("fashion_mlp · agree", "L3", "differ, meant", "same of 200 classes", str(folder)):
        assert part in done.stdout.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_diff_of_two_sides_agrees(recorded):
    folder, _ = recorded
    four = [
        f
        for f in [*files(folder, "torch-loop"), *files(folder, "keras-fit")]
        if "torch_adam" not in f.name
    ]
    done = parity("diff", *four, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["verdict"] == "agree"


def test_diff_with_one_precision_falls_back_and_says_so(recorded):
    folder, _ = recorded
    one = [
        f
        for f in [*files(folder, "torch-loop"), *files(folder, "keras-fit")]
        if "torch_adam" not in f.name and "float32" in f.name
    ]
    done = parity("diff", *one)
    assert done.returncode in (0, 1)
    assert "torch.testing" in done.stdout


def test_diff_names_the_first_divergence(recorded):
    folder, _ = recorded
    done = parity("diff", *files(folder, "torch-loop_torch_adam"), *files(folder, "keras-fit"))
    assert done.returncode == 1
    assert "first divergence: weights/step1/" in done.stdout


def test_diff_refuses_different_questions(recorded, tmp_path):
    folder, _ = recorded
    one, other = files(folder, "keras-fit")[0], tmp_path / "other.safetensors"
    made = recording_file.read(one)
    spec = SUITE.find("fashion_mlp")
    size = dataclasses.replace(Size(**made.header.size), train=320)
    digest = spec.digest(size, made.header.seed)
    assert digest != spec.digest(Size(**made.header.size), made.header.seed)
    recording_file.write(other, dict(made.arrays), dataclasses.replace(made.header, digest=digest))
    assert "different questions: digest" in complaint(parity("diff", one, other))


def test_show_has_both_sources():
    document = json.loads(parity("show", "autograd", "--json").stdout)
    assert "import torch" in document["torch"]["source"]
    assert "GradientTape" in document["keras"]["source"]
    screen = parity("show", "autograd").stdout
    assert "pytorch_impl/autograd.py" in screen
    assert "keras_impl/autograd.py" in screen


def test_report_writes_pages(recorded, tmp_path):
    folder, _ = recorded
    done = parity("report", "autograd", "--folder", tmp_path, "--out", folder)
    assert done.returncode == 0, done.stderr
    assert "autograd" in (tmp_path / "README.md").read_text("utf-8")
    assert json.loads((tmp_path / "autograd.json").read_text("utf-8"))["verdict"] == "agree"


def test_data_status_and_an_unknown_dataset():
    document = json.loads(parity("data", "status", "--json").stdout)
    assert document["datasets"][0]["name"] == "fashion_mnist"
    assert "Did you mean 'fashion_mnist'?" in complaint(parity("data", "fetch", "fashion_mnits"))


def test_fetched_data_is_laid_where_the_frameworks_look(tmp_path):
    """From files that are in the cache, and told on screen; of what is not there, how to get it."""
    cache = tmp_path / "fashion_mnist"
    cache.mkdir()
    env = {"PARITY_DATA_DIR": str(tmp_path), "KERAS_HOME": str(tmp_path / "keras")}
    (row, *_) = json.loads(parity("data", "status", "--json", env=env).stdout)["datasets"]
    assert [(p["framework"], p["state"]) for p in row["places"]] == [
        ("torchvision", "missing"),
        ("keras", "missing"),
    ]
    assert row["places"][0]["folder"] == str(tmp_path / "torchvision")
    assert row["places"][1]["folder"] == str(tmp_path / "keras")
    status = parity("data", "status", env=env).stdout
    assert "not laid. Lay it: parity data fetch fashion_mnist" in status
    iris = parity("data", "fetch", "iris", "--json", env=env)
    assert json.loads(iris.stdout)["places"] == []
    (tmp_path / "file").write_text("")
    blocked = parity("data", "fetch", "iris", "--torchvision", tmp_path / "file", env=env)
    assert "--torchvision" in complaint(blocked)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run"], "Name an example, or say --all"),
        (["run", "fashion_mpl"], "Did you mean 'fashion_mlp'?"),
        (["run", "autograd", "--all"], "not both"),
        (["run", "autograd", "--pair", "mached"], "It has: matched"),
        (["run", "fashion_mlp", "--train", "99999999"], "12,000"),
        (["run", "fashion_mlp", "--epochs", "0"], "greater than or equal to 1"),
        (["run", "autograd", "--torch-python", "/no/python"], "--torch-python PATH"),
        (["run", "autograd", "--keras-python", "/bin/false"], "exit code 1"),
        (["run", "fashion_mlp", "--epochs", "100000000000"], "less than or equal to 10000"),
        (["run", "autograd", "--threads", "100000"], f"equal to {4 * os.cpu_count()}"),
        (["show", "xyz"], "parity list"),
        (["run", "nope"], "No example named 'nope'. parity list"),
        (["diff", "/no/file.safetensors", "/no/other.safetensors"], "No recording at"),
        (["diff", str(Path(__file__)), str(Path(__file__))], "not a complete safetensors file"),
        (["report", "autograd", "--folder", "/dev/null/reports"], "/dev/null"),
        (["no-such-command"], "no-such-command"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_bad_input_is_one_clear_message(arguments, words):
    assert words in complaint(parity(*arguments)).replace("\n", " ")


def test_missing_full_data_names_the_fetch(tmp_path):
    done = parity("run", "fashion_mlp", "--full", env={"PARITY_DATA_DIR": str(tmp_path)})
    assert "parity data fetch fashion_mnist" in complaint(done)


def test_an_unwritable_recordings_folder_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    done = parity("run", "autograd", "--out", tmp_path / "file" / "below")
    assert "file is a file, so that nothing can lie in it" in complaint(done)


def test_help_is_quick_and_has_examples():
    for command in ("run", "list", "show", "report", "diff"):
        done = parity(command, "--help")
        assert done.returncode == 0
        assert "Example: parity" in done.stdout


def _heeds_interrupts():
    """A shell starts background jobs with SIGINT ignored, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class TestARealRunInTrouble:
    """kill -9, Ctrl-C and the parent's death, in the middle of a real training."""

    @pytest.fixture
    def running(self, tmp_path):
        process = subprocess.Popen(
            [
                *PARITY,
                "run",
                "fashion_mlp",
                "--pair",
                "matched",
                "--epochs",
                "400",
                "--out",
                str(tmp_path),
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heeds_interrupts,  # noqa: PLW1509 - nothing else runs in this process
        )
        yield process
        process.kill()
        process.communicate()

    def workers(self, process, count=2):
        """The workers, once both are past their import and computing."""

        def is_worker(child):
            try:
                return "--worker" in child.cmdline()
            except psutil.Error:  # gone, or going, since it was listed
                return False

        def busy():
            children = psutil.Process(process.pid).children(recursive=True)
            found = [child for child in children if is_worker(child)]
            return len(found) == count and all(p.cpu_times().user > 2.0 for p in found) and found

        return wait_for(busy, "the start of the workers")

    def gone(self, workers):
        _, alive = psutil.wait_procs(workers, timeout=PATIENCE)
        assert not alive

    def test_a_killed_worker(self, running):
        workers = self.workers(running)
        victim = next(w for w in workers if "keras_impl" in w.cmdline())
        victim.send_signal(signal.SIGKILL)
        _, errors = running.communicate(timeout=PATIENCE)
        assert running.returncode == 2
        assert "Keras / TensorFlow: its worker ended by itself (signal SIGKILL" in errors
        assert "Traceback" not in errors
        self.gone(workers)

    def test_a_termination(self, running):
        workers = self.workers(running)
        running.send_signal(signal.SIGTERM)
        _, errors = running.communicate(timeout=PATIENCE)
        assert running.returncode == 2
        assert "Interrupted" in errors
        assert "Traceback" not in errors
        self.gone(workers)

    def test_the_parents_death(self, running):
        workers = self.workers(running)
        running.kill()
        running.communicate(timeout=PATIENCE)
        self.gone(workers)

    def test_at_an_interrupt_recordings_already_made_are_kept(self, recorded, tmp_path):
        folder, _ = recorded
        made, kept = folder / "autograd", tmp_path / "autograd"
        shutil.copytree(made, kept, ignore=shutil.ignore_patterns("*.json"))
        before = {p: p.read_bytes() for p in tmp_path.rglob("*.safetensors")}
        assert len(before) == 4
        process = subprocess.Popen(
            [*PARITY, "run", "autograd", "fashion_mlp", "--epochs", "400", "--out", str(tmp_path)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heeds_interrupts,  # noqa: PLW1509 - nothing else runs in this process
        )
        workers = self.workers(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 2
        assert "Interrupted" in errors
        assert "Traceback" not in errors
        self.gone(workers)
        # The first run's verdict is kept beside its recordings.
        after = {p for p in tmp_path.rglob("*") if p.is_file() and p.name != "verdict.json"}
        assert after == set(before), "complete recordings are kept, and nothing is half-written"
