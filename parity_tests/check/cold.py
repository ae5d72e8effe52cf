"""How long a cold `parity check` takes beside the bare work, measured in turns.

The bare work is what nobody can do without: both frameworks imported, both models built, one
forward and one backward pass of each in float32 and float64, in two processes at once. One line a
pair: seconds and memory of both, the median of the ratios.

    python -m parity_tests.check.cold            # all pairs, three times each
    python -m parity_tests.check.cold tiny --times 5
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TINY = {
    "written_torch.py": """
from torch import nn

def Net():
    return nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
""",
    "written_keras.py": """
import keras
from keras import layers

def Net():
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(16, activation="relu"), layers.Dense(4)]
    )
""",
}
RESNET50 = {
    "written_torch.py": """
import torchvision

def Net():
    return torchvision.models.resnet50(weights=None).eval()
""",
    "written_keras.py": """
import keras

def Net():
    return keras.applications.ResNet50(weights=None, classifier_activation=None)
""",
}
COMMAND = "from parity.cli.main import main; main()"
PAIRS = {"tiny": (TINY, (4, 8)), "resnet50": (RESNET50, (2, 3, 224, 224))}
BARE = {
    "written_torch.py": """
import json, sys
import numpy as np, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
import importlib.util
spec = importlib.util.spec_from_file_location("models", sys.argv[1] + "/written_torch.py")
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
x = np.random.default_rng(0).normal(size=json.loads(sys.argv[2]))
model = module.Net()
for dtype in (torch.float32, torch.float64):
    model.to(dtype)
    inputs = torch.tensor(x, dtype=dtype, requires_grad=True)
    model(inputs).sum().backward()
""",
    "written_keras.py": """
import json, os, sys
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np, tensorflow as tf, keras
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
import importlib.util
x = np.random.default_rng(0).normal(size=json.loads(sys.argv[2]))
x = np.moveaxis(x, 1, -1) if x.ndim == 4 else x
spec = importlib.util.spec_from_file_location("models", sys.argv[1] + "/written_keras.py")
module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
for dtype in ("float32", "float64"):
    keras.config.set_floatx(dtype); keras.config.set_dtype_policy(dtype)
    model = module.Net()
    inputs = tf.constant(x, dtype)
    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(model(inputs))
    tape.gradient(loss, [inputs, *model.trainable_variables])
""",
}


def bare(folder: Path, shape: tuple[int, ...]) -> tuple[float, float]:
    """Seconds and megabytes of the work itself, both sides at once."""
    commands = [
        [sys.executable, str(folder / f"bare_{name}"), str(folder), json.dumps(shape)]
        for name in BARE
    ]
    return _measured(commands, {0})


def check(folder: Path, shape: tuple[int, ...]) -> tuple[float, float]:
    """Seconds and megabytes of the command, started as a user starts it."""
    sides = [f"--{side}={folder}/written_{side}.py:Net" for side in ("torch", "keras")]
    given = f"--input={','.join(map(str, shape))}"
    return _measured([[sys.executable, "-c", COMMAND, "check", *sides, given]], {0, 1})


def _measured(commands: list[list[str]], well: set[int]) -> tuple[float, float]:
    begin = time.perf_counter()
    running = [subprocess.Popen(c, stdout=-3, stderr=-3, cwd=ROOT) for c in commands]
    peak = 0
    while any(one.poll() is None for one in running):
        peak = max(peak, sum(_resident(one.pid) for one in running))
        time.sleep(0.05)
    for one in running:
        if one.returncode not in well:
            raise SystemExit(f"{' '.join(one.args)} ended with {one.returncode}")
    return time.perf_counter() - begin, peak / 1e6


def _resident(pid: int) -> int:
    """Bytes of a process and all below it; 0 of one that has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        below = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(int(child)) for child in below)


def main() -> None:
    """Measure the pairs named, each in turns with the bare work."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("pairs", nargs="*", default=list(PAIRS), choices=list(PAIRS))
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    for name in asked.pairs:
        sources, shape = PAIRS[name]
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            for file, text in sources.items():
                (folder / file).write_text(text)
            for file, text in BARE.items():
                (folder / f"bare_{file}").write_text(text)
            rows = [(bare(folder, shape), check(folder, shape)) for _ in range(asked.times)]
        ratios = [ours[0] / theirs[0] for theirs, ours in rows]
        (theirs, megabytes), (ours, more) = (
            [statistics.median(values) for values in zip(*some, strict=True)]
            for some in zip(*rows, strict=True)
        )
        print(
            f"{name}: bare {theirs:.1f} s, {megabytes:.0f} MB; check {ours:.1f} s, {more:.0f} MB; "
            f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )


if __name__ == "__main__":
    main()
