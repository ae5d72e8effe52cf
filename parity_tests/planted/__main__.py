"""``python -m parity_tests.planted torch FOLDER`` records all faults of a side in one process."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from parity_tests.planted.faults import FAULTS, HONEST
from parity_tests.planted.spec import SIZE, SPEC
from shared import making, provenance
from shared.jobs import Job

RUNS = (("float32", False), ("float64", False), ("float64", True))


def main(side, folder):
    if side == "torch":
        from pytorch_impl._framework import PyTorch as Framework
    else:
        from keras_impl._framework import Keras as Framework
    twin = importlib.import_module(f"parity_tests.planted.{side}_twin")
    plant = importlib.import_module(f"parity_tests.planted.plant_{side}")
    framework = Framework(1)
    # The fingerprint of a test's own twin says nothing, and its files have other names.
    provenance.code_digest = lambda *_: ""
    way = next(w for w in SPEC.training.ways if w.side == side)
    honest = HONEST if side == "torch" else ()
    names = dict.fromkeys(["none", *honest, *(f.name for f in FAULTS if side in f.sides)])
    for name in names:
        for precision, nudged in RUNS:
            out = Path(folder) / f"{name}-{side}-{precision}{'-nudged' if nudged else ''}"
            job = Job(name, SPEC.name, way.name, precision, nudged, SPEC.seed, SIZE,
                      f"{out}.safetensors")  # fmt: skip
            with getattr(plant, name)(framework, twin):
                making.make(framework, twin, SPEC, job, lambda done, total: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
