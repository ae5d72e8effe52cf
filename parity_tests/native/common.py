"""What must hold of the native trainings on both sides; run in a process that has the framework."""

import dataclasses
import importlib
import itertools
import json
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

import numpy as np

from parity.core import classification
from parity.core.errors import DataError
from parity.core.sides import LESSON_PACKAGES
from parity.native.defaults import _MATCHED, pairs
from parity.native.running import _Job
from parity.native.settings import examples, plan
from parity.recording import recording_file
from parity.spec.example import Size
from parity.training import recorder
from parity.training.job import RecordingJob
from shared.suite import SUITE

SEED = 5


def small(name):
    """A size of a few steps, the last batch smaller than the others."""
    size = SUITE.find(name).training.default
    few = {
        "iris_mlp": {},
        "divergence": {"train": 40, "test": 50},
        "regularisation": {"train": 200, "test": 50, "validation": 80},
        "sequential_cnn": {"train": 70, "test": 50},
    }
    return dataclasses.replace(size, epochs=2, **few.get(name, {"train": 300, "test": 100}))


FEW = ("fashion_mlp", "iris_mlp", "transfer_learning", "regularisation")
"""Examples that have every default among them."""


_made = {}


def jobs(framework, native, names=()):
    """Plans of a side with what their settings are made from: of these examples, or of all."""
    for spec in [s for s in examples(SUITE) if not names or s.name in names]:
        for pair in pairs(spec):
            known = plan(SUITE, spec.name, framework.side, pair.name)
            twin = importlib.import_module(f"{LESSON_PACKAGES[framework.side]}.{spec.name}")
            try:
                if (spec.name, pair.name) not in _made:
                    _made[spec.name, pair.name] = _Job.of(
                        SUITE, framework, native, twin, known, seed=SEED, size=small(spec.name)
                    )
            except DataError:
                if os.environ.get("CI"):
                    raise
                continue
            job = _made[spec.name, pair.name]
            framework.use_names(job.training)
            yield known, job


def stated(known):
    """What the table says of the matched programs."""
    return _MATCHED[known.example, known.pair]


def orders(job, setting):
    """The batches of a setting as one list."""
    return [chosen.tolist() for chosen in job._ordered(setting).order]


def each_default_alone_changes_nothing_else(framework, native, describe):
    """Weights, order, optimizer, norms and dropout: only what a setting's name says differs."""
    for known, job in jobs(framework, native, FEW):
        base = seen(framework, job, known.matched, describe)
        for default, setting in known.alone.items():
            own = seen(framework, job, setting, describe)
            different = {part for part in base if not equal(base[part], own[part])}
            assert different <= {default}, (known.example, setting.name, different)
            if default != "fit":
                assert different == {default}, (known.example, setting.name, "changes nothing")


def seen(framework, job, setting, describe):
    """All that a setting decides, part by part."""
    model = job.model(setting)
    return {
        "initialiser": framework.weights(model),
        "shuffling": orders(job, setting),
        **describe(job, model, job.optimizer(setting, model)),
    }


def equal(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(equal(one[k], other[k]) for k in one)
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else one == other


def every_epoch_sees_every_sample_once(framework, native):
    """Whatever shuffles; and the held-out samples are never trained on."""
    for known, job in jobs(framework, native, ("iris_mlp", "regularisation")):
        kept = job._kept.tolist()
        for setting in known.settings:
            found = orders(job, setting)
            per = len(found) // 2
            sizes = [len(batch) for batch in job.batches.order]
            assert [len(batch) for batch in found] == sizes
            for epoch in (found[:per], found[per:]):
                assert sorted(itertools.chain(*epoch)) == kept, (known.example, setting.name)


def matched_is_the_recording(framework, train_setting, examples_, exact):
    """The matched setting ends where the matched recording of the fast path does."""
    for name in examples_:
        spec = SUITE.find(name)
        pair = spec.pairs[0]
        way = spec.training.way(pair.left if framework.side == "torch" else pair.right)
        size = small(name)
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "made.safetensors"
            job = RecordingJob(
                "j", name, f"{way.name}_fast", "float32", False, SEED, size, str(out)
            )
            twin = importlib.import_module(f"{LESSON_PACKAGES[framework.side]}.{name}")
            recorder.make_recording(
                SUITE, framework, twin, spec, job, progress=lambda done, total: None
            )
            made = recording_file.read(out)
            predictions = np.array(made["predictions/test"])
            loss = float(made["metrics/test_loss"])
        found = train_setting(SUITE, framework, name, "matched", seed=SEED, size=size)
        assert np.array_equal(found.predictions, classification.classes(predictions)), name
        assert abs(found.test_loss - loss) <= (0 if exact else 1e-6), (found.test_loss, loss)
        assert found.step1_distance < 1e-6


def twice_the_same(framework, train_setting):
    """The same setting and seed, the same summary; another seed, another."""
    size = Size("embedded", epochs=1, train=96, test=100)
    one, other, third = (
        dataclasses.replace(
            train_setting(SUITE, framework, "fashion_mlp", "native", seed=seed, size=size),
            seconds=0,
        )
        for seed in (1, 1, 2)
    )
    assert one.to_json() == other.to_json()
    assert one.to_json() != third.to_json()


def main(checks):
    """Run every check, or those named; one line of JSON: name → what went wrong, or nothing."""
    told = {}
    for name in sys.argv[1:] or checks:
        begin = time.perf_counter()
        try:
            checks[name]()
            told[name] = ""
        except Exception:
            told[name] = traceback.format_exc()
        print(f"{name}: {time.perf_counter() - begin:.1f} s", file=sys.stderr)
    print(json.dumps(told))
