"""What one side holds in memory while it records a model of large weights; in its own process.

``python -m parity_tests.check.large_models keras FOLDER`` prints the largest number of bytes that
were held beyond those of the model itself, in units of its weights in float64; then how many of its
files' were, where no gradient of a kernel but one is wanted.
"""

import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from parity.checker.graph import storage
from parity.checker.graph.model_interface import RecordRequest
from parity.checker.workers import serve

WIDTH, LAYERS = 1024, 10
WEIGHTS = WIDTH * (WIDTH + 1) * LAYERS


def held(of: str = "Anon") -> int:
    """Bytes of this process in memory: ``Anon``, no file's, or ``File``."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"Rss{of}:\s+(\d+) kB", status)[1])


class Watch:
    """Takes arrays, keeps their sums, and looks each time at what is held."""

    def __init__(self, of="Anon"):
        self.sums, self.most, self._of = {}, 0, of

    def __setitem__(self, key, array):
        self.sums[key] = float(np.sum(array))
        self.most = max(self.most, held(self._of))


def recorded(model, folder):
    """The most that was held in a run in float64, of weights that lie in files; see above."""
    serve.return_large_blocks()
    model.keep_in(folder)
    x = np.random.default_rng(0).standard_normal((2, WIDTH))
    graph = model.trace([x]).graph
    projections = [np.ones(graph.outputs[0].shape)]
    model.record(RecordRequest("float32", "evaluate", [x]), Watch())
    serve.give_back()
    before, watch = held(), Watch()
    request = RecordRequest("float64", "evaluate", [x], projections)
    model.record(request, watch)
    assert sum(key.startswith("gradients/") for key in watch.sums) == 2 * LAYERS + 1
    first, *kernels = [p.id for p in graph.parameters.values() if p.role == "kernel"]
    serve.give_back()
    mapped, part = held("File"), Watch("File")
    model.record(replace(request, skipped=kernels), part)
    gone = {f"gradients/{name}" for name in kernels}
    assert part.sums == {key: total for key, total in watch.sums.items() if key not in gone}
    model.set_weights({first: np.ones((WIDTH, WIDTH)) / WIDTH})
    pair = [model.record(RecordRequest(p, "evaluate", [x])) for p in ("float32", "float64")]
    single, double = (run["outputs/0"] for run in pair)
    assert abs(np.sum(double) - watch.sums["outputs/0"]) > 1e-3
    assert np.allclose(single, double, atol=1e-5)
    return watch.most - before, part.most - mapped


def main(side, folder):
    """Print the outcome of a side."""
    if side == "torch":
        from parity.torch_side.checker import TorchModel as Model
        from parity_tests.check.large_torch import perceptron
    else:
        from parity.keras_side.checker import KerasModel as Model
        from parity_tests.check.large_keras import perceptron
    storage.RESIDENT = 2 * 8 * WIDTH**2
    print(*(count / (8 * WEIGHTS) for count in recorded(Model(perceptron, "large"), folder)))


if __name__ == "__main__":
    main(*sys.argv[1:])
