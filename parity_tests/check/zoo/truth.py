"""The truth about each pair, established without the tool.

``python -m parity_tests.check.zoo.truth [PATTERN …]`` builds each pair in two processes, gives
PyTorch's model random weights, ports them with the family's own `port`, runs both in float32 and
float64 forwards and backwards, and writes how far apart they are into `truth.json`. It says where
the stored numbers tell another truth.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np

from parity_tests.check.zoo.pair import Pair, Port, all_pairs, port_of

FILE = Path(__file__).with_name("truth.json")
PRECISIONS = ("float32", "float64")
ROUNDING = 1e-11
"""In float64, relative: below it two numbers are the same to rounding. Right pairs reach 1e-12,
the smallest fault of the zoo (an epsilon of 1.001e-5 for 1e-5) makes 8e-8."""


ROUNDING32 = 1e-4
"""The same where a package cannot be run in float64."""
SHORTENED = 1e-7
"""The same where a constant is written with eight digits."""


@dataclass(frozen=True)
class Truth:
    """How far apart the two are, relative to the largest number of either side.

    Attributes:
        outputs: precision → distance, the largest of all draws and outputs; float64 is missing
            where a package cannot be run in it.
        gradients: precision → distance of the weights' gradients, the largest of all.
        weights: how many weights went across.
        shortened: see `Pair`.
    """

    outputs: Mapping[str, float]
    gradients: Mapping[str, float]
    weights: int
    shortened: str = ""

    @property
    def verdict(self) -> str:
        """``agree`` or ``differ``."""
        return "agree" if max(self._far) < self._bound else "differ"

    @property
    def _far(self) -> tuple[float, float]:
        finest = max(self.outputs)
        return self.outputs[finest], self.gradients[finest]

    @property
    def _bound(self) -> float:
        if "float64" not in self.outputs:
            return ROUNDING32
        return SHORTENED if self.shortened else ROUNDING

    @property
    def words(self) -> str:
        """For people."""
        out, slope = self._far
        if out >= self._bound:
            return f"differ: outputs by {out:.0e}"
        if slope >= self._bound:
            return f"differ: gradients by {slope:.0e}, outputs agree"
        if "float64" not in self.outputs:
            return "agree (in float32: a package cannot be run in float64)"
        return f"agree ({self.shortened})" if self.shortened else "agree"


def stored() -> dict[str, Truth]:
    """The truth of each pair by its name."""
    return {name: Truth(**known) for name, known in json.loads(FILE.read_text("utf-8")).items()}


def draws(pair: Pair) -> list[list[np.ndarray]]:
    """Inputs in PyTorch's layout: with ids 0, 1, 2 …, then two random draws."""
    found = []
    for draw in range(3):
        rng = np.random.default_rng([draw, zlib.crc32(pair.name.encode())])
        arrays = []
        for text in pair.inputs:
            sizes, _, kind = text.partition(":")
            shape = tuple(map(int, sizes.split(",")))
            if kind.startswith("int"):
                high = int(kind.partition("<")[2])
                ids = rng.integers(0, high, shape)
                if draw == 0:
                    ids = (np.arange(np.prod(shape)).reshape(shape)) % high
                arrays.append(ids)
            elif kind == "bool":
                mask = rng.random(shape) < 0.75
                mask[..., 0] = True
                arrays.append(mask)
            else:
                arrays.append(rng.standard_normal(shape).astype(np.float32).astype(np.float64))
        found.append(arrays)
    return found


def random_state(name: str, array: np.ndarray, is_norm: bool) -> np.ndarray:
    """Random numbers for a weight, such that nothing is degenerate; float32 numbers."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    found = rng.standard_normal(array.shape)
    if name.endswith("running_var"):
        found = np.exp(0.3 * found)
    elif array.ndim < 2:
        found = 0.3 * found + (1.0 if is_norm else 0.0)
    else:
        found *= 1.5 / np.sqrt(np.prod(array.shape[1:]))
    return found.astype(np.float32).astype(np.float64)


def projection(shape: Sequence[int], number: int) -> np.ndarray:
    """What an output is multiplied by before it is summed, so that gradients tell something."""
    return np.random.default_rng([7, number]).standard_normal(shape)


def establish(pairs: Sequence[Pair]) -> dict[str, Truth | str]:
    """The truth about each, or why it could not be established."""
    with tempfile.TemporaryDirectory(prefix="parity-zoo-") as folder:
        names = json.dumps([pair.name for pair in pairs])
        for side in ("torch", "keras"):
            env = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
            command = [sys.executable, "-m", f"{__package__}.truth_{side}", folder]
            subprocess.run(command, input=names, text=True, check=True, env=env)
        return {pair.name: _truth(pair, Path(folder)) for pair in pairs}


def _truth(pair: Pair, folder: Path) -> Truth | str:
    for side in ("torch", "keras"):
        error = folder / f"{pair.name}.{side}.txt"
        if error.exists():
            return f"{side}: {error.read_text('utf-8')}"
    left, right = (dict(np.load(folder / f"{pair.name}.{s}.npz")) for s in ("torch", "keras"))
    outputs, gradients, weights = {}, {}, 0
    for precision in PRECISIONS:
        if not any(key.startswith(precision) for key in right):
            continue
        outputs[precision] = max(
            distance(left[key], right[key]) for key in left if key.startswith(f"{precision}/out")
        )
        slopes = {
            key.removeprefix(f"{precision}/gradient/"): array
            for key, array in left.items()
            if key.startswith(f"{precision}/gradient/")
        }
        port = Port(slopes, gradients=True)
        port_of(pair)(port)
        found = [0.0]
        weights = 0
        largest = max(np.abs(a).max() for a in slopes.values())
        for path, arrays in port.found.items():
            for number, array in enumerate(arrays):
                key = f"{precision}/gradient/{path}:{number}"
                if array is None or key not in right:
                    continue
                weights += 1
                far = np.abs(array.reshape(right[key].shape) - right[key]).max()
                scale = max(np.abs(array).max(), np.abs(right[key]).max(), 1e-3 * largest)
                found.append(float(far / scale))
        gradients[precision] = max(found)
    rounded = [{p: float(f"{far:.1e}") for p, far in d.items()} for d in (outputs, gradients)]
    return Truth(*rounded, weights, pair.shortened)


def distance(left: np.ndarray, right: np.ndarray) -> float:
    """Largest difference over the largest number; images come with channels last on the right."""
    if left.shape != right.shape:
        if left.ndim == right.ndim and np.moveaxis(left, 1, -1).shape == right.shape:
            left = np.moveaxis(left, 1, -1)
        else:
            left = left.reshape(right.shape)
    scale = max(np.abs(left).max(), np.abs(right).max())
    return float(np.abs(left - right).max() / scale) if scale else 0.0


def each(folder: Path, work) -> None:
    """Run `work` on every pair that standard input names, and keep its arrays or its error."""
    wanted = set(json.load(sys.stdin))
    for pair in all_pairs():
        if pair.name not in wanted:
            continue
        side = work.__module__.rpartition("_")[2] if work.__module__ != "__main__" else SIDE
        try:
            np.savez(folder / f"{pair.name}.{side}.npz", **work(pair, folder))
        except Exception as error:  # the others are established all the same
            if os.environ.get("PARITY_ZOO_DEBUG"):
                raise
            text = f"{type(error).__name__}: {error}"
            (folder / f"{pair.name}.{side}.txt").write_text(text[:800], "utf-8")


SIDE = Path(sys.argv[0]).stem.rpartition("_")[2]


def main(patterns: Sequence[str]) -> int:
    """Establish the truth of what matches; 1 where it is not the stored one."""
    chosen = [p for p in all_pairs() if any(fnmatchcase(p.name, x) for x in patterns or ["*"])]
    known = {}
    with contextlib.suppress(FileNotFoundError):
        known = stored()
    others = 0
    for name, truth in establish(chosen).items():
        if isinstance(truth, str):
            print(f"{name}: {truth}")
            others += 1
            continue
        print(f"{name}: {truth.words}; {truth}")
        others += name in known and known[name].verdict != truth.verdict
        known[name] = truth
    kept = {p.name: asdict(known[p.name]) for p in all_pairs() if p.name in known}
    FILE.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    return int(others > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
