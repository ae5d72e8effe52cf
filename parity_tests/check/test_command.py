"""`parity check` as people type it, and what it says of what they get wrong."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from rich.console import Console

from parity import assert_parity
from parity.checker.check import check_in
from parity.checker.diagnose.diagnosis import _capital
from parity.checker.graph import model_inputs
from parity.checker.graph.target import ModelError, Target, in_words
from parity.checker.result.check_result import CheckResult, ComparedQuantity, Layer, LayerStatus
from parity.checker.result.wording import screen
from parity.checker.workers.request import CheckRequest
from parity.cli.main import main
from parity.comparator.noise import Finding
from parity.core.errors import UsageError
from parity.recording.provenance import ROOT
from parity_tests.waiting import PATIENCE

BENCH = ROOT / "parity_tests/check/bench"
TORCH, KERAS = f"{BENCH}/torch_images.py", f"{BENCH}/keras_images.py"
FAULTY = f"{BENCH}/keras_faults_classifiers.py"
SMALL = "2,3,12,10"

MODELS = """
import sys
import torch
from torch import nn

Net = 3

def needs(size):
    return nn.Linear(size, 2)

def nothing():
    return None

def exits():
    sys.exit(4)

def interrupts():
    raise KeyboardInterrupt

class Interrupts(nn.Linear):
    def __init__(self):
        super().__init__(5, 2)

    def forward(self, x):
        raise KeyboardInterrupt

class Needs(nn.Linear):
    def __init__(self, size):
        super().__init__(size, 2)

class Huge(nn.Linear):
    def __init__(self):
        super().__init__(5, 2)

    def forward(self, x):
        return super().forward(x) + torch.zeros(10**13)[:2]

class Endless(Huge):
    def forward(self, x):
        return self.forward(x)

class Silent(Huge):
    def forward(self, x):
        print("computing")
        return None

class Wrong(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(5, 2)

    def forward(self, x):
        return self.fc(x)
"""


def parity(*words):
    command = [sys.executable, "-c", "from parity.cli.main import main; main()", "check", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture
def served(serving, monkeypatch, capsys):
    """``served(*words)`` → exit code, output and errors of a command in this process."""
    monkeypatch.chdir(ROOT)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["parity", "check", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *map(_one_line, capsys.readouterr())

    return run


def _one_line(text):
    return " ".join(text.split())


@pytest.fixture
def models(tmp_path):
    file = tmp_path / "models.py"
    file.write_text(MODELS)
    return file


def checked(remotes, torch, keras, *shapes):
    request = CheckRequest(inputs=tuple(model_inputs.parse(s) for s in shapes) or None)
    file, name = torch.rsplit(":", 1)
    other, called = keras.rsplit(":", 1)
    return check_in(remotes, (Target(file, name, {}), Target(other, called, {})), request)


def test_json_page_and_exit_code(tmp_path):
    page = tmp_path / "check.md"
    done = parity(
        "--torch",
        f"{TORCH}:SmallCnn",
        "--keras",
        f"{FAULTY}:norm_epsilon",
        "--input",
        SMALL,
        "--json",
        "--format",
        f"sarif={tmp_path}/check.sarif",
        "--report",
        str(page),
        "--model-explorer",
        str(tmp_path / "explorer"),
    )
    assert done.returncode == 1, done.stderr
    files = sorted(path.name for path in (tmp_path / "explorer").iterdir())
    assert files == ["graphs.json", "ratio.json", "status.json"]
    (found,) = json.loads((tmp_path / "check.sarif").read_text("utf-8"))["runs"][0]["results"]
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == str(Path(FAULTY).relative_to(ROOT))
    line = Path(FAULTY).read_text("utf-8").splitlines()[place["region"]["startLine"] - 1]
    assert "layers.BatchNormalization(epsilon=epsilon" in line
    assert "check.sarif" in done.stderr
    document = json.loads(done.stdout)
    assert document["format"] == 2
    assert document["verdict"] == "differ"
    assert document["first_divergence"]["torch"] == "bn1"
    assert document["first_divergence"]["stage"] == "activations"
    (cause,) = document["causes"]
    assert (cause["kind"], cause["status"]) == ("epsilon", "confirmed")
    assert cause["residual_ratio"] <= 1
    assert "epsilon=1e-05" in cause["fix"]
    status = {layer["torch"]: layer["status"] for layer in document["layers"]}
    assert status["conv1"] == "agrees"
    assert status["bn1"] == "diverges"
    assert status["fc2"] == "downstream"
    text = page.read_text("utf-8")
    assert "mermaid" in text
    assert text.count(":::diverges") == 1
    assert re.search(r"^\| bn1 .*\| DIVERGES \|", text, re.MULTILINE)
    assert (tmp_path / "check-layers.png").is_file()


def test_the_documentation_explains_every_status():
    table = (ROOT / "docs/check.md").read_text("utf-8").partition("| status | meaning |")[2]
    explained = re.findall(r"^\| `(\w+)` \|", table.partition("\n\n")[0], re.MULTILINE)
    assert tuple(explained) == get_args(LayerStatus)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--torch", "nowhere.py:Net", "--keras", "k:K"), "there is no file 'nowhere.py'"),
        (("--torch", "Net", "--keras", "k:K"), "names no model"),
        (("--torch", "a.b:Net", "--keras", "k:K", "--torch-args", "{"), "is not JSON"),
        (("--torch", "a.b:Net", "--keras", "k:K", "--torch-args", "[1]"), "expected an object"),
        (("--torch", "a.b:Net", "--keras", "k:K", "--input", "8x3"), "is no shape"),
        (("--torch", "a.b:Net", "--keras", "k:K", "--map", "conv1"), "pairs nothing"),
        (("--torch", "a.b:Net", "--keras", "k:K", "--layout", "odd"), "expected auto"),
        (("--torch", "a.b:Net", "--keras", "k:K", "--report", "x.txt"), "is no page"),
        (
            ("--torch", "a.b:Net", "--keras", "k:K", "--model-explorer", "README.md"),
            "README.md is a file",
        ),
        (("--torch", "a.b:Net", "--keras", "k:K", "--format", "xml"), "--format 'xml': expected"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[-1],
)
def test_what_is_typed_wrong_is_told_at_once(served, words, told):
    code, _, errors = served(*words)
    assert code == 2
    assert told in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("name", "shape", "told"),
    [
        ("Absent", SMALL, "has no 'Absent'"),
        ("Net", SMALL, "is a int"),
        ("needs", SMALL, """--torch-args '{"size": …}'"""),
        ("nothing", SMALL, "gives a NoneType"),
        ("Needs", SMALL, "missing 1 required argument: 'size'"),
        ("Absent", SMALL, "It has needs, nothing"),
        ("Huge", "2,5", "Out of memory"),
        ("Endless", "2,5", "RecursionError"),
        ("exits", SMALL, "called exit(4)"),
        ("interrupts", SMALL, "raised KeyboardInterrupt, as Ctrl-C does"),
        ("Interrupts", "2,5", "raise KeyboardInterrupt"),
        ("Wrong", "2,4", "return self.fc(x)"),
    ],
)
def test_a_model_that_does_not_work_is_told_in_one_message(remotes, models, name, shape, told):
    with pytest.raises(ModelError) as caught:
        checked(remotes, f"{models}:{name}", f"{KERAS}:small_cnn", shape)
    assert told in str(caught.value)
    assert "site-packages" not in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_an_error_while_importing_shows_the_line(remotes, tmp_path):
    file = tmp_path / "broken.py"
    file.write_text("import torch\nvalue = undefined_name\n")
    with pytest.raises(ModelError, match=r"NameError.*undefined_name"):
        checked(remotes, f"{file}:Net", f"{KERAS}:small_cnn", SMALL)


def test_unequal_numbers_of_outputs(remotes):
    with pytest.raises(UsageError, match="returns 2 outputs"):
        checked(
            remotes,
            f"{BENCH}/torch_basics.py:Detector",
            f"{BENCH}/keras_images.py:small_cnn",
            SMALL,
        )


def test_a_model_that_returns_no_tensor(remotes, models):
    keras = f"{ROOT}/parity_tests/check/learning_keras.py:net"
    with pytest.raises(UsageError, match="returns no tensor"):
        checked(remotes, f"{models}:Silent", keras, "2,9")


def test_a_name_to_be_paired_that_is_not_there(remotes):
    request = CheckRequest(inputs=(model_inputs.parse(SMALL),), pairs={"bn1x": "dense"})
    targets = Target(TORCH, "SmallCnn", {}), Target(KERAS, "small_cnn", {})
    with pytest.raises(UsageError, match=r"--map: no layer of .* is called 'bn1x'\. Did you mean"):
        check_in(remotes, targets, request)


def test_what_tensorflow_says_comes_without_its_marks():
    said = "{{function_node __wrapped__MatMul_device_CPU:0}} Matrix size-incompatible [Op:MatMul]"
    assert in_words(ValueError(said)) == "ValueError: Matrix size-incompatible"


def test_a_page_goes_into_a_folder_and_says_so(served, tmp_path):
    words = ("--torch", f"{TORCH}:SmallCnn", "--keras", f"{KERAS}:small_cnn", "--input", SMALL)
    code, output, errors = served(*words, "--report", str(tmp_path / "new" / "pages"))
    assert code == 0, errors
    assert "pages is new)" in output
    assert (tmp_path / "new/pages/check.md").is_file()
    (tmp_path / "taken").write_text("")
    for path in ("taken", "taken/check.md"):
        code, _, errors = served(*words, "--report", str(tmp_path / path))
        assert code == 2
        assert "is a file" in errors


def test_what_parted_has_a_row_under_train_and_its_own_name():
    part = ComparedQuantity(
        "state",
        "bn/mean",
        "bn/mean",
        Finding(
            "bn/mean after one pass",
            "check",
            "different",
            ratio=7.0,
            rule="equation",
            distance64=1.0,
        ),
    )
    layer = Layer("bn", "bn", "batch_norm", "agrees", 0.1)
    titles = {"torch": "t.py:T", "keras": "k.py:K"}
    empty = ((), (), (), (), ())
    result = CheckResult("differ", titles, (), (layer,), *empty, parts=(part,), notes=())
    console = Console(width=200, file=io.StringIO())
    for shown in screen(result):
        console.print(shown, highlight=False)
    text = console.file.getvalue()
    assert "DIVERGES" in text
    assert "running statistics" in text
    assert _capital(part.finding.key) == "bn/mean after one pass"


def test_shapes_that_keras_states_need_no_input(remotes):
    assert checked(remotes, f"{TORCH}:SmallCnn", f"{KERAS}:small_cnn").verdict == "agree"


@pytest.mark.usefixtures("serving")
def test_assert_parity_passes_and_fails_in_the_same_words():
    assert_parity(f"{TORCH}:SmallCnn", f"{KERAS}:small_cnn", SMALL)
    with pytest.raises(AssertionError, match=r"epsilon \(confirmed\)"):
        assert_parity(f"{TORCH}:SmallCnn", f"{FAULTY}:norm_epsilon", SMALL)


LIVE = """
import torch
import keras
import pytest
from keras import layers
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 4)

    def forward(self, x):
        return self.fc(torch.relu(self.bn(self.conv(x))).mean((2, 3)))

def port(epsilon):
    x = inputs = keras.Input((12, 10, 3))
    x = layers.Conv2D(6, 3, padding="same")(x)
    x = layers.ReLU()(layers.BatchNormalization(epsilon=epsilon, momentum=0.9, name="bn")(x))
    return keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))

def test_right(assert_parity):
    assert_parity(Net(), port(1e-5), "4,3,12,10", train=True)

def test_wrong(assert_parity):
    with pytest.raises(AssertionError, match="epsilon"):
        assert_parity(Net(), port(1e-3))
"""


def test_models_that_exist_in_somebody_elses_tests(tmp_path):
    """Both frameworks in one process, and the fixture from the installed package."""
    (tmp_path / "test_port.py").write_text(LIVE)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(tmp_path),
            str(tmp_path),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-1000:]
    assert "2 passed" in done.stdout


ODD_TORCH = """
import torch
from torch import nn

class Slice(nn.Module):
    def __init__(self):
        super().__init__()
        self.p, self.fc = nn.Parameter(torch.randn(1, 12, 8)), nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(x + self.p[:, : x.shape[1]])

class Buffer(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros(8))
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(x - self.shift)

class NotFinite(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return torch.log(self.fc(x))
"""
ODD_KERAS = """
import keras
from keras import layers, ops

class Slice(keras.Model):
    def __init__(self):
        super().__init__()
        self.p, self.fc = self.add_weight(shape=(1, 12, 8)), layers.Dense(3)

    def call(self, x):
        return self.fc(x + self.p[:, : x.shape[1]])

class Buffer(keras.Model):
    def __init__(self):
        super().__init__()
        self.shift = self.add_weight(shape=(8,), initializer="zeros", trainable=False)
        self.fc = layers.Dense(3)

    def call(self, x):
        return self.fc(x - self.shift)

class NotFinite(keras.Model):
    def __init__(self):
        super().__init__()
        self.fc = layers.Dense(3)

    def call(self, x):
        return ops.log(self.fc(x))
"""


@pytest.mark.parametrize(
    ("name", "verdict"), [("Slice", "agree"), ("Buffer", "agree"), ("NotFinite", "undecided")]
)
def test_weights_that_are_not_taken_whole(remotes, tmp_path, name, verdict):
    """A slice of a weight, a buffer; and numbers that are finite on neither side."""
    torch, keras = tmp_path / "odd_torch.py", tmp_path / "odd_keras.py"
    torch.write_text(ODD_TORCH)
    keras.write_text(ODD_KERAS)
    shape = "3,9,8" if name == "Slice" else "4,8"
    assert checked(remotes, f"{torch}:{name}", f"{keras}:{name}", shape).verdict == verdict


BUSY = """
import threading
from parity.checker.workers import serve
def make(build, title, threads):
    threading.Event().wait()
serve.main("torch", lambda: object, "anything", lambda: make)
"""


def test_the_parents_death_ends_a_side_that_is_at_work():
    request = {"do": "load", "target": {"module": "builtins", "name": "object", "arguments": {}}}
    process = subprocess.Popen(
        [sys.executable, "-c", BUSY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert json.loads(process.stdout.readline())["event"] == "ready"
    process.stdin.write(json.dumps(request) + "\n")
    process.stdin.flush()
    process.stdin.close()
    assert process.wait(timeout=PATIENCE) == 3
    process.stdout.close()
