"""``python -m parity_tests.planted torch FOLDER EXAMPLE …`` records the faults of a side."""

import importlib
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

from parity.core.sides import LESSON_PACKAGES
from parity.recording import provenance
from parity.training import recorder
from parity.training.job import RecordingJob
from parity_tests.planted import plant_rows, rows
from parity_tests.planted.faults import FAULTS, HONEST
from parity_tests.planted.spec import SIZE, SPEC
from shared.suite import SUITE

RUNS = (("float32", False), ("float64", False), ("float64", True))


def main(side, folder, *examples):
    """Record the small example, and those that are named."""
    if side == "torch":
        from parity.torch_side.adapter import PyTorch as Framework
    else:
        from parity.keras_side.adapter import Keras as Framework
    # The fingerprint of a test's own twin says nothing, and its files have other names.
    provenance.code_digest = lambda *_: ""
    framework = Framework(1)
    record_small(framework, side, folder)
    record_rows(framework, side, folder, examples)


def record_small(framework, side, folder):
    """The small example of `spec` with every fault of `faults`."""
    twin = importlib.import_module(f"parity_tests.planted.{side}_twin")
    plant = importlib.import_module(f"parity_tests.planted.plant_{side}")
    way = next(w for w in SPEC.training.ways if w.side == side)
    honest = HONEST if side == "torch" else ()
    names = dict.fromkeys(["none", *honest, *(f.name for f in FAULTS if side in f.sides)])
    for name in names:
        for precision, nudged in RUNS:
            job = _job(name, SPEC, way, precision, SIZE, Path(folder) / f"{name}-{side}", nudged)
            with getattr(plant, name)(framework, twin):
                recorder.make_recording(SUITE, framework, twin, SPEC, job, progress=_silent)


def record_rows(framework, side, folder, names):
    """Some of the trained examples, each as it is and with every drawn change of `rows`."""
    for example in names:
        spec, done = SUITE.find(example), set()
        for row in rows.of(example):
            way = spec.training.way(rows.way(row, side))
            for changed in (False, True) if row.side == side else (False,):
                name = rows.recording(row, side, changed=changed)
                if name in done:
                    continue
                done.add(name)
                twin = plant_rows.twin_with(
                    LESSON_PACKAGES[side], example, row.changes if changed else ()
                )
                whole = row.whole if changed else any(r.whole for r in rows.of(example))
                for precision, nudged in RUNS if whole else RUNS[:2]:
                    out = Path(folder) / name
                    job = _job(name, spec, way, precision, rows.SIZES[example], out, nudged)
                    with plant_rows.planted(row if changed else None, framework):
                        recorder.make_recording(SUITE, framework, twin, spec, job, progress=_silent)


def _job(name, spec, way, precision, size, out, nudged):  # noqa: PLR0917
    file = f"{out}-{precision}{'-nudged' if nudged else ''}.safetensors"
    return RecordingJob(name, spec.name, way.name, precision, nudged, spec.seed, size, file)


def _silent(done, total):
    pass


if __name__ == "__main__":
    main(*sys.argv[1:])
