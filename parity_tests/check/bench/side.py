"""Runs all models of one side: ``python -m parity_tests.check.bench.side torch answers.json``.

Writes for every model the names of the model's layers, and its outputs' shapes and whether they are
finite. The two frameworks never share a process.
"""

import importlib.util
import json
import os
import sys
from functools import cache
from pathlib import Path

import numpy as np

from .table import CORRECT, FAULTY, KEPT_CORRECT, KEPT_FAULTY

ROWS = (*CORRECT, *FAULTY, *KEPT_CORRECT, *KEPT_FAULTY)


@cache
def module(file):
    spec = importlib.util.spec_from_file_location(Path(file).stem, file)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def built(place, arguments):
    file, name = place.split(":")
    found = getattr(module(file), name)
    is_model = hasattr(found, "state_dict") or hasattr(found, "trainable_weights")
    return found if is_model and not isinstance(found, type) else found(**arguments)


def drawn(text, generator):
    shape, _, kind = text.partition(":")
    shape = [int(size) for size in shape.split(",")]
    if kind.startswith("int"):
        return generator.integers(int(kind.removeprefix("int<")), size=shape)
    return generator.random(shape) < 0.4 if kind else generator.standard_normal(shape)


def inputs(row, side):
    """The row's inputs as this side takes them."""
    generator = np.random.default_rng(0)
    arrays = [drawn(text, generator) for text in row.inputs]
    if side == "torch":
        return arrays
    if row.keras_inputs:
        wanted = [tuple(map(int, text.split(":")[0].split(","))) for text in row.keras_inputs]
        return [
            a if a.shape == shape else np.moveaxis(a, 1, -1)
            for a, shape in zip(arrays, wanted, strict=True)
        ]
    return [np.moveaxis(a, 1, -1) if a.ndim >= 4 else a for a in arrays]


def flat(outputs):
    """(key, array) of everything in dictionaries and tuples, in order."""
    if isinstance(outputs, dict):
        return [(k, a) for k, v in sorted(outputs.items()) for _, a in flat(v)]
    if isinstance(outputs, list | tuple):
        return [pair for v in outputs for pair in flat(v)]
    return [("", np.asarray(outputs))]


def run_torch(row):
    import torch

    model = built(row.torch, getattr(row, "torch_arguments", {})).eval()
    arrays = [a.astype("float32") if a.dtype == float else a for a in inputs(row, "torch")]
    with torch.no_grad():
        outputs = model(*(torch.from_numpy(a) for a in arrays))
        model.train()
        model(*(torch.from_numpy(a) for a in arrays))
    return [name for name, _ in model.named_modules() if name], outputs


def run_keras(row):
    import keras

    keras.backend.clear_session()  # so that automatic names start anew
    model = built(row.keras, getattr(row, "keras_arguments", {}))
    arrays = [a.astype("float32" if a.dtype == float else a.dtype) for a in inputs(row, "keras")]
    given = arrays[0] if len(arrays) == 1 else arrays
    outputs = model(given, training=False)
    layers = [layer.name for layer in model._flatten_layers()]
    return layers + [operation.name for operation in getattr(model, "operations", [])], outputs


def key(row, side):
    """Rows that share a model and its inputs share the answer."""
    return " ".join((row.torch if side == "torch" else row.keras, *row.inputs))


def main(side, answers):
    if side == "keras":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    run = run_torch if side == "torch" else run_keras
    found = {}
    for row in {key(row, side): row for row in ROWS}.values():
        try:
            layers, outputs = run(row)
        except Exception as error:
            raise RuntimeError(f"{row.name} on the {side} side") from error
        pairs = flat(outputs)
        found[key(row, side)] = {
            "layers": layers,
            "shapes": [a.shape for _, a in pairs],
            "finite": all(bool(np.isfinite(a).all()) for _, a in pairs),
        }
    Path(answers).write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
