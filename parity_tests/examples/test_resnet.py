"""ResNet-18's weights across, both ways, and pretrained ones from a file; a process a framework."""

import functools
import hashlib
import http.server
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from parity_tests.forked import script

ROOT = Path(__file__).parents[2]
SETUP = {
    "torch": """
import sys, numpy as np, torch
from pytorch_impl import resnet as twin
from parity.torch_side.adapter import PyTorch as Framework
""",
    "keras": """
import sys, numpy as np
from keras_impl import resnet as twin
from parity.keras_side.adapter import Keras as Framework
""",
}
# Writes the weights as PyTorch names them, the outputs, and the gradients, to compare with.
PROGRAM = """
from safetensors.numpy import load_file, save_file
from shared.initial_weights import draw
from shared.examples.resnet import RESNET
given, written = sys.argv[1:]
framework = Framework(1)
framework.use_precision("float64", 5)
framework.use_names(RESNET.training)
if given == "drawn":
    model = twin.build_model()
    framework.load_weights(model, draw(RESNET.training.parameters, 5))
else:
    model = twin.build_model()
    twin.take_weights(model, load_file(given))
state = {n: np.ascontiguousarray(a) for n, a in twin.weights_of(model).items()}
random = np.random.default_rng(3)
images = framework.inputs(random.normal(size=(3, 40, 56, 3)))
labels = framework.tensor(np.array([4, 0, 9]))
training = RESNET.training
way = next(w for w in training.ways if w.side == framework.side)
program = framework.program(twin, way, training)
probabilities, loss = program.predict(model, images, labels)
found = {"probabilities": framework.array(probabilities), "loss": np.array(float(loss))}
_, gradients = program.loss_and_gradients(model, images, labels)
by_name = framework.gradients(model, gradients)
found |= {f"gradients/{name}": np.ascontiguousarray(g) for name, g in by_name.items()}
save_file(state, written + ".state")
save_file(found, written + ".found")
"""
PRETRAINED = """
from safetensors.numpy import save_file
Framework(1).use_precision("float32", 5)
model = twin.pretrained(sys.argv[1])
try:
    twin.take_weights(model, {"layer5.0.conv1.weight": np.zeros((2, 2, 3, 3), np.float32)})
except KeyError as error:
    print(error)
save_file({n: np.ascontiguousarray(a) for n, a in twin.weights_of(model).items()}, sys.argv[2])
"""


@pytest.fixture(scope="module")
def side(forked):
    """``side(name, program, *arguments)`` → what the program printed."""
    scripts = {name: script(forked[name], setup) for name, setup in SETUP.items()}
    return lambda name, program, *arguments: scripts[name](
        f"sys.argv = {['', *map(str, arguments)]}\n{program}"
    )


def imagenet(*arguments):
    command = [sys.executable, "-m", "parity.torch_side.imagenet", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("source", "target"), [("torch", "keras"), ("keras", "torch")])
def test_weights_go_across(side, source, target, tmp_path):
    one, other = tmp_path / source, tmp_path / target
    side(source, PROGRAM, "drawn", one)
    side(target, PROGRAM, f"{one}.state", other)
    sent, arrived = (load_file(f"{p}.state") for p in (one, other))
    counts = {n for n in sent.keys() | arrived.keys() if n.endswith("num_batches_tracked")}
    assert sent.keys() - counts == arrived.keys() - counts
    assert len(sent.keys() - counts) == 102
    for name in sent.keys() - counts:
        np.testing.assert_array_equal(sent[name], arrived[name], strict=True)
    wanted, found = (load_file(f"{p}.found") for p in (one, other))
    assert wanted.keys() == found.keys()
    assert len(wanted) == 2 + 62
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-9, atol=1e-9 * np.abs(array).max())


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A small stand-in for torchvision's file: some of the names, and a head of 1,000 classes."""
    folder = tmp_path_factory.mktemp("server")
    plain = folder / "checkpoint.pth"
    program = """
import sys, torch
random = torch.Generator().manual_seed(1)
torch.save({"conv1.weight": torch.randn(64, 3, 7, 7, generator=random),
            "layer2.0.downsample.1.running_var": torch.rand(128, generator=random),
            "fc.weight": torch.randn(1000, 512, generator=random)}, sys.argv[1])
"""
    subprocess.run([sys.executable, "-c", program, plain], check=True)
    digest = hashlib.sha256(plain.read_bytes()).hexdigest()[:8]
    return plain.rename(folder / f"resnet18-{digest}.pth")


@pytest.fixture
def url(checkpoint):
    """Address of a server on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=checkpoint.parent)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_pretrained_weights_reach_both_sides(side, url, checkpoint, tmp_path):
    file = tmp_path / "resnet18.safetensors"
    done = imagenet(file, "--url", f"{url}/{checkpoint.name}", "--cache", tmp_path / "cache")
    assert done.returncode == 0, done.stderr
    given = load_file(file)
    for name in SETUP:
        printed = side(name, PRETRAINED, file, tmp_path / name)
        assert "no weights named layer5.0.conv1.weight" in printed
        state = load_file(tmp_path / name)
        for key in ("conv1.weight", "layer2.0.downsample.1.running_var"):
            np.testing.assert_array_equal(state[key], given[key], strict=True)
        assert state["fc.weight"].shape == (10, 512)


def test_a_checkpoint_that_is_not_there_is_one_message(url, tmp_path):
    done = imagenet(
        tmp_path / "file", "--url", f"{url}/resnet18-01234567.pth", "--cache", tmp_path / "cache"
    )
    assert done.returncode == 1
    assert "could not fetch" in done.stderr
    assert str(tmp_path / "cache") in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "file").exists()


def test_a_damaged_checkpoint_is_refused(url, checkpoint, tmp_path):
    wrong = checkpoint.with_name("resnet18-01234567.pth")
    wrong.write_bytes(checkpoint.read_bytes()[:-100])
    done = imagenet(
        tmp_path / "file", "--url", f"{url}/{wrong.name}", "--cache", tmp_path / "cache"
    )
    wrong.unlink()
    assert done.returncode == 1
    assert "hash" in done.stderr
