"""What one side holds in memory while it records a model of large weights; in its own process.

``python -m parity_tests.check.large_models keras FOLDER`` prints the largest number of bytes that
were held beyond those of the model itself, in units of its weights in float64.
"""

import re
import sys
from pathlib import Path

import numpy as np

from parity.checker.graph.model_interface import RecordRequest
from parity.checker.workers import serve

WIDTH, LAYERS = 1024, 10
WEIGHTS = WIDTH * (WIDTH + 1) * LAYERS


def held() -> int:
    """Bytes of this process that are no file's."""
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"RssAnon:\s+(\d+) kB", status)[1])


class Watch:
    """Takes arrays, keeps none, and looks each time at what is held."""

    def __init__(self):
        self.keys, self.most = [], 0

    def __setitem__(self, key, array):
        self.keys.append(key)
        self.most = max(self.most, held())


def recorded(model, folder):
    """The most that was held in a run in float64, of weights that lie in files."""
    serve.return_large_blocks()
    model.keep_in(folder)
    x = np.random.default_rng(0).standard_normal((2, WIDTH))
    shape = model.trace([x]).graph.outputs[0].shape
    model.record(RecordRequest("float32", "evaluate", [x]), Watch())
    serve.give_back()
    before, watch = held(), Watch()
    model.record(RecordRequest("float64", "evaluate", [x], [np.ones(shape)]), watch)
    assert sum(key.startswith("gradients/") for key in watch.keys) == 2 * LAYERS + 1
    return watch.most - before


def main(side, folder):
    """Print the outcome of a side."""
    if side == "torch":
        from parity.torch_side.checker import TorchModel as Model
        from parity_tests.check.large_torch import perceptron
    else:
        from parity.keras_side.checker import KerasModel as Model
        from parity_tests.check.large_keras import perceptron
    print(recorded(Model(perceptron, "large"), folder) / (8 * WEIGHTS))


if __name__ == "__main__":
    main(*sys.argv[1:])
